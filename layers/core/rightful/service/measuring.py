"""What the stack says of requests to CloudWatch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rightful.clocks import moment
from rightful.service import requests
from rightful.service.deps import Deps

OF_THE_DAY: Final = {
    "OpenRequests": "open",
    "Overdue": "overdue",
    "DueWithin2Days": "due_within_2",
    "DueWithin7Days": "due_within_7",
    "Paused": "paused",
    "AwaitingDpo": "awaiting_dpo",
    "ActiveHolds": "active_holds",
    "OldestDays": "oldest_days",
    "OpenBreaches": "breaches",
    "BreachesOverdue": "breaches_overdue",
    "DroppedIssues": "dropped",
}
"""Metric -> its count in a daily round (`rightful.service.deadlines`)."""
DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Point:
    """Metrics under one set of dimensions. `counts`: name -> value; those that end in `Seconds` are seconds."""

    dimensions: dict[str, str]
    counts: dict[str, float]


def watched(counts: Mapping[str, int], stage: str, *, whole: bool) -> list[Point]:
    """Of a daily round. What it could not count is not measured, and one that is not whole does not count as a run."""
    known: dict[str, float] = {metric: counts[name] for metric, name in OF_THE_DAY.items() if name in counts}
    points = [Point({"Stage": stage}, known)] if known else []
    return [*points, Point({"Stage": stage}, {"DeadlineRuns": 1})] if whole else points


def closed(deps: Deps, request_id: str) -> list[Point]:
    """Of a request that ended; nothing when it was measured before. Days are counted from receipt, pauses included.
    Asked right before measuring: a step that is tried again counts nothing twice."""
    if not deps.table.put_new(requests.pk(request_id), "MEASURED#closed", {}):
        return []
    request, stage = requests.load(deps, request_id), deps.settings.stage
    taken = (moment(request["changed_at"]) - moment(request["received_at"])).total_seconds() / DAY
    return [
        Point({"Stage": stage, "Type": request["type"], "Status": request["status"]}, {"ClosedRequests": 1}),
        Point({"Stage": stage, "Type": request["type"]}, {"DaysToClose": round(taken, 2)}),
    ]
