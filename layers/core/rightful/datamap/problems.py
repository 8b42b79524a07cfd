"""What is wrong with a data map, where, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

Loc = tuple[str | int, ...]
"""Where in the document: keys and list indexes from the top."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at a place of the document."""

    loc: Loc
    what: str
    cure: str


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A finding with its line (from 1)."""

    line: int
    what: str
    cure: str

    def text(self, file: str) -> str:
        """`FILE:LINE: what. cure`"""
        return f"{file}:{self.line}: {self.what}. {self.cure}"


def nearest(word: str, known: Iterable[str]) -> str:
    """A cure for a name that is not known: the name probably meant, or all there are."""
    names = sorted(known)
    if close := difflib.get_close_matches(word, names, n=1):
        return f"Did you mean `{close[0]}`?"
    if not names:
        return "There are none to choose from yet."
    return f"Write one of: {', '.join(names)}."
