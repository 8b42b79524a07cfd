"""DynamoDB tables as the retention sweep goes through them: a parallel scan, or an index that leads to what is due.

Deletes go in batches, each on the condition that the record is as it was read. How fast, `settings.max_rcu` and
`max_wcu` say, and the table itself where it throttles.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Self

from rightful import retention
from rightful.aws.errors import translated
from rightful.clocks import stamp
from rightful.errors import TryAgain
from rightful.model import Done, Record, Result, Store
from rightful.ports import Clock, SweepPage, Wanted, Written
from rightful.stores import dynamodb_deletes, dynamodb_map, dynamodb_sweep_map
from rightful.stores.dynamodb import GET_AT_ONCE, DynamoDB
from rightful.stores.dynamodb_filter import hiding
from rightful.stores.dynamodb_map import Settings
from rightful.stores.dynamodb_paced import TRIES, Paced, RefusedRecordError, hand_over
from rightful.stores.dynamodb_values import key_from_text
from rightful.stores.sessions import Session, client

if TYPE_CHECKING:
    from rightful.stores.dynamodb_decode import Items

SEGMENT_BYTES: Final = 256 * 1024 * 1024
SEGMENT_ITEMS: Final = 500_000
"""About as much as one part of a scan reads: some minutes of one function."""
SIDE_BY_SIDE: Final = 20
"""Parts that the state machine has read at once, of all stores; they share a table's units."""
PAGE_SECONDS: Final = 2
"""Where units are limited, a page has as many items as they allow in that time if each costs one."""


