"""The DynamoDB connector, by every way the data map can look a person up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from rightful.errors import RightfulError
from rightful.model import Record
from rightful.ports import Connector
from rightful.stores.dynamodb import DynamoDB
from rightful.stores.dynamodb_values import from_python, key_text, to_python

from tests.contract.aws_bench import RecordingSession, admin, aws
from tests.contract.connector_suite import (
    AnonymisingSuite,
    AwsBench,
    ConnectorSuite,
    GuardSuite,
    Meddling,
    Method,
    PermissionsSuite,
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
        """One record of a person."""
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
        reader = DynamoDB(self.admin, DynamoDB.Settings(**self.store.settings), lambda: datetime.now(UTC))
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
