"""Values as the cells and rows of a CSV that a spreadsheet may open: RFC 4180, and no cell can run as a formula.

Where the first thing that shows is `=`, `+`, `-` or `@` (or a wide form of it), or a tab or line break stands first,
the cell begins with an apostrophe. The same goes for what follows a semicolon or tab inside a cell, where a spreadsheet
with other settings would cut. Control characters become U+FFFD.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import orjson

from rightful import records

MARK: Final = "\ufeff"
"""The byte order mark that such a file begins with, in UTF-8: Excel asks for it."""
_FORMULA = re.compile(
    r"(^|[;\t])(?=[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff'\"]*[=+\-@＝＋－﹢﹣−＠﹫﹦]|[\t\r\n])"
)
_SUSPECT = frozenset("=+-@＝＋－﹢﹣−＠﹫﹦'\" ")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def row(cells: Iterable[str]) -> str:
    """One line of what `cell` made, with its end (RFC 4180, section 2)."""
    line = ",".join([_quoted(text) if _needs_quotes(text) else text for text in cells])
    return (line or '""') + "\r\n"  # a line without anything would be no row


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
