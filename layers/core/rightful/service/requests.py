"""A request's status and its ledger: read, change once, say so.

The request's item holds the last entry of its ledger and is changed by one conditional write. The entry's own item and
the event on the bus follow from it and can be made again by whoever comes next, so that a process killed in between
loses neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rightful import ledger, lifecycle
from rightful.clocks import stamp
from rightful.errors import Conflict, NotFound, TryAgain
from rightful.ledger import NOTHING
from rightful.lifecycle import Status
from rightful.service import terms
from rightful.service.deps import Deps

STATUS_CHANGED = "PrivacyRequestStatusChanged"
RECEIVED = "We received your request"
"""How a ledger begins. That entry is never written: the request's own facts say all of it."""
FOLLOWED = "A legal hold ended; what it kept of your data after your earlier request is deleted now"
"""How the ledger of a request begins that follows another one."""
REPORT: Final = "under_18"
"""`source` of a request that nobody asked for: somebody reported that the account belongs to someone under 18."""
REPORTED = "Somebody reported that this account belongs to someone under 18"
"""How its ledger begins."""
REFUSED = "Your request was refused"
DISMISSED = "Nothing is deleted: your account stays as it is"
"""The same of a request that nobody but a report asked for."""
NOT_PAUSED: Mapping[str, Any] = {"paused_since": None}
"""Expected by whoever goes on with the work: a clock that the DPO stopped is started by the DPO alone."""
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


def begun(item: Mapping[str, Any]) -> dict[str, Any]:
    """A new request's item with its ledger, of one entry. `item`: request_id, type, regime, status, received_at, ..."""
    first = _first(item)
    return {**item, "seq": first["n"], "head": first["hash"], "changed_at": first["at"]}


def transition(
    deps: Deps,
    request_id: str,
    to: str,
    *,
    what: str,
    remove: Iterable[str] = (),
    noted: Mapping[str, Any] = NOTHING,
    expect: Mapping[str, Any] = NOTHING,
    **facts: Any,
) -> dict[str, Any]:
    """Make the request `to`, once. `what` is the sentence in the person's timeline; `facts` are attributes written
    with the status, `remove` names attributes that go, `noted` goes into the ledger, `expect` must be true of the item.
    Whatever ends a pause closes it, and the days of it count. Returns the item as it is now.

    A request that is `to` already is left as it is, and its event published again: a step may be re-run.
    Raises Conflict when the lifecycle or `expect` does not allow it, NotFound, TryAgain when others keep changing the
    request."""
    target = Status(to)
    for _ in range(_RACES):
        item = load(deps, request_id)
        status = Status(item["status"])
        if status is target:
            return announce(deps, item)
        verified_at = item.get("verified_at")
        verified = bool(verified_at or facts.get("verified_at"))
        reported = bool(item.get("reported_at") or facts.get("reported_at"))
        erasing = "erasing_since" in item
        if not lifecycle.allowed(status, target, verified=verified, erasing=erasing, reported=reported):
            raise Conflict(_refusal(item, target))
        if not _is(item, expect):
            raise Conflict(f"A request that is {item['status']} cannot become {target.value} as it stands.")
        ended = terms.after_pause(deps, item) if status is Status.paused else {}
        changed = _write(
            deps,
            item,
            {**ended, **facts, "status": target.value},
            what=what,
            noted=noted,
            remove={*remove, *_spent(status, target)} - facts.keys(),
            expect={"verified_at": verified_at, **expect, **_locks(target)},
        )
        if changed is not None:
            _publish(deps, changed)
            _note(deps, changed)
            return changed
    raise TryAgain("The request is being changed by others.")


def append(
    deps: Deps,
    request_id: str,
    what: str,
    *,
    key: str,
    noted: Mapping[str, Any] = NOTHING,
    expect: Mapping[str, Any] = NOTHING,
    **facts: Any,
) -> dict[str, Any]:
    """One more entry in the ledger, once for each `key`, and `facts` on the request with it; its status stays. Returns
    the item as it is now. Raises Conflict when `expect` is not true of the item, NotFound, TryAgain."""
    for _ in range(_RACES):
        item = load(deps, request_id)
        if any(each["key"] == key for each in entries(deps, item)):
            _catch_up(deps, item)
            return item
        if not _is(item, expect):
            raise Conflict(f"The request is {item['status']}, and no longer as it was.")
        changed = _write(deps, item, facts, what=what, key=key, noted=noted, expect=expect)
        if changed is not None:
            _note(deps, changed)
            return changed
    raise TryAgain("The request is being changed by others.")


def begin_erasing(deps: Deps, request_id: str, **facts: Any) -> dict[str, Any]:
    """State, before the first record is erased, that erasing has begun, and by what (`facts`: `plan_hash`, ...); from
    here on nobody can withdraw. Begun before by another plan, it takes the new facts. Returns the item as it is now.
    Raises Conflict unless the request is a verified erasure in progress, and one that was reported (`under_18`) unless
    this very plan was approved; TryAgain when others keep changing it."""
    for _ in range(_RACES):
        item = load(deps, request_id)
        begun_at, verified_at = item.get("erasing_since"), item.get("verified_at")
        if item["type"] != "erasure" or not verified_at or item["status"] != Status.in_progress.value:
            raise Conflict(f"Erasing cannot begin: the request is {item['status']}.")
        if item.get("reported_at") and not begun_at and item.get("approved_hash") != facts.get("plan_hash"):
            raise Conflict("Erasing cannot begin: somebody reported this account, and the plan was not approved.")
        if begun_at and item.get("plan_hash") == facts.get("plan_hash"):
            _catch_up(deps, item)
            return item
        changed = _write(
            deps,
            item,
            {**facts, "erasing_since": begun_at or stamp(deps.clock())},
            what="Erasing began" if not begun_at else "Erasing went on",
            noted=facts,
            expect={"erasing_since": begun_at, "type": "erasure", "verified_at": verified_at},
        )
        if changed is not None:
            _note(deps, changed)
            return changed
    raise TryAgain("The request is being changed by others.")


