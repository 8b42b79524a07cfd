"""The evidence bucket: versioned, under Object Lock. Encryption and access are the bucket's own settings."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from rightful.aws.errors import error_code, translated
from rightful.errors import NeedsAttention, TryAgain

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Mode = Literal["COMPLIANCE", "GOVERNANCE"]
"""COMPLIANCE: nobody can delete or shorten it, not even the account's root. GOVERNANCE: who may bypass it can."""


class S3Evidence:
    def __init__(self, client: S3Client, bucket: str, mode: Mode) -> None:
        self._client = client
        self._bucket = bucket
        self._mode: Mode = mode

    def keep(self, key: str, body: bytes, until: datetime) -> None:
        """S3 refuses the write when the key is taken (`If-None-Match`), so that a second try, or the SDK's own after an
        answer that was lost, makes no second version. Object Lock demands a checksum of what is sent, and its name
        (API reference, `PutObject`)."""
        with translated():
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=body,
                    IfNoneMatch="*",
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=base64.b64encode(hashlib.sha256(body).digest()).decode(),
                    ObjectLockMode=self._mode,
                    ObjectLockRetainUntilDate=until,
                )
            except ClientError as error:
                match error_code(error):
                    case "PreconditionFailed":
                        self._ensure_same(key, body)
                    case "ConditionalRequestConflict":
                        raise TryAgain("PutObject met another write of the same key") from None
                    case _:
                        raise

    def _ensure_same(self, key: str, body: bytes) -> None:
        if self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read() != body:
            raise NeedsAttention("the evidence holds something else under this key") from None
