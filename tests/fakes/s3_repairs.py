"""Where moto's S3 answers otherwise than S3."""

from __future__ import annotations

from typing import Any

from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import S3Backend

_upload_part = S3Backend.upload_part


def upload_part(self: S3Backend, bucket_name: str, multipart_id: str, part_id: int, value: bytes) -> Any:
    """For `S3Backend.upload_part`: moto answers a part of an unknown upload with a KeyError; S3 with NoSuchUpload."""
    if multipart_id not in self.get_bucket(bucket_name).multiparts:
        raise NoSuchUpload(multipart_id)
    return _upload_part(self, bucket_name, multipart_id, part_id, value)
