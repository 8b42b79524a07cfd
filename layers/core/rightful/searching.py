"""The walk over the identity graph, as a value that can be stopped, stored and taken up again. Pure.

A *lookup* is (store, locator index, identity value). Lookups are made in the order in which their values became
known; a record that an earlier lookup of the same store also finds is counted there and passed over later, so
nothing is counted twice.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from rightful import approvals, paths, plans
from rightful.clocks import stamp
from rightful.identities import normalise, variants
from rightful.model import DataMap, Locator, Page, Record
from rightful.ports import Connector

NOBODY = frozenset(
    ("", "-", "--", "?", "0", "anonymous", "n/a", "na", "nan", "nil", "none", "null", "tbd", "undefined", "unknown")
) | {"00000000-0000-0000-0000-000000000000"}
"""Values that stores hold where they know of no identity. They are never followed."""
NONE: Mapping[str, str] = {}
Facts = Mapping[str, str]
"""What others than the DPO may know of a legal hold: `ground`, and `until` (RFC 3339, empty when it does not say)."""
HELD = plans.Decision("held")
Held = Callable[[str, Record], Mapping[str, Facts]]
"""Store and record -> the legal holds that cover it, by id."""


def nothing_held(store: str, record: Record) -> Mapping[str, Facts]:  # noqa: ARG001 - a `Held`
    return {}


@dataclass(slots=True)
class Findings:
    """What one store holds of the person."""

    lookups: list[tuple[int, str]] = field(default_factory=list)
    """(locator index, identity value), in order."""
    counts: dict[str, int] = field(default_factory=dict)
    """Planned action -> records."""
    kept: dict[str, str] = field(default_factory=dict)
    """Ground -> latest end (RFC 3339), empty text when a record does not say."""
    marks: list[str] = field(default_factory=list)
    """Keyed hash of each record to delete or anonymise, with that action: the plan, record by record."""
    withheld: dict[str, list[str]] = field(default_factory=dict)
    """Keyed hash of each record that legal holds keep from that (`held_mark`) -> ids of the holds."""
    held_by: dict[str, Facts] = field(default_factory=dict)
    """Hold id -> facts, of the holds in `withheld`."""
    fingerprint: int = 0
    """Sum of the keyed hashes of the records' keys and actions, modulo 2^256: independent of order."""
    privileged: int = 0
    """Records that the store calls privileged."""
    failed: str = ""
    """Why the store could not be searched; empty when it was."""
    too_many: str = ""
    """failed: the identity of which the store gave more values than one person can have."""


@dataclass(slots=True)
class Search:
    identities: dict[str, list[str]] = field(default_factory=dict)
    stores: dict[str, Findings] = field(default_factory=dict)
    queue: list[tuple[str, int, str]] = field(default_factory=list)
    """Lookups still to make; the first may be half done."""
    cursor: str | None = None
    """Where the first lookup goes on."""
    began: str = ""
    """When (RFC 3339): what came later is not among what was found, or not for sure."""
    origin: dict[str, Any] | None = None
    """After something was erased: the search that this one goes on from, as JSON."""
    wanted: dict[str, list[str]] | None = None
    """Not None: only these records are found (store -> `held_mark`), and nothing that they give is followed."""
    also_proven: list[tuple[str, str]] = field(default_factory=list)
    """(identity name, value) of what the search began with beside its first identity."""

    @property
    def proven(self) -> list[tuple[str, str]]:
        """The identities that the search began with, as (name, value)."""
        first = [(name, values[0]) for name, values in list(self.identities.items())[:1]]
        return first + self.also_proven

    def wanted_of(self, store: str) -> frozenset[str] | None:
        """The only records of a store that may be found; None: all."""
        return None if self.wanted is None else frozenset(self.wanted.get(store, ()))

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False).encode("utf-8", "surrogatepass")

    @classmethod
    def from_bytes(cls, text: bytes) -> Search:
        return _of(json.loads(text.decode("utf-8", "surrogatepass")))


