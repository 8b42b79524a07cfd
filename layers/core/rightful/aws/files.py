"""The exports bucket in S3. Encryption (KMS), expiry and access are the bucket's own settings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from botocore.exceptions import ClientError

from rightful.aws.errors import error_code, from_code, translated
from rightful.aws.uploads import S3Upload
from rightful.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK: Final = 1024 * 1024
"""Largest chunk that `read` gives, in bytes."""
BATCH: Final = 1000
"""Keys that one DeleteObjects takes."""


class S3Files:
    """The client must sign with version 4."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, body: bytes) -> None:
        with translated():
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body)

    def read(self, key: str) -> Iterator[bytes]:
        with translated():
            try:
                body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
            except ClientError as error:
                if error_code(error) != "NoSuchKey":
                    raise
                raise NotFound("The file does not exist.") from None
        return _chunks(body)

    def list(self, prefix: str) -> Iterator[str]:
        start: dict[str, Any] = {}
        while True:
            with translated():
                page = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, **start)
            yield from (entry["Key"] for entry in page.get("Contents", ()))
            if not page["IsTruncated"]:
                return
            start = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, prefix: str) -> None:
        """Uploads go first: one that is finished in between is then among the objects."""
        if not prefix:
            raise ValueError("an empty prefix would delete everything")
        for key, upload in self._uploads(prefix):
            self._abort(key, upload)
        keys = self.list(prefix)
        while batch := list(islice(keys, BATCH)):
            with translated():
                answer = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
                )
            for failure in answer.get("Errors", ()):
                raise from_code("DeleteObjects", failure.get("Code", "InternalError"))

    def upload(self, key: str, state: str | None = None) -> S3Upload:
        return S3Upload(self, self._client, self._bucket, key, state)

    def uri(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"

    def link(self, key: str, name: str, seconds: int) -> str:
        """The link ends earlier when the credentials that signed it do: make it when it is asked for."""
        with translated():
            return self._client.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": key,
                    "ResponseContentDisposition": attachment(name),
                    "ResponseCacheControl": "no-store",
                },
                ExpiresIn=seconds,
            )

    def _uploads(self, prefix: str) -> Iterator[tuple[str, str]]:
        start: dict[str, Any] = {}
        while True:
            with translated():
                page = self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=prefix, **start)
            yield from ((upload["Key"], upload["UploadId"]) for upload in page.get("Uploads", ()))
            if not page["IsTruncated"]:
                return
            start = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    def _abort(self, key: str, upload: str) -> None:
        with translated():
            try:
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
            except ClientError as error:
                if error_code(error) != "NoSuchUpload":
                    raise


def attachment(name: str) -> str:
    """A Content-Disposition that saves as `name`, in ASCII for old clients and in full for others (RFC 6266)."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _chunks(body: Any) -> Iterator[bytes]:
    with translated():
        yield from body.iter_chunks(CHUNK)
