"""Stacked columns over weeks, with their axis, as numbers for an SVG. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

WIDTH: Final = 960
HEIGHT: Final = 260
LEFT: Final = 44
"""Room for the axis and its numbers."""
TOP: Final = 12
BOTTOM: Final = 28
"""Room for the months."""
PLOT: Final = HEIGHT - TOP - BOTTOM
LABEL: Final = 46
"""Least room between two names of months."""


def columns(weeks: Sequence[Mapping[str, Any]], types: Sequence[str]) -> dict[str, Any]:
    """`weeks`: {"monday", "types": {type: requests}}; `types` from the bottom up. {"bars": [{"x", "y", "width",
    "height", "monday", "type", "requests"}], "ticks": [{"y", "value"}], "months": [{"x", "name"}], "width", "height",
    "left"}: in the SVG's own unit."""
    most = max((sum(week["types"].values()) for week in weeks), default=0)
    top = steps(most)
    slot = (WIDTH - LEFT) / max(len(weeks), 1)
    room = min(slot * 0.76, 48)
    bars = []
    for place, week in enumerate(weeks):
        base = float(TOP + PLOT)
        for name in types:
            requests = week["types"].get(name, 0)
            if requests:
                height = PLOT * requests / top[-1]
                base -= height
                box = {"x": LEFT + slot * place + (slot - room) / 2, "y": base, "width": room, "height": height}
                facts = {"monday": week["monday"], "type": name, "requests": requests}
                bars.append({**{key: round(value, 1) for key, value in box.items()}, **facts})
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "bars": bars,
        "ticks": [{"y": round(TOP + PLOT * (1 - value / top[-1]), 1), "value": value} for value in top],
        "months": _months(weeks, slot),
    }


def steps(most: int) -> list[int]:
    """At most six even values from 0 to at least `most`, each step 1, 2 or 5 times a power of ten."""
    step, factors = 1, (2, 5, 10)
    while step * 5 < most:
        power = 10 ** (len(str(step)) - 1)
        step = power * next(factor for factor in factors if factor * power > step)
    return list(range(0, max(-(-most // step), 1) * step + 1, step))


def _months(weeks: Sequence[Mapping[str, Any]], slot: float) -> list[dict[str, Any]]:
    """The first week that begins in each month, where there is room for its name; January says its year."""
    named: list[dict[str, Any]] = []
    seen = ""
    for place, week in enumerate(weeks):
        monday = date.fromisoformat(week["monday"])
        x = LEFT + slot * (place + 0.5)
        if week["monday"][:7] != seen and (not named or x - named[-1]["x"] >= LABEL) and x <= WIDTH - LABEL / 2:
            named.append({"x": round(x, 1), "name": f"{monday:%b %Y}" if monday.month == 1 else f"{monday:%b}"})
        seen = week["monday"][:7]
    return named
