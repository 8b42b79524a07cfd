"""What every connector does. A new kind of store writes a `Bench` and inherits the suites that fit it:

- `ConnectorSuite`: all connectors
- `GuardSuite`: those whose records can change between reading and deleting
- `AnonymisingSuite`: those that can anonymise
- `PermissionsSuite`: those that call AWS

Each test class gives a fixture `bench`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, ClassVar, Literal

import pytest

from rightful.errors import NeedsAttention, RightfulError, TryAgain
from rightful.model import Done, Erasure, Locator, Record, Result, Retention, Store, Verb
from rightful.ports import ANONYMISED_MARK, Connector
from rightful.stores.registry import ConnectorKind

Method = Literal["find", "delete", "anonymise"]

NEAR = ("acct-1", "acct-10", "acct-", "ACCT-1", "acct-1 ", " acct-1", "xacct-1", "acct_1", "acct*1")
"""People whose identities are easily taken for one another's."""
ODD = ("zoë.łuk+tag@exämple.com", "O\"Brien's \\ <b>", "a b%20c&d=e", "..", "شخص", "👩‍👧 x", "=1+1", "${x}", "x" * 300)
MARKER = "canary-7f3a"
"""An identity that must not turn up in an error."""


class Bench(ABC):
    """One store under test, and the means to fill it, look into it and meddle with it behind the connector's back."""

    store: Store
    """Its first locator is the one under test."""
    guard: tuple[str, ...]
    """Top-level attributes that `meddle` changes."""
    tells_gone: ClassVar[bool] = True
    """Whether deleting what is absent answers `gone` rather than `deleted`."""
    many: ClassVar[int] = 2345
    """Records in the test with many; fewer where another bench has shown the same calls at full size."""
    page: ClassVar[int] = 100
    """Page size for the test with many records."""

    near: ClassVar[Sequence[str]] = NEAR
    odd: ClassVar[Sequence[str]] = ODD
    """Those of NEAR and ODD that the store can hold."""

    @property
    def locator(self) -> Locator:
        return self.store.locate[0]

    @abstractmethod
    def connector(self) -> Connector:
        """A new instance, as another process would make it."""

    @abstractmethod
    def add(self, person: str, count: int) -> None:
        """Adds records of a person, differing in their keys."""

    @abstractmethod
    def snapshot(self) -> Mapping[str, Any]:
        """Everything the store holds, in full."""

    @abstractmethod
    def remove(self, person: str) -> None:
        """Deletes the person's records."""

    @abstractmethod
    def fail(self, method: Method, error: type[RightfulError]) -> None:
        """Makes the store answer calls of this method with what should become such an error, for good."""


class Meddling(Bench):
    @abstractmethod
    def meddle(self, person: str) -> None:
        """Changes the attributes of `guard` in the person's records."""


class AwsBench(Bench):
    kind: ConnectorKind

    @abstractmethod
    def called(self) -> set[tuple[str, str]]:
        """(IAM action, ARN) of every call made by connectors so far."""

    def exercise(self, verb: Verb, records: Sequence[Record]) -> None:
        """Makes the calls of a verb that reading and deleting the records does not make by itself."""


def everything(
    make: Callable[[], Connector], locator: Locator, person: str, limit: int = 1000
) -> Iterator[tuple[Record, ...]]:
    """All pages, each read by a new connector."""
    cursor: str | None = None
    while True:
        page = make().find(locator, person, cursor, limit)
        assert len(page.records) <= limit
        yield page.records
        if page.cursor is None:
            return
        assert page.cursor != cursor, "the cursor did not move on"
        cursor = page.cursor


def found(bench: Bench, person: str, limit: int = 1000) -> list[Record]:
    return [record for page in everything(bench.connector, bench.locator, person, limit) for record in page]


def keys(records: Sequence[Record]) -> list[str]:
    return [record.key for record in records]


