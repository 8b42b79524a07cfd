"""What the data map says of the retention of a bucket: how its objects are reached, and what that permits. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from rightful import retention
from rightful.model import FORBID_UNKNOWN, Permission, Store, SweepVerb
from rightful.ports import Wanted
from rightful.stores import encryption
from rightful.stores.s3_objects_map import DELIMITER, Problem, Settings, Through, reads_metadata, reads_tags

_DATED: Final = re.compile(r"(?P<head>[^%*]*)%Y(?:(?P<between>[^%*]*)%m)?")
_OF_AN_OBJECT: Final = frozenset({"key", "last_modified", "metadata", "tags"})
"""Top-level attributes in which an object can have a date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Where S3 Inventory writes its reports about the bucket."""

    __pydantic_config__ = FORBID_UNKNOWN
    bucket: str
    prefix: str
    """What stands before the dated folders, such as `inventories/my-bucket/daily/`."""
    kms_key: str = ""
    """ARN of the customer managed key that the reports are encrypted under, if they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Shape of `Retention.through`: for buckets too large to list."""

    __pydantic_config__ = FORBID_UNKNOWN
    inventory: Inventory


def inventory(store: Store) -> Inventory | None:
    given = store.retention.through.get("inventory")
    return Inventory(**given) if given else None


@dataclass(frozen=True, slots=True)
class Dated:
    """Keys that begin with a fixed text and the year (and month) that they are of."""

    head: str
    between: str | None
    """What stands between year and month; None when the month does not follow."""

    def year(self, year: int) -> str:
        return f"{self.head}{year:04}"

    def months(self, year: int, until: datetime) -> list[str]:
        """What the keys of the months of a year begin with, up to the month of `until`."""
        last = 12 if year < until.year else until.month
        return [f"{self.year(year)}{self.between}{month:02}" for month in range(1, last + 1)]


def dated(store: Store) -> Dated | None:
    """How the keys hold their date, if the rule goes by that and listing can go straight to it."""
    if not store.retention.since.startswith("key_date:"):
        return None
    match = _DATED.match(store.retention.since.removeprefix("key_date:"))
    if match is None or not match["head"].startswith(Settings(**store.settings).prefix):
        return None
    return Dated(match["head"], match["between"])


def stems(store: Store) -> list[str]:
    """What the keys of many people begin with, by the data map's own words."""
    prefix = Settings(**store.settings).prefix
    heads = {way.prefix.partition("{}")[0] for way in _ways(store) if way.prefix}
    return sorted(prefix + head for head in heads) or [prefix]


def sees_tags(store: Store) -> bool:
    return reads_tags(store) or "tags" in retention.attributes(store.retention)


def sees_metadata(store: Store) -> bool:
    return reads_metadata(store) or not {"metadata", "content_type"}.isdisjoint(retention.attributes(store.retention))


def in_use(rule_since: str, data: Mapping[str, Any], wanted: Wanted) -> bool:
    """Whether a record is surely too new to be wanted."""
    if wanted.after is None:
        return False
    if wanted.since == "last_modified":
        return retention.surely_after(data["last_modified"], wanted.after)
    if wanted.since == "key" and rule_since.startswith("key_date:"):
        date = retention.key_date(rule_since.removeprefix("key_date:"), data["key"])
        return date is not None and date > wanted.after
    return False


def _ways(store: Store) -> list[Through]:
    return [Through(**locator.through) for locator in store.locate]


def check(store: Store) -> Iterator[Problem]:
    rule, prefix = store.retention, Settings(**store.settings).prefix
    dates = {"retention.since": rule.since}
    dates |= {f"retention.unless.{n}.since": unless.since for n, unless in enumerate(rule.unless) if unless.since}
    for path, since in dates.items():
        pattern = since.removeprefix("key_date:") if since.startswith("key_date:") else None
        if retention.attribute(since) not in _OF_AN_OBJECT or since == "key":
            cure = "write `object_age`, `tag:NAME` or `key_date:events/%Y/%m/%d`"
            yield path, "is no date that an object has", cure
        elif pattern is not None:
            yield from _check_pattern(path, pattern, prefix)
    if given := inventory(store):
        at = "retention.through.inventory"
        if not given.bucket:
            yield f"{at}.bucket", "has no name", "name the bucket that S3 Inventory writes to"
        if not given.prefix.endswith(DELIMITER):
            cure = "write it with a slash at the end, like `inventories/my-bucket/daily/`"
            yield f"{at}.prefix", "is not what stands before the dated folders of an inventory", cure
        for _, what, cure in encryption.check(given.kms_key):
            yield f"{at}.kms_key", what, cure


def _check_pattern(path: str, pattern: str, prefix: str) -> Iterator[Problem]:
    """A pattern is of the whole key."""
    head = re.split("[%*]", pattern, maxsplit=1)[0]
    if not (head.startswith(prefix) or prefix.startswith(head)):
        yield path, f"fits no key that begins with `{prefix}`", f"begin the pattern with `{prefix}`"


def permissions(store: Store, verb: SweepVerb) -> list[Permission]:
    """The actions that splitting and sweeping call."""
    settings, listed = Settings(**store.settings), inventory(store)
    bucket = f"arn:${{AWS::Partition}}:s3:::{settings.bucket}"
    granted = _of_inventory(store, listed) if listed else []
    if verb == "announce":
        return []  # files are no accounts: the data map's check sees to it
    if verb == "split":
        return granted or [{"actions": ["s3:ListBucketVersions"], "resources": [bucket]}]
    on_objects = ["s3:AbortMultipartUpload", "s3:DeleteObjectVersion", "s3:GetObjectLegalHold", "s3:GetObjectRetention"]
    on_objects += ["s3:GetObjectVersion"] if sees_metadata(store) else []
    on_objects += ["s3:GetObjectVersionTagging"] if sees_tags(store) else []
    return [
        *granted,
        {"actions": ["s3:ListBucketMultipartUploads", "s3:ListBucketVersions"], "resources": [bucket]},
        {"actions": on_objects, "resources": [f"{bucket}/{settings.prefix}*"]},
    ]


def _of_inventory(store: Store, listed: Inventory) -> list[Permission]:
    bucket = f"arn:${{AWS::Partition}}:s3:::{listed.bucket}"
    # Where a report may be listed, S3 says of a part that is missing that it is, and not that it may not be read.
    granted: list[Permission] = [
        {"actions": ["s3:ListBucket"], "resources": [bucket]},
        {"actions": ["s3:GetObject"], "resources": [f"{bucket}/{listed.prefix}*"]},
    ]
    return granted + encryption.decrypting(replace(store, settings={"kms_key": listed.kms_key}), "s3")
