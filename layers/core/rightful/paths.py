"""Paths into a record, as the data map writes them: `email`, `address.city`, `contacts[].email`, `tags[]`.

A dot steps into a map, `[]` into every element of a list or set. A dot, bracket or backslash that belongs to a name is
written with a backslash before it (`a\\.b`). Parts that a record lacks, or that are of another shape than the
path says, are simply not there: `get` finds nothing and `replace` changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from rightful.errors import Invalid


class _Remove(Enum):
    REMOVE = "remove"


REMOVE: Final = _Remove.REMOVE
"""What the function given to `replace` returns for a value that shall go, key and all."""

_Step = str | None
"""A name, or None for every element."""
_ESCAPABLE = ".[]\\"


@lru_cache(maxsize=4096)
def parse(path: str) -> tuple[_Step, ...]:
    """The steps of a path: names, and None for each `[]`. Raises Invalid, naming the path, when it is not one."""
    steps: list[_Step] = []
    name, rest, after_each = "", path, False
    while rest:
        if rest.startswith("\\") and len(rest) > 1 and rest[1] in _ESCAPABLE and not after_each:
            name, rest = name + rest[1], rest[2:]
        elif rest.startswith("[]") and (name or after_each):
            steps += [None] if after_each else [name, None]
            name, rest, after_each = "", rest[2:], True
        elif rest.startswith(".") and (name or after_each) and len(rest) > 1:
            steps += [] if after_each else [name]
            name, rest, after_each = "", rest[1:], False
        elif rest[0] in _ESCAPABLE or after_each:
            break
        else:
            name, rest = name + rest[0], rest[1:]
    if rest or not (name or steps):
        raise Invalid(f"`{path}` is not a path; write names with dots between, and [] for every element of a list")
    return (*steps, name) if name else tuple(steps)


def top(path: str) -> str:
    """The name of the top-level attribute that a path leads into."""
    first = parse(path)[0]
    assert first is not None, "parse never begins with []"
    return first


def get(data: Mapping[str, Any], path: str) -> list[Any]:
    """The values at the path, in the record's order; none when there are none."""
    found: list[Any] = [data]
    for step in parse(path):
        if step is None:
            found = [element for value in found if _is_many(value) for element in value]
        else:
            found = [value[step] for value in found if isinstance(value, Mapping) and step in value]
    return found


def replace(data: Mapping[str, Any], path: str, change: Callable[[Any], Any]) -> dict[str, Any]:
    """A copy of `data` in which every value at the path is `change(value)`, or gone where that is REMOVE.

    `data` is left as it was. A set that loses its last element goes too, as DynamoDB has no empty sets.
    """
    changed = _replace(data, parse(path), change)
    assert isinstance(changed, dict), "a path never names the record itself"
    return changed


def _replace(value: Any, steps: tuple[_Step, ...], change: Callable[[Any], Any]) -> Any:
    if not steps:
        return change(value)
    step, rest = steps[0], steps[1:]
    if step is None and _is_many(value):
        elements = [new for element in value if (new := _replace(element, rest, change)) is not REMOVE]
        if isinstance(value, list):
            return elements
        return type(value)(elements) if elements or not value else REMOVE
    if step is None or not isinstance(value, Mapping):
        return value
    copy = dict(value)
    if step in copy:
        new = _replace(copy[step], rest, change)
        if new is REMOVE:
            del copy[step]
        else:
            copy[step] = new
    return copy


def _is_many(value: Any) -> bool:
    return isinstance(value, list | set | frozenset)


def join(steps: Iterable[str]) -> str:
    """The path through these names, escaped where a name needs it."""
    return ".".join("".join(f"\\{c}" if c in _ESCAPABLE else c for c in step) for step in steps)
