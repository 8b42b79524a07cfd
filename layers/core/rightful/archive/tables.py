"""A store's records as JSON and as CSV, each as chunks of bytes.

The JSON is the lossless copy. The CSV is for spreadsheets: UTF-8 with a byte order mark (Excel asks for it), RFC 4180,
one column for each top-level name that any record has, nested values as JSON text. No cell can run as a formula: where
the first thing that shows is `=`, `+`, `-` or `@` (or a wide form of it), or a tab or line break stands first, the cell
begins with an apostrophe. The same goes for what follows a semicolon or tab inside a cell, where a spreadsheet with
other settings would cut. Control characters become U+FFFD.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import orjson

from rightful import records
from rightful.records import Line

CHUNK = 256 * 1024
"""Bytes gathered before they are passed on."""
_FORMULA = re.compile(
    r"(^|[;\t])(?=[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff'\"]*[=+\-@＝＋－﹢﹣−＠﹫﹦]|[\t\r\n])"
)
_SUSPECT = frozenset("=+-@＝＋－﹢﹣−＠﹫﹦'\" ")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def as_json(lines: Iterable[Line]) -> Iterator[bytes]:
    """An array, one record a line."""
    buffer, between = bytearray(b"["), b"\n"
    for line in lines:
        buffer += between + line.text
        between = b",\n"
        if len(buffer) >= CHUNK:
            yield bytes(buffer)
            buffer.clear()
    buffer += b"\n]\n"
    yield bytes(buffer)


def as_csv(lines: Iterable[Line], columns: Sequence[str]) -> Iterator[bytes]:
    """A header and a row for each record. A record without a column, and an empty value, leaves its cell empty."""
    rows, size = ["\ufeff" + _row(map(cell, columns))], 0
    for line in lines:
        get = line.shown().get
        row = _row([cell(get(name)) for name in columns])
        rows.append(row)
        size += len(row)
        if size >= CHUNK:
            yield "".join(rows).encode()
            rows, size = [], 0
    yield "".join(rows).encode()


def _row(cells: Iterable[str]) -> str:
    """RFC 4180, section 2."""
    row = ",".join([_quoted(text) if _needs_quotes(text) else text for text in cells])
    return (row or '""') + "\r\n"  # a line without anything would be no row


def _needs_quotes(text: str) -> bool:
    return "," in text or '"' in text or "\n" in text or "\r" in text


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def cell(value: Any) -> str:
    """One value as the text of a cell, harmless."""
    match value:
        case str():
            return _harmless(value)
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return _harmless(str(value))
    try:
        return _harmless(orjson.dumps(value, default=_exact).decode())
    except TypeError:  # bytes, a number of more than 64 bits, a lone surrogate
        return _harmless(records.encode_value(value).decode())


def _harmless(text: str) -> str:
    if not text.isprintable():
        return _FORMULA.sub(r"\1'", _CONTROL.sub("\ufffd", text))
    if text[:1] in _SUSPECT or ";" in text:
        return _FORMULA.sub(r"\1'", text)
    return text  # nearly always, and quick to tell


def _exact(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(str(value))
    raise TypeError
