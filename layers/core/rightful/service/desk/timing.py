"""The clock of a request: the one extension, and pauses where the regime allows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rightful import clocks
from rightful.clocks import moment, stamp
from rightful.errors import Conflict, Invalid
from rightful.service import contacts, deciding, mailing, progress, requests
from rightful.service.deps import Deps

Request = dict[str, Any]


def extend(deps: Deps, request_id: str, reason: str) -> dict[str, Any]:
    """Takes the statutory extension, once, while the first period runs, and tells the person. Asked for again, it only
    makes sure that they were told. Raises NotFound, Conflict."""
    request = deciding.verified(deps, request_id)
    if request["status"] not in progress.OPEN:
        raise Conflict(f"The request is {request['status']}: there is nothing left to extend.")
    if not request.get("extended_until"):
        if deps.clock() > moment(request["due_at"]) and request["status"] != "paused":
            raise Conflict(
                "The first period is over: the law asks that the person is told of an extension within it. Answer now."
            )
        until = _due(deps, request, extended=True)
        what = f"We need more time; you will have our answer by {_day(deps, until)} at the latest"
        facts = {"due_at": stamp(until), "extended_until": stamp(until), "extension_reason": reason}
        expect = {"extended_until": None, "status": progress.OPEN, "due_at": request["due_at"]}
        noted = {"due_at": stamp(until), "reason": deps.vault.digest("reason", reason)}
        request = requests.append(deps, request_id, what, key="extended", noted=noted, expect=expect, **facts)
    _tell(deps, request, "extended", reason=request["extension_reason"])
    return {
        "ok": True,
        "message": f"Extended, once and for all: the answer is due by {_day(deps, moment(request['due_at']))}. "
        "The person was told the reason.",
        "due_at": request["due_at"],
    }


def pause(deps: Deps, request_id: str, reason: str, purpose: str = "identification") -> dict[str, Any]:
    """Stops the clock until `resume`, and tells the person what they have to send. Raises NotFound, Invalid when the
    regime knows no pause for this purpose, Conflict."""
    request = deciding.verified(deps, request_id)
    if request["status"] == "paused":
        raise Conflict("The request is paused already.")
    allowed = clocks.pausable(request["regime"], request["type"])
    if purpose not in allowed:
        if not allowed:
            raise Conflict(f"Under {request['regime']} nothing stops the clock. It can be extended once.")
        raise Invalid("The clock cannot be stopped for this.", errors=[("purpose", f"One of: {', '.join(allowed)}.")])
    if request["status"] not in progress.OPEN:
        raise Conflict(f"The request is {request['status']}: its clock runs no more.")
    if _under_way(request):
        raise Conflict("The work on this request has begun: it is answered sooner than it could be paused.")
    expect = {"erasing_since": None}
    if request["status"] == "in_progress":
        expect["exporting_since"] = None
    now = stamp(deps.clock())
    item = requests.transition(
        deps,
        request_id,
        "paused",
        what="We need an answer from you; until then the time to answer you stands still",
        noted={"purpose": purpose, "law": allowed[purpose], "reason": deps.vault.digest("reason", reason)},
        expect={"status": request["status"], **expect},
        paused_since=now,
        paused_from=request["status"],
        pause_reason=reason,
        pauses_begun=int(request.get("pauses_begun", 0)) + 1,
    )
    _tell(deps, item, "paused", number=int(item["pauses_begun"]), reason=item["pause_reason"])
    return {"ok": True, "message": f"Paused ({allowed[purpose]}). The person was told what is missing."}


def resume(deps: Deps, request_id: str, reason: str) -> dict[str, Any]:
    """Lets the clock run on; the days of the pause are added to the time to answer. Raises NotFound, Conflict."""
    request = deciding.verified(deps, request_id)
    if request["status"] != "paused":
        raise Conflict(f"The request is {request['status']}, not paused.")
    pauses = [*request.get("pauses", []), {"since": request["paused_since"], "until": stamp(deps.clock())}]
    due = _due(deps, {**request, "pauses": pauses}, extended=bool(request.get("extended_until")))
    facts: dict[str, Any] = {"pauses": pauses, "due_at": stamp(due), "paused_days": _days(deps, pauses)}
    if request.get("extended_until"):
        facts["extended_until"] = stamp(due)
    item = requests.transition(
        deps,
        request_id,
        request["paused_from"],
        what=f"The time to answer you runs again; you will have our answer by {_day(deps, due)} at the latest",
        noted={"due_at": stamp(due), "reason": deps.vault.digest("reason", reason)},
        expect={"status": "paused", "paused_since": request["paused_since"], "paused_from": request["paused_from"]},
        remove=["paused_from", "pause_reason"],
        **facts,
    )
    if item.get("question") == "pause":
        token = deps.vault.open(request_id, bytes(item["task_token"])).decode()
        deps.executions.answer(token, {"decision": "retry"})
    _tell(deps, item, "resumed", number=int(item["pauses_begun"]))
    return {"ok": True, "message": f"The clock runs again: due by {_day(deps, due)}.", "due_at": item["due_at"]}


def _under_way(request: Mapping[str, Any]) -> bool:
    """Whether records are being erased or exported: both are done in minutes unless something fails, and then the
    request waits for the DPO."""
    begun = request.get("erasing_since") or (request["status"] == "in_progress" and request.get("exporting_since"))
    return bool(begun)


def _due(deps: Deps, request: Mapping[str, Any], *, extended: bool) -> datetime:
    controller = deps.datamap.controller
    return clocks.due(
        request["regime"],
        moment(request["received_at"]),
        controller.holidays,
        extended=extended,
        tz=clocks.zone(controller.time_zone),
        pauses=[(moment(each["since"]), moment(each["until"])) for each in request.get("pauses", [])],
    )


def _days(deps: Deps, pauses: list[dict[str, str]]) -> int:
    tz = clocks.zone(deps.datamap.controller.time_zone)
    return sum(
        (moment(each["until"]).astimezone(tz).date() - moment(each["since"]).astimezone(tz).date()).days
        for each in pauses
    )


def _day(deps: Deps, at: datetime) -> str:
    return clocks.day(stamp(at), clocks.zone(deps.datamap.controller.time_zone))


def _tell(deps: Deps, request: Request, kind: str, *, number: int = 1, **facts: Any) -> None:
    """One mail to the person. Raises TryAgain while that is not known, NeedsAttention when it is refused."""
    to = contacts.of_request(deps, request).email
    mailing.send_once(
        deps,
        request["request_id"],
        kind,
        to,
        request["locale"],
        number=number,
        request=request,
        controller=deps.datamap.controller,
        **facts,
    )
