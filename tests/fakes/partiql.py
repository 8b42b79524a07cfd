"""BatchExecuteStatement in moto as AWS documents it, for the one statement that the sweep asks for.

moto's own parser refuses quoted names, and takes a condition that does not hold for success.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.dynamodb.models import DynamoDBBackend

_STATEMENT = re.compile(r'DELETE FROM ("(?:[^"]|"")+") WHERE (.+) RETURNING ALL OLD \*')
_CONDITION = re.compile(r'("(?:[^"]|"")+")(=\?| IS MISSING)(?: AND |$)')


@contextmanager
def partiql() -> Iterator[None]:
    with patch.object(DynamoDBBackend, "batch_execute_statement", _batch):
        yield


def _batch(backend: DynamoDBBackend, statements: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [_delete(backend, each["Statement"], list(each["Parameters"])) for each in statements]


def _delete(backend: DynamoDBBackend, text: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    statement = _STATEMENT.fullmatch(text)
    if statement is None:
        return _error("ValidationError")
    name = _plain(statement[1])
    if name not in backend.tables:
        return _error("ResourceNotFound")
    wanted = {
        _plain(condition[1]): parameters.pop(0) if condition[2] == "=?" else None
        for condition in _CONDITION.finditer(statement[2])
    }
    table = backend.tables[name]
    key = {attribute: wanted[attribute] for attribute in table.table_key_attrs}
    item = backend.get_item(name, key, None)
    if item is None:
        return {"TableName": name}
    attributes = item.to_json()["Attributes"]
    if any(attributes.get(attribute) != value for attribute, value in wanted.items()):
        return {"TableName": name, **_error("ConditionalCheckFailed")}
    backend.delete_item(name, key)
    return {"TableName": name, "Item": attributes}


def _error(code: str) -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": "quotes what was sent"}}


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"')
