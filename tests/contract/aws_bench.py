"""A session for connectors under test: it records their calls, and fails the ones it is told to.

The calls go to moto, or to the emulator at RIGHTFUL_TEST_ENDPOINT where that is set.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws
from moto.s3.models import S3Backend

from rightful.errors import RightfulError, TryAgain
from tests.fakes.s3_repairs import list_object_versions

ENDPOINT: Final = os.environ.get("RIGHTFUL_TEST_ENDPOINT")
REGION: Final = "eu-west-1"
SHARED: Final = boto3.Session("test", "test", region_name=REGION)
"""Keeps the service descriptions that it read, which is most of what making a client costs."""
ONCE: Final = Config(retries={"mode": "standard", "total_max_attempts": 1})

ACTIONS: Final = {
    "BatchGetItem": "dynamodb:BatchGetItem",
    "DeleteItem": "dynamodb:DeleteItem",
    "Query": "dynamodb:Query",
    "Scan": "dynamodb:Scan",
    "UpdateItem": "dynamodb:UpdateItem",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "DeleteObject": "s3:DeleteObjectVersion",
    "DeleteObjects": "s3:DeleteObjectVersion",
    "GetObject": "s3:GetObjectVersion",
    "GetObjectLegalHold": "s3:GetObjectLegalHold",
    "GetObjectRetention": "s3:GetObjectRetention",
    "GetObjectTagging": "s3:GetObjectVersionTagging",
    "HeadObject": "s3:GetObjectVersion",
    "ListObjectsV2": "s3:ListBucket",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "ListObjectVersions": "s3:ListBucketVersions",
}
"""Operation -> the IAM action it needs when it names a version. Source: the Service Authorization Reference."""


@dataclass
class Answer:
    """As much of an HTTP answer as botocore looks at."""

    status_code: int
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    text: str = ""


@dataclass
class RecordingSession:
    """Of the shape of the boto3 module."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """(operation, parameters) in order."""
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """operation -> what it answers instead of being sent, one after another; the last stays."""

    made: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str, **options: Any) -> Any:
        """Clients are slow to make, so there is one for each service."""
        if service in self.made:
            return self.made[service]
        options["config"] = options.pop("config", Config()).merge(ONCE)
        made = self.made[service] = SHARED.client(service, endpoint_url=ENDPOINT, **options)  # type: ignore[call-overload] # any service
        made.meta.events.register("provide-client-params", self._record)
        made.meta.events.register("before-call", self._answer)
        return made

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.calls]

    def fail(self, operations: tuple[str, ...], error: type[RightfulError]) -> None:
        """Every later call of these operations is throttled or denied. AWS's message quotes what was sent."""
        code, status = ("ThrottlingException", 400) if error is TryAgain else ("AccessDeniedException", 400)
        for operation in operations:
            self.answers[operation] = [failure(code, status)]

    def called(self) -> set[tuple[str, str]]:
        """(IAM action, ARN)."""
        return {
            (_action(operation, parameters), arn)
            for operation, parameters in self.calls
            for arn in _arns(operation, parameters)
        }

    def _record(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls.append((model.name, params))

    def _answer(self, model: Any, params: dict[str, Any], **_: Any) -> tuple[Answer, dict[str, Any]] | None:
        waiting = self.answers.get(model.name)
        if not waiting:
            return None
        parsed = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if "Error" in parsed:
            parsed["Error"]["Message"] = f"cannot do this: {params}"
        status = parsed.setdefault("ResponseMetadata", {}).setdefault("HTTPStatusCode", 200)
        return Answer(status), parsed


def failure(code: str, status: int = 400) -> dict[str, Any]:
    return {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}


def _action(operation: str, parameters: dict[str, Any]) -> str:
    plain = operation == "GetObject" and "VersionId" not in parameters
    return "s3:GetObject" if plain else ACTIONS[operation]


def _arns(operation: str, parameters: dict[str, Any]) -> Iterator[str]:
    if "Bucket" in parameters:
        bucket = f"arn:aws:s3:::{parameters['Bucket']}"
        if operation.startswith("List"):
            yield bucket
        elif operation == "DeleteObjects":
            yield from (f"{bucket}/{named['Key']}" for named in parameters["Delete"]["Objects"])
        else:
            yield f"{bucket}/{parameters['Key']}"
        return
    tables = [parameters["TableName"]] if "TableName" in parameters else list(parameters["RequestItems"])
    index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
    yield from (f"arn:aws:dynamodb:{REGION}:000000000000:table/{table}{index}" for table in tables)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(S3Backend, "list_object_versions", list_object_versions)
    with nullcontext() if ENDPOINT else mock_aws():
        yield


@cache
def admin(service: str) -> Any:
    """A client that is not recorded, and fails at nothing."""
    return SHARED.client(service, endpoint_url=ENDPOINT)  # type: ignore[call-overload] # any
