"""Fingerprints of everything in the sample's stores, one for each record: what shows that bystanders are untouched."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from infra.sample.clients import THREADS, Clients, MakeClient
from infra.sample.keys import STORES, TABLES, file_key, row_key, upload_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_SETS = ("SS", "NS", "BS")
Snapshot = dict[str, dict[str, str]]
"""Store -> record key (as in the truth) -> SHA-256 in hex."""


def snapshot(client: MakeClient) -> Snapshot:
    """All records of all stores of the sample."""
    clients = Clients.of(client)
    with ThreadPoolExecutor(THREADS) as threads:
        rows = {store: threads.submit(lambda store: dict(_rows(clients, store)), store) for store in TABLES}
        events = threads.submit(lambda: dict(_events(clients)))
        uploads = threads.submit(lambda: dict(_uploads(clients)))
        taken = {store: future.result() for store, future in rows.items()}
    return {**taken, "usage_events": events.result(), "uploads": uploads.result()}


def without(taken: Snapshot, keys: Mapping[str, Collection[str]]) -> Snapshot:
    """The snapshot without the given record keys of each store (a person's, say)."""
    left_out = {store: frozenset(keys.get(store, ())) for store in taken}
    return {
        store: {key: value for key, value in records.items() if key not in left_out[store]}
        for store, records in taken.items()
    }


def totals(taken: Snapshot) -> dict[str, str]:
    """One SHA-256 for each store, over its record keys and fingerprints in order."""
    return {store: _sha(json.dumps(sorted(taken.get(store, {}).items())).encode()) for store in STORES}


def item_digest(item: Mapping[str, AttributeValueTypeDef]) -> str:
    """Fingerprint of an item as DynamoDB gives it: types count, the order of names and of set elements does not."""
    return _sha(json.dumps(_canonical(item), sort_keys=True, ensure_ascii=True).encode())


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _sorted(inner) if name in _SETS else _canonical(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_canonical(inner) for inner in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _sorted(elements: Any) -> Any:
    """A set's elements in order. (An attribute may be called `SS` as well: then it is no list.)"""
    return sorted(map(_canonical, elements)) if isinstance(elements, list) else _canonical(elements)


def _rows(clients: Clients, store: str) -> Iterator[tuple[str, str]]:
    pages = clients.dynamodb.get_paginator("scan").paginate(TableName=clients.table(store), ConsistentRead=True)
    for page in pages:
        for item in page["Items"]:
            key = {name: item[name]["S"] for name in TABLES[store]}
            yield row_key(store, key), item_digest(item)


def _uploads(clients: Clients) -> Iterator[tuple[str, str]]:
    """An object's fingerprint is over all its versions and delete markers. A version's bytes and metadata never change
    under its id, so the listing tells all: id, ETag, size, time."""
    bucket = clients.bucket("uploads")
    versions: dict[str, list[list[Any]]] = {}
    for page in clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in page.get("Versions", []):
            what = [version["VersionId"], version["ETag"], version["Size"], version["LastModified"].isoformat()]
            versions.setdefault(version["Key"], []).append([*what, version["IsLatest"]])
        for marker in page.get("DeleteMarkers", []):
            what = [marker["VersionId"], None, None, marker["LastModified"].isoformat()]
            versions.setdefault(marker["Key"], []).append([*what, marker["IsLatest"]])
    for key, listed in versions.items():
        yield file_key(key), _sha(json.dumps(sorted(listed, key=lambda version: str(version[0]))).encode())
    unfinished: dict[str, list[str]] = {}
    for uploads in clients.s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in uploads.get("Uploads", []):
            unfinished.setdefault(upload["Key"], []).append(upload["UploadId"])
    for key, ids in unfinished.items():
        yield upload_key(key), _sha(json.dumps(sorted(ids)).encode())


def _events(clients: Clients) -> Iterator[tuple[str, str]]:
    """A record is one line of a day's file, named by its event's id."""
    bucket = clients.bucket("usage_events")
    for page in clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            body = clients.s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            for line in gzip.decompress(body).splitlines():
                yield f"{found['Key']}#{json.loads(line)['event_id']}", _sha(line)


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
