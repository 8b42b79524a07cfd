"""DynamoDB's attribute values as Python values and back, with nothing lost.

S str, N Decimal, B bytes, BOOL bool, NULL None, L list, M dict; SS, NS and BS set. (boto3's own codec wraps bytes in a
class of its own; this one needs no boto3.)
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Attribute = Mapping[str, Any]
"""One attribute value as the client gives it: `{"S": "text"}`."""


def to_python(attribute: Attribute) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return Decimal(value)
        case "M":
            return {name: to_python(inner) for name, inner in value.items()}
        case "L":
            return [to_python(inner) for inner in value]
        case "NULL":
            return None
        case "SS" | "BS":
            return set(value)
        case "NS":
            return {Decimal(number) for number in value}
        case _:
            return value


def from_python(value: Any) -> dict[str, Any]:
    """Raises TypeError for a value that DynamoDB cannot hold."""
    match value:
        case str():
            return {"S": value}
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case bytes():
            return {"B": value}
        case Mapping():
            return {"M": {name: from_python(inner) for name, inner in value.items()}}
        case list():
            return {"L": [from_python(inner) for inner in value]}
        case set() | frozenset() if value:
            (kind,) = {next(iter(from_python(element))) for element in value}
            return {f"{kind}S": [from_python(element)[kind] for element in value]}
        case _:
            raise TypeError(f"DynamoDB cannot hold a {type(value).__name__}")


def key_text(key: Mapping[str, Attribute]) -> str:
    """Canonical JSON of a primary key (or LastEvaluatedKey); bytes as base64."""
    plain = {
        name: {kind: base64.b64encode(value).decode() if kind == "B" else value}
        for name, attribute in key.items()
        for kind, value in attribute.items()
    }
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def key_from_text(text: str) -> dict[str, dict[str, Any]]:
    """The key that `key_text` wrote."""
    return {
        name: {kind: base64.b64decode(value) if kind == "B" else value for kind, value in attribute.items()}
        for name, attribute in json.loads(text).items()
    }
