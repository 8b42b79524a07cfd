"""Clients for the sample's stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from infra.sample.keys import bucket_name, table_name

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

THREADS = 8
_PATHS = Config(s3={"addressing_style": "path"})
"""A bucket is not a host name on an emulator."""


@dataclass(frozen=True, slots=True)
class Clients:
    """`endpoint`: an emulator's address, or None for AWS itself. Thread-safe."""

    dynamodb: DynamoDBClient
    s3: S3Client
    account: str

    @classmethod
    def make(cls, endpoint: str | None, region: str) -> Clients:
        config = Config(max_pool_connections=THREADS, retries={"mode": "standard", "max_attempts": 5})
        session = boto3.Session(region_name=region)
        return cls(
            dynamodb=session.client("dynamodb", endpoint_url=endpoint, config=config),
            s3=session.client(
                "s3", endpoint_url=endpoint, config=config.merge(Config(s3={"addressing_style": "path"}))
            ),
            account=session.client("sts", endpoint_url=endpoint, config=config).get_caller_identity()["Account"],
        )

    def table(self, store: str) -> str:
        return table_name(store)

    def bucket(self, store: str) -> str:
        return bucket_name(store, self.account)