def _of(raw: dict[str, Any]) -> Search:
    stores = {
        name: Findings(**{**findings, "lookups": [(index, value) for index, value in findings["lookups"]]})
        for name, findings in raw["stores"].items()
    }
    queue = [(store, index, value) for store, index, value in raw["queue"]]
    also = [(identity, value) for identity, value in raw.get("also_proven", ())]
    return Search(**{**raw, "stores": stores, "queue": queue, "also_proven": also})


def begin(
    datamap: DataMap,
    identity: str,
    value: str,
    left_out: Mapping[str, str] = NONE,
    also: Iterable[tuple[str, str]] = (),
) -> Search:
    """A search seeded with one proven identity, and with those of `also` that the map still knows. Stores that are
    `left_out`, for that reason, are not searched."""
    covered = [name for name, store in datamap.stores.items() if store.covered]
    search = Search(stores={name: Findings(failed=left_out.get(name, "")) for name in covered})
    know(search, datamap, identity, value)
    search.also_proven = [(name, text) for name, text in also if name in datamap.identities]
    for name, text in search.also_proven:
        know(search, datamap, name, text)
    return search


def know(search: Search, datamap: DataMap, identity: str, value: str) -> None:
    """Adds an identity value, with its lookups in every store that is located by it. Known values add nothing."""
    known = search.identities.setdefault(identity, [])
    for variant in variants(datamap.identities[identity], value):
        if variant in known:
            continue
        known.append(variant)
        for name, findings in search.stores.items():
            for index, locator in enumerate(datamap.stores[name].locate):
                if locator.by == identity and not findings.failed:
                    search.queue.append((name, index, variant))
                    findings.lookups.append((index, variant))


def take(
    search: Search,
    datamap: DataMap,
    connector: Connector,
    page: Page,
    as_of: datetime,
    digest: Callable[[str], str],
    held: Held = nothing_held,
) -> None:
    """Counts a page of the first lookup, follows what it gives, and moves on. All or nothing: when `digest`, `held` or
    the connector raises, the search is as it was."""
    name, index, value = search.queue[0]
    store = datamap.stores[name]
    findings = search.stores[name]
    locator = store.locate[index]
    earlier = before(findings.lookups, (index, value))
    wanted = search.wanted_of(name)
    given: list[tuple[str, str]] = []
    new: list[tuple[plans.Decision, str, Mapping[str, Facts]]] = []
    privileged = 0
    for record in page.records:
        if wanted is None:
            given += [(identity, text) for identity, path in locator.gives.items() for text in _texts(record, path)]
        elif held_mark(name, record, digest) not in wanted:
            continue
        if any(connector.matches(record, store.locate[i], v) for i, v in earlier):
            continue
        decision = plans.decide(store, record, as_of, locator)
        holds = held(name, record) if decision.action in ("delete", "anonymise") else {}
        if holds:
            decision = HELD
        new.append((decision, mark_of(name, decision, record, digest), holds))
        privileged += approvals.is_privileged(store.privileged, record.data)
    findings.privileged += privileged
    for decision, mark, holds in new:
        findings.counts[decision.action] = findings.counts.get(decision.action, 0) + 1
        if decision.action == "keep":
            note_kept(findings.kept, decision)
        elif decision is HELD:
            findings.withheld[mark] = sorted(holds)
            findings.held_by.update(holds)
        elif decision.action != "done":
            findings.marks.append(mark)
        findings.fingerprint = (findings.fingerprint + int.from_bytes(mark.encode(), "big")) % 2**256
    search.cursor = page.cursor
    if page.cursor is None:
        search.queue.pop(0)
    for identity, text in given:
        if _is_one_too_many(search, datamap, identity, text):
            most = datamap.identities[identity].most
            _give_up(search, name, failed=f"it leads to more than {most} values of `{identity}`", too_many=identity)
            return
        know(search, datamap, identity, text)


def mark_of(store: str, decision: plans.Decision, record: Record, digest: Callable[[str], str]) -> str:
    """What stands for one record and what is to be done to it, without saying whose it is."""
    return digest(f"{store}\n{decision.action}\n{record.key}")


def held_mark(store: str, record: Record, digest: Callable[[str], str]) -> str:
    """What stands for a record that a legal hold covers, whatever an erasure would do to it."""
    return mark_of(store, HELD, record, digest)


