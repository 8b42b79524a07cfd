"""What every sweeper does. A kind of store writes a `SweepBench` and inherits the suites that fit it:

- `SweeperSuite`: all sweepers
- `SweepGuardSuite`: those whose records can change between reading and writing
- `SweepAnonymisingSuite`: those that can anonymise

Each test class gives a fixture `bench`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import pytest

from rightful import retention
from rightful.errors import NeedsAttention, RightfulError, TryAgain
from rightful.model import Done, Record, Result, Store
from rightful.ports import ANONYMISED_MARK, Sweeper, Wanted
from tests.contract.connector_suite import CHANGES, MARKER, NEAR, ODD

When = Literal["long_ago", "lately", "unreadable"]
Method = Literal["page", "delete", "anonymise"]

NOW = datetime(2027, 1, 31, 12, tzinfo=UTC)
CUT = datetime(2026, 2, 3, 12, tzinfo=UTC)
"""What is later than this need not come."""


class SweepBench(ABC):
    """One store under test, and the means to fill it, look into it and meddle with it behind the sweeper's back."""

    store: Store
    guard: tuple[str, ...]
    """Top-level attributes that `meddle` changes."""
    near: ClassVar[Sequence[str]] = NEAR
    odd: ClassVar[Sequence[str]] = ODD
    """Those of the connectors' NEAR and ODD that the store can hold."""
    many: ClassVar[int] = 300
    hides: ClassVar[bool] = True
    """Whether it leaves out what is surely in use."""
    reads_all: ClassVar[bool] = True
    """Whether its segments hold every record, rather than those that may be due."""
    unreadable: ClassVar[bool] = True
    """Whether its records can have a date that cannot be read."""
    tells_gone: ClassVar[bool] = True
    """Whether writing what is absent answers `gone`."""

    @property
    def wanted(self) -> Wanted:
        rule = self.store.retention
        attributes = retention.attributes(rule) | {*self.guard, *CHANGES, ANONYMISED_MARK}
        return Wanted(frozenset(attributes), retention.attribute(rule.since), CUT)

    @abstractmethod
    def sweeper(self) -> Sweeper:
        """A new instance, as another process would make it."""

    @abstractmethod
    def add(self, person: str, when: When, count: int = 1) -> None:
        """Adds records of a person, differing in their keys, last used then."""

    @abstractmethod
    def snapshot(self) -> Mapping[str, Mapping[str, Any]]:
        """Everything the store holds: `Record.key` -> attributes."""

    @abstractmethod
    def remove(self, record: Record) -> None: ...

    @abstractmethod
    def meddle(self, record: Record) -> None:
        """Changes the attributes of `guard` in the record."""

    @abstractmethod
    def poison(self, record: Record) -> None:
        """From now on the store refuses to write this one record."""

    @abstractmethod
    def fail(self, method: Method, error: type[RightfulError]) -> None:
        """Makes the store answer calls of this method with what should become such an error, for good."""


def swept(bench: SweepBench, wanted: Wanted | None = None, most: int = 8) -> tuple[list[Record], int]:
    """All records that come, and how many were looked at. Each page is read by a new sweeper."""
    records: list[Record] = []
    scanned = 0
    for segment in bench.sweeper().segments(most, NOW):
        cursor: str | None = None
        while True:
            page = bench.sweeper().page(segment, wanted or bench.wanted, cursor)
            records += page.records
            scanned += page.scanned
            if page.cursor is None:
                break
            assert page.cursor != cursor, "the cursor did not move on"
            cursor = page.cursor
    return records, scanned


def keys(records: Sequence[Record]) -> list[str]:
    return sorted(record.key for record in records)


