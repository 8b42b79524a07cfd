"""The metrics that our code writes, each with the names of its dimensions."""

from __future__ import annotations

from rightful.service import measuring as requests_measured
from rightful.service.sweep import measuring
from tests.fakes.world import make_world

Metric = tuple[str, ...]
"""(name, *dimensions in order)."""


def written() -> set[Metric]:
    """All of them: those of a sweep, of a daily round and of a request that ends."""
    store = {"braked": True, "decision": "", "failed_segments": 0, **dict.fromkeys(measuring.OF_A_STORE.values(), 0)}
    summary = {"mode": "apply", "seconds": 1, "stores": {"accounts": store}, "unanswered": [], "unreached": []}
    counts = dict.fromkeys(requests_measured.OF_THE_DAY.values(), 0)
    world = make_world()
    world.ask_for("access")
    points = [
        *measuring.ended(summary, "prod"),
        *measuring.braked(summary, "prod"),
        *requests_measured.watched(counts, "prod", whole=True),
        *requests_measured.closed(world.deps, "r1"),
    ]
    return {(metric, *sorted([*point.dimensions, "service"])) for point in points for metric in point.counts}
