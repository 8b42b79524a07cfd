"""Where moto's S3 answers otherwise than S3."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import S3Backend
from moto.s3.utils import _VersionedKeyStore

_upload_part = S3Backend.upload_part


def upload_part(self: S3Backend, bucket_name: str, multipart_id: str, part_id: int, value: bytes) -> Any:
    """For `S3Backend.upload_part`: moto answers a part of an unknown upload with a KeyError; S3 with NoSuchUpload."""
    if multipart_id not in self.get_bucket(bucket_name).multiparts:
        raise NoSuchUpload(multipart_id)
    return _upload_part(self, bucket_name, multipart_id, part_id, value)


_list_object_versions = S3Backend.list_object_versions


def list_object_versions(
    self: S3Backend, bucket_name: str, delimiter: str | None = None, key_marker: str | None = None, **rest: Any
) -> Any:
    """For `S3Backend.list_object_versions`. S3 goes on after the place that the markers name, even when what was there
    is deleted. moto then ends; and after a key marker alone it leaves out one version that belongs to the answer."""
    bucket = self.get_bucket(bucket_name)
    places: dict[tuple[str, str], tuple[str, float]] = vars(bucket).setdefault("places", {})
    every = [version for _, versions in bucket.keys.iterlists() for version in versions]
    places |= {(each.name, each.version_id): (each.name, -each.last_modified.timestamp()) for each in every}
    if key_marker:
        marker = rest.get("version_id_marker")
        reached = places[key_marker, marker] if marker else (key_marker, float("inf"))
        passed = [each for each in every if places[each.name, each.version_id] <= reached]
        last = max(passed, key=lambda each: places[each.name, each.version_id], default=None)
        key_marker, rest["version_id_marker"] = (last.name, last.version_id) if last else (None, None)
    return _list_object_versions(self, bucket_name, delimiter=delimiter, key_marker=key_marker, **rest)


def copied_versions(self: _VersionedKeyStore, memo: dict[int, Any]) -> _VersionedKeyStore:
    """For `_VersionedKeyStore.__deepcopy__`. moto has none, and Python's own way keeps only the newest version."""
    copy = memo[id(self)] = _VersionedKeyStore()
    for key, versions in self.iterlists():
        copy.setlist(key, deepcopy(versions, memo))
    return copy
