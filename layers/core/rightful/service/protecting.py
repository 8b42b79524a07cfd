"""What a sweep must not touch: legal holds on a person, a store or a record, and people whose request is open.

HOLDS   HOLD#<id>      {scope, store, digests, ground, reason, placed_at, until}; RELEASED#<id> once it was released
GUARDS  <request id>   {person, digests}, while the request is open

Everything that names a person is a keyed hash. An open request protects what its plan found; until there is a plan,
what carries the address that was proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from rightful.clocks import moment
from rightful.identities import normalise
from rightful.model import Record
from rightful.retention import SKEW
from rightful.service.deps import Deps
from rightful.service.erased import digests

HOLDS: Final = "HOLDS"
GUARDS: Final = "GUARDS"
LIFE: Final = timedelta(days=400)
"""How long a guard stays at most: longer than any workflow may run (one year)."""
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


def guard(deps: Deps, request_id: str, **facts: Any) -> None:
    """From here on the retention sweep leaves alone what carries the `person` (keyed hash of the proven address) or one
    of the `digests` of an open request. Idempotent; facts that are not given stay as they were."""
    expires = int((deps.clock() + LIFE).timestamp())
    deps.table.update(GUARDS, request_id, {**facts, "expires_at": expires})


def unguard(deps: Deps, request_id: str) -> None:
    """The request ended."""
    deps.table.delete(GUARDS, request_id)


def load(deps: Deps) -> Protection:
    """Read anew, strongly consistent, before each hundred writes that it decides about."""
    found: set[str] = set()
    stores: set[str] = set()
    for hold in active(deps):
        found.update(hold["digests"])
        stores.update([hold["store"]] if hold["scope"] == "store" else [])
    guards = deps.table.query(GUARDS)
    for each in guards:
        found.update(each.get("digests", ()))
    persons = frozenset(each["person"] for each in guards if "person" in each)
    return Protection(frozenset(found), persons, frozenset(stores))


def active(deps: Deps) -> list[dict[str, Any]]:
    """The holds that stand, oldest first. A clock that is ahead ends none early."""
    now = deps.clock() - SKEW
    standing = [item for item in deps.table.query(HOLDS, "HOLD#") if stands(item, now)]
    return sorted(standing, key=lambda item: str(item["placed_at"]))


def stands(hold: Mapping[str, Any], now: datetime) -> bool:
    return not (hold["until"] and moment(hold["until"]) <= now)


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
