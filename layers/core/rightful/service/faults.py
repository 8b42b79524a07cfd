"""Lets the parts of a daily round run although another part failed, and says at the end what failed."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Final

from rightful.errors import NeedsAttention, RightfulError, TryAgain

NAMED: Final = 5
"""Faults that the error at the end quotes."""


class Faults:
    def __init__(self) -> None:
        self._found: list[tuple[str, Exception]] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    @contextmanager
    def noted(self, part: str) -> Iterator[None]:
        """Whatever goes wrong inside is noted, and what comes after goes on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - a mistake in one part must not keep the others from running
            self._found.append((part, error))

    def unfinished(self, part: str) -> None:
        """Time is up, and more is left to do in this part."""
        self._found.append((part, TryAgain("more is left to do than one call has time for")))

    def ensure_none(self) -> None:
        """Raises TryAgain if something was noted that may pass, and NeedsAttention if nothing else will mend it."""
        if not self._found:
            return
        passing = all(isinstance(error, TryAgain) for _, error in self._found)
        said = "; ".join(f"{part}: {_words(error)}" for part, error in self._found[:NAMED])
        more = f"; and {len(self._found) - NAMED} more" if len(self._found) > NAMED else ""
        raise (TryAgain if passing else NeedsAttention)(said + more)


def _words(error: Exception) -> str:
    """Our own errors name nobody; of a foreign one, whose text may quote what it choked on, the place alone."""
    if isinstance(error, RightfulError):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"unexpected {type(error).__name__} at {PurePath(frame.filename).name}:{frame.lineno}"