def is_theirs(item: Mapping[str, Any]) -> bool:
    """Whether the person asked for it or confirmed it: not of one that stands on somebody's report alone, approved by
    the DPO or not."""
    if "reported_at" not in item or "confirmed_at" in item:
        return True
    return bool(item.get("verified_at")) and item.get("verified_by") != "dpo"


def refused(item: Mapping[str, Any]) -> str:
    """How the timeline says that the DPO refused it. Who asked for nothing is refused nothing."""
    return REFUSED if is_theirs(item) else DISMISSED


def timeline(deps: Deps, item: Mapping[str, Any]) -> list[dict[str, str]]:
    """What happened, oldest first: `{at, what}`."""
    return [{"at": each["at"], "what": each["what"]} for each in entries(deps, item)]


def entries(deps: Deps, item: Mapping[str, Any]) -> list[ledger.Entry]:
    """The whole ledger, oldest first; holds the last entry even if its own item is still being written."""
    found = {each["n"]: each for each in deps.table.query(pk(item["request_id"]), "EVENT#")}
    if item["seq"] > 1:
        found.setdefault(item["seq"], _last(item))
    return [_first(item), *({name: found[n][name] for name in _ENTRY} for n in sorted(found) if n <= item["seq"])]


def announce(deps: Deps, item: dict[str, Any]) -> dict[str, Any]:
    """Publish the status and write the entry of the item's last change unless it is there. Returns `item`.
    In this order, so that an entry that is there says that the event is out."""
    _publish(deps, item)
    if not _noted(deps, item):
        _note(deps, item)
    return item


_ENTRY = ("request_id", "n", "at", "what", "status", "key", "facts", "previous", "hash")
"""An entry's own values, without the keys of its item."""


def _first(item: Mapping[str, Any]) -> ledger.Entry:
    facts = {name: item[name] for name in ("type", "regime", "source", "follows") if name in item}
    begins = REPORTED if item.get("source") == REPORT else RECEIVED
    what, status = (FOLLOWED, Status.in_progress) if "follows" in item else (begins, Status.awaiting_verification)
    return ledger.entry(item["request_id"], 1, "", at=item["received_at"], what=what, status=status.value, facts=facts)


def _last(item: Mapping[str, Any]) -> ledger.Entry:
    """The entry of the item's last change."""
    return ledger.entry(item["request_id"], int(item["seq"]), item["previous"], **item["entry"])


def _write(
    deps: Deps,
    item: Mapping[str, Any],
    set_: Mapping[str, Any],
    *,
    what: str,
    key: str = "",
    noted: Mapping[str, Any],
    remove: Iterable[str] = (),
    expect: Mapping[str, Any],
) -> dict[str, Any] | None:
    """The one write that changes a request, with the entry that says so; None when somebody else's came first."""
    _catch_up(deps, item)
    now = stamp(deps.clock())
    status = set_.get("status", item["status"])
    said = {"at": now, "what": what, "status": status, "key": key, "facts": dict(noted)}
    made = ledger.entry(item["request_id"], int(item["seq"]) + 1, item["head"], **said)
    moved = {"changed_at": now} if "status" in set_ else {}
    return deps.table.update(
        pk(item["request_id"]),
        "REQUEST",
        {**set_, **moved, "seq": made["n"], "head": made["hash"], "previous": item["head"], "entry": said},
        remove=remove,
        expect={**expect, "status": item["status"], "seq": item["seq"]},
    )


def _catch_up(deps: Deps, item: Mapping[str, Any]) -> None:
    """Do what a process that was killed right after the item's last change left undone."""
    if not _noted(deps, item):
        _publish(deps, item)
        _note(deps, item)


def _publish(deps: Deps, item: Mapping[str, Any]) -> None:
    detail = {"request_id": item["request_id"], "type": item["type"], "status": item["status"]}
    deps.events.publish(STATUS_CHANGED, detail)


def _noted(deps: Deps, item: Mapping[str, Any]) -> bool:
    """One entry per change: `seq` moves with it, so an entry that is there is this one. The first `seq` is no change:
    the request came in."""
    return item["seq"] == 1 or deps.table.get(pk(item["request_id"]), _event(item["seq"])) is not None


def _note(deps: Deps, item: Mapping[str, Any]) -> None:
    deps.table.put_new(pk(item["request_id"]), _event(item["seq"]), _last(item))


def _is(item: Mapping[str, Any], expect: Mapping[str, Any]) -> bool:
    """As the table's own conditions: a tuple names values of which any will do, None says absent."""
    return all(item.get(name) in (value if isinstance(value, tuple) else (value,)) for name, value in expect.items())


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
