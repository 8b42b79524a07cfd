"""State "Write the report": `{"order"}`, as the desk keeps it, or by hand `{"from"?, "to"?}` (days, as 2027-01-31) ->
`{"ok": true, "message", "report", "records", "numbers": {...}}`, or `{"ok": false, "message", "errors", "example"}`."""

from typing import Any

from rightful.entry import Event
from rightful.entry import handler as entry
from rightful.errors import Refused
from rightful.service import overseeing
from rightful.service.deps import Deps, TimeLeft
from rightful.service.desk import orders


def overview(deps: Deps, event: Event, _: TimeLeft) -> dict[str, Any]:
    def act(asked: dict[str, Any]) -> dict[str, Any]:
        return overseeing.report(deps, asked.get("from"), asked.get("to"), event.get("order"))

    if "order" in event:
        return orders.carry_out(deps, event["order"], act)
    try:
        return act(event)
    except Refused as refusal:
        return orders.told(refusal, {"action": "report"})


handler = entry(overview)
