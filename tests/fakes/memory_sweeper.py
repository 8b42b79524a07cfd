"""A `MemoryStore` as the retention sweep goes through it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rightful import retention
from rightful.model import Done, Record, Result, Store
from rightful.ports import SweepPage, Wanted, Written
from tests.fakes.memory_store import MemoryStore, identities
from tests.fakes.recording import Fault, no_fault


def _nothing() -> None:
    """Nobody else writes."""


@dataclass
class MemorySweeper:
    """`page_size` records are looked at a page. `between` is called while a page is read and before each write: tests
    put writers there. `poison`: keys of records that the store refuses to write."""

    store: MemoryStore
    rules: Store
    page_size: int = 100
    parts: int = 4
    between: Callable[[], None] = _nothing
    poison: set[str] = field(default_factory=set)
    asked: list[Wanted] = field(default_factory=list)
    fault: Fault = no_fault
    records: int = 0
    """What `size` answers."""

    def segments(self, most: int, as_of: datetime) -> list[str]:
        return [f"{n}/{min(self.parts, most)}" for n in range(min(self.parts, most))]

    def size(self) -> int:
        return self.records

    def page(self, segment: str, wanted: Wanted, cursor: str | None) -> SweepPage:
        self.asked.append(wanted)
        number, of = map(int, segment.split("/"))
        keys = self.store.keys_after(cursor)
        looked_at: list[str] = []
        for key in keys:
            if zlib.crc32(key.encode()) % of == number:
                looked_at.append(key)
                if len(looked_at) == self.page_size:
                    break
        seen = [key for key in looked_at if not self._hidden(key, wanted)]
        records = [record for key in seen if (record := self.store.record(key))]
        more = len(looked_at) == self.page_size
        self.fault("sweeper.page", "before")
        self.between()
        return SweepPage(tuple(records), len(looked_at), looked_at[-1] if more else None, 0.5 * len(looked_at))

    def identities(self, record: Record) -> set[tuple[str, str]]:
        return identities(self.rules.locate, record)

    def delete(self, records: Sequence[Record], guard: Sequence[str]) -> Written:
        return self._write(
            "delete", [record.key for record in records], lambda n: self.store.delete([records[n]], guard)
        )

    def anonymise(self, records: Sequence[tuple[Record, Mapping[str, Any]]], guard: Sequence[str]) -> Written:
        keys = [record.key for record, _ in records]
        return self._write("anonymise", keys, lambda n: self.store.anonymise([records[n]], guard))

    def _write(self, method: str, keys: Sequence[str], one: Callable[[int], list[Result]]) -> Written:
        """One after the other, as a batch that dies half-way leaves them."""
        results = []
        for n, key in enumerate(keys):
            self.fault(f"sweeper.{method}", "before")
            self.between()
            results += [Result(Done.failed)] if key in self.poison else one(n)
            self.fault(f"sweeper.{method}", "after")
        return Written(results, float(len(results)))

    def _hidden(self, key: str, wanted: Wanted) -> bool:
        if not wanted.since or wanted.after is None:
            return False
        return retention.surely_after(self.store.peek(key, wanted.since), wanted.after)
