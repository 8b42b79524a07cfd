"""The DPO's answer to a request that waits: `{"action": "approve" | "reject" | "retry" | "skip", "request_id", ...}`.

Answers `{"ok": bool, "message": "...", "errors"?: {field: cure}}`; a decision that does not fit changes nothing and
says what would."""

from typing import Any

from rightful.entry import Event
from rightful.entry import handler as entry
from rightful.errors import Invalid, Refused
from rightful.service import asking
from rightful.service.deps import Deps, TimeLeft


def answer(deps: Deps, event: Event, _: TimeLeft) -> dict[str, Any]:
    try:
        return asking.decide(
            deps,
            _text(event, "request_id"),
            _text(event, "action"),
            plan_hash=_text(event, "plan_hash"),
            store=_text(event, "store"),
            ground=_text(event, "ground"),
            reason=_text(event, "reason"),
        )
    except Refused as refusal:
        told = {"ok": False, "message": refusal.detail}
        return {**told, "errors": dict(refusal.errors)} if refusal.errors else told


def _text(event: Event, name: str) -> Any:
    """Typed as anything: whether an action is one is for `decide` to say."""
    value = event.get(name, "")
    if not isinstance(value, str):
        raise Invalid(f"{name} is not text.", errors=[(name, "Write it in quotes.")])
    return value


handler = entry(answer)
