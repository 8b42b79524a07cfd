"""From a document to the data map: every key known, every value of the type that rightful.model says."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from rightful.datamap.problems import Finding, Loc, nearest
from rightful.model import DataMap

T = TypeVar("T")

_EXAMPLES = {
    "retention": "retention: {period: P1Y, since: last_used_at}",
    "erasure": "erasure: {action: delete}",
    "period": "period: P1Y",
    "since": "since: last_used_at",
    "category": "category: user.contact.email",
    "connector": "connector: dynamodb (or planned)",
    "through": "through: {...}, as the connector asks",
    "by": "by: email",
}
_KINDS = {str: "text", int: "a whole number", bool: "true or false", dict: "a mapping", list: "a list"}


def load(value: Any) -> tuple[DataMap | None, list[Finding]]:
    """The data map that a document's value describes, or what is wrong with it."""
    return build(DataMap, value)


def build(cls: type[T], value: Any, at: Loc = ()) -> tuple[T | None, list[Finding]]:
    """`value`, which stands at `at`, as the dataclass `cls`; findings have their whole place.
    Strict, as JSON is read: nothing is turned silently into another type."""
    try:
        return TypeAdapter(cls).validate_json(json.dumps(value), strict=True), []
    except ValidationError as error:
        return None, [_finding(cls, detail, at) for detail in error.errors(include_url=False)]


def _finding(cls: type[Any], detail: ErrorDetails, at: Loc) -> Finding:
    inner, is_key = detail["loc"], detail["loc"][-1:] == ("[key]",)  # pydantic's word for the key itself
    inner = inner[:-1] if is_key else inner
    loc = (*at, *inner)
    here, given = str(loc[-1]) if loc else "the map", detail.get("input")
    match detail["type"]:
        case "unexpected_keyword_argument":
            known = {field.name for field in dataclasses.fields(_type_at(cls, inner[:-1]))}
            return Finding(loc, f"unknown key `{here}`{_inside(loc)}", nearest(here, known))
        case "missing":
            return Finding(loc, f"`{here}` is missing{_inside(loc)}", f"Add `{_EXAMPLES.get(here, here + ': ...')}`.")
        case "literal_error" if given is None:
            return Finding(
                loc, f"`{here}`{_inside(loc)} is empty", 'Write a choice; the word null needs quotes: "null".'
            )
        case "literal_error":
            choices = typing.get_args(_type_at(cls, inner[:-1]))[0] if is_key else _type_at(cls, inner)
            known = {str(choice) for choice in typing.get_args(choices)}
            return Finding(loc, f"`{given}` is not a choice for `{here}`{_inside(loc)}", nearest(str(given), known))
        case "string_type" if given is None:
            return Finding(loc, f"`{here}`{_inside(loc)} is empty", "Write its text after the colon.")
        case "string_type" if isinstance(given, int | float):
            return Finding(loc, f"`{here}`{_inside(loc)} is not text", f'Put it in quotes: "{json.dumps(given)}".')
        case _:
            return Finding(loc, f"`{here}`{_inside(loc)} is {_kind(given)}", f"{_wanted(cls, inner, detail)}.")


def _inside(loc: Loc) -> str:
    return f" in {'.'.join(map(str, loc[:-1]))}" if len(loc) > 1 else ""


def _kind(value: Any) -> str:
    return "empty" if value is None else next((name for t, name in _KINDS.items() if type(value) is t), "a number")


def _wanted(cls: type[Any], loc: Loc, detail: ErrorDetails) -> str:
    hint = _type_at(cls, loc)
    plain = typing.get_origin(hint) or hint
    if dataclasses.is_dataclass(plain):
        return f"Write a mapping with {', '.join(f'`{name}`' for name in _required(plain))}"
    if plain in _KINDS:
        return f"Write {_KINDS[plain]}"
    return detail["msg"].replace("Input should be", "It should be")


def _required(cls: Any) -> Iterator[str]:
    for field in dataclasses.fields(cls):
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            yield field.name


def _type_at(cls: Any, loc: Loc) -> Any:
    """The type that the value at `loc` should have."""
    hint = cls
    for part in loc:
        if dataclasses.is_dataclass(hint):
            hint = typing.get_type_hints(hint).get(str(part), Any)
        else:
            hint = (typing.get_args(hint) or (Any,))[-1]
        if isinstance(hint, types.UnionType):
            hint = hint.__args__[0]
    return hint
