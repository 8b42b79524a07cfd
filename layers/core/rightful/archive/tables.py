"""A store's records as JSON and as CSV, each as chunks of bytes.

The JSON is the lossless copy. The CSV is for spreadsheets (see `rightful.cells`): one column for each top-level name
that any record has, nested values as JSON text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rightful.cells import MARK, cell, row
from rightful.records import Line

CHUNK = 256 * 1024
"""Bytes gathered before they are passed on."""


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
    rows, size = [MARK + row(map(cell, columns))], 0
    for line in lines:
        get = line.shown().get
        text = row([cell(get(name)) for name in columns])
        rows.append(text)
        size += len(text)
        if size >= CHUNK:
            yield "".join(rows).encode()
            rows, size = [], 0
    yield "".join(rows).encode()
