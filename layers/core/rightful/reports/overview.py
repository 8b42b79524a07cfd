"""The page about a period, for the data protection officer to put before a board or an authority: requests and how long
they took, what was done in the stores and kept, holds, sweeps, disclosures, and the records of processing.

`facts` (see `rightful.service.overseeing.facts`) is plain JSON; every number on the page is one of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rightful.reports import pages, words
from rightful.reports.chart import Slice, bar
from rightful.reports.columns import columns
from rightful.volumes import BANDS, SOON

OUTCOMES: Final = {
    "exported": "Given to the person",
    "deleted": "Deleted",
    "anonymised": "Made anonymous",
    "kept": "Kept",
    "held": "Under a legal hold",
    "blocked": "Locked by the store",
    "left": "Left over",
}
"""Records of a store, by what requests did to them."""
RARE: Final = ("held", "blocked", "left")
"""Shown only where there are some."""
SERIES: Final = 5
"""Colours for types of requests; further types share the last."""
CCPA: Final = {"access": "Requests to know", "erasure": "Requests to delete"}
"""As 11 CCR section 7102(a)(1) calls them."""


def overview_page(facts: Mapping[str, Any]) -> str:
    """HTML of the overview."""
    types = list(facts["received"]["types"])
    return pages.render(
        "overview",
        facts["controller"]["name"],
        facts=facts,
        done=facts["closed"]["all"],
        in_time=_in_time(facts["closed"]["all"]),
        groups=[*facts["closed"]["types"].items(), ("", facts["closed"]["all"])],
        chart=columns(facts["received"]["weeks"], types),
        series={name: min(place, SERIES - 1) + 1 for place, name in enumerate(types)},
        bands=_bands(facts["closed"]["all"]["bands"]),
        outcomes={key: name for key, name in OUTCOMES.items() if key not in RARE or _any(facts["stores"], key)},
        store_bars={name: bar(_slices(counts)) for name, counts in facts["stores"].items()},
        skipped=_any(facts["stores"], "skipped"),
        ccpa=CCPA,
        soon_days=SOON,
        due_in=due_in,
    )


def due_in(days: int) -> str:
    """Days until the day that a request is due: `3 days late`, `Today`, `In 1 day`."""
    if days < 0:
        return f"{words.count(-days, 'day')} late"
    return f"In {words.count(days, 'day')}" if days else "Today"


def _in_time(done: Mapping[str, Any]) -> str:
    """Share of the answers that were in time, never rounded up to all: `99.9 %`."""
    answered, late = done["answered"], done["late"]
    if not answered:
        return ""
    tenths = (answered - late) * 1000 // answered
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths / 10:.1f} %"


def _bands(counts: Sequence[int]) -> list[dict[str, Any]]:
    """Names, counts and widths (of 100, the largest filling it) of the bands of days."""
    starts = [0, *(end + 1 for end in BANDS)]
    names = [f"{start} to {end} days" for start, end in zip(starts, BANDS, strict=False)]
    names.append(f"More than {BANDS[-1]} days")
    most = max(*counts, 1)
    return [
        {"name": name, "requests": count, "width": round(100 * count / most, 1)}
        for name, count in zip(names, counts, strict=True)
    ]


def _slices(counts: Mapping[str, int]) -> list[Slice]:
    return [Slice(name, counts[key], key) for key, name in OUTCOMES.items() if counts[key]]


def _any(stores: Mapping[str, Mapping[str, int]], key: str) -> bool:
    return any(counts[key] for counts in stores.values())