class DynamoDBSweeper:
    name = DynamoDB.name
    Due = dynamodb_sweep_map.Due
    check = staticmethod(dynamodb_sweep_map.check)
    permissions = staticmethod(dynamodb_sweep_map.permissions)

    def __init__(self, paced: Paced, store: Store, clock: Clock) -> None:
        self._paced = paced
        self._store = store
        self._settings = Settings(**store.settings)
        self._table = self._settings.table
        self._due = dynamodb_sweep_map.due(store)
        self._connector = DynamoDB(paced, self._settings, clock, locate=store.locate)  # type: ignore[arg-type] # of its shape, for writing

    @classmethod
    def from_store(
        cls,
        store: Store,
        session: Session,
        clock: Clock = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> Self:
        """The session's client is the sweeper's alone: it answers as nobody else expects."""
        made = client(store, session, "dynamodb")
        hand_over(made)
        return cls(Paced(made, sleep=sleep), store, clock)

    def segments(self, most: int, as_of: datetime) -> list[str]:
        """JSON: `[part, of]` of a scan; `[first bucket, last bucket, of]` of an index."""
        most = max(most, 1)
        if not self._due.index:
            table = self._describe()
            wanted = max(table["TableSizeBytes"] // SEGMENT_BYTES, table["ItemCount"] // SEGMENT_ITEMS) + 1
            of = min(wanted, most)
            return [json.dumps([part, of]) for part in range(of)]
        until = retention.due_after(self._store.retention, as_of)
        names = dynamodb_sweep_map.buckets(self._due, until)
        of = min(len(names), most, SIDE_BY_SIDE)
        edges = [part * len(names) // of for part in range(of + 1)] if of else []
        return [json.dumps([names[at], names[end - 1], of]) for at, end in pairwise(edges)]

    def size(self) -> int:
        """Records in the table, where the segments do not reach all of them; 0 where they do. Up to six hours old."""
        return int(self._describe()["ItemCount"]) if self._due.index else 0

    def page(self, segment: str, wanted: Wanted, cursor: str | None) -> SweepPage:
        from rightful.stores.dynamodb_decode import Items

        *part, of = json.loads(segment)
        share = min(of, SIDE_BY_SIDE)
        self._paced.reads.limit(self._settings.max_rcu / share)
        self._paced.writes.limit(self._settings.max_wcu / share)
        self._paced.units = 0.0
        shown = {*wanted.attributes, *dynamodb_sweep_map.attributes(self._store.locate), wanted.since, self._due.key}
        items = Items(self._settings.key, shown - {""}, wanted.since)
        with translated():
            if self._due.index:
                return self._page_of_index(part[0], part[1], items, wanted, cursor)
            return self._page_of_scan(part[0], of, items, wanted, cursor)

    def identities(self, record: Record) -> set[tuple[str, str]]:
        return dynamodb_map.identities(self._store.locate, record)

    def delete(self, records: Sequence[Record], guard: Sequence[str]) -> Written:
        self._paced.units = 0.0
        results: dict[str, Result] = {}
        asked = [(record, dynamodb_deletes.statement(self._table, record, guard)) for record in records]
        batched = [(record, statement) for record, statement in asked if statement]
        alone = [record for record, statement in asked if not statement]
        with translated():
            for start in range(0, len(batched), dynamodb_deletes.AT_ONCE):
                some = batched[start : start + dynamodb_deletes.AT_ONCE]
                try:
                    done = dynamodb_deletes.run(self._paced, [statement for _, statement in some])
                except RefusedRecordError:
                    alone += [record for record, _ in some]
                else:
                    results |= {record.key: result for (record, _), result in zip(some, done, strict=True)}
        for record in alone:
            results[record.key] = _one(partial(self._connector.delete, [record], guard))
        return Written([results[record.key] for record in records], self._paced.units)

    def anonymise(self, records: Sequence[tuple[Record, Mapping[str, Any]]], guard: Sequence[str]) -> Written:
        self._paced.units = 0.0
        results = [_one(partial(self._connector.anonymise, [each], guard)) for each in records]
        return Written(results, self._paced.units)

    def _page_of_scan(self, part: int, of: int, items: Items, wanted: Wanted, cursor: str | None) -> SweepPage:
        question = {**self._whole(items, wanted), "TableName": self._table, "Segment": part, "TotalSegments": of}
        if self._settings.max_rcu:
            question["Limit"] = max(1, PAGE_SECONDS * self._settings.max_rcu // min(of, SIDE_BY_SIDE))
        if cursor:
            question["ExclusiveStartKey"] = key_from_text(cursor)
        if wanted.since and wanted.after and (filtered := hiding(wanted.since, wanted.after)):
            names = question["ExpressionAttributeNames"] | filtered["ExpressionAttributeNames"]
            question |= {**filtered, "ExpressionAttributeNames": names}
        page, records = items.of_page(self._paced.scan(**question), _hidden(wanted))
        self._paced.spent(self._paced.reads, page.consumed_capacity.capacity_units)
        return SweepPage(tuple(records), page.scanned_count, page.last_key_text(), self._paced.units)

    def _page_of_index(self, first: str, end: str, items: Items, wanted: Wanted, cursor: str | None) -> SweepPage:
        """The index says which keys, the table what the records are now: an index lags, and may hold them in part.
        The cursor is JSON: `[bucket, key of the index or null]`."""
        from rightful.stores import dynamodb_decode

        bucket, after = json.loads(cursor) if cursor else (first, None)
        page = dynamodb_decode.keys(self._paced.query(**self._question(bucket, wanted, after)))
        self._paced.spent(self._paced.reads, page.consumed_capacity.capacity_units)
        scanned, records = self._get(page.of_table(self._settings.key), items, wanted)
        here = [record for record in records if record.data.get(self._due.key) == bucket]
        scanned -= len(records) - len(here)  # they are in another bucket by now
        go_on: list[str | None] | None = None
        if last := page.last_key_text():
            go_on = [bucket, last]
        elif bucket != end:
            go_on = [dynamodb_sweep_map.following(self._due, bucket), None]
        return SweepPage(tuple(here), scanned, json.dumps(go_on) if go_on else None, self._paced.units)

    def _question(self, bucket: str, wanted: Wanted, after: str | None) -> dict[str, Any]:
        names = {"#b": self._due.key, **{f"#k{n}": name for n, name in enumerate(self._settings.key)}}
        values = {":b": {"S": bucket}}
        condition = "#b = :b"
        if self._due.sort_key and wanted.after:
            names["#s"], values[":s"] = self._due.sort_key, {"S": stamp(wanted.after)}
            condition += " AND #s <= :s"
        return {
            "TableName": self._table,
            "IndexName": self._due.index,
            "KeyConditionExpression": condition,
            "ProjectionExpression": ", ".join(name for name in names if name.startswith("#k")),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            "Limit": GET_AT_ONCE,
            **({"ExclusiveStartKey": key_from_text(after)} if after else {}),
        }

    def _get(self, keys: list[dict[str, Any]], items: Items, wanted: Wanted) -> tuple[int, list[Record]]:
        """How many of these are there now, and those of them that are wanted."""
        scanned, records, idle = 0, [], 0
        while keys:
            body = self._paced.batch_get_item(RequestItems={self._table: {"Keys": keys, **self._whole(items, wanted)}})
            got, came, found = items.of_batch(body, self._table, _hidden(wanted))
            self._paced.spent(self._paced.reads, sum(units.capacity_units for units in got.consumed_capacity))
            scanned += came
            records += found
            keys = got.left(self._table)
            idle = 0 if came else idle + 1
            if keys:
                self._paced.reads.throttled()
                if idle == TRIES:
                    raise TryAgain("BatchGetItem left every key unprocessed")
                self._paced.reads.back_off(idle)
        return scanned, records

    def _whole(self, items: Items, wanted: Wanted) -> dict[str, Any]:
        """With no more of an item than is looked at."""
        names = {f"#n{n}": name for n, name in enumerate(items.names)}
        return {
            "ConsistentRead": wanted.fresh,
            "ProjectionExpression": ", ".join(names),
            "ExpressionAttributeNames": names,
        }

    def _describe(self) -> Any:
        with translated():
            return self._paced.describe_table(TableName=self._table)["Table"]


def _hidden(wanted: Wanted) -> Callable[[Any], bool]:
    if wanted.after is None:
        return lambda _: False
    return retention.later_than(wanted.after)


def _one(write: Callable[[], list[Result]]) -> Result:
    try:
        return write()[0]
    except RefusedRecordError:
        return Result(Done.failed)
