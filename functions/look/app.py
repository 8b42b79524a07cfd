"""States of the desk that only look (open, show, find): `{"order"}` -> `{"ok": bool, "message", ...}`."""

from typing import Any

from rightful.entry import Event
from rightful.entry import handler as entry
from rightful.service.deps import Deps, TimeLeft
from rightful.service.desk import looking, orders


def act(deps: Deps, order: dict[str, Any]) -> dict[str, Any]:
    match order["action"]:
        case "show":
            return looking.show(deps, order["request_id"])
        case "find":
            return looking.find(deps, order["email"])
        case _:
            return looking.open_requests(deps, order.get("due_within_days"))


def look(deps: Deps, event: Event, _: TimeLeft) -> dict[str, Any]:
    return orders.carry_out(deps, event["order"], lambda order: act(deps, order))


handler = entry(look)
