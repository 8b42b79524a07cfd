"""What the data map says of a DynamoDB table: how a person is found in it, what is wrong with that, what it permits."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from rightful import paths
from rightful.errors import Invalid
from rightful.model import FORBID_UNKNOWN, Locator, Permission, Record, Store, Verb
from rightful.stores import encryption

Problem = tuple[str, str, str]
"""(path inside the store, what is wrong, cure)."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
_DIGITS = 38
_KEY_BYTES = 2048
"""Limits of DynamoDB: digits of a number, bytes of a partition key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    __pydantic_config__ = FORBID_UNKNOWN
    table: str
    key: list[str]
    """The table's primary key: [partition key] or [partition key, sort key]."""
    kms_key: str = ""
    """ARN of the customer managed key that the table is encrypted under, if it is."""
    max_rcu: int = 0
    max_wcu: int = 0
    """Capacity units a second that the retention sweep may read or write with; 0: as many as the table gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Through:
    """A look-up by `key` (of the table, or of `index`), or by any `attribute` where the map allows a scan."""

    __pydantic_config__ = FORBID_UNKNOWN
    key: str = ""
    """The partition key of the table, or of `index`."""
    index: str = ""
    """A secondary index; any projection will do."""
    sort_key: str = ""
    sort_prefix: str = ""
    """Only items whose sort key (`sort_key`, text) begins so: for tables that hold several kinds of items."""
    attribute: str = ""
    """Path of the identity in the item; every element of a list or set at its end counts."""
    scan: Literal["", "allowed"] = ""
    value: str = "{}"
    """What the store holds for an identity `{}`, e.g. `ACCOUNT#{}`."""
    type: Literal["S", "N", "B"] = "S"
    """N: the identity is the number's text. B: it is the bytes in base64."""

    def wanted(self, value: str) -> str | Decimal | bytes | None:
        """What a record of this person holds; None when no record can hold it."""
        if not value:
            return None
        text = self.value.replace("{}", value)
        if self.type == "N":
            fits = _NUMBER.fullmatch(text) and sum(c.isdigit() for c in text) <= _DIGITS
            return Decimal(text) if fits else None
        try:
            stored = text.encode() if self.type == "S" else base64.b64decode(text, validate=True)
        except ValueError:  # a lone surrogate, or no base64
            return None
        if self.key and len(stored) > _KEY_BYTES:
            return None
        return text if self.type == "S" else stored

    def finds(self, data: Mapping[str, Any], wanted: str | Decimal | bytes | None) -> bool:
        """Whether a record with this data is found for the wanted value."""
        if wanted is None:
            return False
        if self.attribute:
            return any(_holds(value, wanted) for value in paths.get(data, self.attribute))
        if not _equal(data.get(self.key), wanted):
            return False
        sort_value = data.get(self.sort_key) if self.sort_key else ""
        return isinstance(sort_value, str) and sort_value.startswith(self.sort_prefix)


def _holds(value: Any, wanted: object) -> bool:
    if isinstance(value, list | set):
        return any(_equal(element, wanted) for element in value)
    return _equal(value, wanted)


def _equal(value: Any, wanted: object) -> bool:
    """Equal and of one type: True is no number."""
    return type(value) is type(wanted) and value == wanted


def identities(locate: Iterable[Locator], record: Record) -> set[tuple[str, str]]:
    """(identity name, value) that the locators would find the record for: the inverse of `Through.wanted`."""
    found: set[tuple[str, str]] = set()
    for locator in locate:
        through = Through(**locator.through)
        for held in _held(through, record):
            value = _identity(through, held)
            if value and through.finds(record.data, through.wanted(value)):
                found.add((locator.by, value))
    return found


def _held(through: Through, record: Record) -> Iterator[Any]:
    for value in paths.get(record.data, through.attribute) if through.attribute else [record.data.get(through.key)]:
        if through.attribute and isinstance(value, list | set):
            yield from value
        else:
            yield value


def _identity(through: Through, held: Any) -> str:
    """The identity that stands in an attribute; empty when none does."""
    match held:
        case str():
            before, _, after = through.value.partition("{}")
            if len(held) > len(before) + len(after) and held.startswith(before) and held.endswith(after):
                return held[len(before) : len(held) - len(after)]
        case bytes():
            return base64.b64encode(held).decode()
        case Decimal():
            return f"{held:f}"
    return ""


