"""The in-memory store passes the suite that the real ones pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from rightful.errors import NeedsAttention, RightfulError
from rightful.ports import Connector
from tests.contract.connector_suite import (
    AnonymisingSuite,
    ConnectorSuite,
    GuardSuite,
    Meddling,
    Method,
    everything,
    keys,
    store,
)
from tests.fakes.memory_store import MemoryStore


class MemoryBench(Meddling):
    guard = ("email",)

    def __init__(self) -> None:
        self.store = store("memory", {}, {"attribute": "email"})
        self.memory = MemoryStore(locate=self.store.locate)

    def connector(self) -> Connector:
        return self.memory

    def add(self, person: str, count: int) -> None:
        for number in range(count):
            self.memory.put({"id": f"{person}:{number}", "email": person, "name": "Ada", "note": "x"})

    def snapshot(self) -> Mapping[str, Any]:
        return {item["id"]: item for item in self.memory.items}

    def remove(self, person: str) -> None:
        for records in everything(self.connector, self.locator, person):
            self.memory.delete(records, ())

    def meddle(self, person: str) -> None:
        for item in self.memory.items:
            if item["email"] == person:
                self.memory.put({**item, "email": "somebody-else"})

    def fail(self, method: Method, error: type[RightfulError]) -> None:
        self.memory.fail(method, error("out of order"), times=None)


@pytest.fixture
def bench() -> MemoryBench:
    return MemoryBench()


class TestMemoryStore(ConnectorSuite, GuardSuite, AnonymisingSuite):
    """All of it."""


def test_a_lost_answer_is_an_error_after_the_work(bench: MemoryBench) -> None:
    bench.add("acct-1", 1)
    bench.memory.fail("delete", NeedsAttention("answer lost"), after=1, committed=True)
    page = bench.memory.find(bench.locator, "acct-1", None, 10)
    assert bench.memory.delete((), ()) == []
    with pytest.raises(NeedsAttention):
        bench.memory.delete(page.records, ())
    assert bench.memory.items == []


def test_opens_files_and_finds_in_lists(bench: MemoryBench) -> None:
    key = bench.memory.put({"id": 1, "email": ["a", "b"]})
    bench.memory.files[key] = b"x" * (2**20 + 1)
    (record,) = bench.memory.find(bench.locator, "b", None, 10).records
    assert record.file is not None
    assert record.file.size == 2**20 + 1
    assert [len(chunk) for chunk in bench.memory.open(record)] == [2**20, 1]
    assert keys(bench.memory.find(bench.locator, "a", None, 10).records) == [key]
