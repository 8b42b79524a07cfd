"""Tables for the sweep's tests: one that is scanned, one with an index by month, and one with a sparse index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar
from uuid import uuid4

from rightful.errors import RightfulError
from rightful.model import Record, Retention
from rightful.ports import Sweeper
from rightful.stores.dynamodb_sweep import DynamoDBSweeper
from rightful.stores.dynamodb_values import from_python, key_from_text, key_text, to_python
from tests.contract.aws_bench import RecordingSession, admin
from tests.contract.connector_suite import store
from tests.contract.sweeper_suite import Method, SweepBench, When

AT: Mapping[When, str] = {"long_ago": "2020-02-29T10:00:00Z", "lately": "2026-12-24T10:00:00Z", "unreadable": "soon"}
OPERATIONS: Mapping[Method, tuple[str, ...]] = {
    "page": ("Scan", "Query"),
    "delete": ("BatchExecuteStatement",),
    "anonymise": ("UpdateItem",),
}
BIG = {"Table": {"TableSizeBytes": 4 * 2**30, "ItemCount": 9}}


class DynamoBench(SweepBench):
    guard = ("state",)
    through: ClassVar[dict[str, Any]] = {}
    index: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.table = f"people-{uuid4().hex}"
        settings = {"table": self.table, "key": ["pk", "sk"], "max_rcu": 30}
        plain = store("dynamodb", settings, {"key": "pk", "value": "ACCOUNT#{}"})
        self.store = replace(plain, retention=Retention(period="P1Y", since="at", through=self.through))
        self.session = RecordingSession()
        self.session.answers["DescribeTable"] = [BIG]
        self.poisoned: set[str] = set()
        self.admin = admin("dynamodb")
        attributes = {"pk", "sk", *self.index}
        index = {
            "IndexName": "by_date",
            "KeySchema": self._schema(self.index),
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
        self.admin.create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in sorted(attributes)],
            KeySchema=self._schema(("pk", "sk")),
            **({"GlobalSecondaryIndexes": [index]} if self.index else {}),
        )

    def _schema(self, names: tuple[str, ...]) -> list[dict[str, str]]:
        return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)]

    def sweeper(self) -> Sweeper:
        made = DynamoDBSweeper.from_store(self.store, self.session, sleep=lambda _: None)
        client = self.session.client("dynamodb")
        client.meta.events.register("provide-client-params", self._spoil, unique_id="poison")
        return made

    def _spoil(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        """What is poisoned is asked for in a way that DynamoDB refuses."""
        for statement in params.get("Statements", ()):
            key = dict(zip(("pk", "sk"), statement["Parameters"], strict=False))
            if key_text(key) in self.poisoned:
                statement["Statement"] = "DELETE nothing"
        if model.name == "UpdateItem" and key_text(params["Key"]) in self.poisoned:
            params["UpdateExpression"] = "nothing"

    def item(self, person: str, when: When, number: int) -> dict[str, Any]:
        bucket = {"month": "2020-02" if when == "unreadable" else AT[when][:7]}
        return {"pk": f"ACCOUNT#{person}", "sk": f"{when}#{number:05}", "at": AT[when], **bucket}

    def add(self, person: str, when: When, count: int = 1) -> None:
        for number in range(count):
            self.put({"name": "Ada", "note": "x", "state": "new", **self.item(person, when, number)})

    def put(self, item: Mapping[str, Any]) -> None:
        self.admin.put_item(TableName=self.table, Item={name: from_python(value) for name, value in item.items()})

    def snapshot(self) -> Mapping[str, Mapping[str, Any]]:
        items: list[Mapping[str, Any]] = []
        for page in self.admin.get_paginator("scan").paginate(TableName=self.table):
            items += page["Items"]
        return {
            key_text({name: item[name] for name in ("pk", "sk")}): {name: to_python(v) for name, v in item.items()}
            for item in items
        }

    def remove(self, record: Record) -> None:
        self.admin.delete_item(TableName=self.table, Key=key_from_text(record.key))

    def meddle(self, record: Record) -> None:
        self.put({**self.snapshot()[record.key], "state": "touched"})

    def poison(self, record: Record) -> None:
        self.poisoned.add(record.key)

    def fail(self, method: Method, error: type[RightfulError]) -> None:
        self.session.fail(OPERATIONS[method], error)


class Bucketed(DynamoBench):
    through: ClassVar = {"index": "by_date", "key": "month", "bucket": "%Y-%m", "first": "2019-11"}
    index = ("month",)
    reads_all = False


class Sparse(DynamoBench):
    through: ClassVar = {"index": "by_date", "key": "month", "shards": ["0", "1"], "sort_key": "at"}
    index = ("month", "at")
    reads_all = False
    unreadable = False

    def item(self, person: str, when: When, number: int) -> dict[str, Any]:
        return {**super().item(person, when, number), "month": str(number % 2)}
