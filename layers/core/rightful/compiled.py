"""The checked data map as JSON, and back into rightful.model without a validation library.

What is loaded here was checked when it was built, so a value of another shape is a broken build, not someone's input.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from rightful.errors import NeedsAttention
from rightful.model import DataMap


def dump(datamap: DataMap) -> str:
    """The data map as JSON, one line; equal maps give equal text."""
    return json.dumps(dataclasses.asdict(datamap), ensure_ascii=False, separators=(",", ":"))


def load_compiled(text: str) -> DataMap:
    """The data map that `dump` wrote. Raises NeedsAttention when it is something else."""
    try:
        loaded = _builder(DataMap)(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise NeedsAttention("the compiled data map cannot be read: build it again from infra/datamap.yaml") from None
    assert isinstance(loaded, DataMap)
    return loaded


def resolve(datamap: DataMap, account: str, region: str, partition: str = "aws") -> DataMap:
    """The map with `${AWS::AccountId}`, `${AWS::Region}` and `${AWS::Partition}` filled in wherever a store names a
    resource: in settings, locators, ways to what is due, `role_arn` and `region`, and in the secrets of recipients. A
    store's own `region` wins over the stack's."""
    stores = {}
    for name, store in datamap.stores.items():
        own = _fill(store.region, {"${AWS::Region}": region})
        known = {"${AWS::AccountId}": account, "${AWS::Region}": own or region, "${AWS::Partition}": partition}
        stores[name] = replace(
            store,
            region=own,
            role_arn=_fill(store.role_arn, known),
            settings=_fill(store.settings, known),
            locate=[replace(locator, through=_fill(locator.through, known)) for locator in store.locate],
            retention=replace(store.retention, through=_fill(store.retention.through, known)),
        )
    here = {"${AWS::AccountId}": account, "${AWS::Region}": region, "${AWS::Partition}": partition}
    recipients = {
        name: replace(recipient, secret=_fill(recipient.secret, here)) for name, recipient in datamap.recipients.items()
    }
    return replace(datamap, stores=stores, recipients=recipients)


def _fill(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for placeholder, real in known.items():
            value = value.replace(placeholder, real)
        return value
    if isinstance(value, dict):
        return {key: _fill(inner, known) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, known) for inner in value]
    return value


@lru_cache(maxsize=128)
def _builder(hint: Any) -> Callable[[Any], Any]:
    """What turns a JSON value into a value of this type; only the kinds of type that rightful.model uses."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        builders = {field.name: _builder(hints[field.name]) for field in dataclasses.fields(hint)}
        return lambda value: hint(**{name: builders[name](inner) for name, inner in value.items()})
    if origin is dict:
        of = _builder(args[1])
        return lambda value: {key: of(inner) for key, inner in value.items()}
    if origin is list:
        of = _builder(args[0])
        return lambda value: [of(inner) for inner in value]
    if origin in (types.UnionType, typing.Literal) or hint in (str, int, bool, Any):
        return lambda value: value
    raise TypeError(f"rightful.model uses a type that rightful.compiled does not know: {hint}")
