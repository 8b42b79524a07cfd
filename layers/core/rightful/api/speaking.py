"""Which language a reader gets."""

from __future__ import annotations

import re
from typing import Final

from rightful.languages import LANGUAGES

_RANGE: Final = re.compile(
    r"\s*([A-Za-z]{2,8})(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?"
)
_MOST: Final = 500
"""Characters that are looked at."""


def accepted(header: str) -> str:
    """The language that an `Accept-Language` header (RFC 9110 section 12.5.4) likes best, of those that we write.
    Nonsense in it counts as nothing."""
    wanted = [match for part in header[:_MOST].split(",") if (match := _RANGE.fullmatch(part))]
    known = [
        (float(match[2] or 1), match[1].lower())
        for match in wanted
        if match[1].lower() in LANGUAGES and float(match[2] or 1) > 0
    ]
    return max(known, key=lambda each: each[0])[1] if known else LANGUAGES[0]
