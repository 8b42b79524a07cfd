"""States of the desk that say what an issue is, and end it: `{"order"}` -> `{"ok": bool, "message", "issue_id"}`."""

from typing import Any

from rightful.entry import Event
from rightful.entry import handler as entry
from rightful.service.deps import Deps, TimeLeft
from rightful.service.desk import assessing, orders


def act(deps: Deps, order: dict[str, Any]) -> dict[str, Any]:
    return assessing.close(deps, order) if order["action"] == "close_issue" else assessing.assess(deps, order)


def assess(deps: Deps, event: Event, _: TimeLeft) -> dict[str, Any]:
    return orders.carry_out(deps, event["order"], lambda order: act(deps, order))


handler = entry(assess)
