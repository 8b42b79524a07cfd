"""What a sweep must not touch: legal holds on a person, a store or a record, and people whose request is open.

HOLDS  HOLD#<id>  {scope, store?, digests, ground, reason, placed_at, until?, released_at?}

Everything that names a person is a keyed hash. An open request protects what its plan found; until there is a plan,
what carries the address that was proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from rightful.clocks import moment
from rightful.identities import normalise
from rightful.model import Record
from rightful.retention import SKEW
from rightful.service.deps import Deps
from rightful.service.erased import digests

HOLDS: Final = "HOLDS"
Scope = Literal["person", "store", "record"]


@dataclass(frozen=True, slots=True)
class Protection:
    """As of the moment when it was read."""

    digests: frozenset[str] = frozenset()
    """Of identities and records under a hold or in an open request."""
    persons: frozenset[str] = frozenset()
    """Keyed hashes of the proven addresses of open requests."""
    stores: frozenset[str] = frozenset()
    """Held as a whole."""

    def covers(self, deps: Deps, store: str, record: Record, identities: Mapping[str, set[str]]) -> bool:
        """`identities`: identity name -> the values by which the store's locators find the record."""
        if store in self.stores:
            return True
        if self.digests:
            if not self.digests.isdisjoint(digests(deps, identities)):
                return True
            if record_digest(deps, store, record.key) in self.digests:
                return True
        return bool(self.persons) and not self.persons.isdisjoint(_persons(deps, identities))


def load(deps: Deps) -> Protection:
    """Read anew before each hundred writes that it decides about; strongly consistent, but that an index says which
    requests are open: one that was verified a moment ago may be missing."""
    found: set[str] = set()
    stores: set[str] = set()
    for hold in active(deps):
        found.update(hold["digests"])
        stores.update([hold["store"]] if hold["scope"] == "store" else [])
    opened = deps.table.open_requests()
    plans = deps.table.get_many([(item["pk"], f"PLAN#{item['plan_hash']}") for item in opened if item.get("plan_hash")])
    for plan in plans:
        found.update((plan or {}).get("guards", ()))
    return Protection(frozenset(found), frozenset(item["person"] for item in opened), frozenset(stores))


def active(deps: Deps) -> list[dict[str, Any]]:
    """The holds that stand, oldest first. A clock that is ahead ends none early."""
    now = deps.clock() - SKEW
    standing = [item for item in deps.table.query(HOLDS, "HOLD#") if stands(item, now)]
    return sorted(standing, key=lambda item: str(item["placed_at"]))


def stands(hold: Mapping[str, Any], now: datetime) -> bool:
    return not hold.get("released_at") and not (hold.get("until") and moment(hold["until"]) <= now)


def record_digest(deps: Deps, store: str, key: str) -> str:
    """Keyed hash of one record. `key` as the connector writes it (`Record.key`)."""
    return deps.vault.digest("held record", f"{store}\n{key}")


def _persons(deps: Deps, identities: Mapping[str, Iterable[str]]) -> set[str]:
    """As an open request names who asked (`service.verifying`): by their proven address."""
    return {
        deps.vault.digest("person", normalise(identity, value))
        for name, values in identities.items()
        if (identity := deps.datamap.identities[name]).proven_by == "code"
        for value in values
    }
