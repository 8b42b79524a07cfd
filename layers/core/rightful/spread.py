"""How a set of whole numbers of days is spread. Pure.

Kept as counts per number, so that a million answers take no more room than a hundred. A percentile is the *nearest
rank*: the smallest number that at least that share of all numbers do not exceed; so the median, too, is always a number
that occurred (of an even count, the lower of the two in the middle).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Spread:
    days: Counter[int] = field(default_factory=Counter)
    """Number of days -> how often."""

    def add(self, days: int) -> None:
        self.days[days] += 1

    @property
    def count(self) -> int:
        return self.days.total()

    def percentile(self, percent: int) -> int | None:
        """`percent` from 1 to 100; None when there is nothing."""
        rank = -(-self.count * percent // 100)  # rounded up
        for days in sorted(self.days):
            rank -= self.days[days]
            if rank <= 0:
                return days
        return None

    def mean(self) -> float | None:
        """To one decimal."""
        whole = sum(days * times for days, times in self.days.items())
        return round(whole / self.count, 1) if self.days else None

    def bands(self, ends: Sequence[int]) -> list[int]:
        """How many are at most the first of `ends` (ascending), then at most the next, ..., then more than the last."""
        counts = [0] * (len(ends) + 1)
        for days, times in self.days.items():
            counts[sum(days > end for end in ends)] += times
        return counts
