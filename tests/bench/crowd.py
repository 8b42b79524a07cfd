"""Very many other people in moto's tables and bucket, put there without a call."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, Final

from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from tests.bench.account import CONTROL, OWN_BUCKETS, REGION

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
            table.items[name] = {name: row} if table.range_key_attr else row
    for table in stores:
        table.query = _narrowed(table)
    storage = _backend("s3")
    buckets = [bucket for bucket in storage.buckets.values() if bucket.name not in OWN_BUCKETS]
    for bucket in buckets:
        pattern = next(iter(bucket.keys.values()))
        for number in range(people):
            key = copy(pattern)
            key.name = f"accounts/{NAMED}{number}/notes.txt"
            bucket.keys[key.name] = key
    storage.list_object_versions = _with_prefix(storage)


def _narrowed(table: Any) -> Callable[..., Any]:
    """moto looks at every row for each Query; this spares it the crowd's rows of other partitions. Scans see all."""
    query, everybody = table.query, table.all_items

    def narrowed(hash_key: Any, *rest: Any, **options: Any) -> Any:
        def partition() -> list[Any]:
            items = table.items.items()
            mine = [rows for key, rows in items if not key.value.startswith(NAMED) or key == hash_key]
            return [row for rows in mine for row in (rows.values() if table.range_key_attr else [rows])]

        table.all_items = partition
        try:
            return query(hash_key, *rest, **options)
        finally:
            table.all_items = everybody

    return narrowed


def _with_prefix(storage: Any) -> Callable[..., Any]:
    """moto copies every key for each listing of versions; this spares it the crowd's that lie under other prefixes."""
    listing = storage.list_object_versions

    def narrowed(bucket_name: str, *rest: Any, prefix: str = "", **options: Any) -> Any:
        bucket = storage.get_bucket(bucket_name)
        everything, bucket.keys = bucket.keys, type(bucket.keys)()
        for name, versions in everything.iterlists():
            if name.startswith(prefix):
                bucket.keys.setlist(name, versions)
        try:
            return listing(bucket_name, *rest, prefix=prefix, **options)
        finally:
            bucket.keys = everything

    return narrowed


def _backend(service: str) -> Any:
    backends: Any = get_backend(service)  # type: ignore[call-overload]  # overloads list each service apart
    return backends[DEFAULT_ACCOUNT_ID]["aws" if service == "s3" else REGION]
