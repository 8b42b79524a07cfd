"""The in-memory sweeper passes the suite that the real ones pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from rightful.errors import RightfulError
from rightful.model import Record
from rightful.ports import Sweeper
from tests.contract.connector_suite import store
from tests.contract.sweeper_suite import Method, SweepAnonymisingSuite, SweepBench, SweeperSuite, SweepGuardSuite, When
from tests.fakes.memory_store import MemoryStore
from tests.fakes.memory_sweeper import MemorySweeper

AT: Mapping[When, str] = {"long_ago": "2020-02-29T10:00:00Z", "lately": "2026-12-24T10:00:00Z", "unreadable": "soon"}


class MemoryBench(SweepBench):
    guard = ("state",)

    def __init__(self) -> None:
        self.store = store("memory", {}, {"attribute": "email"})
        self.memory = MemoryStore()
        self.poisoned: set[str] = set()
        self.faults: dict[str, type[RightfulError]] = {}

    def sweeper(self) -> Sweeper:
        return MemorySweeper(self.memory, self.store, page_size=20, poison=self.poisoned, fault=self._fault)

    def add(self, person: str, when: When, count: int = 1) -> None:
        for number in range(count):
            item = {"id": f"{person}:{when}:{number}", "email": person, "at": AT[when]}
            self.memory.put({**item, "name": "Ada", "note": "x", "state": "new"})

    def snapshot(self) -> Mapping[str, Mapping[str, Any]]:
        return {self.memory.key_of(item): item for item in self.memory.items}

    def remove(self, record: Record) -> None:
        self.memory.delete([record], ())

    def meddle(self, record: Record) -> None:
        self.memory.put({**record.data, "state": "touched"})

    def poison(self, record: Record) -> None:
        self.poisoned.add(record.key)

    def fail(self, method: Method, error: type[RightfulError]) -> None:
        self.faults[f"sweeper.{method}"] = error

    def _fault(self, name: str, moment: str) -> None:
        if name in self.faults:
            raise self.faults[name]("out of order")


class TestMemorySweeper(SweeperSuite, SweepGuardSuite, SweepAnonymisingSuite):
    @pytest.fixture
    def bench(self) -> MemoryBench:
        return MemoryBench()
