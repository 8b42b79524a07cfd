"""The sweep's way through a bucket: all of it once, and nothing shown that was deleted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, ClassVar

import pytest

from rightful.errors import NeedsAttention, TryAgain
from rightful.model import Done, Record, Result, Retention, Store, SweepVerb, Unless
from rightful.stores import s3_sweep_map
from rightful.stores.s3_sweep import S3Sweeper
from tests.contract.aws_bench import aws, failure
from tests.contract.connector_suite import NEAR, ODD, store
from tests.contract.s3_sweep_bench import (
    AT,
    EVERYTHING,
    BucketBench,
    ReportBench,
    Unversioned,
    everything,
    fill,
    pages,
    shown,
    with_inventory,
)
from tests.contract.sweeper_suite import NOW, SweepBench, SweeperSuite, SweepGuardSuite, When, swept

__all__ = ["aws"]


class ByTag(BucketBench):
    """A tag is the date, another one says whose the object is."""

    guard = ("tags",)
    hides = False
    tells_gone = True
    since = "tag:last_used_at"
    through: ClassVar[Mapping[str, Any]] = {"tag": "owner", "scan": "allowed"}
    near = tuple(person for person in NEAR if person == person.strip() and "*" not in person)
    odd = ("ada+tag@example.com", "a b=c:/d", "..", "شخص")
    many = 60

    def add(self, person: str, when: When, count: int = 1) -> None:
        for number in range(count):
            key = f"app/{person}/{when}/{number:05}"
            self.put(key)
            self.tag(key, person, f"{AT[when]:%Y-%m-%dT%H:%M:%SZ}")

    def tag(self, key: str, owner: str, last_used_at: str) -> None:
        tags = [{"Key": "owner", "Value": owner}, {"Key": "last_used_at", "Value": last_used_at}]
        self.admin.put_object_tagging(Bucket=self.bucket, Key=key, Tagging={"TagSet": tags})

    def meddle(self, record: Record) -> None:
        self.tag(record.data["key"], "ada", f"{NOW:%Y-%m-%dT%H:%M:%SZ}")


class ByDate(BucketBench):
    """The key holds the date, and metadata says whose the object is."""

    reads_all = False
    since = "key_date:app/%Y/%m/%d/"
    through: ClassVar[Mapping[str, Any]] = {"metadata": "Owner", "scan": "allowed"}
    near = tuple(person for person in NEAR if person == person.strip())
    odd = tuple(person for person in ODD if person.isascii())
    many = 60

    def add(self, person: str, when: When, count: int = 1) -> None:
        stem = len(list(self.listing()))
        for number in range(count):
            self.put(f"app/{AT[when]:%Y/%m/%d}/{stem + number:05}", Metadata={"owner": person})


class TestByAge(SweeperSuite):
    @pytest.fixture
    def bench(self, aws: None) -> SweepBench:
        return BucketBench()


class TestUnversioned(SweeperSuite, SweepGuardSuite):
    @pytest.fixture
    def bench(self, aws: None) -> SweepBench:
        return Unversioned()


class TestByTag(SweeperSuite, SweepGuardSuite):
    @pytest.fixture
    def bench(self, aws: None) -> SweepBench:
        return ByTag()


class TestByDate(SweeperSuite):
    @pytest.fixture
    def bench(self, aws: None) -> SweepBench:
        return ByDate()


# Versions, delete markers, unfinished uploads


@pytest.fixture
def bucket(aws: None) -> BucketBench:
    return BucketBench()


@pytest.mark.parametrize("page", [1, 2, 3, 7, 1000])
def test_every_version_marker_and_unfinished_upload_comes_once(bucket: BucketBench, page: int) -> None:
    fill(bucket)
    bucket.page_size = page
    assert everything(bucket) == bucket.there()


@pytest.mark.parametrize("page", [1, 3, 1000])
def test_all_of_it_goes_and_nothing_hidden_is_ever_shown(bucket: BucketBench, page: int) -> None:
    fill(bucket)
    before = shown(bucket)
    bucket.page_size = page
    for records in pages(bucket):
        assert bucket.sweeper().delete(records, ["last_modified"]).results == [Result(Done.deleted)] * len(records)
        assert shown(bucket) <= before
    assert not bucket.there()


def test_of_more_than_a_thousand_versions_of_a_key_all_go_and_the_marker_last(bucket: BucketBench) -> None:
    for number in range(1010):
        bucket.put("app/a", str(number).encode())
    bucket.hide("app/a")
    bucket.page_size = 1000
    kinds = []
    for records in pages(bucket):
        assert {r.done for r in bucket.sweeper().delete(records, ()).results} <= {Done.deleted}
        kinds += [record.data["kind"] for record in records]
        assert shown(bucket) == set()
    assert kinds == ["version"] * 1010 + ["delete_marker"]
    assert not bucket.there()


def test_a_marker_stays_while_a_version_that_it_hides_does(bucket: BucketBench) -> None:
    bucket.put("app/a", when=datetime(2020, 1, 1, tzinfo=UTC))
    bucket.hide("app/a", when=datetime(2020, 1, 2, tzinfo=UTC))
    bucket.put("app/a", when=datetime(2020, 1, 3, tzinfo=UTC))
    records, _ = swept(bucket)
    newest, oldest, marker = records
    delete = bucket.sweeper().delete
    assert delete([marker], ()).results == [Result(Done.blocked)]
    assert delete([marker, newest], ()).results == [Result(Done.blocked), Result(Done.deleted)]
    assert delete([marker, oldest], ()).results == [Result(Done.deleted)] * 2
    assert not bucket.there()


def test_a_marker_that_hides_nothing_goes_though_a_newer_version_stays(bucket: BucketBench) -> None:
    bucket.put("app/a", when=datetime(2020, 1, 1, tzinfo=UTC))
    bucket.hide("app/a", when=datetime(2020, 1, 2, tzinfo=UTC))
    bucket.put("app/a", when="lately")
    records, scanned = swept(bucket)
    assert (len(records), scanned) == (2, 3)
    assert bucket.sweeper().delete(records, bucket.guard).results == [Result(Done.deleted)] * 2
    assert shown(bucket) == {"app/a"}


def test_what_lies_outside_the_stores_prefix_is_not_touched(bucket: BucketBench) -> None:
    for key in ("ap", "app", "apple", "other/app/a"):
        bucket.put(key)
        bucket.begin(key)
    assert everything(bucket) == Counter()


@pytest.mark.parametrize("code", ["AccessDenied", "InternalError"])
def test_an_upload_that_cannot_be_aborted_keeps_no_other(bucket: BucketBench, code: str) -> None:
    bucket.begin("app/a")
    bucket.put("app/b")
    records = [record for page in pages(bucket) for record in page]
    bucket.session.answers["AbortMultipartUpload"] = [failure(code, 403)]
    if code == "InternalError":
        with pytest.raises(TryAgain):
            bucket.sweeper().delete(records, ())
        return
    assert {r.done for r in bucket.sweeper().delete(records, ()).results} == {Done.failed, Done.deleted}


def test_a_lock_blocks_until_its_end_and_its_marker_too(bucket: BucketBench) -> None:
    bucket.put("app/a", when=datetime(2020, 1, 1, tzinfo=UTC))
    bucket.hide("app/a", when=datetime(2020, 1, 2, tzinfo=UTC))
    records, _ = swept(bucket)
    bucket.poison(records[0])
    until = datetime(2999, 1, 1, tzinfo=UTC)
    bucket.session.answers["GetObjectRetention"] = [{"Retention": {"Mode": "COMPLIANCE", "RetainUntilDate": until}}]
    assert bucket.sweeper().delete(records, ()).results == [Result(Done.blocked, until), Result(Done.blocked)]
    assert not any("BypassGovernanceRetention" in parameters for _, parameters in bucket.session.calls)


def test_versions_null_of_a_bucket_whose_versions_were_suspended(bucket: BucketBench) -> None:
    bucket.versioning("Suspended")
    bucket.put("app/a", b"null")
    bucket.put("app/b", b"null")
    records, _ = swept(bucket)
    bucket.put("app/b", b"overwritten", "lately")
    results = bucket.sweeper().delete(records, ["last_modified"]).results
    assert [result.done for result in results] == [Done.deleted, Done.changed]
    assert shown(bucket) == {"app/b"}


def test_objects_are_not_anonymised(bucket: BucketBench) -> None:
    with pytest.raises(NeedsAttention):
        bucket.sweeper().anonymise([], ())


def test_requests_are_counted(bucket: BucketBench) -> None:
    bucket.put("app/a")
    sweeper = bucket.sweeper()
    segment, _ = sweeper.segments(2, NOW)
    page = sweeper.page(segment, EVERYTHING, None)
    assert page.capacity == 1
    assert sweeper.delete(page.records, ()).capacity == 1


# Parts


def test_only_years_and_months_that_may_be_due_are_gone_through(aws: None) -> None:
    bench = ByDate()
    for day in ("2019/12/31", "2025/03/01", "2026/01/31", "2026/02/03", "2026/03/01", "2027/01/01", "soon/x", "20/1/1"):
        bench.put(f"app/{day}/x")
    bench.begin("app/2019/01/01/x")
    segments = bench.sweeper().segments(50, NOW)
    named = [json.loads(segment)[1] for segment in segments]
    assert named == ["app/2019/12", "app/2025/03", "app/2026/01", "app/2026/02", "app/"]
    assert [json.loads(segment)[1] for segment in bench.sweeper().segments(3, NOW)] == [
        "app/2019",
        "app/2025",
        "app/2026/01",
        "app/2026/02",
        "app/",
    ]
    kept, scanned = swept(bench)
    assert {record.data["key"][4:14] for record in kept} == {"2019/01/01", "2019/12/31", "2025/03/01", "2026/01/31"}
    assert scanned == 5


def test_the_size_is_told_where_not_all_is_gone_through(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = ByDate()
    for number in range(12):
        bench.put(f"app/2026/12/{number + 1:02}/x")
    bench.put("elsewhere")
    assert bench.sweeper().size() == 12
    assert ReportBench().sweeper().size() == BucketBench().sweeper().size() == 0
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "1")
    assert bench.sweeper().size() == 10


@pytest.mark.parametrize(
    ("pattern", "head", "between"),
    [
        ("app/%Y/%m/%d/", "app/", "/"),
        ("app/%Y%m%d", "app/", ""),
        ("app/logs-%Y.gz", "app/logs-", None),
        ("app/%Y/*/%m", "app/", None),
        ("%Y/%m", None, None),
        ("app/*/%Y/", None, None),
    ],
)
def test_how_keys_hold_their_date(pattern: str, head: str | None, between: str | None) -> None:
    found = s3_sweep_map.dated(of_objects(f"key_date:{pattern}"))
    assert found == (s3_sweep_map.Dated(head, between) if head is not None else None)


@pytest.mark.parametrize("most", [2, 4, 50])
def test_a_bucket_with_very_many_alike_keys_is_parted_by_letter(
    aws: None, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = BucketBench()
    fill(bench)
    for person in range(10):
        for number in range(2):
            bench.put(f"app/accounts/acct-{person}/{number}")
    for key in ("app/accounts/", "app/accounts/acct-", "app/accounts/acct-5", "app/public/logo", "app/a"):
        bench.put(key)
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "20")
    segments = bench.sweeper().segments(most, NOW)
    assert len(segments) <= most
    assert (len(segments) > 2) == (most > 2)
    assert everything(bench, most) == bench.there()


def test_what_only_one_person_has_parts_no_bucket(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = BucketBench()
    for letter in "abcdefghijkl":
        bench.put(f"app/accounts/ada@example.com/{letter}")
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "5")
    assert "ada" not in str(bench.sweeper().segments(50, NOW))


# What the data map says


def of_objects(since: str, **changed: Any) -> Store:
    plain = store("s3_objects", {"bucket": "files", "prefix": "app/"}, {"prefix": "accounts/{}/"})
    return replace(plain, retention=Retention(period="P1Y", since=since, **changed))


GOOD = ("object_age", "last_modified", "tag:used", "key_date:app/%Y/%m", "key_date:%Y", "key_date:a%Y", "metadata.used")


@pytest.mark.parametrize("since", GOOD[:4])
def test_a_sensible_rule_has_no_problems(since: str) -> None:
    assert list(S3Sweeper.check(of_objects(since))) == []


@pytest.mark.parametrize(
    ("rules", "path", "what"),
    [
        (of_objects("used_at"), "retention.since", "is no date that an object has"),
        (of_objects("key_date:events/%Y"), "retention.since", "fits no key that begins with `app/`"),
        (
            of_objects("object_age", unless=[Unless(ground="accounting", period="P7Y", since="billed")]),
            "retention.unless.0.since",
            "is no date that an object has",
        ),
        (
            replace(of_objects("object_age"), retention=with_inventory("", "x/")),
            "retention.through.inventory.bucket",
            "has no name",
        ),
        (
            replace(of_objects("object_age"), retention=with_inventory("b", "x")),
            "retention.through.inventory.prefix",
            "is not what stands before the dated folders of an inventory",
        ),
        (
            replace(of_objects("object_age"), retention=with_inventory("b", "x/", "alias/mine")),
            "retention.through.inventory.kms_key",
            "is not the ARN of a key",
        ),
    ],
)
def test_a_rule_that_cannot_work_is_told(rules: Store, path: str, what: str) -> None:
    assert [(where, why) for where, why, _ in S3Sweeper.check(rules)] == [(path, what)]


def allowed(bench: BucketBench, *verbs: SweepVerb) -> set[tuple[str, str]]:
    return {
        (action, resource.replace("${AWS::Partition}", "aws"))
        for verb in verbs
        for granted in S3Sweeper.permissions(bench.store, verb)
        for action in granted["actions"]
        for resource in granted["resources"]
    }


@pytest.mark.parametrize("made", [BucketBench, ByTag, ByDate, ReportBench])
def test_is_permitted_exactly_what_it_calls(aws: None, made: type[BucketBench]) -> None:
    bench = made()
    bench.sweeper().segments(5, NOW)
    split = bench.session.called()
    assert all(any(fits(call, grant) for grant in allowed(bench, "split")) for call in split)
    bench.add("ada", "long_ago", 3)
    bench.begin("app/2020/01/01/u")
    records = [record for page in pages(bench) for record in page]
    bench.poison(next(record for record in records if record.data["kind"] == "version"))
    bench.sweeper().delete(records, bench.guard)
    called = bench.session.called()
    grants = allowed(bench, "split", "sweep")
    assert [call for call in called if not any(fits(call, grant) for grant in grants)] == [
        call for call in called if call[1].endswith("/nothing")
    ]
    assert [grant for grant in grants if not any(fits(call, grant) for call in called)] == []


def fits(call: tuple[str, str], grant: tuple[str, str]) -> bool:
    return call[0] == grant[0] and fnmatchcase(call[1], grant[1])


def test_a_report_under_a_key_of_the_operators_may_be_decrypted_through_s3() -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
    rules = replace(of_objects("object_age"), retention=with_inventory("reports", "all/", key))
    for verb in ("split", "sweep"):
        granted = S3Sweeper.permissions(rules, verb)
        assert {"actions": ["kms:Decrypt"], "resources": [key], "via": "s3.eu-west-1.${AWS::URLSuffix}"} in granted