class ConnectorSuite:
    def test_finds_this_person_and_nobody_near(self, bench: Bench) -> None:
        for person in bench.near:
            bench.add(person, 2)
        by_person = {person: found(bench, person) for person in bench.near}
        assert {person: len(records) for person, records in by_person.items()} == dict.fromkeys(bench.near, 2)
        assert len({key for records in by_person.values() for key in keys(records)}) == 2 * len(bench.near)

    def test_says_of_each_record_whom_it_matches(self, bench: Bench) -> None:
        for person in bench.near:
            bench.add(person, 1)
        connector = bench.connector()
        for person in bench.near:
            (record,) = found(bench, person)
            assert [other for other in bench.near if connector.matches(record, bench.locator, other)] == [person]

    def test_says_of_each_record_whose_it_is(self, bench: Bench) -> None:
        """The inverse of finding: legal holds on somebody are told by it."""
        people = [*bench.near, *bench.odd]
        for person in people:
            bench.add(person, 1)
        connector = bench.connector()
        for person in people:
            (record,) = found(bench, person)
            whose = connector.identities(record)
            assert {value for _, value in whose}.intersection(people) == {person}
            assert (bench.locator.by, person) in whose

    def test_takes_identities_literally(self, bench: Bench) -> None:
        bench.add("acct-1", 1)
        before = bench.snapshot()
        for person in bench.odd:
            bench.add(person, 3)
        for person in bench.odd:
            records = found(bench, person, limit=2)
            assert len(set(keys(records))) == 3
            assert all(bench.connector().matches(record, bench.locator, person) for record in records)
            assert {result.done for result in bench.connector().delete(records, bench.guard)} == {Done.deleted}
            assert found(bench, person) == []
        assert bench.snapshot() == before

    @pytest.mark.parametrize("person", ["nobody", "", "n" * 5000, "\ud800"])
    def test_an_unknown_person_has_nothing(self, bench: Bench, person: str) -> None:
        bench.add("acct-1", 1)
        before = bench.snapshot()
        assert found(bench, person) == []
        assert bench.connector().delete([], bench.guard) == []
        assert bench.snapshot() == before

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
    def test_pages_of_any_size_hold_the_same_records(self, bench: Bench, limit: int) -> None:
        bench.add("acct-1", 7)
        bench.add("acct-10", 3)
        records = found(bench, "acct-1", limit)
        assert len(records) == len(set(keys(records))) == 7
        assert sorted(keys(records)) == sorted(keys(found(bench, "acct-1")))

    def test_deleting_leaves_nothing_of_the_person_and_everything_of_the_others(self, bench: Bench) -> None:
        bench.add("acct-10", 3)
        bench.add("ACCT-1", 1)
        before = bench.snapshot()
        bench.add("acct-1", 5)
        records = found(bench, "acct-1")
        assert bench.connector().delete(records, bench.guard) == [Result(Done.deleted)] * 5
        assert found(bench, "acct-1") == []
        assert bench.snapshot() == before

    def test_deleting_twice_equals_once(self, bench: Bench) -> None:
        bench.add("acct-10", 1)
        before = bench.snapshot()
        bench.add("acct-1", 2)
        records = found(bench, "acct-1")
        bench.connector().delete(records, bench.guard)
        again = bench.connector().delete(records, bench.guard)
        assert again == [Result(Done.gone if bench.tells_gone else Done.deleted)] * 2
        assert bench.snapshot() == before

    def test_what_went_meanwhile_is_gone(self, bench: Bench) -> None:
        bench.add("acct-1", 2)
        records = found(bench, "acct-1")
        bench.remove("acct-1")
        expected = Done.gone if bench.tells_gone else Done.deleted
        assert bench.connector().delete(records, bench.guard) == [Result(expected)] * 2

    def test_takes_thousands_of_records(self, bench: Bench) -> None:
        bench.add("acct-10", 2)
        before = bench.snapshot()
        bench.add("acct-1", bench.many)
        assert len(set(keys(found(bench, "acct-1", bench.page)))) == bench.many
        deleted = 0
        while records := next(everything(bench.connector, bench.locator, "acct-1", bench.page)):
            deleted += len(bench.connector().delete(records, bench.guard))
        assert deleted == bench.many
        assert bench.snapshot() == before

    @pytest.mark.parametrize("error", [TryAgain, NeedsAttention])
    @pytest.mark.parametrize("method", ["find", "delete"])
    def test_says_what_to_do_about_a_fault_and_nothing_of_the_person(
        self, bench: Bench, method: Method, error: type[RightfulError]
    ) -> None:
        bench.add(MARKER, 2)
        before = bench.snapshot()
        records = found(bench, MARKER)
        bench.fail(method, error)
        connector = bench.connector()
        calls: dict[str, Callable[[], object]] = {
            "find": lambda: connector.find(bench.locator, MARKER, None, 10),
            "delete": lambda: connector.delete(records, bench.guard),
        }
        with pytest.raises(error) as raised:
            calls[method]()
        assert type(raised.value) is error
        assert MARKER not in str(raised.value)
        assert raised.value.__cause__ is None
        assert bench.snapshot() == before


