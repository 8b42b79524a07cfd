"""A bar of slices, as numbers for an SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 1000.0
"""Of the whole bar, in the SVG's own unit."""
LEAST: Final = 12.0
"""Of a slice: few records among many are seen, too."""


@dataclass(frozen=True, slots=True)
class Slice:
    label: str
    records: int
    shade: str
    """Name of its colour in the style sheet."""


def bar(slices: Sequence[Slice]) -> list[tuple[float, float, str]]:
    """(x, width, shade) of each slice, in their order; together they fill the bar."""
    whole = sum(each.records for each in slices)
    widths = [max(LEAST, WIDTH * each.records / whole) for each in slices] if whole else []
    drawn, x = [], 0.0
    for each, width in zip(slices, widths, strict=True):
        scaled = width * WIDTH / sum(widths)
        drawn.append((round(x, 1), round(scaled, 1), each.shade))
        x += scaled
    return drawn
