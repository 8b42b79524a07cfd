"""Sliding windows, kept in the requests table so that all processes share them.

An item holds the times of the last uses. It is changed only if nobody else changed it since it was read; whoever keeps
losing that race is refused, so that a rush of parallel tries never gets more than its due.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from rightful.ports import Clock, Table

RACES: Final = 5
"""How often a use is tried again when another one came first."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000


class TableLimits:
    """A use is counted for `seconds` from its time on; the use at exactly its end is free again. One `what` goes with
    one window: look back over another one under another name."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def take(self, what: str, subject: str, most: int, seconds: int) -> int:
        pk = f"LIMIT#{what}#{subject}"
        window = seconds * _SECOND
        for _ in range(RACES):
            item = self._table.get(pk, "LIMIT")
            now = (self._clock() - _EPOCH) // _MICROSECOND
            recent = sorted(at for at in item["times"] if at > now - window) if item else []
            if len(recent) >= most:
                free_at = recent[-most] + window if most else now + window
                return max(1, -(-(free_at - now) // _SECOND))
            uses = {"times": [*recent, now], "expires_at": -(-max([*recent, now]) // _SECOND) + seconds + 1}
            if item is None:
                taken = self._table.put_new(pk, "LIMIT", {**uses, "version": 1})
            else:
                expect = {"version": item["version"]}
                taken = self._table.update(pk, "LIMIT", uses, add={"version": 1}, expect=expect) is not None
            if taken:
                return 0
        return 1