class SweeperSuite:
    @pytest.mark.parametrize("most", [1, 3, 8])
    def test_every_record_comes_once_over_all_segments_and_pages(self, bench: SweepBench, most: int) -> None:
        bench.add("ada", "long_ago", bench.many)
        records, scanned = swept(bench, most=most)
        assert keys(records) == sorted(bench.snapshot())
        assert scanned == bench.many

    def test_segments_are_few_the_same_each_time_and_name_nobody(self, bench: SweepBench) -> None:
        bench.add(MARKER, "long_ago", 3)
        segments = bench.sweeper().segments(3, NOW)
        assert 1 <= len(segments) <= 3
        assert len(set(segments)) == len(segments)
        assert bench.sweeper().segments(3, NOW) == segments
        assert MARKER not in str(segments)

    def test_an_empty_store_has_nothing(self, bench: SweepBench) -> None:
        assert swept(bench) == ([], 0)
        assert bench.sweeper().delete([], bench.guard).results == []

    def test_what_is_surely_in_use_is_counted_and_need_not_come(self, bench: SweepBench) -> None:
        bench.add("ada", "long_ago", 3)
        due = sorted(bench.snapshot())
        bench.add("bob", "lately", 4)
        records, scanned = swept(bench)
        if bench.hides:
            assert keys(records) == due
        if bench.reads_all:
            assert scanned == 7
        assert set(due) <= set(keys(records)) <= set(bench.snapshot())

    def test_where_no_date_is_named_nothing_is_left_out(self, bench: SweepBench) -> None:
        bench.add("ada", "long_ago", 2)
        bench.add("bob", "lately", 2)
        records, scanned = swept(bench, replace(bench.wanted, since="", after=None))
        assert len(records) == scanned
        if bench.reads_all:
            assert keys(records) == sorted(bench.snapshot())

    def test_what_has_no_readable_date_comes(self, bench: SweepBench) -> None:
        if not bench.unreadable:
            return
        bench.add("ada", "unreadable", 2)
        bench.add("bob", "lately", 2)
        records, _ = swept(bench)
        assert {identity for record in records for _, identity in bench.sweeper().identities(record)} == {"ada"}

    def test_a_record_comes_with_what_was_asked_for(self, bench: SweepBench) -> None:
        bench.add("ada", "long_ago")
        ((record,), _) = swept(bench)
        stored = bench.snapshot()[record.key]
        for name in bench.wanted.attributes & stored.keys():
            assert record.data[name] == stored[name], name

    def test_says_whose_a_record_is(self, bench: SweepBench) -> None:
        people = [*bench.near, *bench.odd]
        for person in people:
            bench.add(person, "long_ago", 2)
        records, _ = swept(bench)
        found = [bench.sweeper().identities(record) for record in records]
        by = bench.store.locate[0].by
        assert sorted(map(sorted, found)) == sorted([[(by, person)] for person in people for _ in range(2)])

    def test_deleting_leaves_the_others(self, bench: SweepBench) -> None:
        bench.add("bob", "lately", 3)
        others = dict(bench.snapshot())
        bench.add("ada", "long_ago", 30)
        records = [record for record in swept(bench)[0] if record.key not in others]
        written = bench.sweeper().delete(records, bench.guard)
        assert written.results == [Result(Done.deleted)] * 30
        assert bench.snapshot() == others

    def test_deleting_twice_equals_once(self, bench: SweepBench) -> None:
        bench.add("ada", "long_ago", 2)
        records, _ = swept(bench)
        bench.sweeper().delete(records, bench.guard)
        again = bench.sweeper().delete(records, bench.guard)
        assert again.results == [Result(Done.gone if bench.tells_gone else Done.deleted)] * 2
        assert bench.snapshot() == {}

    def test_what_is_refused_for_one_record_stops_no_other(self, bench: SweepBench) -> None:
        bench.add("ada", "long_ago", 60)
        records, _ = swept(bench)
        bench.poison(records[33])
        results = bench.sweeper().delete(records, bench.guard).results
        assert [result.done for result in results] == [Done.failed if n == 33 else Done.deleted for n in range(60)]
        assert list(bench.snapshot()) == [records[33].key]

    @pytest.mark.parametrize("error", [TryAgain, NeedsAttention])
    @pytest.mark.parametrize("method", ["page", "delete"])
    def test_says_what_to_do_about_a_fault_and_nothing_of_the_person(
        self, bench: SweepBench, method: Method, error: type[RightfulError]
    ) -> None:
        bench.add(MARKER, "long_ago", 2)
        records, _ = swept(bench)
        before = dict(bench.snapshot())
        sweeper = bench.sweeper()
        segment = sweeper.segments(1, NOW)[0]
        bench.fail(method, error)
        calls: dict[Method, Callable[[], object]] = {
            "page": lambda: sweeper.page(segment, bench.wanted, None),
            "delete": lambda: sweeper.delete(records, bench.guard),
        }
        with pytest.raises(error) as raised:
            calls[method]()
        assert type(raised.value) is error
        assert MARKER not in str(raised.value)
        assert raised.value.__cause__ is None
        assert bench.snapshot() == before


