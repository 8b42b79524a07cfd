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
from collections.abc import Callable, Iterable, Mapping
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

    shown: dict[str, Any]
    """What the person gets: masked already."""
    hidden: dict[str, int]
    """What `masking.mask` counted for this record."""
    source: Record | None = None
    """The record that opens the original file, if there is one. It is as read, unmasked: never shown."""


def to_line(shown: Mapping[str, Any], hidden: Mapping[str, int], record: Record) -> bytes:
    """One line, newline included. What opens the original file is written only when there is one."""
    line: dict[str, Any] = {"shown": shown, "hidden": hidden}
    if record.file is not None:
        line["source"] = {
            "key": record.key,
            "data": record.data,
            "name": record.file.name,
            "size": record.file.size,
        }
    return encode(line) + b"\n"


def from_line(line: bytes) -> Line:
    parsed = decode(line)
    source = parsed.get("source")
    record = None
    if source is not None:
        record = Record(source["key"], source["data"], file=StoredFile(source["name"], int(source["size"])))
    return Line(parsed["shown"], parsed["hidden"], record)


def encode(data: Mapping[str, Any]) -> bytes:
    """The record as one line of UTF-8 JSON without a newline. Raises TypeError for a value that no store gives."""
    parts: list[str] = []
    _write(data, parts.append)
    return "".join(parts).encode("utf-8")


def decode(text: bytes) -> dict[str, Any]:
    """What `encode` was given; a set comes back as a sorted list, a date as text."""
    value: dict[str, Any] = _decoder.decode(text.decode("utf-8"))
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
