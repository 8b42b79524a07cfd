"""What a run says to CloudWatch: counts by store and by run, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from rightful.clocks import moment
from rightful.service.deps import Deps
from rightful.service.measuring import Point
from rightful.service.sweep import runs

OF_A_STORE: Final = {
    "Scanned": "scanned",
    "Due": "due",
    "Deleted": "deleted",
    "Anonymised": "anonymised",
    "Held": "held",
    "Malformed": "malformed",
    "Resurrected": "resurrected",
    "Blocked": "blocked",
    "FailedRecords": "failed",
}
"""Metric -> its count in a store's part of the summary (`rightful.tallies`)."""


def first(deps: Deps, summary: Mapping[str, Any], what: Literal["ended", "braked"]) -> bool:
    """Whether this is the first time that the run is measured so. Asked right before: a step that is tried again counts
    nothing twice, and one that is killed just then leaves its counts to the report."""
    expires = int((moment(summary["began_at"]) + runs.LIFE).timestamp())
    return deps.table.put_new(runs.pk(summary["run_id"]), f"MEASURED#{what}", {"expires_at": expires})


def ended(summary: Mapping[str, Any], stage: str) -> list[Point]:
    """Of a run's `summary` (see `reporting.summary`). `stage` names the installation. A store that was left out because
    the DPO has not answered an earlier run counts as braked again: who saw only the first alarm forgets it."""
    stores: Mapping[str, Mapping[str, Any]] = summary["stores"]
    run = {
        "FailedSegments": sum(counts["failed_segments"] for counts in stores.values()) + len(summary["unreached"]),
        "DurationSeconds": summary["seconds"],
    }
    return [
        Point({"Stage": stage, "Mode": summary["mode"]}, {"Runs": 1}),
        Point({"Stage": stage}, run),
        *(
            Point({"Stage": stage, "Store": name}, {metric: counts[key] for metric, key in OF_A_STORE.items()})
            for name, counts in stores.items()
        ),
        *_braked(len(summary["unanswered"]), stage),
    ]


def braked(summary: Mapping[str, Any], stage: str) -> list[Point]:
    """Of a run that waits for the DPO; nothing when no store waits."""
    waiting = [counts for counts in summary["stores"].values() if counts["braked"] and not counts["decision"]]
    return _braked(len(waiting), stage)


def _braked(stores: int, stage: str) -> list[Point]:
    return [Point({"Stage": stage}, {"BrakedStores": stores})] if stores else []
