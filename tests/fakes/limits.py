"""Sliding windows in memory."""

from __future__ import annotations

import math

from rightful.ports import Clock

from tests.fakes.recording import Fault, Recorder, no_fault


class MemoryLimits(Recorder):
    """`uses` maps (what, subject) to the times, in epoch seconds, of the uses still inside the window."""

    port = "limits"

    def __init__(self, clock: Clock, fault: Fault = no_fault) -> None:
        super().__init__(fault)
        self.clock = clock
        self.uses: dict[tuple[str, str], list[float]] = {}

    def take(self, what: str, subject: str, most: int, seconds: int) -> int:
        with self.operation("take", what, subject):
            now = self.clock().timestamp()
            recent = [at for at in self.uses.get((what, subject), []) if at > now - seconds]
            if len(recent) >= most:
                return max(1, math.ceil(recent[-most] + seconds - now)) if most else seconds
            self.uses[what, subject] = [*recent, now]
            return 0