class GuardSuite:
    def test_what_changed_meanwhile_is_left_alone(self, bench: Meddling) -> None:
        bench.add("acct-1", 2)
        records = found(bench, "acct-1")
        bench.meddle("acct-1")
        before = bench.snapshot()
        assert bench.connector().delete(records, bench.guard) == [Result(Done.changed)] * 2
        assert bench.snapshot() == before

    def test_what_got_a_guarded_attribute_meanwhile_is_left_alone(self, bench: Meddling) -> None:
        bench.add("acct-1", 1)
        before = bench.snapshot()
        (record,) = found(bench, "acct-1")
        bare = replace(record, data={name: value for name, value in record.data.items() if name not in bench.guard})
        assert bench.connector().delete([bare], bench.guard) == [Result(Done.changed)]
        assert bench.snapshot() == before

    def test_without_a_guard_it_goes_all_the_same(self, bench: Meddling) -> None:
        bench.add("acct-1", 1)
        records = found(bench, "acct-1")
        bench.meddle("acct-1")
        assert bench.connector().delete(records, ()) == [Result(Done.deleted)]


CHANGES: Mapping[str, Any] = {"name": "[redacted]", "note": None}


class AnonymisingSuite:
    """Its bench's records have the attributes `name` and `note`."""

    def test_replaces_removes_and_marks(self, bench: Meddling) -> None:
        bench.add("acct-10", 2)
        others = bench.snapshot()
        bench.add("acct-1", 2)
        records = found(bench, "acct-1")
        assert all("name" in record.data and "note" in record.data for record in records)
        results = bench.connector().anonymise([(record, CHANGES) for record in records], bench.guard)
        assert results == [Result(Done.anonymised)] * 2
        for before, after in zip(records, found(bench, "acct-1"), strict=True):
            rest = {name: value for name, value in before.data.items() if name not in CHANGES}
            assert after.data == {**rest, "name": "[redacted]", ANONYMISED_MARK: after.data[ANONYMISED_MARK]}
            assert str(after.data[ANONYMISED_MARK]).endswith("Z")
        assert others.items() <= bench.snapshot().items()

    def test_twice_equals_once(self, bench: Meddling) -> None:
        bench.add("acct-1", 1)
        (record,) = found(bench, "acct-1")
        bench.connector().anonymise([(record, CHANGES)], bench.guard)
        before = bench.snapshot()
        assert bench.connector().anonymise([(record, CHANGES)], bench.guard) == [Result(Done.anonymised)]
        assert bench.snapshot() == before

    def test_a_marked_record_is_not_given_other_values(self, bench: Meddling) -> None:
        bench.add("acct-1", 1)
        (record,) = found(bench, "acct-1")
        bench.connector().anonymise([(record, CHANGES)], bench.guard)
        before = bench.snapshot()
        assert bench.connector().anonymise([(record, {"name": "x"})], bench.guard) == [Result(Done.changed)]
        assert bench.snapshot() == before

    def test_a_record_that_was_read_with_its_mark_is_anonymised_again(self, bench: Bench) -> None:
        bench.add("acct-1", 1)
        (record,) = found(bench, "acct-1")
        bench.connector().anonymise([(record, CHANGES)], bench.guard)
        (marked,) = found(bench, "acct-1")
        again = [(marked, {"name": "x"})]
        assert bench.connector().anonymise(again, bench.guard) == [Result(Done.anonymised)]
        assert found(bench, "acct-1")[0].data["name"] == "x"

    def test_what_changed_or_went_is_left_alone(self, bench: Meddling) -> None:
        bench.add("acct-1", 1)
        bench.add("acct-10", 1)
        todo = [(record, CHANGES) for record in found(bench, "acct-1") + found(bench, "acct-10")]
        bench.meddle("acct-1")
        bench.remove("acct-10")
        before = bench.snapshot()
        assert bench.connector().anonymise(todo, bench.guard) == [Result(Done.changed), Result(Done.gone)]
        assert bench.snapshot() == before

    def test_what_went_does_not_come_back(self, bench: Meddling) -> None:
        before = bench.snapshot()
        bench.add("acct-1", 1)
        records = found(bench, "acct-1")
        bench.remove("acct-1")
        assert bench.connector().anonymise([(record, CHANGES) for record in records], ()) == [Result(Done.gone)]
        assert bench.connector().delete(records, ()) == [Result(Done.gone)]
        assert bench.snapshot() == before

    @pytest.mark.parametrize("error", [TryAgain, NeedsAttention])
    def test_says_what_to_do_about_a_fault(self, bench: Meddling, error: type[RightfulError]) -> None:
        bench.add(MARKER, 1)
        todo = [(record, CHANGES) for record in found(bench, MARKER)]
        bench.fail("anonymise", error)
        with pytest.raises(error) as raised:
            bench.connector().anonymise(todo, bench.guard)
        assert MARKER not in str(raised.value)


