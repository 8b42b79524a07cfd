"""The page about one run of the retention sweep, for a data protection officer: what was found, what was done, what was
left and why, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rightful.reports import pages, words
from rightful.reports.chart import Slice, bar

OUTCOMES: Final = ("deleted", "anonymised", "held", "changed_meanwhile", "blocked", "failed")
"""What may have become of a record that is due; what is in none of them is still to be done."""


def retention_page(summary: Mapping[str, Any], controller: str) -> str:
    """HTML of a run's `summary` (see `rightful.service.sweep.reporting`). `controller`: its name."""
    stores = [_store(name, counts, summary["mode"]) for name, counts in summary["stores"].items()]
    return pages.render(
        "retention",
        controller,
        summary=summary,
        stores=stores,
        total=lambda name: sum(counts[name] for counts in summary["stores"].values()),
        applied=summary["mode"] == "apply",
        waiting=[store for store in stores if store["waits"]],
    )


def _store(name: str, counts: Mapping[str, Any], mode: str) -> dict[str, Any]:
    waits = counts["braked"] and not counts["decision"] and mode == "apply"
    slices = _slices(counts, mode, waits)
    return {
        **counts,
        "name": name,
        "waits": waits,
        "kept_records": sum(counts["kept"].values()) + counts["malformed"],
        "left": counts["due"] - counts["deleted"] - counts["anonymised"],
        "slices": slices,
        "bar": bar(slices),
    }


def _slices(counts: Mapping[str, Any], mode: str, waits: bool) -> list[Slice]:
    """All records of a store that were looked at, by what became of them."""
    kept = [Slice(words.ground(reason), records, _shade(reason)) for reason, records in counts["kept"].items()]
    done = [Slice(words.OUTCOMES[each], counts[each], each) for each in OUTCOMES]
    left = counts["due"] - sum(counts[each] for each in OUTCOMES)
    to_do = Slice(words.to_do(counts, mode, waits), left, "due")
    slices = [*kept, Slice(words.MALFORMED, counts["malformed"], "malformed"), *done, to_do]
    return [each for each in slices if each.records > 0]


def _shade(reason: str) -> str:
    return {"in_use": "in_use", "anonymised": "anonymous"}.get(reason, "ground")