def check(store: Store) -> Iterator[Problem]:
    settings = Settings(**store.settings)
    if not settings.table:
        yield "settings.table", "has no name", "name the table"
    yield from encryption.check(settings.kms_key)
    if not 1 <= len(set(settings.key)) == len(settings.key) <= 2 or not all(settings.key):
        yield "settings.key", "is not a primary key", "list the partition key, then the sort key if there is one"
        return
    for number, locator in enumerate(store.locate):
        for name, what, cure in _check_through(settings, Through(**locator.through)):
            yield f"locate.{number}.through{name}", what, cure
    for rule in ("erasure", "retention"):
        for path in getattr(store, rule).fields:
            if _attribute(path) in settings.key:
                yield (
                    f"{rule}.fields.{path}",
                    "is part of the primary key, which cannot be changed",
                    "delete the record, or leave this field",
                )


def _check_through(settings: Settings, through: Through) -> Iterator[Problem]:
    if bool(through.key) == bool(through.attribute):
        yield (
            "",
            "names both or none of `key` and `attribute`",
            "say `key` (and `index`), or `attribute` and `scan`",
        )
        return
    if through.value.count("{}") != 1:
        yield ".value", "has no place for the identity", "write {} once, where the identity stands"
    if through.type != "S" and through.value != "{}":
        yield ".value", "is a template for text, but the type is not S", "leave `value` away"
    if through.attribute:
        yield from _check_scan(through)
        return
    if through.scan:
        yield ".scan", "is said of a look-up by key, which never scans", "leave it away"
    if not through.index and through.key != settings.key[0]:
        yield (
            ".key",
            f"would scan the whole table: `{through.key}` is not its partition key",
            "name the index in `index`, or, where a scan is acceptable, say `attribute` and `scan: allowed`",
        )
    if bool(through.sort_key) != bool(through.sort_prefix):
        yield ".sort_prefix", "works only together with `sort_key`", "say both or neither"
    elif through.sort_key and not through.index and through.sort_key not in settings.key[1:]:
        yield ".sort_key", "is not the table's sort key", "name the second part of `settings.key`"


def _check_scan(through: Through) -> Iterator[Problem]:
    if not through.scan:
        yield (
            ".attribute",
            "would scan the whole table",
            "look up through `key` and `index`, or, where a scan is acceptable, add `scan: allowed`",
        )
    try:
        paths.parse(through.attribute)
    except Invalid as error:
        yield ".attribute", error.detail, "write it as the fields of the map are written"
    for name in ("index", "sort_key", "sort_prefix"):
        if getattr(through, name):
            yield f".{name}", "has no part in a scan", "leave it away, or look up through `key`"


def _attribute(path: str) -> str:
    try:
        return paths.top(path)
    except Invalid:
        return ""  # reported where all paths of the map are checked


def permissions(store: Store, verb: Verb) -> list[Permission]:
    """The actions that the connector calls for a verb, on exactly the table and indexes it calls them on."""
    if verb == "package":
        return []
    table = table_arn(store)
    granted: dict[str, set[str]] = {}
    for through in (Through(**locator.through) for locator in store.locate):
        if through.attribute:
            granted.setdefault(table, set()).add("dynamodb:Scan")
        elif through.index:
            granted.setdefault(f"{table}/index/{through.index}", set()).add("dynamodb:Query")
            granted.setdefault(table, set()).add("dynamodb:BatchGetItem")
        else:
            granted.setdefault(table, set()).add("dynamodb:Query")
    if verb == "erase" and (store.erasure.action != "keep" or store.erasure.period):
        action = "dynamodb:UpdateItem" if store.erasure.action == "anonymise" else "dynamodb:DeleteItem"
        granted.setdefault(table, set()).add(action)
    permissions: list[Permission] = [
        {"actions": sorted(actions), "resources": [arn]} for arn, actions in granted.items()
    ]
    return permissions + encryption.decrypting(store, "dynamodb") if permissions else []


def table_arn(store: Store) -> str:
    region = store.region or "${AWS::Region}"
    return f"arn:${{AWS::Partition}}:dynamodb:{region}:${{AWS::AccountId}}:table/{store.settings['table']}"
