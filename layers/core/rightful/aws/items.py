"""Python values as DynamoDB's typed JSON and back, for the requests table.

Text, bytes, whole numbers, Decimal, bool, None, lists and dicts; whole numbers come back as int. Sets and floats are
refused: no item of ours holds them, and a float would not come back as it went.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

WRITE_MARK = "_write"
"""Attribute that names the last conditional write; never shown to the caller."""


def to_wire(value: Any) -> dict[str, Any]:
    """Raises TypeError for what cannot be held."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": str(value)}
        case int() | Decimal():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case Mapping():
            return {"M": {str(key): to_wire(inner) for key, inner in value.items()}}
        case list() | tuple():
            return {"L": [to_wire(inner) for inner in value]}
    raise TypeError(f"{type(value).__name__} cannot be stored in the table")


def from_wire(value: Mapping[str, Any]) -> Any:
    [(kind, inner)] = value.items()
    match kind:
        case "NULL":
            return None
        case "N":
            number = Decimal(inner)
            return int(number) if number == number.to_integral_value() else number
        case "M":
            return {key: from_wire(nested) for key, nested in inner.items()}
        case "L":
            return [from_wire(nested) for nested in inner]
        case "B":
            return bytes(inner)
    return inner


def to_item(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: to_wire(value) for name, value in values.items()}


def from_item(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: from_wire(value) for name, value in item.items() if name != WRITE_MARK}
