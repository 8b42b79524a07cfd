"""The requests table in DynamoDB.

Every conditional write carries a random mark. When the answer to a write is lost, the SDK sends it again and the
condition then fails because of the first one; the item that DynamoDB returns with that failure shows the mark, and so
the write knows itself. Source: DynamoDB API reference, `ReturnValuesOnConditionCheckFailure`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from rightful.aws.errors import error_code, translated
from rightful.aws.items import WRITE_MARK, from_item, to_item, to_wire
from rightful.errors import TryAgain
from rightful.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BY_PERSON: Final = "by_person"
"""Index on `person`, sorted by `received_at`."""
BY_DUE: Final = "by_due"
"""Index on `open`, sorted by `due_at`."""
READ_AT_ONCE: Final = 100
"""Keys that one BatchGetItem takes."""


class DynamoTable:
    def __init__(self, client: DynamoDBClient, name: str, clock: Clock) -> None:
        self._client = client
        self._name = name
        self._clock = clock

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        with translated():
            answer = self._client.get_item(TableName=self._name, Key=_key(pk, sk), ConsistentRead=True)
        return self._live(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Sequence[tuple[str, str]]) -> list[dict[str, Any] | None]:
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        left = [_key(*key) for key in dict.fromkeys(keys)]
        while left:
            asked = left[:READ_AT_ONCE]
            wanted: dict[str, Any] = {self._name: {"Keys": asked, "ConsistentRead": True}}
            with translated():
                answer = self._client.batch_get_item(RequestItems=wanted)
            for item in answer["Responses"].get(self._name, []):
                found[item["pk"]["S"], item["sk"]["S"]] = item
            unprocessed = answer.get("UnprocessedKeys", {})
            unread = unprocessed[self._name]["Keys"] if self._name in unprocessed else []
            if len(unread) == len(asked):
                raise TryAgain("BatchGetItem left every key unread")
            left = [*unread, *left[READ_AT_ONCE:]]
        return [self._live(found[key]) if key in found else None for key in keys]

    def query(self, pk: str, prefix: str = "") -> list[dict[str, Any]]:
        request: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ConsistentRead": True,
        }
        if prefix:
            request["KeyConditionExpression"] += " AND begins_with(sk, :prefix)"
            request["ExpressionAttributeValues"][":prefix"] = {"S": prefix}
        found = (self._live(item) for item in self._pages(request))
        return [item for item in found if item is not None]

    def put_new(self, pk: str, sk: str, data: Mapping[str, Any]) -> bool:
        mark = secrets.token_urlsafe(12)
        with translated():
            try:
                self._client.put_item(
                    TableName=self._name,
                    Item=to_item({**data, "pk": pk, "sk": sk, WRITE_MARK: mark}),
                    ConditionExpression="attribute_not_exists(pk) OR expires_at <= :now",
                    ExpressionAttributeValues={":now": to_wire(self._now())},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                return _present(error).get(WRITE_MARK) == {"S": mark}
        return True

    def update(
        self,
        pk: str,
        sk: str,
        set_: Mapping[str, Any],
        *,
        remove: Iterable[str] = (),
        add: Mapping[str, int] | None = None,
        expect: Mapping[str, Any] | None = None,
        below: Mapping[str, int] | None = None,
    ) -> dict[str, Any] | None:
        expression = Expression()
        mark = secrets.token_urlsafe(12)
        conditions = []
        if expect or below:
            conditions += ["attribute_exists(pk)", expression.later_than("expires_at", self._now())]
            conditions += [expression.one_of(name, wanted) for name, wanted in (expect or {}).items()]
            conditions += [expression.below(name, value) for name, value in (below or {}).items()]
        if conditions or add:
            set_ = {**set_, WRITE_MARK: mark}
            conditions.append(expression.not_written_by(mark))
        request = {
            "TableName": self._name,
            "Key": _key(pk, sk),
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **expression.request(set_, remove, add or {}, conditions),
        }
        with translated():
            try:
                return from_item(self._client.update_item(**request)["Attributes"])
            except ClientError as error:
                present = _present(error)
                return from_item(present) if present.get(WRITE_MARK) == {"S": mark} else None

    def by_person(self, person: str) -> list[dict[str, Any]]:
        request = {
            "IndexName": BY_PERSON,
            "KeyConditionExpression": "person = :person",
            "ExpressionAttributeValues": {":person": {"S": person}},
            "ScanIndexForward": False,
        }
        keys = [(entry["pk"]["S"], entry["sk"]["S"]) for entry in self._pages(request)]
        found = [self.get(*key) for key in keys]  # an index lags behind its table, so it only says where to look
        return [item for item in found if item is not None and item.get("person") == person]

    def open_requests(self, kind: str = "open") -> Iterator[dict[str, Any]]:
        request = {
            "IndexName": BY_DUE,
            "KeyConditionExpression": "#open = :kind",
            "ExpressionAttributeNames": {"#open": "open"},
            "ExpressionAttributeValues": {":kind": {"S": kind}},
        }
        entries = self._pages(request)
        while some := list(islice(entries, READ_AT_ONCE)):
            found = self.get_many([(entry["pk"]["S"], entry["sk"]["S"]) for entry in some])
            yield from (item for item in found if item is not None and item.get("open") == kind)

    def delete(self, pk: str, sk: str) -> None:
        with translated():
            self._client.delete_item(TableName=self._name, Key=_key(pk, sk))

    def _pages(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            with translated():
                answer = self._client.query(TableName=self._name, **request, **start)
            yield from answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _live(self, item: Mapping[str, Any]) -> dict[str, Any] | None:
        """TTL deletes days late, so an item past its time is treated as gone."""
        value = from_item(item)
        return None if value.get("expires_at", float("inf")) <= self._clock().timestamp() else value

    def _now(self) -> int:
        return int(self._clock().timestamp())


class Expression:
    """Collects the placeholders of one update: every name goes through one, so none can be a reserved word."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, dict[str, Any]] = {}

    def request(
        self, set_: Mapping[str, Any], remove: Iterable[str], add: Mapping[str, int], conditions: list[str]
    ) -> dict[str, Any]:
        clauses = [
            ("SET", [f"{self._name(name)} = {self._value(value)}" for name, value in set_.items()]),
            ("REMOVE", [self._name(name) for name in remove]),
            ("ADD", [f"{self._name(name)} {self._value(step)}" for name, step in add.items()]),
        ]
        parts = {
            "UpdateExpression": " ".join(f"{verb} {', '.join(terms)}" for verb, terms in clauses if terms),
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeNames": {placeholder: name for name, placeholder in self._names.items()},
            "ExpressionAttributeValues": self._values,
        }
        return {name: part for name, part in parts.items() if part}

    def one_of(self, name: str, wanted: Any) -> str:
        """The attribute has the value, or one of a tuple of values; None among them allows it to be absent."""
        options = wanted if isinstance(wanted, tuple) else (wanted,)
        tests = []
        if None in options:
            null = self._value("NULL")
            tests += [f"attribute_not_exists({self._name(name)})", f"attribute_type({self._name(name)}, {null})"]
        values = [self._value(option) for option in options if option is not None]
        if len(values) == 1:
            tests.append(f"{self._name(name)} = {values[0]}")  # IN is not documented for lists
        elif values:
            tests.append(f"{self._name(name)} IN ({', '.join(values)})")
        return f"({' OR '.join(tests)})"

    def below(self, name: str, value: int) -> str:
        return f"(attribute_not_exists({self._name(name)}) OR {self._name(name)} < {self._value(value)})"

    def later_than(self, name: str, value: int) -> str:
        return f"(attribute_not_exists({self._name(name)}) OR {self._name(name)} > {self._value(value)})"

    def not_written_by(self, mark: str) -> str:
        name = self._name(WRITE_MARK)
        return f"(attribute_not_exists({name}) OR {name} <> {self._value(mark)})"

    def _name(self, name: str) -> str:
        return self._names.setdefault(name, f"#n{len(self._names)}")

    def _value(self, value: Any) -> str:
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = to_wire(value)
        return placeholder


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _present(error: ClientError) -> dict[str, Any]:
    """The item that made a condition fail, empty when there is none; any other error goes on."""
    if error_code(error) != "ConditionalCheckFailedException":
        raise error
    response: Mapping[str, Any] = error.response
    return dict(response.get("Item", {}))
