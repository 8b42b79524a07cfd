"""The DynamoDB connector, by every way the data map can look a person up."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from rightful.errors import NeedsAttention, RightfulError, TryAgain
from rightful.model import Done, Locator, Record, Result
from rightful.ports import ANONYMISED_MARK, Connector
from rightful.stores.dynamodb import DynamoDB
from rightful.stores.dynamodb_values import from_python, key_text, to_python
from tests.contract.aws_bench import RecordingSession, admin, aws, failure
from tests.contract.connector_suite import (
    AnonymisingSuite,
    AwsBench,
    ConnectorSuite,
    GuardSuite,
    Meddling,
    Method,
    PermissionsSuite,
    found,
    store,
)

__all__ = ["aws"]

OPERATIONS: dict[Method, tuple[str, ...]] = {
    "find": ("Query", "Scan"),
    "delete": ("DeleteItem",),
    "anonymise": ("UpdateItem",),
}


class DynamoBench(AwsBench, Meddling):
    kind = DynamoDB
    key: ClassVar[Sequence[str]] = ("id",)
    through: ClassVar[dict[str, Any]]
    indexed: ClassVar[str] = ""
    guard = ("state",)

    def __init__(self) -> None:
        self.table = f"people-{uuid4().hex}"
        self.store = store("dynamodb", {"table": self.table, "key": list(self.key)}, self.through)
        self.session = RecordingSession()
        self.admin = admin("dynamodb")
        attributes = {*self.key, *([self.indexed] if self.indexed else [])}
        index = {
            "IndexName": "by_person",
            "KeySchema": [{"AttributeName": self.indexed, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
        self.admin.create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in sorted(attributes)],
            KeySchema=[
                {"AttributeName": name, "KeyType": kind}
                for name, kind in zip(self.key, ("HASH", "RANGE"), strict=False)
            ],
            **({"GlobalSecondaryIndexes": [index]} if self.indexed else {}),
        )

    def item(self, person: str, number: int) -> dict[str, Any]:
        """One record of a person. Each shape of table says its own."""
        raise NotImplementedError

    def connector(self) -> Connector:
        return DynamoDB.from_store(self.store, self.session)

    def put(self, item: Mapping[str, Any]) -> None:
        self.admin.put_item(TableName=self.table, Item={name: from_python(value) for name, value in item.items()})

    def add(self, person: str, count: int) -> None:
        items = [{"name": "Ada", "note": "x", "state": "new", **self.item(person, n)} for n in range(count)]
        for start in range(0, count, 25):
            puts = [
                {"PutRequest": {"Item": {name: from_python(value) for name, value in item.items()}}}
                for item in items[start : start + 25]
            ]
            assert not self.admin.batch_write_item(RequestItems={self.table: puts})["UnprocessedItems"]

    def snapshot(self) -> Mapping[str, Any]:
        items: list[Mapping[str, Any]] = []
        for page in self.admin.get_paginator("scan").paginate(TableName=self.table):
            items += page["Items"]
        return {
            key_text({name: item[name] for name in self.key}): {name: to_python(value) for name, value in item.items()}
            for item in items
        }

    def of(self, person: str) -> list[Record]:
        """Read without being recorded."""
        reader = DynamoDB(
            self.admin,
            DynamoDB.Settings(**self.store.settings),
            lambda: datetime.now(UTC),
            locate=self.store.locate,
        )
        return list(reader.find(self.locator, person, None, 1000).records)

    def remove(self, person: str) -> None:
        for record in self.of(person):
            self.admin.delete_item(
                TableName=self.table, Key={name: from_python(record.data[name]) for name in self.key}
            )

    def meddle(self, person: str) -> None:
        for record in self.of(person):
            self.put({**record.data, "state": "touched"})

    def fail(self, method: Method, error: type[RightfulError]) -> None:
        self.session.fail(OPERATIONS[method], error)

    def called(self) -> set[tuple[str, str]]:
        return self.session.called()


class ByKey(DynamoBench):
    key = ("account", "id")
    through: ClassVar = {"key": "account"}

    def item(self, person: str, number: int) -> dict[str, Any]:
        return {"account": person, "id": f"{number:05}"}


class InOneTable(DynamoBench):
    """Several kinds of items under the person's key; the store is one kind of them."""

    key = ("pk", "sk")
    many = 260
    through: ClassVar = {"key": "pk", "value": "ACCOUNT#{}", "sort_key": "sk", "sort_prefix": "TICKET#"}

    def item(self, person: str, number: int) -> dict[str, Any]:
        if number == 0 and not self.of(person):
            for other in ("PROFILE", "TICKET", "TICKETS#1", "ticket#1"):
                self.unrelated[person, other] = {"pk": f"ACCOUNT#{person}", "sk": other}
                self.put(self.unrelated[person, other])
        return {"pk": f"ACCOUNT#{person}", "sk": f"TICKET#{number:05}"}

    def snapshot(self) -> Mapping[str, Any]:
        """Without the person's items of other kinds, of which each must still be there."""
        everything = dict(super().snapshot())
        for item in self.unrelated.values():
            key = key_text({name: from_python(item[name]) for name in self.key})
            assert everything.pop(key) == item
        return everything

    def __init__(self) -> None:
        super().__init__()
        self.unrelated: dict[tuple[str, str], dict[str, Any]] = {}