class PermissionsSuite:
    @pytest.mark.parametrize("verb", ["discover", "export", "erase", "package"])
    def test_declares_exactly_what_it_calls(self, bench: AwsBench, verb: Verb) -> None:
        bench.add("acct-1", 2)
        records: list[Record] = []
        if verb != "package":
            records = found(bench, "acct-1")
        if verb == "erase" and bench.store.erasure.action == "anonymise":
            bench.connector().anonymise([(record, CHANGES) for record in records], bench.guard)
        elif verb == "erase":
            bench.connector().delete(records, bench.guard)
        bench.exercise(verb, records)
        called = bench.called()
        declared = {
            (action, resource.replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", "*"))
            for grant in bench.kind.permissions(bench.store, verb)
            for action in grant["actions"]
            for resource in grant["resources"]
        }
        for action, arn in called:
            assert any(action == may and fnmatchcase(arn, what) for may, what in declared), f"{action} on {arn}"
        for may, what in declared:
            assert any(action == may and fnmatchcase(arn, what) for action, arn in called), f"no {may} on {what}"

    def test_the_data_map_accepts_the_store(self, bench: AwsBench) -> None:
        assert list(bench.kind.check(bench.store)) == []


def store(
    connector: str,
    settings: dict[str, Any],
    through: dict[str, Any],
    action: Literal["delete", "anonymise", "keep"] = "delete",
) -> Store:
    """A store of the data map with one locator."""
    return Store(
        title="Records",
        connector=connector,
        purpose="testing",
        lawful_basis="contract",
        retention=Retention(period="P1Y", since="at"),
        erasure=Erasure(action=action),
        settings=settings,
        locate=[Locator(by="account", through=through)],
        region="eu-west-1",
    )
