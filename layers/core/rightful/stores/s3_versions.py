"""All versions and delete markers of some keys of a bucket, with few calls."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from rightful.stores.s3_objects_entries import Entry, listed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_LAST: Final = "\U0010ffff"
_KEY_BYTES: Final = 1024


def of_keys(client: S3Client, bucket: str, keys: Iterable[str]) -> Iterator[Entry]:
    """Every version and delete marker that these keys have now. Keys that lie side by side come from one call."""
    left = sorted(set(keys))
    markers: dict[str, Any] = {"KeyMarker": just_before(left[0])} if len(left) > 1 else {}
    while left:
        # For a single key the prefix leads straight to it: a key comes before all that it begins.
        prefix = os.path.commonprefix(left)  # noqa: RUF071 - of texts, not of paths
        answer = client.list_object_versions(Bucket=bucket, Prefix=prefix, **markers)
        wanted = set(left)
        yield from (entry for entry in listed(answer) if entry["key"] in wanted)
        if not answer["IsTruncated"]:
            return
        reached = answer["NextKeyMarker"]
        left = [key for key in left if key >= reached]
        if left and left[0] == reached:
            markers = {"KeyMarker": reached, "VersionIdMarker": answer["NextVersionIdMarker"]}
        elif left:
            markers = {"KeyMarker": just_before(left[0])}


def just_before(key: str) -> str:
    """A marker after which a listing begins with `key`, or with few others before it."""
    head, last = key[:-1], ord(key[-1]) - 1
    if last < 0 or 0xD800 <= last <= 0xDFFF:
        return head
    marker = head + chr(last)
    return marker + _LAST if len((marker + _LAST).encode()) <= _KEY_BYTES else marker


def after_all(prefix: str) -> str:
    """A marker after which a listing begins behind all keys that begin with `prefix`."""
    return prefix + _LAST
