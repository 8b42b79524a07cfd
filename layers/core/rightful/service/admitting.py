"""Lets a request whose identity was proven begin, once, and only one of a kind at a time."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from rightful.clocks import moment, stamp
from rightful.errors import Conflict, NotFound
from rightful.lifecycle import TERMINAL, Status
from rightful.service import contacts, progress, protecting, requests
from rightful.service.contacts import Identities
from rightful.service.deps import Deps

UNVERIFIED_LIFE: Final = timedelta(hours=24)
"""How long a request waits for its code."""
KEY_GRACE: Final = timedelta(hours=1)
"""How much later than the request's `verify_by` its data key lapses, so that one that is admitted in its last moment
still finds it."""
SHOWN_EXPIRED: Final = timedelta(days=3)
"""How long the item of a request stays that was never verified ..."""
LETTER_SHOWN: Final = timedelta(days=60)
"""... and of one that came by letter or phone, which goes into the register first."""
_RESERVED: Final = timedelta(days=400)
"""How long the note of which request is open stays: longer than any workflow may run (one year)."""


def admit(deps: Deps, request_id: str, person: str, verified_at: datetime, proven: Identities = ()) -> dict[str, Any]:
    """Mark the request verified and start its workflow; returns the item of the request that now stands for it.

    While another request of this person and type is open, that one stands for it and this one stays unverified, with
    `joined_to`, until it expires. `proven`: identities that this request brings beside the address; one that stands for
    it takes them on if it begins only now. Every step may be repeated; what another process left half done is finished.
    Raises NotFound when the request expired, TryAgain."""
    item = requests.load(deps, request_id)
    if _lapsed(deps, item):
        raise NotFound("This request was not confirmed in time.")
    if item["status"] != Status.awaiting_verification.value:
        return _begin(deps, item, person, verified_at)
    standing = reserve(deps, item, person)
    if standing["request_id"] != request_id:
        deps.table.update(
            requests.pk(request_id), "REQUEST", {"joined_to": standing["request_id"]}, expect={"verified_at": None}
        )
        return _begin(deps, standing, person, verified_at, proven)
    return _begin(deps, standing, person, verified_at)


def _begin(
    deps: Deps, item: dict[str, Any], person: str, verified_at: datetime, proven: Identities = ()
) -> dict[str, Any]:
    if item["status"] == Status.awaiting_verification.value:
        # First, so that no request is ever verified whose contact will soon be unreadable.
        deps.vault.prolong(item["request_id"], moment(item["verify_by"]) + KEY_GRACE)
        protecting.guard(deps, item["request_id"], person=person)
        brought: dict[str, Any] = {"contact": contacts.widened(deps, item, proven)} if proven else {}
        item = requests.transition(
            deps,
            item["request_id"],
            Status.in_progress,
            what="You confirmed that it is you; work on your request began",
            remove=["joined_to", "verify_by"],
            person=person,
            verified_at=stamp(verified_at),
            open="open",
            **brought,
        )
    else:
        requests.announce(deps, item)
    if "reported_at" in item and item["status"] not in TERMINAL:
        item = _confirm(deps, item, person, verified_at)
    if item["status"] not in TERMINAL:
        deps.executions.start(item["type"], item["request_id"])
    return item


def _confirm(deps: Deps, item: dict[str, Any], person: str, verified_at: datetime) -> dict[str, Any]:
    """What a report began is from now on the person's own. Where the DPO's approval stood in for their word already,
    that stays on record, and theirs is added."""
    what, at = "You confirmed that it is you", stamp(verified_at)
    for _ in range(2):
        if item.get("verified_at") and item.get("verified_by") != "dpo":
            return item
        facts: dict[str, Any] = {"confirmed_at": at} if item.get("verified_at") else {"verified_at": at}
        expect = {"verified_at": item.get("verified_at"), "person": person}
        protecting.guard(deps, item["request_id"], person=person)
        try:
            return requests.append(deps, item["request_id"], what, key="confirmed", expect=expect, **facts)
        except Conflict:
            item = requests.load(deps, item["request_id"])
    return item


def report(deps: Deps, item: dict[str, Any], person: str) -> dict[str, Any]:
    """Begins the search for the account of somebody under 18, of whom nobody proved anything: it is put to the DPO, and
    nothing is erased before they approved. `item`: the one erasure of this person that may be open (see `reserve`). One
    that goes on already is put to the DPO too, unless its erasing has begun. Idempotent; the item as it is now."""
    request_id = item["request_id"]
    facts: dict[str, Any] = {"reported_at": stamp(deps.clock())}
    if item["status"] == Status.awaiting_verification.value:
        deps.vault.prolong(request_id, moment(item["verify_by"]) + KEY_GRACE)
        what = "Our data protection officer looks at it; nothing is deleted before they have decided"
        gone = ["joined_to", "verify_by"]
        item = requests.transition(
            deps, request_id, Status.in_progress, what=what, remove=gone, person=person, open="open", **facts
        )
    else:
        requests.announce(deps, item)
    if "reported_at" not in item and item["status"] not in TERMINAL:
        expect = {"erasing_since": None, "status": progress.OPEN}
        with suppress(Conflict):
            item = requests.append(deps, request_id, requests.REPORTED, key="reported", expect=expect, **facts)
    if item["status"] not in TERMINAL:
        deps.executions.start(item["type"], request_id)
    return item


def reserve(deps: Deps, item: dict[str, Any], person: str) -> dict[str, Any]:
    """The one request of this person and type that may be open: `item`, unless another one is.

    The note is written before the request is verified; whoever finds another's note holds proof of the same person,
    and so may carry that request on."""
    pk, sk = f"PERSON#{person}", f"OPEN#{item['type']}"
    note = {
        "request_id": item["request_id"],
        "expires_at": int((deps.clock() + _RESERVED).timestamp()),
    }
    while not deps.table.put_new(pk, sk, note):
        noted = deps.table.get(pk, sk)
        if noted is None:
            continue
        if noted["request_id"] == item["request_id"]:
            break
        other = deps.table.get(requests.pk(noted["request_id"]), "REQUEST")
        if other is not None and other["status"] not in TERMINAL and not _lapsed(deps, other):
            return other
        if deps.table.update(pk, sk, note, expect={"request_id": noted["request_id"]}) is not None:
            break
    return item


def _lapsed(deps: Deps, item: dict[str, Any]) -> bool:
    """Whether the person did not confirm it in time. Its item stays some days longer, to say so."""
    return "verify_by" in item and moment(item["verify_by"]) <= deps.clock()
