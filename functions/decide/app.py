"""The DPO's answer to a request that waits: `{"action": "approve" | "reject" | "retry" | "skip", "request_id", ...}`,
or to a braked sweep: `{"action": "continue_sweep" | "cancel_sweep", "run_id", "stores"?: [name], "reason"}`.

Answers `{"ok": bool, "message": "...", "errors"?: {field: cure}}`; a decision that does not fit changes nothing and
says what would."""

from typing import Any

from rightful.entry import Event
from rightful.entry import handler as entry
from rightful.errors import Invalid, Refused
from rightful.service import asking
from rightful.service.deps import Deps, TimeLeft
from rightful.service.sweep import braking


def answer(deps: Deps, event: Event, _: TimeLeft) -> dict[str, Any]:
    try:
        action = _text(event, "action")
        if action in braking.DECISIONS:
            run_id, reason = _text(event, "run_id"), _text(event, "reason")
            return braking.decide(deps, run_id, action, stores=_stores(event), reason=reason)
        if "run_id" in event:
            cure = f"One of: {', '.join(braking.DECISIONS)}."
            raise Invalid("This is no answer to a sweep.", errors=[("action", cure)])
        return asking.decide(
            deps,
            _text(event, "request_id"),
            action,
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


def _stores(event: Event) -> list[str]:
    """None named: all that wait. An empty list is none of them, and so no answer."""
    stores = event.get("stores", [])
    if not isinstance(stores, list) or not all(isinstance(name, str) for name in stores) or event.get("stores") == []:
        cure = 'Write a list of names, ["accounts"], or leave it away to decide about all that wait.'
        raise Invalid("stores is no list of names.", errors=[("stores", cure)])
    return list(dict.fromkeys(stores))


handler = entry(answer)
