"""What the data map says of a bucket: how a person's objects are found, what is wrong with that, what it permits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rightful.errors import NeedsAttention
from rightful.model import FORBID_UNKNOWN, Locator, Permission, Store, Verb
from rightful.stores import encryption

Problem = tuple[str, str, str]
"""(path inside the store, what is wrong, cure)."""

DELIMITER = "/"
_KEY_BYTES = 1024
"""The longest key S3 takes, in UTF-8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    __pydantic_config__ = FORBID_UNKNOWN
    bucket: str
    prefix: str = ""
    """What all keys of this store begin with; ends with `/`."""
    kms_key: str = ""
    """ARN of the customer managed key that the objects are encrypted under, if they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Through:
    """A look-up by the key's beginning, or by a tag or metadata entry where the map allows every object to be read."""

    __pydantic_config__ = FORBID_UNKNOWN
    prefix: str = ""
    """Template, after the store's own prefix: `accounts/{}/`. The `/` ends the identity: acct-1 is not acct-10."""
    tag: str = ""
    """Name of the tag whose value is the identity."""
    metadata: str = ""
    """Name of the user metadata entry (`x-amz-meta-...`) whose value is the identity."""
    scan: Literal["", "allowed"] = ""

    def key_prefix(self, settings: Settings, value: str) -> str | None:
        """What the person's keys begin with; None when no key can. Raises NeedsAttention for an identity that would
        reach into another's keys."""
        if not value or not _fits(settings.prefix + self.prefix.replace("{}", value)):
            return None
        if not self.prefix:
            return settings.prefix
        if DELIMITER in value:
            raise NeedsAttention(f"an identity holds {DELIMITER}: which objects are the person's cannot be told")
        return settings.prefix + self.prefix.replace("{}", value)

    def finds(self, settings: Settings, data: Mapping[str, Any], value: str) -> bool:
        """Whether a record with this data is found for the identity."""
        if not value or not data["key"].startswith(settings.prefix):
            return False
        if self.prefix:
            whole = settings.prefix + self.prefix.replace("{}", value)
            return DELIMITER not in value and bool(data["key"].startswith(whole))
        if self.tag:
            return bool(data.get("tags", {}).get(self.tag) == value)
        return bool(data.get("metadata", {}).get(self.metadata.lower()) == value)


def _fits(prefix: str) -> bool:
    try:
        return len(prefix.encode()) <= _KEY_BYTES
    except UnicodeEncodeError:
        return False


def identities(settings: Settings, locate: Iterable[Locator], data: Mapping[str, Any]) -> set[tuple[str, str]]:
    """(identity name, value) of whoever the locators find the object for: the inverse of `Through.finds`."""
    found = set()
    for locator in locate:
        way = Through(**locator.through)
        if way.prefix:
            head = settings.prefix + way.prefix.partition("{}")[0]
            value = data["key"][len(head) :].partition(DELIMITER)[0]
        elif way.tag:
            value = data.get("tags", {}).get(way.tag, "")
        else:
            value = data.get("metadata", {}).get(way.metadata.lower(), "")
        if way.finds(settings, data, value):
            found.add((locator.by, value))
    return found


def check(store: Store) -> Iterator[Problem]:
    settings = Settings(**store.settings)
    if not settings.bucket:
        yield "settings.bucket", "has no name", "name the bucket"
    yield from encryption.check(settings.kms_key)
    if settings.prefix and not settings.prefix.endswith(DELIMITER):
        yield "settings.prefix", f"does not end with {DELIMITER}", f"end it with {DELIMITER}, or leave it away"
    for number, locator in enumerate(store.locate):
        for name, what, cure in _check_through(Through(**locator.through)):
            yield f"locate.{number}.through{name}", what, cure
    for rule in ("erasure", "retention"):
        if getattr(store, rule).action == "anonymise":
            yield f"{rule}.action", "is not possible: an object is kept or goes as a whole", "say `delete` or `keep`"


def _check_through(through: Through) -> Iterator[Problem]:
    ways = [name for name in ("prefix", "tag", "metadata") if getattr(through, name)]
    if len(ways) != 1:
        yield "", "says not exactly one of `prefix`, `tag` and `metadata`", "choose one; write the others as locators"
    elif not through.prefix and not through.scan:
        yield f".{ways[0]}", "would read every object", "look up by `prefix`, or, if that is fine, add `scan: allowed`"
    elif through.prefix and through.scan:
        yield ".scan", "is said of a look-up by prefix, which never scans", "leave it away"
    if through.prefix and (through.prefix.count("{}") != 1 or "{}" + DELIMITER not in through.prefix):
        yield (
            ".prefix",
            f"does not hold {{}} once with {DELIMITER} right after it, so that acct-1 would also find acct-10",
            f"write it like `accounts/{{}}{DELIMITER}`",
        )


def reads_tags(store: Store) -> bool:
    return any(locator.through.get("tag") for locator in store.locate)


def reads_metadata(store: Store) -> bool:
    return any(locator.through.get("metadata") for locator in store.locate)


def permissions(store: Store, verb: Verb) -> list[Permission]:
    """The actions that the connector calls for a verb, on the bucket and on the keys its look-ups can reach."""
    settings = Settings(**store.settings)
    bucket = f"arn:${{AWS::Partition}}:s3:::{settings.bucket}"
    ways = [Through(**locator.through) for locator in store.locate]
    if not ways:
        return []
    objects = sorted({f"{bucket}/{settings.prefix}{way.prefix.partition('{}')[0]}*" for way in ways})
    by_prefix = any(way.prefix for way in ways)
    if verb == "package":
        return [
            {"actions": ["s3:GetObjectVersion"], "resources": objects},
            # Not for listing: without it, S3 answers 403 instead of 404 for an object that is gone.
            {"actions": ["s3:ListBucket"], "resources": [bucket]},
            *encryption.decrypting(store, "s3"),
        ]
    listing = ["s3:ListBucketVersions"] + (["s3:ListBucketMultipartUploads"] if by_prefix else [])
    reading = ["s3:GetObjectVersionTagging"] if reads_tags(store) else []
    reading += ["s3:GetObjectVersion"] if reads_metadata(store) else []
    if verb == "erase" and (store.erasure.action == "delete" or store.erasure.period):
        reading += ["s3:DeleteObjectVersion", "s3:GetObjectLegalHold", "s3:GetObjectRetention"]
        reading += ["s3:AbortMultipartUpload"] if by_prefix else []
    granted: list[Permission] = [{"actions": sorted(listing), "resources": [bucket]}]
    return [*granted, {"actions": sorted(reading), "resources": objects}] if reading else granted
