"""A clock that moves only when it is told to."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class MovableClock:
    """Calling it gives the present moment, aware, in UTC."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            return self._now

    def advance(self, seconds: float = 0, *, days: float = 0) -> None:
        with self._lock:
            self._now += timedelta(days=days, seconds=seconds)

    def set(self, now: datetime) -> None:
        with self._lock:
            self._now = now
