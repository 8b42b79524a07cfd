"""The ledger of erased identities: keyed hashes, and when each was erased. It outlives the requests, so that a record
that comes back from a backup or an old import is recognised without anybody's identity having been kept.

ERASED  <digest>  {before, except}: records with this identity and a last use before `before` were erased from all
                  stores but those in `except`: the DPO left them out, or a legal hold withholds something there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from rightful.clocks import moment, stamp
from rightful.errors import NotFound, TryAgain
from rightful.identities import normalise
from rightful.service.deps import Deps

LEDGER: Final = "ERASED"


def digests(deps: Deps, identities: Mapping[str, Iterable[str]]) -> set[str]:
    """Keyed hashes of identity values, equal for all spellings of a value."""
    return {
        deps.vault.digest("identity", f"{name}\n{normalise(deps.datamap.identities[name], value)}")
        for name, values in identities.items()
        if name in deps.datamap.identities
        for value in values
    }


def note(deps: Deps, identities: Mapping[str, Iterable[str]], before: datetime, left_out: Iterable[str]) -> None:
    """An erasure was completed. Idempotent; of two erasures of the same identity the later one stands, in whichever
    order they end."""
    facts: dict[str, Any] = {"before": stamp(before), "except": sorted(left_out)}
    for each in sorted(digests(deps, identities)):
        noted = deps.table.get(LEDGER, each)
        if noted is None or noted["before"] <= facts["before"]:
            deps.table.update(LEDGER, each, facts)


def note_rest(deps: Deps, identities: Mapping[str, Iterable[str]], before: datetime, stores: Iterable[str]) -> None:
    """What had been left in these stores when the erasure was noted is erased by now. Idempotent; without effect where
    a later erasure was noted since. Raises TryAgain."""
    done = set(stores)
    for each in sorted(digests(deps, identities)):
        noted = deps.table.get(LEDGER, each)
        if noted is None or noted["before"] != stamp(before) or done.isdisjoint(noted["except"]):
            continue
        expect = {name: noted[name] for name in ("before", "except")}
        rest = [name for name in noted["except"] if name not in done]
        if deps.table.update(LEDGER, each, {"except": rest}, expect=expect) is None:
            raise TryAgain("The ledger of erased identities is being changed by others.")


@dataclass(frozen=True, slots=True)
class Erased:
    """The ledger as a run sees it."""

    entries: dict[str, tuple[datetime, frozenset[str]]] = field(default_factory=dict)
    """Digest -> (before, stores left out)."""

    def __bool__(self) -> bool:
        return bool(self.entries)

    def came_back(self, store: str, identities: Iterable[str], used: datetime) -> bool:
        """Whether a record of the store, last used then, with these identities (digests) was erased before."""
        for each in identities:
            entry = self.entries.get(each)
            if entry and used < entry[0] and store not in entry[1]:
                return True
        return False


def of(deps: Deps, wanted: Iterable[str]) -> Erased:
    """What the ledger says of these identities (digests), read now."""
    entries = [item for item in deps.table.get_many([(LEDGER, each) for each in wanted]) if item]
    return Erased({item["sk"]: (moment(item["before"]), frozenset(item["except"])) for item in entries})


def snapshot(deps: Deps, run_id: str) -> datetime | None:
    """Copies the ledger to where all segments of the run read it, in one piece; the newest `before`."""
    entries = deps.table.query(LEDGER)
    if not entries:
        return None
    deps.reports.put(_name(run_id), _text(entries))
    return max(moment(item["before"]) for item in entries)


def load(deps: Deps, run_id: str) -> Erased:
    """The run's copy; the ledger itself when a run waited longer than the bucket keeps the copy."""
    try:
        text = b"".join(deps.reports.read(_name(run_id)))
    except NotFound:
        text = _text(deps.table.query(LEDGER))
    nothing: frozenset[str] = frozenset()
    parsed = map(json.loads, text.splitlines())
    return Erased({each: (moment(before), frozenset(out) or nothing) for each, before, out in parsed})


def _text(entries: Iterable[Mapping[str, Any]]) -> bytes:
    return "\n".join(json.dumps([item["sk"], item["before"], item["except"]]) for item in entries).encode()


def forget(deps: Deps, run_id: str) -> None:
    """Removes the run's copy."""
    deps.reports.delete(_name(run_id))


def _name(run_id: str) -> str:
    return f"work/{run_id}/erased"
