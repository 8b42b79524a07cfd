"""What the connector for S3 objects makes of S3's listings: one entry for each version, delete marker and upload."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from rightful.clocks import stamp
from rightful.model import Record, StoredFile

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ListMultipartUploadsOutputTypeDef, ListObjectVersionsOutputTypeDef

Entry = dict[str, Any]
"""The data of a record: key, kind (version, delete_marker or upload), last_modified (RFC 3339), version_id or
upload_id. A version also has size (bytes), etag and is_latest; tags, metadata and content_type where a look-up needs
them."""


def version_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """How a call names the version."""
    return {"Key": data["key"], "VersionId": data["version_id"]}


def listed(answer: ListObjectVersionsOutputTypeDef) -> list[Entry]:
    """By key; the markers of a key before its versions, so that none is left when the versions that tie it to a
    person are gone."""
    markers: list[Entry] = [
        {
            "key": marker["Key"],
            "kind": "delete_marker",
            "version_id": marker["VersionId"],
            "is_latest": marker["IsLatest"],
            "last_modified": stamp(marker["LastModified"]),
        }
        for marker in answer.get("DeleteMarkers", [])
    ]
    versions: list[Entry] = [
        {
            "key": version["Key"],
            "kind": "version",
            "version_id": version["VersionId"],
            "is_latest": version["IsLatest"],
            "last_modified": stamp(version["LastModified"]),
            "size": version["Size"],
            "etag": version["ETag"],
        }
        for version in answer.get("Versions", [])
    ]
    return sorted(markers + versions, key=lambda entry: str(entry["key"]))


def uploads(answer: ListMultipartUploadsOutputTypeDef) -> list[Entry]:
    return [
        {
            "key": plain_key(answer, upload["Key"]),
            "kind": "upload",
            "upload_id": upload["UploadId"],
            "last_modified": stamp(upload["Initiated"]),
        }
        for upload in answer.get("Uploads", [])
    ]


def plain_key(answer: ListMultipartUploadsOutputTypeDef, key: str) -> str:
    """The key as it is. botocore decodes the keys of other listings, but not of this one."""
    return unquote_plus(key) if answer.get("EncodingType") == "url" else key


def record_of(entry: Entry) -> Record:
    key = json.dumps([entry["kind"], entry["key"], entry.get("version_id", entry.get("upload_id"))], ensure_ascii=False)
    if entry["kind"] != "version" or "size" not in entry:  # an inventory need not say it
        return Record(key, entry)
    return Record(key, entry, file=StoredFile(entry["key"].rstrip("/").rpartition("/")[2], entry["size"]))
