"""What legal holds withheld from an erasure, kept until they are released, and the request that then erases it.

HOLDS              WITHHELD#<hold id>#<request id>   the erasure left records because of the hold
REQUEST#<id>       REQUEST: withheld                 ids of all such holds
                            let_go                   those of them that were released, as lists: one list for each
                                                     request that follows, in order

A record is erased by the request that follows the release of the last of its holds. Which that is, `let_go` says, and
nothing else; it is written before the request is made. So it does not matter who is killed, or how many do this at
once. See docs/decisions/holds-and-erasures.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from rightful import clocks, lifecycle, periods
from rightful.clocks import stamp
from rightful.errors import TryAgain
from rightful.searching import Search
from rightful.service import contacts, discovering, protecting, requests, sealed
from rightful.service.deps import Deps
from rightful.service.withholding import Withheld, everything

Request = dict[str, Any]
_RACES: Final = 5


def withhold(deps: Deps, request_id: str, withheld: Withheld) -> list[str]:
    """Notes, before the request ends, what its erasure left; the ids of the holds, which the write that ends it sets as
    `withheld`. Idempotent."""
    holds = sorted({hold_id for marks in withheld.values() for ids in marks.values() for hold_id in ids})
    for hold_id in holds:
        deps.table.put_new(protecting.HOLDS, _note(hold_id, request_id), {"request_id": request_id})
    return holds


def waiting(deps: Deps, hold_id: str = "") -> list[tuple[str, str]]:
    """(hold id, request id) of what is withheld, because of this hold or of any."""
    prefix = f"WITHHELD#{hold_id}#" if hold_id else "WITHHELD#"
    items = deps.table.query(protecting.HOLDS, prefix)
    return [(item["sk"].split("#")[1], item["request_id"]) for item in items]


def settle(deps: Deps, request_id: str) -> None:
    """Of a request that ended: starts what follows from the holds that were released since, and forgets what was found
    once nothing is withheld any more. Without effect on a request that goes on: `completing` comes here when it ends.
    Idempotent."""
    request = requests.load(deps, request_id)
    if request["status"] not in lifecycle.TERMINAL:
        return
    protecting.unguard(deps, request_id)
    let_go = _let_go(deps, request)
    spent: list[str] = []
    for n, released in enumerate(let_go):
        notes = [_note(hold_id, request_id) for hold_id in released]
        if any(deps.table.get_many([(protecting.HOLDS, note) for note in notes])):
            _follow(deps, request, let_go[: n + 1])
            spent += notes
    if set(request.get("withheld", ())) <= _flat(let_go):
        _forget(deps, request_id)
    for note in spent:  # last: they bring whoever releases the hold again here
        deps.table.delete(protecting.HOLDS, note)


def _let_go(deps: Deps, request: Request) -> list[list[str]]:
    """The request's `let_go`, with what was released since as a list of its own at the end."""
    pk = requests.pk(request["request_id"])
    for _ in range(_RACES):
        let_go: list[list[str]] = request.get("let_go", [])
        waits = sorted(set(request.get("withheld", ())) - _flat(let_go))
        standing = deps.table.get_many([(protecting.HOLDS, f"HOLD#{hold_id}") for hold_id in waits]) if waits else []
        released = [hold_id for hold_id, hold in zip(waits, standing, strict=True) if hold is None]
        if not released:
            return let_go
        expect = {"let_go": request.get("let_go")}
        if deps.table.update(pk, "REQUEST", {"let_go": [*let_go, released]}, expect=expect) is not None:
            return [*let_go, released]
        request = requests.load(deps, request["request_id"])
    raise TryAgain("The request is being changed by others.")


def _follow(deps: Deps, request: Request, let_go: Sequence[Sequence[str]]) -> None:
    """Makes and starts the request that erases what waited for the last of these holds, and for no other; none when
    every record waits for others still."""
    new_id = _new_id(deps, request["request_id"], let_go[-1])
    if deps.table.get(requests.pk(new_id), "REQUEST") is None and not _make(deps, request, new_id, let_go):
        return
    # A slower one, who comes here when the new request has run already, must leave nothing behind.
    new = requests.load(deps, new_id)
    if new["status"] in lifecycle.TERMINAL:
        settle(deps, new_id)
    else:
        requests.announce(deps, new)
        deps.executions.start(new["type"], new_id)


def _make(deps: Deps, request: Request, new_id: str, let_go: Sequence[Sequence[str]]) -> bool:
    """False when there is nothing for the new request to do."""
    request_id = request["request_id"]
    head = deps.table.get(requests.pk(request_id), discovering.SAVED)
    if head is None:
        return deps.table.get(requests.pk(new_id), "REQUEST") is not None  # others made it, and all was forgotten
    search = discovering.found(deps, request_id, head)
    withheld = everything(deps, request_id, search, request.get("left_out", ()))
    if deps.table.get(requests.pk(new_id), "REQUEST") is not None:
        return True  # made meanwhile, and perhaps forgotten already: what was read here may be a part only
    before, now = _flat(let_go[:-1]), _flat(let_go)
    free = {
        store: marks
        for store, found in withheld.items()
        if (marks := [mark for mark, holds in found.items() if set(holds) <= now and not set(holds) <= before])
    }
    if not free:
        return False
    seeds = Search(identities=search.identities, began=search.began, wanted=free, also_proven=search.also_proven)
    sealed.save(deps, new_id, discovering.SEEDS, seeds.to_bytes())
    protecting.guard(deps, new_id, person=request["person"])
    partly = sorted(name for name in free if any(not set(holds) <= now for holds in withheld[name].values()))
    item = requests.begun(_item(deps, request, new_id) | {"stores": sorted(free), "partly": partly})
    deps.table.put_new(requests.pk(new_id), "REQUEST", item)
    return True


def _item(deps: Deps, request: Request, new_id: str) -> Request:
    """As verified as the request that it follows, and by the same proof."""
    now, controller = deps.clock(), deps.datamap.controller
    due = clocks.due(request["regime"], now, controller.holidays, tz=clocks.zone(controller.time_zone))
    return {
        "request_id": new_id,
        "follows": request["request_id"],
        "type": "erasure",
        "status": lifecycle.Status.in_progress.value,
        **{
            name: request[name]
            for name in ("person", "regime", "locale", "verified_at", "verified_by")
            if name in request
        },
        "received_at": stamp(now),
        "due_at": stamp(due),
        "open": "open",
        "contact": contacts.moved(deps, request, new_id),
    }


def _forget(deps: Deps, request_id: str) -> None:
    """What was found goes at once; what says whose request it was, when its record-keeping period ends."""
    for item in deps.table.query(requests.pk(request_id), "SEALED#"):
        deps.table.delete(item["pk"], item["sk"])
    kept = periods.parse(deps.datamap.controller.records_kept)
    deps.vault.lapse(request_id, periods.add(deps.clock(), kept))


def _new_id(deps: Deps, request_id: str, released: Sequence[str]) -> str:
    """The same for whoever makes it: 43 characters that name an execution, as the ids of other requests do."""
    return deps.vault.digest("follow-up", "\n".join([request_id, *released]))


def _note(hold_id: str, request_id: str) -> str:
    return f"WITHHELD#{hold_id}#{request_id}"


def _flat(lists: Iterable[Iterable[str]]) -> set[str]:
    return {each for some in lists for each in some}
