"""States of the desk that answer a waiting request or sweep: `{"order"}` -> `{"ok": bool, "message", ...}`."""

from typing import Any

from rightful.entry import Event
from rightful.entry import handler as entry
from rightful.service import deciding
from rightful.service.deps import Deps, TimeLeft
from rightful.service.desk import orders
from rightful.service.sweep import braking


def act(deps: Deps, order: dict[str, Any]) -> dict[str, Any]:
    action = order["action"]
    if action in braking.DECISIONS:
        return braking.decide(deps, order["run_id"], action, stores=order.get("stores", ()), reason=order["reason"])
    said = {name: order[name] for name in ("plan_hash", "code", "store", "ground", "reason") if name in order}
    return deciding.decide(deps, order["request_id"], action, **said)


def decide(deps: Deps, event: Event, _: TimeLeft) -> dict[str, Any]:
    return orders.carry_out(deps, event["order"], lambda order: act(deps, order))


handler = entry(decide)
