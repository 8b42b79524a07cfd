"""A request's status and its timeline: read, change once, say so.

The status is changed by one conditional write; the timeline entry and the event on the bus follow from it and can be
made again by whoever comes next, so that a process killed in between loses neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rightful import lifecycle
from rightful.clocks import stamp
from rightful.errors import Conflict, NotFound, TryAgain
from rightful.lifecycle import Status
from rightful.service.deps import Deps

STATUS_CHANGED = "PrivacyRequestStatusChanged"
RECEIVED = "We received your request"
"""How every timeline begins. That entry is never written: `received_at` says when."""
_RACES = 5
"""How often a change is tried again when somebody else's came first; the workflow retries beyond that."""


def pk(request_id: str) -> str:
    return f"REQUEST#{request_id}"


def load(deps: Deps, request_id: str) -> dict[str, Any]:
    """The request's item. Raises NotFound."""
    item = deps.table.get(pk(request_id), "REQUEST")
    if item is None:
        raise NotFound("There is no such request.")
    return item


def transition(
    deps: Deps, request_id: str, to: str, *, what: str, remove: Iterable[str] = (), **facts: Any
) -> dict[str, Any]:
    """Make the request `to`, once. `what` is the sentence in the person's timeline; `facts` are attributes written
    with the status, `remove` names attributes that go. Returns the item as it is now.

    A request that is `to` already is left as it is, and its event published again: a step may be re-run.
    Raises Conflict when the lifecycle does not allow it, NotFound, TryAgain when others keep changing the request."""
    target = Status(to)
    for _ in range(_RACES):
        item = load(deps, request_id)
        status = Status(item["status"])
        if status is target:
            return announce(deps, item)
        verified_at = item.get("verified_at")
        verified = bool(verified_at or facts.get("verified_at"))
        if not lifecycle.allowed(status, target, verified=verified, erasing="erasing_since" in item):
            raise Conflict(_refusal(item, target))
        _catch_up(deps, item)
        changed = deps.table.update(
            pk(request_id),
            "REQUEST",
            {**facts, "status": target.value, "what": what, "changed_at": stamp(deps.clock())},
            remove={*remove, *_spent(status, target)} - facts.keys(),
            add={"seq": 1},
            expect={"status": status.value, "seq": item["seq"], "verified_at": verified_at, **_locks(target)},
        )
        if changed is not None:
            _publish(deps, changed)
            _note(deps, changed)
            return changed
    raise TryAgain("The request is being changed by others.")


def begin_erasing(deps: Deps, request_id: str, **facts: Any) -> dict[str, Any]:
    """State, before the first record is erased, that erasing has begun, and by what (`facts`); from here on nobody can
    withdraw. Begun before, it takes the new facts. Returns the item as it is now.
    Raises Conflict unless the request is a verified erasure in progress, TryAgain when others keep changing it."""
    for _ in range(_RACES):
        item = load(deps, request_id)
        begun, verified_at = item.get("erasing_since"), item.get("verified_at")
        if item["type"] != "erasure" or not verified_at or item["status"] != Status.in_progress.value:
            raise Conflict(f"Erasing cannot begin: the request is {item['status']}.")
        changed = deps.table.update(
            pk(request_id),
            "REQUEST",
            {**facts, "erasing_since": begun or stamp(deps.clock())},
            expect={
                "erasing_since": begun,
                "status": Status.in_progress.value,
                "type": "erasure",
                "verified_at": verified_at,
            },
        )
        if changed is not None:
            return changed
    raise TryAgain("The request is being changed by others.")


def timeline(deps: Deps, item: dict[str, Any]) -> list[dict[str, str]]:
    """What happened, oldest first: `{at, what}`. Holds the last change even if its entry is still being written."""
    entries = {_event(1): {"at": item["received_at"], "what": RECEIVED}}
    entries |= {entry["sk"]: entry for entry in deps.table.query(item["pk"], "EVENT#")}
    entries.setdefault(_event(item["seq"]), {"at": item["changed_at"], "what": item["what"]})
    return [{"at": entries[key]["at"], "what": entries[key]["what"]} for key in sorted(entries)]


def announce(deps: Deps, item: dict[str, Any]) -> dict[str, Any]:
    """Publish the status and write the timeline entry of the item's last change unless it is there. Returns `item`.
    In this order, so that an entry that is there says that the event is out."""
    _publish(deps, item)
    if not _noted(deps, item):
        _note(deps, item)
    return item


def _catch_up(deps: Deps, item: dict[str, Any]) -> None:
    """Do what a process that was killed right after the item's last change left undone."""
    if not _noted(deps, item):
        _publish(deps, item)
        _note(deps, item)


def _publish(deps: Deps, item: dict[str, Any]) -> None:
    detail = {"request_id": item["request_id"], "type": item["type"], "status": item["status"]}
    deps.events.publish(STATUS_CHANGED, detail)


def _noted(deps: Deps, item: dict[str, Any]) -> bool:
    """One entry per change: `seq` moves with the status, so an entry that is there is this one. The first `seq` is no
    change: the request came in."""
    return item["seq"] == 1 or deps.table.get(pk(item["request_id"]), _event(item["seq"])) is not None


def _note(deps: Deps, item: dict[str, Any]) -> None:
    entry = {"at": item["changed_at"], "what": item["what"], "status": item["status"]}
    deps.table.put_new(pk(item["request_id"]), _event(item["seq"]), entry)


def _event(seq: int) -> str:
    return f"EVENT#{int(seq):06}"


def _refusal(item: dict[str, Any], to: Status) -> str:
    if "erasing_since" in item and to in lifecycle.NOT_WHILE_ERASING and item["status"] not in lifecycle.TERMINAL:
        return f"Erasing has begun: the request can no longer be {to.value}."
    return f"A request that is {item['status']} cannot become {to.value}."


def _locks(to: Status) -> dict[str, None]:
    return {"erasing_since": None} if to in lifecycle.NOT_WHILE_ERASING else {}


def _spent(status: Status, to: Status) -> set[str]:
    """Attributes that end with the old status."""
    spent = set()
    if status is Status.awaiting_verification and to is not Status.expired:
        spent.add("expires_at")
    if status is Status.paused:
        spent.add("paused_since")
    if to in lifecycle.TERMINAL:
        spent.add("open")
    return spent
