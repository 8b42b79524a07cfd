"""What index.html shows of one store: counts, and its first records cut down to a readable size.

It is gathered while the records pass by, stays small however many and large they are, and is plain JSON, so that a
packaging step can lay it aside and another process can take it up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Literal

from rightful.records import Line

RECORDS = 100
"""Records shown."""
BUDGET = 200_000
"""Characters shown of one store; the record that goes beyond it is the last."""
TEXT, ITEMS, DEPTH = 600, 30, 4
"""Longest text shown (characters), most items of a list or map, deepest nesting."""
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that turn the direction of writing: in a file's name they can make `exe.pdf` out of `fdp.exe`."""
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
Missing = Literal["gone", "unreadable"]
"""Deleted before it was packed; or still held, and to be asked for."""


@dataclass(slots=True)
class Survey:
    count: int = 0
    """Records."""
    files: int = 0
    """Original files; those that are missing included."""
    missing: dict[str, Missing] = field(default_factory=dict)
    """Path -> why that file is not in the package."""
    hidden: dict[str, int] = field(default_factory=dict)
    """What was masked or withheld, as `masking.mask` counts it."""
    columns: dict[str, None] = field(default_factory=dict)
    """Top-level names, in order of appearance."""
    sample: list[dict[str, Any]] = field(default_factory=list)
    """The first records: name -> `shorten`ed value."""
    sample_files: list[dict[str, Any]] = field(default_factory=list)
    """The first files: {"name", "size", "path"}."""
    _left: int = BUDGET

    def watch(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The same lines, counted as they pass."""
        for line in lines:
            self.count += 1
            for what, times in line.hidden.items():
                self.hidden[what] = self.hidden.get(what, 0) + times
            if not (names := line.names()) <= self.columns.keys():
                self.columns.update(dict.fromkeys(names))
            if len(self.sample) < RECORDS and self._left > 0:
                record = shorten(line.shown())
                self._left -= _weight(record)
                self.sample.append(record)
            yield line

    def note_file(self, name: str, size: int, path: str) -> None:
        self.files += 1
        if len(self.sample_files) < RECORDS:
            self.sample_files.append({"name": _TURNING.sub("\ufffd", clean(name)), "size": size, "path": path})

    def unreadable(self) -> int:
        """How many files are missing that are still held."""
        return sum(why == "unreadable" for why in self.missing.values())

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Survey:
        return cls(**value)


def shorten(value: Any, depth: int = 0) -> Any:
    """A value cut down for reading: text, True/False, None, {"bytes": n}, {"list": [...], "more": n} or
    {"map": {...}, "more": n}; a whole record is a map without that wrapping."""
    match value:
        case str():
            return clean(value)
        case None | True | False:
            return value
        case int() | Decimal():
            return clean(str(value))
        case bytes():
            return {"bytes": len(value)}
    if depth >= DEPTH:
        return {"list": [], "more": len(value)}
    if isinstance(value, Mapping):
        items = {clean(name): shorten(item, depth + 1) for name, item in list(value.items())[:ITEMS]}
        return {"map": items, "more": max(0, len(value) - ITEMS)} if depth else items
    return {"list": [shorten(item, depth + 1) for item in value[:ITEMS]], "more": max(0, len(value) - ITEMS)}


def clean(text: str) -> str:
    """At most TEXT characters, none of which a page cannot show."""
    shown = _UNREADABLE.sub("\ufffd", text[:TEXT])
    return f"{shown}… (+{len(text) - TEXT})" if len(text) > TEXT else shown


def _weight(value: Any) -> int:
    match value:
        case str():
            return len(value) + 10
        case dict():
            return sum(len(name) + _weight(item) for name, item in value.items())
        case list():
            return sum(map(_weight, value))
    return 10