class ByIndex(DynamoBench):
    through: ClassVar = {"key": "email", "index": "by_person"}
    indexed = "email"
    guard = ("email",)

    def item(self, person: str, number: int) -> dict[str, Any]:
        return {"id": f"{person}:{number}", "email": person}

    def meddle(self, person: str) -> None:
        for record in self.of(person):
            self.put({**record.data, "email": "somebody-else"})


class ByScan(DynamoBench):
    many = 260
    through: ClassVar = {"attribute": "contacts[].email", "scan": "allowed"}
    guard = ("contacts",)

    def item(self, person: str, number: int) -> dict[str, Any]:
        return {"id": f"{person}:{number}", "contacts": [{"phone": "1"}, {"email": person, "phone": "2"}]}

    def meddle(self, person: str) -> None:
        for record in self.of(person):
            self.put({**record.data, "contacts": []})


class BySet(DynamoBench):
    many = 260
    through: ClassVar = {"attribute": "team.members", "scan": "allowed"}
    guard = ("team",)

    def item(self, person: str, number: int) -> dict[str, Any]:
        return {"id": f"{person}:{number}", "team": {"members": {person, "the-boss"}}}

    def meddle(self, person: str) -> None:
        for record in self.of(person):
            self.put({**record.data, "team": {"members": {person, "the-boss", "one-more"}}})


class Suite(ConnectorSuite, GuardSuite, AnonymisingSuite, PermissionsSuite):
    bench_class: ClassVar[type[DynamoBench]]

    @pytest.fixture
    def bench(self, aws: None) -> DynamoBench:
        return self.bench_class()


class TestByKey(Suite):
    bench_class = ByKey


class TestInOneTable(Suite):
    bench_class = InOneTable


class TestByIndex(Suite):
    bench_class = ByIndex


class TestByScan(Suite):
    bench_class = ByScan


class TestBySet(Suite):
    bench_class = BySet


@pytest.fixture
def table(aws: None) -> ByIndex:
    return ByIndex()


EVERY_TYPE: dict[str, Any] = {
    "text": "",
    "long": "ä" * 190_000,
    "number": Decimal("-1.2345678901234567890123456789012345678E-100"),
    "bytes": b"\x00\xff",
    "no_bytes": b"",
    "flag": False,
    "nothing": None,
    "list": [],
    "map": {"a": {"b": [{"c": Decimal(1)}, True, None]}, "b.c[]": "x"},
    "no_map": {},
    "texts": {"a", "b"},
    "numbers": {Decimal(1), Decimal("2.5")},
    "binaries": {b"a", b"\x00"},
}


def test_every_type_is_read_guarded_and_written_without_loss(table: ByIndex) -> None:
    table.put({"id": "1", "email": "ada", **EVERY_TYPE})
    (record,) = found(table, "ada")
    assert record.data == {"id": "1", "email": "ada", **EVERY_TYPE}
    changes = {**EVERY_TYPE, "long": "short"}
    assert table.connector().anonymise([(record, changes)], list(record.data)) == [Result(Done.anonymised)]
    (after,) = found(table, "ada")
    assert {name: after.data.get(name) for name in changes} == {**changes, "nothing": None}
    assert table.connector().delete([after], list(after.data)) == [Result(Done.deleted)]


