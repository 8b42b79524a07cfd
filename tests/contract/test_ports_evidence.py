"""What every evidence bucket does: in memory, and in S3 under Object Lock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from rightful.aws.evidence import Mode, S3Evidence
from rightful.errors import NeedsAttention, TryAgain
from rightful.ports import Evidence
from tests.fakes.evidence import MemoryEvidence

BUCKET, KEY = "evidence", "requests/r1/receipt.jws"
UNTIL, LATER = datetime(2090, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2091, 1, 1, tzinfo=UTC)


class EvidenceContract:
    """Needs the fixture `evidence`."""

    def kept(self, evidence: Evidence) -> list[tuple[str, bytes, datetime]]:
        """Every version: (key, bytes, until when). Each implementation is looked into in its own way."""
        raise NotImplementedError

    @pytest.mark.parametrize("body", [b"", b"first", bytes(range(256)) * 5000], ids=len)
    def test_it_is_written_once(self, evidence: Evidence, body: bytes) -> None:
        for until in (UNTIL, UNTIL, LATER):
            evidence.keep(KEY, body, until)
        assert self.kept(evidence) == [(KEY, body, UNTIL)]

    def test_something_else_in_its_place_needs_attention_and_changes_nothing(self, evidence: Evidence) -> None:
        evidence.keep(KEY, b"first", UNTIL)
        with pytest.raises(NeedsAttention, match="something else"):
            evidence.keep(KEY, b"second", UNTIL)
        assert self.kept(evidence) == [(KEY, b"first", UNTIL)]

    def test_other_keys_are_apart(self, evidence: Evidence) -> None:
        evidence.keep(KEY, b"first", UNTIL)
        evidence.keep("requests/r2/receipt.jws", b"second", LATER)
        assert len(self.kept(evidence)) == 2


class TestMemoryEvidence(EvidenceContract):
    @pytest.fixture
    def evidence(self) -> MemoryEvidence:
        return MemoryEvidence()

    def kept(self, evidence: Evidence) -> list[tuple[str, bytes, datetime]]:
        assert isinstance(evidence, MemoryEvidence)
        return [(key, *found) for key, found in evidence.kept.items()]


class TestS3Evidence(EvidenceContract):
    @pytest.fixture
    def s3(self) -> Iterator[Any]:
        with mock_aws():
            client = boto3.client("s3", "eu-west-1")
            where: Any = {"LocationConstraint": "eu-west-1"}
            client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where, ObjectLockEnabledForBucket=True)
            yield client

    @pytest.fixture(params=["COMPLIANCE", "GOVERNANCE"])
    def mode(self, request: pytest.FixtureRequest) -> Mode:
        mode: Mode = request.param
        return mode

    @pytest.fixture
    def evidence(self, s3: Any, mode: Mode) -> S3Evidence:
        return S3Evidence(s3, BUCKET, mode)

    def kept(self, evidence: Evidence) -> list[tuple[str, bytes, datetime]]:
        s3: Any = boto3.client("s3", "eu-west-1")
        found = []
        for version in s3.list_object_versions(Bucket=BUCKET).get("Versions", []):
            one = {"Bucket": BUCKET, "Key": version["Key"], "VersionId": version["VersionId"]}
            until = s3.head_object(**one)["ObjectLockRetainUntilDate"]
            found.append((version["Key"], s3.get_object(**one)["Body"].read(), until))
        return found

    def test_it_is_locked_in_the_mode_that_was_named(self, s3: Any, evidence: S3Evidence, mode: Mode) -> None:
        evidence.keep(KEY, b"first", UNTIL)
        assert s3.head_object(Bucket=BUCKET, Key=KEY)["ObjectLockMode"] == mode
        [version] = s3.list_object_versions(Bucket=BUCKET)["Versions"]
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(Bucket=BUCKET, Key=KEY, VersionId=version["VersionId"])

    def test_s3_is_sent_a_checksum(self, s3: Any, evidence: S3Evidence) -> None:
        sent: list[dict[str, Any]] = []
        s3.meta.events.register("before-call.s3.PutObject", lambda params, **_: sent.append(params["headers"]))
        evidence.keep(KEY, b"first", UNTIL)
        assert sent[0]["x-amz-sdk-checksum-algorithm"] == "SHA256"
        assert sent[0]["x-amz-checksum-sha256"] == "p5N7ZLjKpY8Dchu2us9ceMsjX+vg5wsbhM2ZVBRhoI4="

    @pytest.mark.parametrize(
        ("code", "status", "error"),
        [
            ("ConditionalRequestConflict", 409, TryAgain),
            ("SlowDown", 503, TryAgain),
            ("AccessDenied", 403, NeedsAttention),
        ],
    )
    def test_a_refusal_says_whether_to_come_back(
        self, s3: Any, evidence: S3Evidence, code: str, status: int, error: type[Exception]
    ) -> None:
        stub = Stubber(s3)
        stub.add_client_error("put_object", code, http_status_code=status)
        with stub, pytest.raises(error):
            evidence.keep(KEY, b"first", UNTIL)