class SweepGuardSuite:
    def test_deleted_changed_and_gone_are_told_apart(self, bench: SweepBench) -> None:
        bench.add("ada", "long_ago", 30)
        records, _ = swept(bench)
        bench.meddle(records[3])
        bench.remove(records[7])
        results = bench.sweeper().delete(records, bench.guard).results
        gone = Done.gone if bench.tells_gone else Done.deleted
        expected = {3: Done.changed, 7: gone}
        assert [result.done for result in results] == [expected.get(n, Done.deleted) for n in range(30)]
        assert list(bench.snapshot()) == [records[3].key]

    def test_without_a_guard_it_goes_all_the_same(self, bench: SweepBench) -> None:
        bench.add("ada", "long_ago")
        records, _ = swept(bench)
        bench.meddle(records[0])
        assert bench.sweeper().delete(records, ()).results == [Result(Done.deleted)]


class SweepAnonymisingSuite:
    """Its bench's records have the attributes `name` and `note`."""

    def test_replaces_removes_and_marks(self, bench: SweepBench) -> None:
        bench.add("ada", "long_ago", 2)
        before = dict(bench.snapshot())
        records, _ = swept(bench)
        written = bench.sweeper().anonymise([(record, CHANGES) for record in records], bench.guard)
        assert written.results == [Result(Done.anonymised)] * 2
        for key, after in bench.snapshot().items():
            rest = {name: value for name, value in before[key].items() if name not in CHANGES}
            assert after == {**rest, "name": "[redacted]", ANONYMISED_MARK: after[ANONYMISED_MARK]}
            assert str(after[ANONYMISED_MARK]).endswith("Z")

    def test_anonymising_twice_equals_once(self, bench: SweepBench) -> None:
        bench.add("ada", "long_ago")
        ((record,), _) = swept(bench)
        bench.sweeper().anonymise([(record, CHANGES)], bench.guard)
        before = dict(bench.snapshot())
        assert bench.sweeper().anonymise([(record, CHANGES)], bench.guard).results == [Result(Done.anonymised)]
        assert bench.snapshot() == before

    def test_changed_gone_and_refused_are_told_apart(self, bench: SweepBench) -> None:
        bench.add("ada", "long_ago", 4)
        records, _ = swept(bench)
        bench.meddle(records[0])
        bench.remove(records[1])
        bench.poison(records[2])
        results = bench.sweeper().anonymise([(record, CHANGES) for record in records], bench.guard).results
        assert [result.done for result in results] == [Done.changed, Done.gone, Done.failed, Done.anonymised]

    @pytest.mark.parametrize("error", [TryAgain, NeedsAttention])
    def test_says_what_to_do_about_a_fault_in_anonymising(self, bench: SweepBench, error: type[RightfulError]) -> None:
        bench.add(MARKER, "long_ago")
        ((record,), _) = swept(bench)
        bench.fail("anonymise", error)
        with pytest.raises(error) as raised:
            bench.sweeper().anonymise([(record, CHANGES)], bench.guard)
        assert MARKER not in str(raised.value)
