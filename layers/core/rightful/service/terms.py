"""The time in which a request must be answered, from the request's own facts: receipt, extension, pauses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rightful import clocks
from rightful.clocks import moment, stamp
from rightful.service.deps import Deps


def due(deps: Deps, request: Mapping[str, Any], *, extended: bool) -> datetime:
    """The last second, in UTC, in which an answer is in time, by the pauses that are over. `counts_from` is the receipt
    of an earlier letter that asks for the same."""
    controller = deps.datamap.controller
    return clocks.due(
        request["regime"],
        moment(request.get("counts_from", request["received_at"])),
        controller.holidays,
        extended=extended,
        tz=clocks.zone(controller.time_zone),
        pauses=[(moment(each["since"]), moment(each["until"])) for each in request.get("pauses", [])],
    )


def after_pause(deps: Deps, request: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of a paused request whose pause ends now: `pauses`, `paused_days`, `due_at`, and `extended_until` if it was
    extended."""
    pauses = [*request.get("pauses", []), {"since": request["paused_since"], "until": stamp(deps.clock())}]
    extended = bool(request.get("extended_until"))
    due_at = stamp(due(deps, {**request, "pauses": pauses}, extended=extended))
    facts: dict[str, Any] = {"pauses": pauses, "paused_days": _days(deps, pauses), "due_at": due_at}
    return facts | ({"extended_until": due_at} if extended else {})


def _days(deps: Deps, pauses: list[dict[str, str]]) -> int:
    tz = clocks.zone(deps.datamap.controller.time_zone)
    return sum(
        (moment(each["until"]).astimezone(tz).date() - moment(each["since"]).astimezone(tz).date()).days
        for each in pauses
    )
