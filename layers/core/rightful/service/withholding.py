"""What legal holds keep an erasure from: asked when it searches, and again right before it writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rightful import searching
from rightful.identities import grouped
from rightful.model import Record
from rightful.searching import Facts, Findings, Search
from rightful.service import protecting, requests, sealed
from rightful.service.deps import Deps

Item = dict[str, Any]
Withheld = dict[str, dict[str, list[str]]]
"""Store -> `searching.held_mark` of a record -> ids of the holds because of which it was left."""


def judge(deps: Deps, search: Search) -> searching.Held:
    """Which holds cover a record, by the holds that stand now (one query). Whoever asks is known by the address that
    was proven: a hold on that covers all that the search finds, accounts opened since it was placed too."""
    holds = protecting.load_holds(deps)
    if not holds.standing:
        return searching.nothing_held
    proven = search.proven

    def held(store: str, record: Record) -> Mapping[str, Facts]:
        identities = grouped([*deps.connectors[store].identities(record), *proven])
        return holds.over(deps, store, record, identities)

    return held


@dataclass(slots=True)
class Left:
    """The records of one store that an erasure leaves because of holds: those that its plan left, and those that a hold
    came to cover later. What was left once is left for good, whatever becomes of the hold meanwhile: it is erased by
    the request that follows when the hold is released, and so by exactly one of the two."""

    planned: Mapping[str, list[str]]
    later: dict[str, list[str]] = field(default_factory=dict)
    """Held mark -> ids of the holds."""
    held_by: dict[str, Facts] = field(default_factory=dict)
    saved: int = 0
    """How many of `later` were there when it was read."""

    def over(self, mark: str, look: Callable[[], Mapping[str, Facts]]) -> Mapping[str, Facts]:
        """The holds because of which a record is left, by id. `look` asks for those that cover it now."""
        holds = self.planned.get(mark) or self.later.get(mark)
        if holds:
            return {hold_id: self.held_by[hold_id] for hold_id in holds}
        if covering := look():
            self.later[mark] = sorted(covering)
            self.held_by.update(covering)
        return covering

    def marks(self) -> dict[str, list[str]]:
        """Held mark -> ids of the holds, of all that was left."""
        return {**self.planned, **self.later}


def key(store: str) -> str:
    """Sort key of the item that `left` opens."""
    return sealed.head_key(_name(store))


def left(deps: Deps, request_id: str, findings: Findings, head: Item | None) -> Left:
    raw = json.loads(sealed.opened(deps, request_id, head)) if head else {"later": {}, "held_by": {}}
    held_by = {**findings.held_by, **raw["held_by"]}
    return Left(findings.withheld, raw["later"], held_by, saved=len(raw["later"]))


def save(deps: Deps, request_id: str, store: str, left: Left) -> None:
    """Before what was done with the store is noted: so nothing that was left is ever forgotten."""
    if len(left.later) > left.saved:
        facts = {name: value for name, value in asdict(left).items() if name in ("later", "held_by")}
        sealed.save(deps, request_id, _name(store), json.dumps(facts).encode())
        left.saved = len(left.later)


def everything(deps: Deps, request_id: str, search: Search, left_out: Iterable[str]) -> Withheld:
    """All that the erasure left because of holds, but in stores that the DPO left out."""
    out = set(left_out)
    heads = {item["sk"]: item for item in deps.table.query(requests.pk(request_id), key(""))}
    found: Withheld = {}
    for name, findings in search.stores.items():
        if name not in out and (marks := left(deps, request_id, findings, heads.get(key(name))).marks()):
            found[name] = marks
    return found


def _name(store: str) -> str:
    return f"left {store}"