def _is_one_too_many(search: Search, datamap: DataMap, identity: str, value: str) -> bool:
    """The brake: whether one more value of this identity would be more than one person can have. Two spellings of an
    address are one."""
    form = datamap.identities[identity]
    known = search.identities.get(identity, [])
    if len(known) < form.most or value in known:
        return False
    different = {normalise(form, each) for each in known}
    return len(different) >= form.most and normalise(form, value) not in different


def go_on(search: Search, datamap: DataMap, left_out: Mapping[str, str] = NONE) -> Search:
    """The search taken up after something was erased. What was found stands: it is the plan, and the records that led
    to it may be gone. Only stores whose search had failed (or that are new) and that are not `left_out` are searched,
    and whatever they lead to; so a person who has come back since is not found anew. Where the search has `wanted`
    records, nothing else is found, and no other store is searched. A search that came to too many identities is not
    gone on with, but the one before it."""
    if search.origin and any(findings.too_many for findings in search.stores.values()):
        search = _of(search.origin)
    again = replace(search, stores={}, queue=[], cursor=None, origin=asdict(replace(search, origin=None)))
    for name in _searched(search, datamap):
        findings = search.stores.get(name)
        if findings is not None and not findings.failed:
            again.stores[name] = findings
        else:
            _look_up_all(again, datamap, name, left_out)
    return again


def _searched(search: Search, datamap: DataMap) -> list[str]:
    if search.wanted is not None:
        return sorted(search.wanted)
    return [name for name, store in datamap.stores.items() if store.covered]


def _look_up_all(search: Search, datamap: DataMap, name: str, left_out: Mapping[str, str]) -> None:
    """Puts every lookup that the identities known so far make possible in a store at the end of the queue."""
    store = datamap.stores.get(name)
    if store is None or not store.covered:
        search.stores[name] = Findings(failed=left_out.get(name, "the store is no longer in the data map"))
    elif name in left_out:
        search.stores[name] = Findings(failed=left_out[name])
    else:
        lookups = [
            (index, value)
            for index, locator in enumerate(store.locate)
            for value in search.identities.get(locator.by, [])
        ]
        search.stores[name] = Findings(lookups=lookups)
        search.queue += [(name, index, value) for index, value in lookups]


def fail(search: Search, reason: str) -> None:
    """Gives up on the store of the first lookup; the others go on."""
    _give_up(search, search.queue[0][0], failed=reason)


def _give_up(search: Search, name: str, *, failed: str, too_many: str = "") -> None:
    search.stores[name] = Findings(failed=failed, too_many=too_many)
    search.queue = [lookup for lookup in search.queue if lookup[0] != name]
    search.cursor = None


def before(lookups: list[tuple[int, str]], lookup: tuple[int, str]) -> list[tuple[int, str]]:
    """The lookups of a store that come before this one."""
    return lookups[: lookups.index(lookup)]


def located_by(connector: Connector, locators: list[Locator], findings: Findings, record: Record) -> set[str]:
    """Names of the identities by which this record was located."""
    return {locators[i].by for i, value in findings.lookups if connector.matches(record, locators[i], value)}


def note_kept(kept: dict[str, str], decision: plans.Decision) -> None:
    """Ground -> the latest end; an end that is not known outlasts all."""
    until = stamp(decision.until) if decision.until else ""
    if decision.ground not in kept:
        kept[decision.ground] = until
    elif kept[decision.ground]:
        kept[decision.ground] = max(kept[decision.ground], until) if until else ""


def _texts(record: Record, path: str) -> list[str]:
    """Identity values at a path: non-blank text, numbers, bytes as base64; those in a list or set that ends the path
    too. A blank value, or a word that stands for *nobody*, would join all who carry it."""
    values: list[Any] = paths.get(record.data, path)
    single = [each for value in values for each in (value if isinstance(value, list | set | frozenset) else [value])]
    found = [
        base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
        for value in single
        if isinstance(value, str | int | Decimal | bytes) and not isinstance(value, bool)
    ]
    return sorted(text for text in found if text.strip().casefold() not in NOBODY)
