"""Very many other people in moto's tables and bucket, put there without a call."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, Final

from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from tests.bench.account import CONTROL, EXPORTS, REGION

NAMED: Final = "crowd-"


def crowd(people: int) -> None:
    """One row of each person in every store's table, one object in every store's bucket."""
    tables = _backend("dynamodb").tables.values()
    stores = [table for table in tables if table.name not in CONTROL]
    attributes = {key["AttributeName"] for table in stores for key in table.attr}
    for number in range(people):
        name = DynamoType({"S": f"{NAMED}{number}"})
        row = Item(name, name, {})
        for attribute in attributes:
            dict.__setitem__(row.attrs, attribute, name)
        for table in stores:
            table.items[name.value] = {name.value: row} if table.range_key_attr else row
    for table in stores:
        table.query = _narrowed(table)
    for bucket in _backend("s3").buckets.values():
        if bucket.name != EXPORTS and bucket.keys:
            pattern = next(iter(bucket.keys.values()))
            for number in range(people):
                key = copy(pattern)
                key.name = f"accounts/{NAMED}{number}/notes.txt"
                bucket.keys[key.name] = key


def _narrowed(table: Any) -> Callable[..., Any]:
    """moto looks at every row for each Query; this spares it the crowd's rows of other partitions. Scans see all."""
    query, everybody = table.query, table.all_items

    def narrowed(hash_key: Any, *rest: Any, **options: Any) -> Any:
        def partition() -> list[Any]:
            mine = [rows for key, rows in table.items.items() if not key.startswith(NAMED) or key == hash_key.value]
            return [row for rows in mine for row in (rows.values() if table.range_key_attr else [rows])]

        table.all_items = partition
        try:
            return query(hash_key, *rest, **options)
        finally:
            table.all_items = everybody

    return narrowed


def _backend(service: str) -> Any:
    backends: Any = get_backend(service)  # type: ignore[call-overload]  # overloads list each service apart
    return backends[DEFAULT_ACCOUNT_ID]["aws" if service == "s3" else REGION]
