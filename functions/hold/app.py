"""States of the desk that place and release legal holds: `{"order"}` -> `{"ok": bool, "message", "hold_id"}`."""

from typing import Any

from rightful.entry import Event
from rightful.entry import handler as entry
from rightful.service.deps import Deps, TimeLeft
from rightful.service.desk import disclosing, orders, withholding


def act(deps: Deps, order: dict[str, Any]) -> dict[str, Any]:
    match order["action"]:
        case "release":
            return withholding.release(deps, order["hold_id"])
        case "disclose":
            return disclosing.disclose(deps, order)
        case _:
            return withholding.hold(deps, order)


def hold(deps: Deps, event: Event, _: TimeLeft) -> dict[str, Any]:
    return orders.carry_out(deps, event["order"], lambda order: act(deps, order))


handler = entry(hold)
