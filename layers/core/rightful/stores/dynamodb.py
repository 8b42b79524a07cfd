"""DynamoDB tables. Look-ups by key or index; scans only where the data map allows them; conditional writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from rightful import paths
from rightful.aws.errors import error_code, translated
from rightful.clocks import stamp
from rightful.errors import NeedsAttention, TryAgain
from rightful.model import Done, Locator, Page, Record, Result, Store
from rightful.ports import ANONYMISED_MARK, Clock
from rightful.stores import dynamodb_map
from rightful.stores.dynamodb_values import from_python, key_from_text, key_text, to_python
from rightful.stores.sessions import Session, client

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = Mapping[str, Any]
"""An item as the client gives it: attribute name -> attribute value."""
Found = tuple[Sequence[Item], Item | None]
"""Items, and the key to go on from."""

GET_AT_ONCE = 100
"""Keys in one BatchGetItem, and so records in one page of an index."""


class DynamoDB:
    name = "dynamodb"
    Settings = dynamodb_map.Settings
    Through = dynamodb_map.Through
    check = staticmethod(dynamodb_map.check)
    permissions = staticmethod(dynamodb_map.permissions)

    def __init__(
        self, client: DynamoDBClient, settings: dynamodb_map.Settings, clock: Clock, *, locate: Sequence[Locator]
    ) -> None:
        self._client = client
        self._locate = locate
        self._table = settings.table
        self._key = settings.key
        self._clock = clock

    @classmethod
    def from_store(cls, store: Store, session: Session, clock: Clock = lambda: datetime.now(UTC)) -> Self:
        return cls(
            client(store, session, "dynamodb"), dynamodb_map.Settings(**store.settings), clock, locate=store.locate
        )

    def find(self, locator: Locator, value: str, cursor: str | None, limit: int) -> Page:
        through = dynamodb_map.Through(**locator.through)
        wanted = through.wanted(value)
        if wanted is None:
            return Page(())
        start: dict[str, Any] = {"ExclusiveStartKey": key_from_text(cursor)} if cursor else {}
        with translated():
            if through.attribute:
                items, last = self._scan(through, from_python(wanted), start)
            elif through.index:
                items, last = self._query_index(through, from_python(wanted), start, limit)
            else:
                items, last = self._query(through, from_python(wanted), start, limit)
        records = [record for record in map(self._record, items) if through.finds(record.data, wanted)]
        if len(records) > limit:  # a scan's page is as large as DynamoDB made it; any key will do to go on from
            return Page(tuple(records[:limit]), records[limit - 1].key)
        return Page(tuple(records), key_text(last) if last else None)

    def matches(self, record: Record, locator: Locator, value: str) -> bool:
        through = dynamodb_map.Through(**locator.through)
        return through.finds(record.data, through.wanted(value))

    def identities(self, record: Record) -> set[tuple[str, str]]:
        return dynamodb_map.identities(self._locate, record)

    def delete(self, records: Sequence[Record], guard: Sequence[str]) -> list[Result]:
        with translated():
            return [self._delete(record, guard) for record in records]

    def anonymise(self, records: Sequence[tuple[Record, Mapping[str, Any]]], guard: Sequence[str]) -> list[Result]:
        with translated():
            return [self._anonymise(record, changes, guard) for record, changes in records]

    def open(self, record: Record) -> Iterator[bytes]:  # noqa: ARG002 - the port's signature
        raise NeedsAttention("an item of a DynamoDB table has no original file")

    def _query(self, through: dynamodb_map.Through, wanted: Item, start: dict[str, Any], limit: int) -> Found:
        answer = self._client.query(
            TableName=self._table, ConsistentRead=True, Limit=limit, **_condition(through, wanted), **start
        )
        return answer["Items"], answer.get("LastEvaluatedKey")

    def _query_index(self, through: dynamodb_map.Through, wanted: Item, start: dict[str, Any], limit: int) -> Found:
        """The index says which keys, the table what the items are now: an index lags, and may hold them in part."""
        question = _condition(through, wanted)
        names = {f"#p{n}": name for n, name in enumerate(self._key)}
        question["ExpressionAttributeNames"] |= names
        answer = self._client.query(
            TableName=self._table,
            IndexName=through.index,
            ProjectionExpression=", ".join(names),
            Limit=min(limit, GET_AT_ONCE),
            **question,
            **start,
        )
        keys = [{name: item[name] for name in self._key} for item in answer["Items"]]
        return self._get(keys), answer.get("LastEvaluatedKey")

    def _get(self, keys: Sequence[Item]) -> list[Item]:
        """The items that are there now, in the order of their keys."""
        found: dict[str, Item] = {}
        wanted = list({key_text(key): key for key in keys}.values())
        while wanted:
            answer = self._client.batch_get_item(RequestItems={self._table: {"Keys": wanted, "ConsistentRead": True}})
            found |= {self._key_text(item): item for item in answer["Responses"].get(self._table, [])}
            unprocessed = answer.get("UnprocessedKeys", {})
            left = unprocessed[self._table]["Keys"] if self._table in unprocessed else []
            if len(left) == len(wanted):
                raise TryAgain("BatchGetItem left every key unprocessed")
            wanted = list(left)
        return [found[text] for text in map(key_text, keys) if text in found]

    def _scan(self, through: dynamodb_map.Through, wanted: Item, start: dict[str, Any]) -> Found:
        answer = self._client.scan(TableName=self._table, ConsistentRead=True, **_filter(through, wanted), **start)
        return answer["Items"], answer.get("LastEvaluatedKey")

    def _delete(self, record: Record, guard: Sequence[str]) -> Result:
        from botocore.exceptions import ClientError

        condition, names, values = self._guard(record, guard)
        question: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=key_from_text(record.key),
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **question,
            )
        except ClientError as error:
            return Result(Done.gone if _stored(error) is None else Done.changed)
        return Result(Done.deleted)

    def _anonymise(self, record: Record, changes: Mapping[str, Any], guard: Sequence[str]) -> Result:
        from botocore.exceptions import ClientError

        condition, names, values = self._guard(record, guard)
        names["#mark"] = ANONYMISED_MARK
        values[":mark"] = {"S": stamp(self._clock())}
        unmarked = "attribute_not_exists(#mark)"
        if ANONYMISED_MARK in record.data:  # personal data came back into it
            unmarked, values[":read"] = "#mark = :read", from_python(record.data[ANONYMISED_MARK])
        sets, removes = ["#mark = :mark"], []
        for n, (attribute, value) in enumerate(changes.items()):
            names[f"#c{n}"] = attribute
            if value is None:
                removes.append(f"#c{n}")
            else:
                sets.append(f"#c{n} = :c{n}")
                values[f":c{n}"] = from_python(value)
        update = f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else "")
        try:
            self._client.update_item(
                TableName=self._table,
                Key=key_from_text(record.key),
                UpdateExpression=update,
                ConditionExpression=f"{condition} AND {unmarked}",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            item = _stored(error)
            if item is None:
                return Result(Done.gone)
            # Done before: the answer was lost and the SDK asked again, or the step was killed and run again.
            data = {name: to_python(attribute) for name, attribute in item.items()}
            held = ANONYMISED_MARK in data and all(data.get(name) == value for name, value in changes.items())
            return Result(Done.anonymised if held else Done.changed)
        return Result(Done.anonymised)

    def _guard(self, record: Record, guard: Sequence[str]) -> tuple[str, dict[str, str], dict[str, Any]]:
        """Condition, names and values that say: the item exists, and these attributes are as they were read."""
        names, values, conditions = {"#key": self._key[0]}, {}, ["attribute_exists(#key)"]
        for n, attribute in enumerate(dict.fromkeys(guard)):
            names[f"#g{n}"] = attribute
            if attribute in record.data:
                values[f":g{n}"] = from_python(record.data[attribute])
                conditions.append(f"#g{n} = :g{n}")
            else:
                conditions.append(f"attribute_not_exists(#g{n})")
        return " AND ".join(conditions), names, values

    def _record(self, item: Item) -> Record:
        return Record(self._key_text(item), {name: to_python(attribute) for name, attribute in item.items()})

    def _key_text(self, item: Item) -> str:
        return key_text({name: item[name] for name in self._key})


def _condition(through: dynamodb_map.Through, wanted: Item) -> dict[str, Any]:
    question: dict[str, Any] = {
        "KeyConditionExpression": "#k = :k",
        "ExpressionAttributeNames": {"#k": through.key},
        "ExpressionAttributeValues": {":k": wanted},
    }
    if through.sort_key:
        question["KeyConditionExpression"] += " AND begins_with(#s, :s)"
        question["ExpressionAttributeNames"]["#s"] = through.sort_key
        question["ExpressionAttributeValues"][":s"] = {"S": through.sort_prefix}
    return question


def _filter(through: dynamodb_map.Through, wanted: Item) -> dict[str, Any]:
    """Spares the wire what cannot match. It lets more through than `Through.finds`, which has the last word."""
    steps = paths.parse(through.attribute)
    names = steps[: steps.index(None)] if None in steps else steps
    path = ".".join(f"#a{n}" for n in range(len(names)))
    question: dict[str, Any] = {"ExpressionAttributeNames": {f"#a{n}": name for n, name in enumerate(names)}}
    if None in steps[:-1]:
        return {**question, "FilterExpression": f"attribute_exists({path})"}
    question["ExpressionAttributeValues"] = {":v": wanted}
    return {**question, "FilterExpression": f"{path} = :v OR contains({path}, :v)"}


def _stored(error: Any) -> Item | None:
    """The item that made a condition fail, None when there is none; raises any other error again."""
    if error_code(error) != "ConditionalCheckFailedException":
        raise error
    item: Item | None = error.response.get("Item")
    return item or None
