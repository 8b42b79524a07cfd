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
from tests.fakes.memory_store import MemoryStore, _texts


def _nothing() -> None:
    """Nobody else writes."""


@dataclass
class MemorySweeper:
    """`page_size` records are looked at a page. `between` is called after each page is read and before each write:
    tests put writers there. `poison`: keys of records that the store refuses to write."""

    store: MemoryStore
    rules: Store
    page_size: int = 100
    parts: int = 4
    between: Callable[[], None] = _nothing
    poison: set[str] = field(default_factory=set)
    asked: list[Wanted] = field(default_factory=list)

    def segments(self, most: int, as_of: datetime) -> list[str]:
        return [f"{n}/{min(self.parts, most)}" for n in range(min(self.parts, most))]

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
        self.store.call("page")
        self.between()
        return SweepPage(tuple(records), len(looked_at), looked_at[-1] if more else None, 0.5 * len(looked_at))

    def identities(self, record: Record) -> set[tuple[str, str]]:
        return {
            (locator.by, text)
            for locator in self.rules.locate
            for text in _texts(record.data, locator.through["attribute"])
        }

    def delete(self, records: Sequence[Record], guard: Sequence[str]) -> Written:
        self.between()
        fine = [record for record in records if record.key not in self.poison]
        done = dict(zip((r.key for r in fine), self.store.delete(fine, guard), strict=True))
        return Written([done.get(record.key, Result(Done.failed)) for record in records], float(len(records)))

    def anonymise(self, records: Sequence[tuple[Record, Mapping[str, Any]]], guard: Sequence[str]) -> Written:
        self.between()
        fine = [(record, changes) for record, changes in records if record.key not in self.poison]
        done = dict(zip((r.key for r, _ in fine), self.store.anonymise(fine, guard), strict=True))
        return Written([done.get(record.key, Result(Done.failed)) for record, _ in records], float(len(records)))

    def _hidden(self, key: str, wanted: Wanted) -> bool:
        if not wanted.since or wanted.after is None:
            return False
        return retention.surely_after(self.store.peek(key, wanted.since), wanted.after)
