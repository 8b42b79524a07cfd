"""Weighs what is due in each store against its brake, and says what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rightful.service.deps import Deps
from rightful.service.sweep import runs
from rightful.tallies import Tally


@dataclass(frozen=True, slots=True)
class Weighed:
    """Stores of a run, by what may happen to them. Those of a preview are in none but `failed` and `braked`."""

    apply: list[str] = field(default_factory=list)
    """Under the brake, or let through by the DPO."""
    braked: list[str] = field(default_factory=list)
    """Over the brake, whatever the DPO said then."""
    waiting: list[str] = field(default_factory=list)
    """Of `braked`, those that the DPO has not decided about."""
    failed: list[str] = field(default_factory=list)
    """Nothing in them is touched: they were not counted to the end, so that a share cannot be told, or the data map has
    changed for them since."""
    counted: dict[str, dict[int, Tally]] = field(default_factory=dict)
    """Store -> number of the segment -> what was counted in it."""


def step(deps: Deps, run_id: str, applied: Sequence[str]) -> dict[str, Any]:
    """`{"apply": [{"store", "segment"}], "stores": [name], "waiting": [name]}`: the segments to act on now (those
    where something is due, in stores not yet in `applied`), their stores, and the stores about which to ask the DPO."""
    run = runs.load(deps, run_id)
    weighed = weigh(deps, run)
    items = [
        {"store": store, "segment": number}
        for store in weighed.apply
        if store not in applied
        for number, tally in sorted(weighed.counted[store].items())
        if tally.due
    ]
    stores = list(dict.fromkeys(str(item["store"]) for item in items))
    return {"apply": items, "stores": stores, "waiting": weighed.waiting}


def weigh(deps: Deps, run: runs.Run) -> Weighed:
    """From the counts and the DPO's decisions alone: the same whenever it is asked."""
    weighed = Weighed()
    counted = runs.tallies(deps, run, "count")
    decided = runs.decisions(deps, run.run_id)
    for store, segments in run.stores.items():
        weighed.counted[store] = {number: tally for number, (tally, _) in counted[store].items()}
        tally = Tally.sum(weighed.counted[store].values())
        if sum(done for _, done in counted[store].values()) < len(segments):
            weighed.failed.append(store)
            continue
        over = share(tally, run.store_sizes.get(store, 0)) > run.rules[store]["brake"]
        decision = decided.get(store, {}).get("decision")
        if over:
            weighed.braked.append(store)
        if run.mode == "preview":
            continue
        if over and decision is None:
            weighed.waiting.append(store)
        elif over and decision != "continue":
            continue
        elif runs.unchanged(deps, run, store):
            weighed.apply.append(store)
        else:
            weighed.failed.append(store)
    return weighed


def share(tally: Tally, size: int) -> float:
    """Percent of a store that is due and not withheld. `size`: records in the store, where more than `scanned` are
    known to be there."""
    whole = max(tally.scanned, size)
    return 100 * (tally.due - tally.held) / whole if whole else 0.0
