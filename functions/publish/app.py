"""State "Publish a version of the policy": `{"order"}` -> `{"ok": bool, "message", "version", "effective_from"}`."""

from typing import Any

from rightful.entry import Event
from rightful.entry import handler as entry
from rightful.service.deps import Deps, TimeLeft
from rightful.service.desk import orders, publishing


def publish(deps: Deps, event: Event, _: TimeLeft) -> dict[str, Any]:
    return orders.carry_out(deps, event["order"], lambda order: publishing.publish(deps, order))


handler = entry(publish)
