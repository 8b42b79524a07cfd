"""Buckets for the sweep's tests, with means to age what is in them, and the inventory that S3 would write."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Literal
from urllib.parse import quote_plus
from uuid import uuid4

import duckdb
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from rightful.errors import RightfulError
from rightful.model import Record, Retention
from rightful.ports import Sweeper, Wanted
from rightful.stores.s3_objects_entries import listed, record_of
from rightful.stores.s3_sweep import S3Sweeper
from tests.contract.aws_bench import ENDPOINT, REGION, RecordingSession, admin, failure
from tests.contract.connector_suite import store
from tests.contract.sweeper_suite import NOW, Method, SweepBench, When

AT: Mapping[When, datetime] = {
    "long_ago": datetime(2020, 2, 29, 10, tzinfo=UTC),
    "lately": datetime(2026, 12, 24, 10, tzinfo=UTC),
}
OPERATIONS: Mapping[Method, tuple[str, ...]] = {
    "page": ("ListObjectVersions", "ListMultipartUploads", "GetObject"),
    "delete": ("DeleteObjects",),
}
COLUMNS = ("Bucket", "Key", "VersionId", "IsLatest", "IsDeleteMarker", "Size", "LastModifiedDate", "ETag")
TYPES = ("binary", "binary", "binary", "boolean", "boolean", "int64", "int64", "binary")
EVERYTHING = Wanted(frozenset(), "")
ODD_KEYS = ("a b", "a+b", "a%20b", "ü/é", "👩‍👧", "x\n\t<&>", "..", "a//b/", "\x7f", 'key,with "quotes"', "a", "/")


class BucketBench(SweepBench):
    """By age, as far as moto can be told the age of an object."""

    guard: tuple[str, ...] = ()
    unreadable = False
    tells_gone = False
    versioned = True
    through: ClassVar[Mapping[str, Any]] = {"prefix": "accounts/{}/"}
    since = "object_age"
    prefix = "app/"
    page_size = 100

    def __init__(self, **options: Any) -> None:
        self.bucket = f"uploads-{uuid4().hex}"
        plain = store("s3_objects", {"bucket": self.bucket, "prefix": self.prefix}, dict(self.through))
        self.store = replace(plain, retention=Retention(period="P1Y", since=self.since))
        self.session = RecordingSession()
        self.admin = admin("s3")
        self.make(self.bucket, **options)
        if self.versioned:
            self.versioning("Enabled")
        self.poisoned: set[str] = set()
        self.aged = 0
        client = self.session.client("s3")
        client.meta.events.register("provide-client-params.s3.DeleteObjects", self._withhold)
        client.meta.events.register("after-call.s3.DeleteObjects", self._refuse)

    def make(self, name: str, **options: Any) -> None:
        self.admin.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}, **options)

    def versioning(self, status: str) -> None:
        self.admin.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": status})

    def sweeper(self) -> Sweeper:
        sweeper = S3Sweeper.from_store(self.store, self.session, lambda: NOW)
        sweeper.page_size = self.page_size
        return sweeper

    # Filling

    def put(self, key: str, body: bytes = b"x", when: When | datetime = "long_ago", **options: Any) -> str:
        version: str = self.admin.put_object(Bucket=self.bucket, Key=key, Body=body, **options).get("VersionId", "null")
        self.age(key, when)
        return version

    def hide(self, key: str, when: When | datetime = "long_ago") -> str:
        version: str = self.admin.delete_object(Bucket=self.bucket, Key=key)["VersionId"]
        self.age(key, when)
        return version

    def begin(self, key: str) -> str:
        upload: str = self.admin.create_multipart_upload(Bucket=self.bucket, Key=key)["UploadId"]
        return upload

    def age(self, key: str, when: When | datetime) -> None:
        """The newest version or marker of the key is of that time. The emulator cannot be told so."""
        if self.since == "object_age" and not ENDPOINT:
            bucket = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].get_bucket(self.bucket)
            self.aged += 1  # so that no two are of one moment, and what came later is newer
            moment = when if isinstance(when, datetime) else AT[when] + timedelta(seconds=self.aged)
            bucket.keys.getlist(key)[-1].last_modified = moment.replace(tzinfo=None)

    def add(self, person: str, when: When, count: int = 1) -> None:
        for number in range(count):
            self.put(f"{self.prefix}accounts/{person}/{when}-{number:05}", when=when)

    # Looking

    def listing(self) -> Iterator[dict[str, Any]]:
        for page in self.admin.get_paginator("list_object_versions").paginate(Bucket=self.bucket):
            yield from listed(page)

    def snapshot(self) -> Mapping[str, Mapping[str, Any]]:
        return {record.key: record.data for record in map(record_of, self.listing())}

    def there(self) -> Counter[tuple[str, str]]:
        """(key, version or upload id) of all there is."""
        uploads = self.admin.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        found = [(each["key"], each["version_id"]) for each in self.listing()]
        return Counter(found + [(each["Key"], each["UploadId"]) for each in uploads])

    # Meddling

    def remove(self, record: Record) -> None:
        named = {"Key": record.data["key"], "VersionId": record.data["version_id"]}
        self.admin.delete_object(Bucket=self.bucket, **named)

    def meddle(self, record: Record) -> None:
        self.put(record.data["key"], b"another body", "lately")

    def poison(self, record: Record) -> None:
        self.poisoned.add(record.data["key"])
        for operation in ("GetObjectLegalHold", "GetObjectRetention"):
            self.session.answers[operation] = [failure("NoSuchObjectLockConfiguration", 404)]

    def _withhold(self, params: dict[str, Any], **_: Any) -> None:
        nothing = {"Key": "nothing", "VersionId": "none"}
        named = params["Delete"]["Objects"]
        params["Delete"]["Objects"] = [nothing if each["Key"] in self.poisoned else each for each in named]

    def _refuse(self, parsed: dict[str, Any], **_: Any) -> None:
        if "Error" not in parsed:
            parsed["Errors"] = parsed.get("Errors", []) + [{"Key": k, "Code": "AccessDenied"} for k in self.poisoned]

    def fail(self, method: Method, error: type[RightfulError]) -> None:
        self.session.fail(OPERATIONS[method], error)


class ReportBench(BucketBench):
    """By its inventory, which is written anew after every record that is added."""

    tells_gone = True
    form: Literal["CSV", "Parquet"] = "CSV"
    place = "inventories/all/"

    def __init__(self) -> None:
        super().__init__()
        self.reports = f"reports-{uuid4().hex}"
        self.make(self.reports)
        through = {"inventory": {"bucket": self.reports, "prefix": self.place}}
        self.store = replace(self.store, retention=replace(self.store.retention, through=through))
        self.report()

    def add(self, person: str, when: When, count: int = 1) -> None:
        super().add(person, when, count)
        self.report()

    def rows(self) -> list[list[Any]]:
        return [
            [
                self.bucket,
                each["key"],
                None if each["version_id"] == "null" else each["version_id"],
                each["is_latest"],
                each["kind"] == "delete_marker",
                each.get("size"),
                datetime.fromisoformat(each["last_modified"]),
                each.get("etag", "").strip('"') or None,
            ]
            for each in self.listing()
        ]

    def report(self, count: int = 3, folder: str = "2027-01-30T01-00Z/", **changed: Any) -> None:
        """Writes the report of now. `changed` stands in the manifest as given."""
        rows = self.rows()
        parts = [self.file(rows[number::count]) for number in range(count)]
        named = []
        for number, part in enumerate(parts):
            key = f"{self.place}data/{folder[:10]}-{number}"
            self.admin.put_object(Bucket=self.reports, Key=key, Body=part)
            named.append({"key": key, "size": len(part), "MD5checksum": md5(part)})
        typed = " ".join(f"optional {kind} {_snake(name)};" for kind, name in zip(TYPES, COLUMNS, strict=True))
        manifest = {
            "sourceBucket": self.bucket,
            "version": "2016-11-30",
            "fileFormat": self.form,
            "fileSchema": ", ".join(COLUMNS) if self.form == "CSV" else f"message s3.inventory {{ {typed} }}",
            "files": named,
        } | changed
        text = json.dumps(manifest).encode()
        self.write(f"{folder}manifest.json", text)
        self.write(f"{folder}manifest.checksum", md5(text).encode())

    def write(self, name: str, body: bytes) -> None:
        self.admin.put_object(Bucket=self.reports, Key=self.place + name, Body=body)

    def file(self, rows: Sequence[Sequence[Any]]) -> bytes:
        return as_csv(rows) if self.form == "CSV" else as_parquet(rows)


def as_csv(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for bucket, key, version, latest, marker, size, moment, etag in rows:
        flags = (str(latest).lower(), str(marker).lower())
        stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.000Z" if isinstance(moment, datetime) else moment
        writer.writerow([bucket, quote_plus(key, safe="/"), version, *flags, size, stamp, etag])
    return gzip.compress(text.getvalue().encode(), mtime=0)


def as_parquet(rows: Sequence[Sequence[Any]], moments: str = "TIMESTAMP_MS") -> bytes:
    names = ", ".join(map(_snake, COLUMNS))
    with TemporaryDirectory() as folder, duckdb.connect() as database:
        path = Path(folder, "file.parquet")
        database.execute("SET TimeZone = 'UTC'")
        database.execute(
            f"CREATE TABLE report (bucket TEXT, key TEXT, version_id TEXT, is_latest BOOLEAN, is_delete_marker BOOLEAN,"
            f" size BIGINT, last_modified_date {moments}, e_tag TEXT)"
        )
        if rows:
            database.executemany(f"INSERT INTO report ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        database.execute(f"COPY report TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def _snake(name: str) -> str:
    return {"ETag": "e_tag"}.get(name, "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_"))


def md5(body: bytes) -> str:
    return hashlib.md5(body).hexdigest()


class Unversioned(BucketBench):
    guard = ("last_modified",)
    tells_gone = True
    versioned = False


def fill(bucket: BucketBench) -> None:
    for key in ODD_KEYS:
        bucket.put(f"app/{key}", b"old")
        bucket.put(f"app/{key}", b"new")
        bucket.hide(f"app/{key}")
    bucket.put("app/a+b")
    bucket.hide("app/a+b")
    bucket.put("app/a+b")
    for key in ("app/a + b", "app/ü", "app/ü"):
        bucket.begin(key)


def pages(bucket: BucketBench, most: int = 20) -> Iterator[Sequence[Record]]:
    """Page by page, each read by a sweeper of its own, as after a time-out."""
    for segment in bucket.sweeper().segments(most, NOW):
        cursor = None
        while True:
            page = bucket.sweeper().page(segment, EVERYTHING, cursor)
            yield page.records
            if (cursor := page.cursor) is None:
                break


def everything(bucket: BucketBench, most: int = 20) -> Counter[tuple[str, str]]:
    return Counter(
        (record.data["key"], record.data.get("version_id") or record.data["upload_id"])
        for page in pages(bucket, most)
        for record in page
    )


def shown(bucket: BucketBench) -> set[str]:
    return {each["Key"] for each in bucket.admin.list_objects_v2(Bucket=bucket.bucket).get("Contents", [])}


def with_inventory(bucket: str, prefix: str, kms_key: str = "") -> Retention:
    inventory = {"bucket": bucket, "prefix": prefix, "kms_key": kms_key}
    return Retention(period="P1Y", since="object_age", through={"inventory": inventory})
