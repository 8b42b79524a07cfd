"""A seeded sample in moto, one for each test module."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from moto import mock_aws

from infra.sample.clients import Clients, maker
from infra.sample.digest import Snapshot, snapshot
from infra.sample.seed import seed
from infra.sample.truth import Truth
from tests.unit.sample.moto_stores import PEOPLE, REGION, described


@pytest.fixture(scope="module")
def stores() -> Iterator[Clients]:
    """The template's stores, made by hand, as moto's CloudFormation needs much more than is installed here."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "test")
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        with mock_aws():
            clients = Clients.of(maker(None, REGION))
            for table in described("AWS::DynamoDB::Table"):
                table.pop("PointInTimeRecoverySpecification")
                table["SSESpecification"] = {"Enabled": table["SSESpecification"]["SSEEnabled"]}
                clients.dynamodb.create_table(**table)
            for bucket in described("AWS::S3::Bucket"):
                name = bucket["BucketName"].replace("${AWS::AccountId}", clients.account)
                clients.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
                if versioning := bucket.get("VersioningConfiguration"):
                    clients.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
            yield clients


@pytest.fixture(scope="module")
def truth(stores: Clients, tmp_path_factory: pytest.TempPathFactory) -> Truth:
    path = tmp_path_factory.mktemp("sample") / "truth.json"
    assert seed(None, REGION, PEOPLE, 7, truth=path, as_of=datetime(2026, 11, 1, tzinfo=UTC)) == path
    return Truth.load(path)


@pytest.fixture(scope="module")
def seeded(stores: Clients, truth: Truth) -> Snapshot:
    return snapshot(maker(None, REGION))
