"""What would be done to each record and each store, and the hash that an approval is bound to. Pure.

A plan is plain JSON:
{"request_id", "type", "map_version", "stores": {name: {"covered", "failed", "waits_for", "digest", and for an
erasure "delete", "anonymise", "keep", "done", "held", "kept": [...], "held_by": [{"hold_id", "ground", "until"}],
for an access "export"}}}. Counts are records. A store that leads to more values of an identity than one person has
says `too_many`: that identity's name. `digest` is a keyed fingerprint of which records were found, so that two plans
over different records never share a hash even when the counts agree. It names no person.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

from rightful import anonymising, paths, periods
from rightful.model import DataMap, Locator, Record, Store
from rightful.ports import ANONYMISED_MARK

Action = Literal["delete", "anonymise", "keep", "done", "held"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What an erasure does to one record, and why."""

    action: Action
    """`done`: anonymised by an earlier run, nothing left to do. `held`: it would be deleted or anonymised, but for a
    legal hold; `decide` knows of none."""
    ground: str = ""
    until: datetime | None = None
    """keep: when the ground ends; None when the record's date is missing or cannot be read."""


def decide(store: Store, record: Record, as_of: datetime, by: Locator | None = None) -> Decision:
    """The only place where it is decided what an erasure does to a record. `by`: the locator that found it."""
    rule = store.erasure
    if rule.action == "keep":
        started = [periods.instant(value) for value in paths.get(record.data, rule.since)]
        if not started or None in started:
            return Decision("keep", rule.ground)
        until = max(periods.add(moment, periods.parse(rule.period)) for moment in started if moment)
        return Decision("delete") if until <= as_of else Decision("keep", rule.ground, until)
    if rule.action == "anonymise":
        done = record.data.get(ANONYMISED_MARK) and anonymising.stands(record.data, rule.fields)
        # What `hmac` and `fake` leave cannot be told from any value, but it finds nobody: a record that was found by
        # such a field holds the person's own value again.
        named = by is not None and not {paths.top(path) for path in rule.fields}.isdisjoint(located_through(by))
        return Decision("done" if done and not named else "anonymise")
    return Decision("delete")


def located_through(locator: Locator) -> list[str]:
    """Top-level attributes that make the locator find a record. A prefix is part of the key, which never changes."""
    through = locator.through
    attributes = [through[name] for name in ("key", "sort_key") if through.get(name)]
    attributes += [paths.top(through["attribute"])] if through.get("attribute") else []
    return attributes + [data for name, data in (("tag", "tags"), ("metadata", "metadata")) if through.get(name)]


def plan_hash(plan: Mapping[str, Any]) -> str:
    """SHA-256 over the plan's canonical JSON (sorted keys, no spaces, UTF-8), as 64 hex digits."""
    text = json.dumps(plan, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def waves(datamap: DataMap) -> list[list[str]]:
    """Store names in the order of erasure: a store stands in an earlier wave than every store that gives an identity
    by which it is located, so that a half-done erasure can still find the rest. Stores that give each other
    identities (a cycle) share a wave."""
    stores = {name: store for name, store in datamap.stores.items() if store.covered}
    needs: dict[str, set[str]] = {}
    for name, store in stores.items():
        wanted = {locator.by for locator in store.locate}
        needs[name] = {
            giver
            for giver, other in stores.items()
            if giver != name and any(wanted & set(locator.gives) for locator in other.locate)
        }

    @cache
    def ancestors(name: str) -> frozenset[str]:
        seen: set[str] = set()
        todo = [name]
        while todo:
            for giver in needs[todo.pop()]:
                if giver not in seen:
                    seen.add(giver)
                    todo.append(giver)
        return frozenset(seen)

    @cache
    def wave(name: str) -> int:
        dependents = (other for other in stores if name in ancestors(other) and other not in ancestors(name))
        return max((wave(other) + 1 for other in dependents), default=0)

    ordered: list[list[str]] = [[] for _ in range(max((wave(name) for name in stores), default=-1) + 1)]
    for name in stores:
        ordered[wave(name)].append(name)
    return ordered
