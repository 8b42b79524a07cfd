"""How a record is written down while an export is being made, and how it is read back: lossless JSON.

JSON has no bytes, sets or dates, and its numbers have no agreed size. So:

- a finite number is a JSON number with every digit it had (`Decimal` in, `Decimal` or `int` out);
- bytes are `{"base64": "..."}`, a number that JSON cannot write (NaN, infinities) is `{"number": "NaN"}`;
- an object of the store's own that looks like one of these tags gets a `_` before its name: `{"_base64": ...}`
  (and `{"__base64": ...}` where it had one already);
- a set is a sorted list, a date or time is its ISO 8601 text;
- text is UTF-8; a text with a lone surrogate, which UTF-8 cannot hold, is written with `\\u` escapes.

A work file of an export holds one `Line` after another.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, KeysView, Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any

from rightful.model import Record, StoredFile

TAGS = ("base64", "number")
LONGEST_NUMBER = 1000
"""Digits. A longer one is tagged, since most JSON readers (Python's too) refuse it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record as the export step leaves it for the packaging step."""

    text: bytes
    """What the person gets, masked already, as `encode` wrote it."""
    hidden: dict[str, int]
    """What `masking.mask` counted for this record."""
    source: Record | None = None
    """The record that opens the original file, if there is one. It is as read, unmasked: never shown."""

    def shown(self) -> dict[str, Any]:
        """`text`, read back."""
        return decode(self.text)

    def names(self) -> KeysView[str]:
        """The top-level names of what is shown; much faster than reading it exactly."""
        import orjson  # only packaging needs it

        try:
            found: dict[str, Any] = orjson.loads(self.text)
        except ValueError:  # a lone surrogate, which orjson does not know
            found = self.shown()
        return found.keys() if len(found) != 1 else self.shown().keys()


def to_line(shown: Mapping[str, Any], hidden: Mapping[str, int], record: Record) -> bytes:
    """One line, newline included. What opens the original file is written only when there is one."""
    about: dict[str, Any] = {"hidden": hidden}
    if record.file is not None:
        about["key"] = record.key
        about["data"] = record.data
        about["file"] = {"name": record.file.name, "size": record.file.size}
    return encode(shown) + _TAB + encode(about) + b"\n"


def from_line(line: bytes) -> Line:
    """What `to_line` was given, with or without the newline."""
    text, _, rest = line.rstrip(b"\n").partition(_TAB)
    if rest == _NOTHING:
        return Line(text, {})
    about = decode(rest)
    source = None
    if "file" in about:
        source = Record(about["key"], about["data"], file=StoredFile(about["file"]["name"], about["file"]["size"]))
    return Line(text, about["hidden"], source)


def encode(data: Mapping[str, Any]) -> bytes:
    """The record as one line of UTF-8 JSON without a newline. Raises TypeError for a value that no store gives."""
    return encode_value(data)


def encode_value(value: Any) -> bytes:
    """Any part of a record, written in the same way."""
    parts: list[str] = []
    _write(value, parts.append)
    return "".join(parts).encode("utf-8")


def decode(text: bytes) -> dict[str, Any]:
    """What `encode` was given; a set comes back as a sorted list, a date as text."""
    decoder = _decoder if any(tag in text for tag in _TAGGED) else _plain_decoder
    value: dict[str, Any] = decoder.decode(text.decode("utf-8"))
    return value


def _write(value: Any, out: Callable[[str], None]) -> None:
    match value:
        case str():
            out(_text(value))
        case None | True | False:
            out({None: "null", True: "true", False: "false"}[value])
        case int() | Decimal() | float():
            out(_number(value))
        case Mapping():
            _write_object(value, out)
        case list() | tuple():
            _write_list(value, out)
        case set() | frozenset():
            _write_list(sorted(value, key=_order), out)
        case bytes() | bytearray() | memoryview():
            out('{"base64":"' + base64.b64encode(value).decode("ascii") + '"}')
        case date() | time():  # a datetime is a date
            out(_text(value.isoformat()))
        case _:
            raise TypeError(f"a record cannot hold a {type(value).__name__}")


def _write_object(value: Mapping[str, Any], out: Callable[[str], None]) -> None:
    if len(value) == 1:
        value = {"_" + name if _is_tag(name) else name: item for name, item in value.items()}
    opening = "{"
    for name, item in value.items():
        out(opening + _text(name) + ":")
        _write(item, out)
        opening = ","
    out("{}" if opening == "{" else "}")


def _write_list(values: Iterable[Any], out: Callable[[str], None]) -> None:
    opening = "["
    for item in values:
        out(opening)
        _write(item, out)
        opening = ","
    out("[]" if opening == "[" else "]")


def _text(value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return encode_basestring_ascii(value)
    return encode_basestring(value)


def _number(value: int | Decimal | float) -> str:
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    text = str(number)
    if number.is_finite() and len(text) <= LONGEST_NUMBER:
        return text
    return '{"number":"' + text + '"}'


def _order(value: Any) -> tuple[str, Any]:
    """Sets of a store hold one type each; should they not, types are kept apart."""
    return ("number", value) if isinstance(value, int | Decimal) else (type(value).__name__, value)


def _is_tag(name: str) -> bool:
    return name.endswith(TAGS) and name.lstrip("_") in TAGS


def _untag(value: dict[str, Any]) -> Any:
    """Called for each object after those inside it."""
    if len(value) != 1:
        return value
    ((name, item),) = value.items()
    if name == "base64":
        return base64.b64decode(item)
    if name == "number":
        return Decimal(item)
    return {name[1:]: item} if _is_tag(name) else value


_decoder = json.JSONDecoder(object_hook=_untag, parse_float=Decimal)
_plain_decoder = json.JSONDecoder(parse_float=Decimal)
"""Several times as fast, for text without tags."""
_TAGGED = [f'{tag}":'.encode() for tag in TAGS]
_TAB = b"\t"
"""Stands between the parts of a line: inside JSON a tab is always escaped."""
_NOTHING = b'{"hidden":{}}'
