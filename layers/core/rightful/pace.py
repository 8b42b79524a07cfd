"""How fast something may be used that others use too: a token bucket over the units that each call consumed (capacity
units of a table, mails of an account). Pure but for the clock and the sleep it is given."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Final

PAUSE: Final = 8.0
"""Seconds that a call waits at most: less than a step keeps in reserve to save its work. What a single call cost beyond
that is forgiven, so pages are made small where units are few."""
WINDOW: Final = 10.0
"""Seconds without a call after which it is measured anew what goes through."""
BURST: Final = 1.0
"""Seconds' worth of units that may be spent at once after a pause."""
LEAST: Final = 25.0
"""Units a second that throttling never takes away, where no limit is lower: a batch of deletes, or 100 KB read."""
GROWTH: Final = 1.1
"""What a call that was not throttled gives back of the rate."""
FIRST_WAIT: Final = 0.1
LONGEST_WAIT: Final = 5.0
"""Seconds between tries of what was throttled, doubled from try to try, and full jitter."""


class Pace:
    """At most `most` units a second over time; 0 stands for no limit but what throttling teaches. What a call costs is
    known only afterwards, so a call that cost more than there was is paid for before the next one."""

    def __init__(
        self, most: float, clock: Callable[[], float], sleep: Callable[[float], None], least: float = LEAST
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._begun = self._at = clock()
        self._spent = 0.0
        self._limit = self._rate = most or math.inf
        self._least = least
        self._left = 0.0

    @property
    def rate(self) -> float:
        """Units a second at present."""
        return self._rate

    def limit(self, most: float) -> None:
        """From now on at most so many."""
        self._limit = most or math.inf
        self._rate = self._limit if self._rate == math.inf else min(self._rate, self._limit)

    def wait(self) -> None:
        """Returns when everything spent so far is within the rate."""
        now = self._clock()
        if now - self._at > WINDOW:
            self._begun, self._spent = now, 0.0
        if self._rate == math.inf:
            self._left, self._at = 0.0, now
            return
        self._left = min(self._left + (now - self._at) * self._rate, BURST * self._rate)
        self._at = now
        if self._left < 0:
            self._left = max(self._left, -PAUSE * self._rate)
            self._sleep(-self._left / self._rate)

    def spent(self, units: float) -> None:
        """A call went through and cost so much."""
        self._left -= units
        self._spent += units
        self._rate = min(self._rate * GROWTH, self._limit)

    def throttled(self) -> None:
        """The other side could not keep up: half of what went through until now, or of the rate, whichever is less."""
        seen = self._spent / max(self._clock() - self._begun, BURST)
        known = min(self._rate, max(seen, self._least))
        self._rate = min(max(known / 2, self._least), self._limit)

    def back_off(self, tries: int) -> None:
        """Waits before the next try of what was throttled `tries` times."""
        longest = min(FIRST_WAIT * 2**tries, LONGEST_WAIT)
        self._sleep(random.uniform(0, longest))  # noqa: S311 - spreads tries over time; nothing secret about it
