"""The messages that the pages can say, read from the source: what each catalogue must have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from babel.messages.extract import extract
from jinja2.ext import babel_extract

CENTRE = Path(__file__).parents[3] / "layers/core/rightful/centre"
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "P_": (1, 2)}
OPTIONS = {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "trim_blocks": "true", "newstyle_gettext": "true"}

Message = str | tuple[str, str]
"""A sentence, or one for one and one for many."""


def messages() -> set[Message]:
    return set(_found())


def _found() -> Iterator[Message]:
    for path in sorted(CENTRE.rglob("*.html")):
        with path.open("rb") as file:
            for _, _, message, _ in babel_extract(file, list(KEYWORDS), [], OPTIONS):
                yield from _usable(message)
    for path in sorted(CENTRE.rglob("*.py")):
        with path.open("rb") as file:
            for _, message, _, _ in extract("python", file, KEYWORDS):
                yield from _usable(message)


def _usable(message: object) -> Iterator[Message]:
    """Without what is no literal: a message that is picked by a variable is marked where it is written down."""
    if isinstance(message, str):
        yield message
    elif isinstance(message, tuple) and len(message) > 1 and all(isinstance(part, str) for part in message[:2]):
        yield message[0], message[1]
    elif isinstance(message, tuple) and message and isinstance(message[0], str):
        yield message[0]
