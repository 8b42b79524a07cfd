"""The DPO's answer to a request that waits: `{"action": "approve" | "reject" | "retry" | "skip", "request_id", ...}`.

Answers `{"ok": bool, "message": "..."}`; a decision that does not fit changes nothing and says what would."""

from typing import Any

from rightful.entry import Event
from rightful.entry import handler as entry
from rightful.errors import NeedsAttention, Refused
from rightful.service import asking
from rightful.service.deps import Deps, TimeLeft


def answer(deps: Deps, event: Event, _: TimeLeft) -> dict[str, Any]:
    try:
        return asking.decide(
            deps,
            event.get("request_id", ""),
            event.get("action", ""),
            plan_hash=event.get("plan_hash", ""),
            store=event.get("store", ""),
            ground=event.get("ground", ""),
            reason=event.get("reason", ""),
        )
    except NeedsAttention:
        return {"ok": False, "message": "There is no verified request with this id. Copy it from the mail."}
    except Refused as refusal:
        return {"ok": False, "message": refusal.detail, "errors": dict(refusal.errors)}


handler = entry(answer)
