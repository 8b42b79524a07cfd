"""Finds what every store holds of a person, reading only, to the fixed point of the identity graph."""

from __future__ import annotations

from typing import Any

from rightful import lifecycle, searching
from rightful.clocks import stamp
from rightful.errors import NeedsAttention, TryAgain
from rightful.periods import instant
from rightful.searching import Search
from rightful.service import contacts, progress, sealed, withholding
from rightful.service.deps import Deps, TimeLeft

Item = dict[str, Any]
PAGE = 500
"""Records read at a time."""
_NAME = "search"
SAVED = sealed.head_key(_NAME)
"""Sort key of the item that `found` opens."""
SEEDS = "seeds"
"""Name of the sealed search that a request which follows another one begins with (see `service.following`)."""


def step(deps: Deps, request_id: str, time_left: TimeLeft) -> dict[str, bool]:
    """Searches until everything is found or time runs short; `{"done": bool}`. A store that fails for good is noted
    and the others are searched all the same. Raises TryAgain when a store throttles, with what was found saved."""
    request, (head,) = progress.load_with(deps, request_id, SAVED, reported=True)
    if request["status"] in lifecycle.TERMINAL:
        return {"done": True}
    as_of = instant(request["received_at"])
    if as_of is None:
        raise NeedsAttention("the request has no time of receipt")
    search = _take_up(deps, request, head)
    # Not for an access: what is held may be shown.
    erases = request["type"] == "erasure" and bool(search.queue)
    held = withholding.judge(deps, search) if erases else searching.nothing_held
    try:
        while search.queue:
            name, index, value = search.queue[0]
            connector = deps.connectors[name]
            locator = deps.datamap.stores[name].locate[index]
            try:
                page = connector.find(locator, value, search.cursor, PAGE)
                searching.take(
                    search, deps.datamap, connector, page, as_of, lambda key: deps.vault.digest("record", key), held
                )
            except NeedsAttention as reason:
                searching.fail(search, str(reason))
            if time_left() <= 0:
                break
    except TryAgain:
        sealed.save(deps, request_id, _NAME, search.to_bytes())
        raise
    sealed.save(deps, request_id, _NAME, search.to_bytes())
    return {"done": not search.queue}


def found(deps: Deps, request_id: str, head: Item | None) -> Search:
    """What the finished search found, from its item `SAVED`. Raises NeedsAttention when there is none."""
    if head is None:
        raise NeedsAttention("nothing was searched yet")
    return Search.from_bytes(sealed.opened(deps, request_id, head))


def _take_up(deps: Deps, request: Item, head: Item | None) -> Search:
    """The search in progress, or a new one. Before anything is erased a new search starts from the proven
    identities alone; afterwards the old one goes on (see `searching.go_on`)."""
    search = found(deps, request["request_id"], head) if head else None
    if search and search.queue:
        return search
    left_out = _left_out(deps, request, search) if search else {}
    if search and request.get("erasing_since"):
        return searching.go_on(search, deps.datamap, left_out)
    if "follows" in request:
        seeds = sealed.load(deps, request["request_id"], SEEDS)
        if seeds is None:
            raise NeedsAttention("nothing is left of what the erasure before this one found")
        return searching.go_on(Search.from_bytes(seeds), deps.datamap, left_out)
    contact = contacts.of_request(deps, request)
    search = searching.begin(deps.datamap, contacts.IDENTITY, contact.typed, left_out, also=contact.proven)
    search.began = stamp(deps.clock())
    return search


def _left_out(deps: Deps, request: Item, search: Search) -> dict[str, str]:
    """Stores that could not be searched and that the DPO then left out -> what was wrong. They are not searched again,
    so that nothing they give is followed."""
    failed = {name: findings.failed for name, findings in search.stores.items() if findings.failed}
    rows = progress.rows(deps, request["request_id"]) if failed else {}
    return {name: reason for name, reason in failed.items() if rows.get(name, {}).get("skipped")}
