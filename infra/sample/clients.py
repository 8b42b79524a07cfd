"""Clients for the sample's stores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from infra.sample.keys import bucket_name, table_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

THREADS = 8
MakeClient = Callable[[str], Any]
"""Service name -> client, as `boto3.client` and an emulator's stack offer it."""


@dataclass(frozen=True, slots=True)
class Clients:
    """Clients of the sample's stores in one account. They may be shared by threads."""

    dynamodb: DynamoDBClient
    s3: S3Client
    account: str

    @classmethod
    def of(cls, client: MakeClient) -> Clients:
        return cls(client("dynamodb"), client("s3"), client("sts").get_caller_identity()["Account"])

    def table(self, store: str) -> str:
        return table_name(store)

    def bucket(self, store: str) -> str:
        return bucket_name(store, self.account)


def maker(endpoint: str | None, region: str) -> MakeClient:
    """Makes clients of an emulator at `endpoint`, or of AWS itself when that is None."""
    # A bucket is not a host name on an emulator, so it goes into the path.
    config = Config(max_pool_connections=THREADS, retries={"mode": "standard"}, s3={"addressing_style": "path"})
    session = boto3.Session(region_name=region)

    def make(service: str) -> Any:
        return session.client(service, endpoint_url=endpoint, config=config)  # type: ignore[call-overload]  # any name

    return make
