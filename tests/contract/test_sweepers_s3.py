"""The sweep's way through a bucket: all of it once, nothing shown that was deleted, and what a report says looked at
again before it is believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from rightful.model import Done, Erasure, Locator, Record, Result, Retention, Store
from rightful.ports import Wanted
from rightful.stores.s3_sweep import S3Sweeper
from tests.contract.aws_bench import REGION, RecordingSession, admin, aws

__all__ = ["aws"]

NOW = datetime(2027, 6, 15, 12, tzinfo=UTC)
EVERYTHING = Wanted(frozenset(), "")
ODD = ("a b", "a+b", "a%20b", "ü/é", "👩‍👧", "x\n\t<&>", "..", "a//b/", "\x7f", 'key,with "quotes"')


class Bucket:
    """A bucket under test and, where it has one, its inventory."""

    def __init__(
        self,
        *,
        since: str = "object_age",
        prefix: str = "",
        versioned: bool = True,
        through: dict[str, Any] | None = None,
        page: int = 3,
    ) -> None:
        self.name = f"uploads-{uuid4().hex}"
        locate = [Locator(by="account_id", through=through or {"prefix": "accounts/{}/"})]
        self.store = Store(
            title="Files",
            connector="s3_objects",
            settings={"bucket": self.name, "prefix": prefix},
            purpose="",
            lawful_basis="",
            locate=locate,
            erasure=Erasure(action="delete"),
            retention=Retention(period="P1Y", since=since),
        )
        self.page_size = page
        self.session = RecordingSession()
        self.admin = admin("s3")
        self.make(self.name)
        if versioned:
            self.versioning("Enabled")

    def make(self, name: str) -> None:
        self.admin.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def versioning(self, status: str) -> None:
        self.admin.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": status})

    def sweeper(self) -> S3Sweeper:
        sweeper = S3Sweeper.from_store(self.store, self.session, lambda: NOW)
        sweeper.page_size = self.page_size
        return sweeper

    def put(self, key: str, body: bytes = b"x", **options: Any) -> str:
        version: str = self.admin.put_object(Bucket=self.name, Key=key, Body=body, **options).get("VersionId", "null")
        return version

    def hide(self, key: str) -> str:
        version: str = self.admin.delete_object(Bucket=self.name, Key=key)["VersionId"]
        return version

    def begin(self, key: str) -> str:
        upload: str = self.admin.create_multipart_upload(Bucket=self.name, Key=key)["UploadId"]
        return upload

    def listing(self) -> list[dict[str, Any]]:
        pages = self.admin.get_paginator("list_object_versions").paginate(Bucket=self.name)
        return [each for page in pages for kind in ("Versions", "DeleteMarkers") for each in page.get(kind, [])]

    def there(self) -> Counter[tuple[str, str]]:
        """(key, version or upload id) of all there is."""
        uploads = self.admin.list_multipart_uploads(Bucket=self.name).get("Uploads", [])
        return Counter((each["Key"], each["VersionId"]) for each in self.listing()) + Counter(
            (each["Key"], each["UploadId"]) for each in uploads
        )


def pages(bucket: Bucket, wanted: Wanted = EVERYTHING, most: int = 20) -> Iterator[Sequence[Record]]:
    """Page by page, each read by a sweeper of its own as after a time-out."""
    for segment in bucket.sweeper().segments(most, NOW):
        cursor = None
        while True:
            page = bucket.sweeper().page(segment, wanted, cursor)
            assert page.scanned >= len(page.records)
            yield page.records
            if page.cursor is None:
                break
            assert page.cursor != cursor
            cursor = page.cursor


def swept(bucket: Bucket, wanted: Wanted = EVERYTHING, most: int = 20) -> list[Record]:
    return [record for page in pages(bucket, wanted, most) for record in page]


def names(records: Sequence[Record]) -> Counter[tuple[str, str]]:
    return Counter((r.data["key"], r.data.get("version_id") or r.data["upload_id"]) for r in records)


@pytest.fixture
def bucket(aws: None) -> Bucket:
    return Bucket()


def fill(bucket: Bucket) -> None:
    for key in ODD:
        bucket.put(key, b"old")
        bucket.put(key, b"new")
        bucket.hide(key)
    bucket.put(ODD[1])
    bucket.begin("a + b")
    bucket.begin("ü")
    bucket.begin("ü")


@pytest.mark.parametrize("page", [1, 2, 3, 7, 1000])
def test_every_version_marker_and_unfinished_upload_comes_once(bucket: Bucket, page: int) -> None:
    fill(bucket)
    bucket.page_size = page
    assert names(swept(bucket)) == bucket.there()


@pytest.mark.parametrize("page", [1, 3, 1000])
def test_all_of_it_goes_page_by_page_and_nothing_hidden_is_ever_shown(bucket: Bucket, page: int) -> None:
    fill(bucket)
    shown = {each["Key"] for each in bucket.admin.list_objects_v2(Bucket=bucket.name).get("Contents", [])}
    bucket.page_size = page
    for records in pages(bucket):
        written = bucket.sweeper().delete(records, ["last_modified"])
        assert written.results == [Result(Done.deleted)] * len(records)
        now = {each["Key"] for each in bucket.admin.list_objects_v2(Bucket=bucket.name).get("Contents", [])}
        assert now <= shown
    assert not bucket.there()
