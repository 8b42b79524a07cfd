"""Sliding windows in memory."""

from __future__ import annotations

from datetime import datetime, timedelta

from rightful.ports import Clock
from tests.fakes.recording import Fault, Recorder, no_fault


class MemoryLimits(Recorder):
    """`uses` maps (what, subject) to the times of the uses still inside the window."""

    port = "limits"

    def __init__(self, clock: Clock, fault: Fault = no_fault) -> None:
        super().__init__(fault)
        self.clock = clock
        self.uses: dict[tuple[str, str], list[datetime]] = {}

    def take(self, what: str, subject: str, most: int, seconds: int) -> int:
        with self.operation("take", what, subject):
            now, window = self.clock(), timedelta(seconds=seconds)
            recent = [at for at in self.uses.get((what, subject), []) if at > now - window]
            if len(recent) >= most:
                free_at = recent[-most] + window if most else now + window
                return max(1, -((now - free_at) // timedelta(seconds=1)))
            self.uses[what, subject] = [*recent, now]
            return 0
