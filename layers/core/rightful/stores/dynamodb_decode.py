"""Pages of DynamoDB as they came over the wire, decoded no further than the sweep looks.

`dynamodb_paced` hands over the body. msgspec takes from it the attributes that are wanted, most of them as they stand;
of records that are surely in use no value is made but their date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from types import GenericAlias, SimpleNamespace
from typing import Any, Final, TypeVar

import msgspec

from rightful.errors import TryAgain
from rightful.model import Record
from rightful.stores.dynamodb_values import key_text, to_python

_ODD: Final = re.compile(r'["\\\x00-\x1f]')
"""Names of attributes that msgspec has no fields for."""
T = TypeVar("T")
Key = dict[str, Any]
"""A primary key as the client takes it."""


class Units(msgspec.Struct, rename="pascal", gc=False):
    capacity_units: float = 0.0


class Page(msgspec.Struct, rename="pascal", gc=False):
    """Of Scan and Query; a subclass says what an item is."""

    scanned_count: int = 0
    last_evaluated_key: Key | None = None
    consumed_capacity: Units = msgspec.field(default_factory=Units)

    def last_key_text(self) -> str | None:
        """Where to go on; None after the last page."""
        return key_text(_key(self.last_evaluated_key)) if self.last_evaluated_key else None


class Keys(Page):
    """Of a Query for keys."""

    items: list[Key] = []

    def of_table(self, names: Sequence[str]) -> list[Key]:
        return [_key({name: item[name] for name in names}) for item in self.items]


class _Left(msgspec.Struct, rename="pascal"):
    keys: list[Key] = []


class Got(msgspec.Struct, rename="pascal"):
    """Of BatchGetItem; a subclass says what an item is."""

    unprocessed_keys: dict[str, _Left] = {}
    consumed_capacity: list[Units] = []

    def left(self, table: str) -> list[Key]:
        return [_key(key) for key in self.unprocessed_keys.get(table, _Left()).keys]


class Fault(msgspec.Struct, rename="pascal"):
    code: str = ""


class Statement(msgspec.Struct, rename="pascal"):
    """What became of one statement."""

    error: Fault | None = None
    item: msgspec.Raw = msgspec.Raw()

    @property
    def returned(self) -> bool:
        """Whether it answered with an item."""
        return bytes(self.item) not in (b"", b"{}", b"null")


class Statements(msgspec.Struct, rename="pascal"):
    """Of BatchExecuteStatement."""

    responses: list[Statement] = []
    consumed_capacity: list[Units] = []


_KEYS: Final = msgspec.json.Decoder(Keys)
_STATEMENTS: Final = msgspec.json.Decoder(Statements)


def keys(body: bytes) -> Keys:
    return _decoded(_KEYS, body)


def statements(body: bytes) -> Statements:
    return _decoded(_STATEMENTS, body)


class Items:
    """Makes records of a table's items. `since` is the attribute whose text `hidden` is asked about; no record is made
    of an item for which it says yes."""

    def __init__(self, key: Sequence[str], attributes: Collection[str], since: str) -> None:
        self._key = key
        self._since = since
        self.names = sorted({*key, *attributes})
        self._odd = any(map(_ODD.search, self.names))
        self._fields, self._pages, self._batches = _decoders(tuple(self.names), since, self._odd)

    def of_page(self, body: bytes, hidden: Callable[[Any], bool]) -> tuple[Page, list[Record]]:
        page = _decoded(self._pages, body)
        return page, list(self._records(page.items, hidden))

    def of_batch(self, body: bytes, table: str, hidden: Callable[[Any], bool]) -> tuple[Got, int, list[Record]]:
        """Also how many items came."""
        got = _decoded(self._batches, body)
        found = got.responses.get(table, [])
        return got, len(found), list(self._records(found, hidden))

    def _records(self, items: list[Any], hidden: Callable[[Any], bool]) -> Iterator[Record]:
        for item in map(self._loose, items) if self._odd else items:
            date = item.since
            if date is not None and hidden(date.get("S")):
                continue
            found = {name: raw for name, field in self._fields if (raw := getattr(item, field))}
            whole = {name: plain(msgspec.json.decode(raw)) for name, raw in found.items()}
            if date is not None:
                whole[self._since] = plain(date)
            data = {name: to_python(attribute) for name, attribute in whole.items()}
            yield Record(key_text({name: whole[name] for name in self._key}), data)

    def _loose(self, item: dict[str, msgspec.Raw]) -> SimpleNamespace:
        """As a typed item is."""
        date = item.get(self._since)
        found = {field: item.get(name) for name, field in self._fields}
        return SimpleNamespace(since=msgspec.json.decode(date) if date else None, **found)


def _key(key: Key) -> Key:
    return {name: plain(attribute) for name, attribute in key.items()}


def plain(attribute: Any) -> Any:
    """An attribute value of the wire as the client gives it: bytes are base64 there."""
    ((kind, value),) = attribute.items()
    if kind in ("B", "BS", "L", "M"):
        return {kind: _plain(kind, value)}
    return attribute


def _plain(kind: str, value: Any) -> Any:
    from base64 import b64decode

    if kind == "B":
        return b64decode(value)
    if kind == "BS":
        return [b64decode(each) for each in value]
    return [plain(each) for each in value] if kind == "L" else {name: plain(each) for name, each in value.items()}


@lru_cache(maxsize=16)
def _decoders(names: tuple[str, ...], since: str, odd: bool) -> tuple[list[tuple[str, str]], Any, Any]:
    """(attribute, field) of each that stays raw; decoders of pages and of batches."""
    raw = [(name, f"a{n}") for n, name in enumerate(names) if name != since]
    item: Any = dict[str, msgspec.Raw] if odd else _typed(raw, since)
    page = msgspec.defstruct(
        "ItemPage",
        [("items", GenericAlias(list, (item,)), msgspec.field(name="Items", default_factory=list))],
        bases=(Page,),
    )
    batches = GenericAlias(dict, (str, GenericAlias(list, (item,))))
    batch = msgspec.defstruct(
        "ItemBatch", [("responses", batches, msgspec.field(name="Responses", default_factory=dict))], bases=(Got,)
    )
    return raw, msgspec.json.Decoder(page), msgspec.json.Decoder(batch)


def _typed(raw: list[tuple[str, str]], since: str) -> Any:
    fields: list[tuple[str, Any, Any]] = [
        (field, msgspec.Raw, msgspec.field(name=name, default=msgspec.Raw())) for name, field in raw
    ]
    if since:
        fields.append(("since", dict[str, Any] | None, msgspec.field(name=since, default=None)))
    return msgspec.defstruct("Item", fields, gc=False, namespace=None if since else {"since": None})


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except msgspec.DecodeError:
        raise TryAgain("DynamoDB's answer cannot be read") from None
