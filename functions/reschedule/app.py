"""States of the desk that move the clock of a request: `{"order"}` -> `{"ok": bool, "message", ...}`."""

from typing import Any

from rightful.entry import Event
from rightful.entry import handler as entry
from rightful.service.deps import Deps, TimeLeft
from rightful.service.desk import orders, timing

MOVES = {"extend": timing.extend, "pause": timing.pause, "resume": timing.resume}


def act(deps: Deps, order: dict[str, Any]) -> dict[str, Any]:
    more = {"purpose": order["purpose"]} if "purpose" in order else {}
    return MOVES[order["action"]](deps, order["request_id"], order["reason"], **more)


def reschedule(deps: Deps, event: Event, _: TimeLeft) -> dict[str, Any]:
    return orders.carry_out(deps, event["order"], lambda order: act(deps, order))


handler = entry(reschedule)
