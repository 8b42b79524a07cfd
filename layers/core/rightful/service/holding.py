"""Places and releases legal holds. Releasing one starts the sweep and the erasures of what it withheld."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rightful import searching
from rightful.clocks import stamp
from rightful.errors import Conflict, Invalid, NeedsAttention, NotFound
from rightful.model import GROUNDS
from rightful.retention import SKEW
from rightful.service import following, protecting
from rightful.service.deps import Deps
from rightful.service.erased import digests

PAGE = 500
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""Stands in the names of executions and in keys."""


def place_on_person(deps: Deps, hold_id: str, email: str, **facts: Any) -> dict[str, Any]:
    """A hold on whatever carries, in any store, now or later, this address or another identity that the graph leads to
    from it today; not on identities that the person gets later. Reads the stores; see `place` for `facts`, idempotence
    and errors. Raises NeedsAttention when the walk cannot be finished."""
    return place(deps, hold_id, "person", digests(deps, walk(deps, email)), **facts)


def place_on_record(deps: Deps, hold_id: str, store: str, key: str, **facts: Any) -> dict[str, Any]:
    """A hold on one record, whoever it belongs to. `key` as the connector writes it, and as the report of a sweep's
    preview shows it. See `place` for `facts`, idempotence and errors."""
    if not key.strip():
        raise Invalid("A hold on a record needs its key.", errors=[("key", "copy it from the report of a preview")])
    return place(deps, hold_id, "record", [protecting.record_digest(deps, store, key)], store=store, **facts)


def place(
    deps: Deps,
    hold_id: str,
    scope: protecting.Scope,
    found: Iterable[str] = (),
    *,
    store: str = "",
    ground: str,
    reason: str,
    until: datetime | None = None,
) -> dict[str, Any]:
    """Stores a hold under an id of the caller's choice; the hold. The same id twice places one, and what is known of
    a person only now is covered from now on. `found` are the keyed
    hashes it covers (none for a whole store). `reason` names no person. Raises Invalid, naming the field, and Conflict
    when the id is another hold's."""
    if ground not in GROUNDS:
        raise Invalid("A hold needs a ground.", errors=[("ground", f"one of {', '.join(GROUNDS)}")])
    if not reason.strip():
        raise Invalid("A hold needs a reason.", errors=[("reason", "say why, without naming anyone")])
    if not _ID.fullmatch(hold_id):
        cure = "write up to 64 letters, digits, dots, hyphens and underscores"
        raise Invalid("A hold needs an id that can stand in names.", errors=[("hold_id", cure)])
    if scope != "person" and store not in deps.datamap.stores:
        raise Invalid("There is no such store.", errors=[("store", f"one of {', '.join(deps.datamap.stores)}")])
    if until is not None and until <= deps.clock():
        raise Invalid("The hold would be over already.", errors=[("until", "name a moment to come, or leave it away")])
    hold = {
        "hold_id": hold_id,
        "scope": scope,
        "store": store,
        "digests": sorted(found),
        "ground": ground,
        "reason": reason,
        "placed_at": stamp(deps.clock()),
        "until": stamp(until) if until else "",
    }
    if released := deps.table.get(protecting.HOLDS, f"RELEASED#{hold_id}"):
        return _same(released, hold)
    deps.table.put_new(protecting.HOLDS, f"HOLD#{hold_id}", hold)
    standing = _same(deps.table.get(protecting.HOLDS, f"HOLD#{hold_id}") or hold, hold)
    if more := sorted({*standing["digests"], *hold["digests"]} - set(standing["digests"])):
        covered = sorted({*standing["digests"], *more})
        expect = {"placed_at": standing["placed_at"]}
        standing = (
            deps.table.update(protecting.HOLDS, f"HOLD#{hold_id}", {"digests": covered}, expect=expect) or standing
        )
    return standing


def _same(standing: dict[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The hold under this id, if it is the one that was asked for. Of a person more may be known by now than when it
    was placed, and some may be gone."""
    one, other = set(standing["digests"]), set(asked["digests"])
    alike = all(standing[name] == asked[name] for name in ("scope", "store", "ground"))
    if alike and (one == other or (asked["scope"] == "person" and one & other)):
        return standing
    raise Conflict("Another hold has this id. Choose a new one: nothing was placed.")


def release(deps: Deps, hold_id: str) -> Mapping[str, Any]:
    """Ends a hold, starts a sweep, of the kind that this stack runs daily, of the stores that it may have withheld
    something in, and starts the erasures that follow those from which it withheld something. Idempotent: the same
    release starts each once, and goes on where an earlier call was cut short. Raises NotFound."""
    standing = deps.table.get(protecting.HOLDS, f"HOLD#{hold_id}")
    if standing is not None:
        deps.table.put_new(protecting.HOLDS, f"RELEASED#{hold_id}", {**standing, "released_at": stamp(deps.clock())})
        deps.table.delete(protecting.HOLDS, f"HOLD#{hold_id}")
    hold = deps.table.get(protecting.HOLDS, f"RELEASED#{hold_id}")
    if hold is None:
        raise NotFound("There is no hold with this id.")
    swept = [name for name, each in deps.datamap.stores.items() if each.swept]
    if stores := [name for name in swept if hold["store"] in ("", name)]:
        deps.executions.sweep(f"after-hold-{hold_id}", deps.settings.retention_mode, stores)
    for _, request_id in following.waiting(deps, hold_id):
        following.settle(deps, request_id)
    return hold


def to_release(deps: Deps) -> list[str]:
    """Ids of the holds that `release` is due for: their end has come, or an earlier release was cut short."""
    now = deps.clock() - SKEW
    items = {item["hold_id"]: item for item in deps.table.query(protecting.HOLDS, "HOLD#")}
    over = {hold_id for hold_id, item in items.items() if not protecting.stands(item, now)}
    return sorted(over | {hold_id for hold_id, _ in following.waiting(deps) if hold_id not in items})


def walk(deps: Deps, email: str) -> dict[str, list[str]]:
    """Identity name -> values, from an address to the graph's fixed point, reading only. Raises NeedsAttention
    when a store cannot be searched: a hold that misses half of a person would be none."""
    search = searching.begin(deps.datamap, "email", email)
    while search.queue:
        name, index, value = search.queue[0]
        page = deps.connectors[name].find(deps.datamap.stores[name].locate[index], value, search.cursor, PAGE)
        searching.take(
            search,
            deps.datamap,
            deps.connectors[name],
            page,
            deps.clock(),
            lambda key: deps.vault.digest("record", key),
        )
    if unsearched := sorted(name for name, findings in search.stores.items() if findings.failed):
        names = ", ".join(unsearched)
        raise NeedsAttention(f"{names}: leads to more identities than one person has; hold the stores themselves")
    return search.identities
