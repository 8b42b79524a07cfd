"""The connector for S3 objects, by every way the data map can look a person up, with versions and without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from rightful.errors import NeedsAttention, NotFound, RightfulError, TryAgain, Unreadable
from rightful.model import Done, Record, Result, Verb
from rightful.ports import Connector
from rightful.stores.s3_objects import S3Objects
from tests.contract.aws_bench import REGION, RecordingSession, admin, aws, failure
from tests.contract.connector_suite import (
    NEAR,
    ODD,
    AwsBench,
    ConnectorSuite,
    GuardSuite,
    Meddling,
    Method,
    PermissionsSuite,
    found,
    keys,
    store,
)

__all__ = ["aws"]

LATER = datetime(2999, 1, 1, tzinfo=UTC)
OPERATIONS: dict[Method, tuple[str, ...]] = {
    "find": ("ListObjectVersions",),
    "delete": ("DeleteObjects",),
    "anonymise": (),
}


class BucketBench(AwsBench, Meddling):
    kind = S3Objects
    tells_gone = False
    page = 1000
    many = 1100
    versioned: ClassVar[bool] = True
    through: ClassVar[dict[str, Any]] = {"prefix": "accounts/{}/"}
    guard: tuple[str, ...] = ()

    def __init__(self, **options: Any) -> None:
        self.bucket = f"uploads-{uuid4().hex}"
        self.store = store("s3_objects", {"bucket": self.bucket, "prefix": "app/"}, self.through)
        self.session = RecordingSession()
        self.admin = admin("s3")
        self.admin.create_bucket(
            Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION}, **options
        )
        if self.versioned:
            self.admin.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})

    def connector(self) -> Connector:
        return S3Objects.from_store(self.store, self.session)

    def put(self, key: str, body: bytes = b"x", **options: Any) -> str:
        version: str = self.admin.put_object(Bucket=self.bucket, Key=key, Body=body, **options).get("VersionId", "null")
        return version

    def add(self, person: str, count: int) -> None:
        for number in range(count):
            self.put(f"app/accounts/{person}/photo + {number:05}.jpg")

    def snapshot(self) -> Mapping[str, Any]:
        listed = self.admin.list_object_versions(Bucket=self.bucket)
        bodies = {
            (version["Key"], version["VersionId"]): self.admin.get_object(
                Bucket=self.bucket, Key=version["Key"], VersionId=version["VersionId"]
            )["Body"].read()
            for version in listed.get("Versions", [])
        }
        markers = [(marker["Key"], marker["VersionId"]) for marker in listed.get("DeleteMarkers", [])]
        uploads = self.admin.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        return {"bodies": bodies, "markers": markers, "uploads": [upload["UploadId"] for upload in uploads]}

    def of(self, person: str) -> list[dict[str, str]]:
        listed = self.admin.list_object_versions(Bucket=self.bucket, Prefix=f"app/accounts/{person}/")
        return [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in listed["Versions"]]

    def remove(self, person: str) -> None:
        for version in self.of(person):
            self.admin.delete_object(Bucket=self.bucket, **version)

    def meddle(self, person: str) -> None:
        raise NotImplementedError("a version never changes")

    def fail(self, method: Method, error: type[RightfulError]) -> None:
        self.session.fail(OPERATIONS[method], error)

    def called(self) -> set[tuple[str, str]]:
        """With what S3 asks for by itself before it says of an object to be read that it is not there."""
        asked = {("s3:ListBucket", f"arn:aws:s3:::{self.bucket}")} if "GetObject" in self.session.operations else set()
        return self.session.called() | asked

    def exercise(self, verb: Verb, records: Sequence[Record]) -> None:
        if verb == "package":
            for version in self.of("acct-1"):
                data = {"key": version["Key"], "version_id": version["VersionId"]}
                assert b"".join(self.connector().open(Record("", data))) == b"x"
        if verb == "erase":
            self.add("acct-1", 1)
            locked = found(self, "acct-1")
            self.lock(LATER)
            assert self.connector().delete(locked, ()) == [Result(Done.blocked, LATER)]
            if "prefix" in self.through:
                upload = {"key": "app/accounts/acct-1/y", "kind": "upload", "upload_id": "none"}
                assert self.connector().delete([Record("upload", upload)], ()) == [Result(Done.gone)]

    def lock(self, retention: datetime | None, hold: str = "OFF") -> None:
        """Makes S3 refuse to delete, and say why when asked. (moto knows no GetObjectRetention.)"""
        refused = [{**version, "Code": "AccessDenied"} for version in self.of("acct-1")]
        self.session.answers["DeleteObjects"] = [{"Errors": refused}]
        self.session.answers["GetObjectLegalHold"] = [{"LegalHold": {"Status": hold}}]
        unlocked = failure("NoSuchObjectLockConfiguration", 404)
        self.session.answers["GetObjectRetention"] = [
            {"Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": retention}} if retention else unlocked
        ]


class Unversioned(BucketBench):
    tells_gone = True
    many = 120
    versioned = False
    guard = ("etag",)

    def meddle(self, person: str) -> None:
        for version in self.of(person):
            self.put(version["Key"], b"another body")


class ByTag(BucketBench):
    tells_gone = True
    many = 120
    near = tuple(person for person in NEAR if person == person.strip() and "*" not in person)
    odd = ("ada+tag@example.com", "a b=c:/d", "..", "شخص")
    """S3 takes letters, digits, spaces and + - = . _ : / @ in tags."""
    through: ClassVar = {"tag": "owner", "scan": "allowed"}
    guard = ("tags",)

    def add(self, person: str, count: int) -> None:
        for number in range(count):
            key = f"app/accounts/{person}/{number:05}"
            version = self.put(key)
            self.tag(key, version, person)

    def tag(self, key: str, version: str, owner: str) -> None:
        tags = [{"Key": "kind", "Value": "photo"}, {"Key": "owner", "Value": owner}]
        self.admin.put_object_tagging(Bucket=self.bucket, Key=key, VersionId=version, Tagging={"TagSet": tags})

    def meddle(self, person: str) -> None:
        for version in self.of(person):
            self.tag(version["Key"], version["VersionId"], "somebody-else")


class ByMetadata(BucketBench):
    many = 120
    near = tuple(person for person in NEAR if person == person.strip())
    odd = tuple(person for person in ODD if person.isascii())
    """S3 takes ASCII in metadata, and HTTP drops the space around it."""
    through: ClassVar = {"metadata": "Owner", "scan": "allowed"}

    def add(self, person: str, count: int) -> None:
        for number in range(count):
            self.put(f"app/accounts/{person}/{number:05}", Metadata={"owner": person})


class TestVersioned(ConnectorSuite, PermissionsSuite):
    @pytest.fixture
    def bench(self, aws: None) -> BucketBench:
        return BucketBench()


class TestUnversioned(ConnectorSuite, GuardSuite, PermissionsSuite):
    @pytest.fixture
    def bench(self, aws: None) -> BucketBench:
        return Unversioned()


class TestByTag(ConnectorSuite, GuardSuite, PermissionsSuite):
    @pytest.fixture
    def bench(self, aws: None) -> BucketBench:
        return ByTag()


class TestByMetadata(ConnectorSuite, PermissionsSuite):
    @pytest.fixture
    def bench(self, aws: None) -> BucketBench:
        return ByMetadata()


def data(records: Sequence[Record]) -> list[tuple[str, str]]:
    return [(record.data["kind"], record.data["key"]) for record in records]


@pytest.fixture
def bucket(aws: None) -> BucketBench:
    return BucketBench()


KEYS = ("app/accounts/a/../b", "app/accounts/a//c", "app/accounts/a/1+1 %20 ü?&.txt", "app/accounts/a/folder/")


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
def test_finds_and_deletes_versions_markers_and_unfinished_uploads(bucket: BucketBench, limit: int) -> None:
    bucket.put("app/accounts/ab/x")
    bucket.put("accounts/a/outside")
    bucket.admin.create_multipart_upload(Bucket=bucket.bucket, Key="app/accounts/ab/y")
    before = bucket.snapshot()
    for key in KEYS:
        bucket.put(key, b"old")
        bucket.put(key, b"new")
    bucket.admin.delete_object(Bucket=bucket.bucket, Key=KEYS[0])
    bucket.admin.create_multipart_upload(Bucket=bucket.bucket, Key="app/accounts/a/big + file")
    records = found(bucket, "a", limit)
    assert sorted(data(records)) == sorted(
        [("delete_marker", KEYS[0]), ("upload", "app/accounts/a/big + file")]
        + [("version", key) for key in KEYS for _ in range(2)]
    )
    assert len(set(keys(records))) == len(records)
    names = {record.data["key"]: record.file.name for record in records if record.file}
    assert list(map(names.__getitem__, KEYS)) == ["b", "c", "1+1 %20 ü?&.txt", "folder"]
    assert bucket.connector().delete(records, ()) == [Result(Done.deleted)] * len(records)
    assert bucket.snapshot() == before
    assert bucket.connector().delete([r for r in records if r.data["kind"] == "upload"], ()) == [Result(Done.gone)]


def test_opens_each_version_as_it_was(bucket: BucketBench) -> None:
    bucket.put("app/accounts/a/f", b"old")
    bucket.put("app/accounts/a/f", b"n" * (2**20 + 5))
    chunks = [list(bucket.connector().open(record)) for record in found(bucket, "a")]
    assert sorted([len(chunk) for chunk in file] for file in chunks) == [[3], [2**20, 5]]


def test_a_version_that_is_gone_by_now_is_not_found(bucket: BucketBench) -> None:
    bucket.put("app/accounts/a/f", b"old")
    (record,) = found(bucket, "a")
    bucket.connector().delete([record], ())
    with pytest.raises(NotFound):
        next(bucket.connector().open(record))


@pytest.mark.parametrize(
    ("answer", "of_its_head", "raised"),
    [
        (failure("InvalidObjectState", 403), None, Unreadable),
        (failure("InvalidRequest", 400), None, Unreadable),
        (failure("KMS.DisabledException", 400), None, Unreadable),
        (failure("AccessDenied", 403), None, Unreadable),
        (failure("AccessDenied", 403), failure("403", 403), NeedsAttention),
        (failure("AccessDenied", 403), failure("503", 503), TryAgain),
        (failure("NoSuchBucket", 404), None, NeedsAttention),
        (failure("SlowDown", 503), None, TryAgain),
    ],
    ids=lambda value: str(value["Error"]["Code"]) if isinstance(value, dict) else getattr(value, "__name__", ""),
)
def test_tells_one_file_that_cannot_be_read_from_a_bucket_that_cannot(
    bucket: BucketBench, answer: dict[str, Any], of_its_head: dict[str, Any] | None, raised: type[RightfulError]
) -> None:
    bucket.put("app/accounts/a/f", b"archived, or under a key of somebody else's")
    (record,) = found(bucket, "a")
    bucket.session.answers["GetObject"] = [deepcopy(answer)]
    if of_its_head:
        bucket.session.answers["HeadObject"] = [deepcopy(of_its_head)]
    with pytest.raises(raised) as error:
        next(bucket.connector().open(record))
    assert type(error.value) is raised
    assert "accounts/a" not in str(error.value)


@pytest.mark.parametrize("person", ["b/c", "/", "../a"])
def test_an_identity_never_reaches_into_anothers_keys(bucket: BucketBench, person: str) -> None:
    bucket.put("app/accounts/b/c/x")
    with pytest.raises(NeedsAttention):
        bucket.connector().find(bucket.locator, person, None, 10)
    assert bucket.session.operations == []
    (record,) = found(bucket, "b")
    assert not bucket.connector().matches(record, bucket.locator, person)


@pytest.mark.parametrize(
    ("retention", "hold", "until"), [(LATER, "OFF", LATER), (LATER, "ON", None), (None, "ON", None)]
)
def test_what_is_locked_is_blocked_until(
    bucket: BucketBench, retention: datetime | None, hold: str, until: datetime | None
) -> None:
    bucket.add("acct-1", 1)
    records = found(bucket, "acct-1")
    bucket.lock(retention, hold)
    assert bucket.connector().delete(records, ()) == [Result(Done.blocked, until)]


def test_what_is_denied_without_a_lock_needs_a_person_and_keeps_no_other(bucket: BucketBench) -> None:
    bucket.add("acct-1", 3)
    records = found(bucket, "acct-1")
    bucket.lock(None)
    bucket.session.answers["DeleteObjects"][0]["Errors"].pop()
    with pytest.raises(NeedsAttention, match="AccessDenied"):
        bucket.connector().delete(records, ())


def test_an_object_lock_is_never_bypassed(bucket: BucketBench) -> None:
    bucket.add("acct-1", 1)
    bucket.connector().delete(found(bucket, "acct-1"), ())
    assert not any("BypassGovernanceRetention" in parameters for _, parameters in bucket.session.calls)


def slow_down(records: Sequence[Record]) -> dict[str, Any]:
    return {"Errors": [{"Key": r.data["key"], "VersionId": r.data["version_id"], "Code": "SlowDown"} for r in records]}


def test_throttled_objects_are_sent_again_alone(bucket: BucketBench) -> None:
    bucket.add("acct-1", 3)
    records = found(bucket, "acct-1")
    bucket.session.answers["DeleteObjects"] = [slow_down(records[:2]), slow_down(records[1:2]), {}]
    assert bucket.connector().delete(records, ()) == [Result(Done.deleted)] * 3
    sent = [len(p["Delete"]["Objects"]) for operation, p in bucket.session.calls if operation == "DeleteObjects"]
    assert sent == [3, 2, 1]


def test_when_all_are_throttled_it_is_for_the_caller_to_try_again(bucket: BucketBench) -> None:
    bucket.add("acct-1", 2)
    records = found(bucket, "acct-1")
    bucket.session.answers["DeleteObjects"] = [slow_down(records)]
    with pytest.raises(TryAgain, match="SlowDown"):
        bucket.connector().delete(records, ())


def test_a_thousand_objects_go_in_one_call(bucket: BucketBench) -> None:
    records = [Record(str(n), {"key": f"k{n}", "kind": "version", "version_id": "null"}) for n in range(2001)]
    bucket.session.answers["DeleteObjects"] = [{}]
    assert len(bucket.connector().delete(records, ())) == 2001
    sent = [len(p["Delete"]["Objects"]) for _, p in bucket.session.calls]
    assert sent == [1000, 1000, 1]


def test_a_key_that_xml_cannot_hold_is_deleted_by_itself(bucket: BucketBench) -> None:
    bucket.session.answers["DeleteObject"] = [{}]
    record = Record("odd", {"key": "app/accounts/a/\x01", "kind": "version", "version_id": "v1"})
    assert bucket.connector().delete([record], ()) == [Result(Done.deleted)]
    assert bucket.session.operations == ["DeleteObject"]


def test_a_delete_marker_without_versions_takes_no_owner_from_a_key_that_begins_alike(aws: None) -> None:
    bench = ByTag()
    bench.add("acct-1", 1)
    (record,) = found(bench, "acct-1")
    shorter = {"Bucket": bench.bucket, "Key": record.data["key"][:-1]}
    version = bench.put(shorter["Key"])
    marker = bench.admin.delete_object(**shorter)
    bench.admin.delete_object(**shorter, VersionId=version)
    assert marker["DeleteMarker"]
    assert data(found(bench, "acct-1")) == [("version", record.data["key"])]


def test_a_delete_marker_is_the_persons_when_the_newest_version_of_its_key_is(aws: None) -> None:
    bench = ByTag()
    bench.add("acct-1", 1)
    bench.add("acct-10", 1)
    for person in ("acct-1", "acct-10"):
        bench.admin.delete_object(Bucket=bench.bucket, Key=f"app/accounts/{person}/00000")
    records = found(bench, "acct-1")
    assert [record.data["kind"] for record in records] == ["delete_marker", "version"]
    assert {record.data["key"] for record in records} == {"app/accounts/acct-1/00000"}