@pytest.mark.parametrize(
    ("kind", "stored", "person", "near"),
    [
        ("N", Decimal(7), "7", ["07", "7.5", "٧", "7_0", "1e999", "NaN", "Infinity", " 7", "9" * 39, "seven"]),
        ("N", Decimal("-0.5"), "-0.5", ["0.5", "-.5"]),
        ("B", b"\x00\xff", base64.b64encode(b"\x00\xff").decode(), ["AA==", "not base64!", "ÿ"]),
    ],
)
def test_identities_that_are_numbers_or_bytes(
    table: ByIndex, kind: str, stored: Any, person: str, near: list[str]
) -> None:
    scan = {"attribute": "account", "scan": "allowed", "type": kind}
    locator = Locator(by="account", through=scan)
    table.put({"id": "1", "account": stored})
    table.put({"id": "2", "account": str(stored)})
    table.put({"id": "3", "account": True})
    (record,) = table.connector().find(locator, person, None, 10).records
    assert record.data["id"] == "1"
    for other in near:
        assert table.connector().find(locator, other, None, 10).records == ()


def test_the_order_of_a_page_and_the_table_decide_not_the_index(table: ByIndex) -> None:
    """A stale entry of the index names an item that is gone, or another person's by now."""
    table.add("ada", 3)
    table.add("bob", 1)
    entries = [{"id": {"S": key}, "email": {"S": "ada"}} for key in ("ada:2", "gone:1", "bob:0", "ada:0")]
    table.session.answers["Query"] = [{"Items": entries, "Count": 4}]
    assert [record.data["id"] for record in found(table, "ada")] == ["ada:2", "ada:0"]


def test_unprocessed_keys_are_asked_for_again(table: ByIndex) -> None:
    table.add("ada", 2)
    wanted = [{"id": {"S": "ada:0"}}, {"id": {"S": "ada:1"}}]
    items = [{"id": {"S": f"ada:{n}"}, "email": {"S": "ada"}} for n in range(2)]

    def answer(items: list[dict[str, Any]], left: list[dict[str, Any]]) -> dict[str, Any]:
        return {"Responses": {table.table: items}, "UnprocessedKeys": {table.table: {"Keys": left}} if left else {}}

    table.session.answers["BatchGetItem"] = [answer(items[1:], wanted[:1]), answer(items[:1], [])]
    assert len(found(table, "ada")) == 2
    table.session.answers["BatchGetItem"] = [answer([], wanted)]
    with pytest.raises(TryAgain):
        found(table, "ada")


def test_a_delete_whose_answer_was_lost_is_gone_when_the_sdk_asks_again(table: ByIndex) -> None:
    table.add("ada", 1)
    records = found(table, "ada")
    table.remove("ada")
    refused = failure("ConditionalCheckFailedException")
    table.session.answers["DeleteItem"] = [refused]
    assert table.connector().delete(records, table.guard) == [Result(Done.gone)]


def test_a_fault_on_the_way_leaves_the_rest_for_the_next_try(table: ByIndex) -> None:
    table.add("ada", 3)
    records = found(table, "ada")
    table.session.answers["DeleteItem"] = [{}, failure("ThrottlingException")]
    with pytest.raises(TryAgain):
        table.connector().delete(records, table.guard)
    table.session.answers.clear()
    assert {result.done for result in table.connector().delete(records, table.guard)} == {Done.deleted}


def test_the_mark_says_when(table: ByIndex) -> None:
    moment = datetime(2027, 1, 31, 9, 30, tzinfo=UTC)
    table.add("ada", 1)
    connector = DynamoDB.from_store(table.store, table.session, lambda: moment)
    connector.anonymise([(record, {"name": None}) for record in found(table, "ada")], ())
    (record,) = found(table, "ada")
    assert record.data[ANONYMISED_MARK] == "2027-01-31T09:30:00Z"
    assert "name" not in record.data


def test_an_index_key_that_is_removed_takes_the_item_out_of_the_index(table: ByIndex) -> None:
    table.add("ada", 1)
    results = table.connector().anonymise([(record, {"email": None}) for record in found(table, "ada")], table.guard)
    assert results == [Result(Done.anonymised)]
    assert found(table, "ada") == []
    assert len(table.snapshot()) == 1


def test_an_item_has_no_file(table: ByIndex) -> None:
    table.add("ada", 1)
    with pytest.raises(NeedsAttention):
        table.connector().open(found(table, "ada")[0])
