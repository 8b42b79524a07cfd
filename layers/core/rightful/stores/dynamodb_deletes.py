"""Conditional deletes in batches: 25 PartiQL statements in a request, each of which goes through or fails alone.

A statement names the key and the guarded attributes as they were read. DynamoDB refuses it when an attribute differs,
and answers success with nothing returned when the item is not there ("PartiQL delete statements for DynamoDB").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rightful.aws.errors import from_code
from rightful.errors import TryAgain
from rightful.model import Done, Record, Result
from rightful.stores.dynamodb_paced import TRIES, Paced
from rightful.stores.dynamodb_values import from_python, key_from_text

AT_ONCE: Final = 25
"""Statements that a batch takes."""
COMPARED: Final = ("S", "N", "B", "BOOL")
"""Kinds of values that PartiQL compares as a condition expression does."""
PASSING: Final = frozenset(
    {
        *("InternalServerError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"),
        *("ThrottlingError", "TransactionConflict"),
    }
)
REFUSALS: Final = frozenset({"DuplicateItem", "ItemCollectionSizeLimitExceeded", "ValidationError"})
"""Codes of a statement's error after which it is asked again, and those that speak of its one record.
Source: BatchStatementError in the API reference of DynamoDB."""

Statement = dict[str, Any]


def statement(table: str, record: Record, guard: Sequence[str]) -> Statement | None:
    """Deletes the record if the guarded attributes are as they were read; None where PartiQL cannot say so."""
    key = key_from_text(record.key)
    conditions = [f"{_quoted(name)}=?" for name in key]
    parameters = list(key.values())
    for attribute in dict.fromkeys(guard):
        if attribute in key:
            continue  # it cannot change
        if attribute not in record.data:
            conditions.append(f"{_quoted(attribute)} IS MISSING")
            continue
        value = from_python(record.data[attribute])
        if next(iter(value)) not in COMPARED:
            return None
        conditions.append(f"{_quoted(attribute)}=?")
        parameters.append(value)
    text = f"DELETE FROM {_quoted(table)} WHERE {' AND '.join(conditions)} RETURNING ALL OLD *"  # noqa: S608 - quoted
    return {"Statement": text, "Parameters": parameters}


def run(paced: Paced, todo: Sequence[Statement]) -> list[Result]:
    """At most AT_ONCE statements; one result each, in order. Those that are throttled are asked again, alone. Raises
    TryAgain when that lasts, and RefusedRecordError when DynamoDB refuses them all together. What is gone when the SDK
    asks for the second time is taken for deleted by the first."""
    from rightful.stores import dynamodb_decode

    results: dict[int, Result] = {}
    for tries in range(TRIES):
        asked = [n for n in range(len(todo)) if n not in results]
        answer = dynamodb_decode.statements(paced.batch_execute_statement(Statements=[todo[n] for n in asked]))
        paced.spent(paced.writes, sum(units.capacity_units for units in answer.consumed_capacity))
        for n, response in zip(asked, answer.responses, strict=True):
            if response.error is None:
                results[n] = Result(Done.deleted if response.returned or paced.again else Done.gone)
            elif response.error.code not in PASSING:
                results[n] = _result(response.error.code)
        if len(results) == len(todo):
            return [results[n] for n in range(len(todo))]
        paced.writes.throttled()
        if tries < TRIES - 1:
            paced.writes.back_off(tries)
    raise TryAgain("BatchExecuteStatement left statements throttled")


def _result(code: str) -> Result:
    if code == "ConditionalCheckFailed":
        return Result(Done.changed)
    if code in REFUSALS:
        return Result(Done.failed)
    raise from_code("BatchExecuteStatement", code)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
