"""What must not be touched: what a legal hold on a person, a store or a record covers; and, by a sweep, people whose
request is open.

HOLDS   HOLD#<id>      {scope, store, digests, ground, reason, placed_at, until}; RELEASED#<id> once it was released
GUARDS  <request id>   {person, digests}, while the request is open

What holds withheld from erasures stands in `service.following`. Everything that names a person is a keyed hash. An open
request protects what its plan found; until there is a plan, what carries the address that was proven.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from rightful.clocks import moment
from rightful.identities import normalise
from rightful.model import Record
from rightful.retention import SKEW
from rightful.searching import Facts
from rightful.service.deps import Deps
from rightful.service.erased import digests

HOLDS: Final = "HOLDS"
GUARDS: Final = "GUARDS"
LIFE: Final = timedelta(days=400)
"""How long a guard stays at most: longer than any workflow may run (one year)."""
Scope = Literal["person", "store", "record"]


@dataclass(frozen=True, slots=True)
class Holds:
    """The holds that stood when they were read."""

    standing: Mapping[str, Facts] = field(default_factory=dict)
    """Hold id -> facts."""
    digests: Mapping[str, set[str]] = field(default_factory=dict)
    """Keyed hash of an identity or a record -> ids of the holds that name it."""
    stores: Mapping[str, set[str]] = field(default_factory=dict)
    """Store -> ids of the holds on all of it."""

    def over(self, deps: Deps, store: str, record: Record, identities: Mapping[str, Iterable[str]]) -> dict[str, Facts]:
        """The holds that cover a record, by id. `identities`: identity name -> values, of whomever it belongs to."""
        found = set(self.stores.get(store, ()))
        if self.digests:
            for each in (*digests(deps, identities), record_digest(deps, store, record.key)):
                found |= self.digests.get(each, set())
        return {hold_id: self.standing[hold_id] for hold_id in sorted(found)}


@dataclass(frozen=True, slots=True)
class Protection:
    """As of the moment when it was read."""

    holds: Holds = field(default_factory=Holds)
    digests: frozenset[str] = frozenset()
    """Of identities that the plans of open requests found."""
    persons: frozenset[str] = frozenset()
    """Keyed hashes of the proven addresses of open requests."""

    def covers(self, deps: Deps, store: str, record: Record, identities: Mapping[str, set[str]]) -> bool:
        """`identities`: identity name -> the values by which the store's locators find the record."""
        if self.holds.over(deps, store, record, identities):
            return True
        if self.digests and not self.digests.isdisjoint(digests(deps, identities)):
            return True
        return bool(self.persons) and not self.persons.isdisjoint(persons(deps, identities))


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
    guards = deps.table.query(GUARDS)
    found = frozenset(digest for each in guards for digest in each.get("digests", ()))
    persons = frozenset(each["person"] for each in guards if "person" in each)
    return Protection(load_holds(deps), found, persons)


def load_holds(deps: Deps) -> Holds:
    """The holds alone: what an erasure must not touch. Open requests do not stand in each other's way."""
    standing: dict[str, Facts] = {}
    by_digest: dict[str, set[str]] = {}
    by_store: dict[str, set[str]] = {}
    for hold in active(deps):
        hold_id = hold["hold_id"]
        standing[hold_id] = {"ground": hold["ground"], "until": hold["until"]}
        for digest in hold["digests"]:
            by_digest.setdefault(digest, set()).add(hold_id)
        if hold["scope"] == "store":
            by_store.setdefault(hold["store"], set()).add(hold_id)
    return Holds(standing, by_digest, by_store)


def active(deps: Deps) -> list[dict[str, Any]]:
    """The holds that stand, oldest first. A clock that is ahead ends none early."""
    now = deps.clock() - SKEW
    standing = [item for item in deps.table.query(HOLDS, "HOLD#") if stands(item, now)]
    return sorted(standing, key=lambda item: str(item["placed_at"]))


def stands(hold: Mapping[str, Any], now: datetime) -> bool:
    return not (hold["until"] and moment(hold["until"]) <= now)


def listed(holds: Mapping[str, Mapping[str, str]]) -> list[dict[str, str]]:
    """`[{"hold_id", "ground", "until"}]`, for plans, outcomes and receipts. `holds`: id -> facts."""
    return [{"hold_id": hold_id, **facts} for hold_id, facts in sorted(holds.items())]


def record_digest(deps: Deps, store: str, key: str) -> str:
    """Keyed hash of one record. `key` as the connector writes it (`Record.key`)."""
    return deps.vault.digest("held record", f"{store}\n{key}")


def persons(deps: Deps, identities: Mapping[str, Iterable[str]]) -> set[str]:
    """As an open request names who asked (`service.verifying`): by their proven address."""
    return {
        deps.vault.digest("person", normalise(identity, value))
        for name, values in identities.items()
        if (identity := deps.datamap.identities.get(name)) and identity.proven_by == "code"
        for value in values
    }
