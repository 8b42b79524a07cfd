"""The overview of a period: `{"from"?: "2026-02-01", "to"?: "2027-01-31", "order"?: name of the run}` -> `{"ok": true,
"message", "report", "records", "numbers": {...}}`, or `{"ok": false, "message", "errors": {field: cure}}`."""

from typing import Any

from rightful.entry import Event
from rightful.entry import handler as entry
from rightful.errors import Refused
from rightful.service import overseeing
from rightful.service.deps import Deps, TimeLeft


def overview(deps: Deps, event: Event, _: TimeLeft) -> dict[str, Any]:
    try:
        return {"ok": True, **overseeing.report(deps, event.get("from"), event.get("to"), event.get("order"))}
    except Refused as refusal:
        return {"ok": False, "message": refusal.detail, "errors": dict(refusal.errors)}


handler = entry(overview)
