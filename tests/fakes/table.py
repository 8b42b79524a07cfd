"""The requests table in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rightful.errors import NeedsAttention
from rightful.ports import Clock
from tests.fakes.recording import Fault, Recorder, no_fault

ITEM_LIMIT = 400_000
"""Bytes DynamoDB allows an item, roughly as it counts them."""


class MemoryTable(Recorder):
    """`items` maps (pk, sk) to the item, for tests that look or tamper."""

    port = "table"

    def __init__(self, clock: Clock, fault: Fault = no_fault) -> None:
        super().__init__(fault)
        self.clock = clock
        self.items: dict[tuple[str, str], dict[str, Any]] = {}

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        with self.operation("get", pk, sk):
            found = self._live(pk, sk)
            return None if found is None else _copied_item(found)

    def get_many(self, keys: Sequence[tuple[str, str]]) -> list[dict[str, Any] | None]:
        with self.operation("get_many", *keys):
            found = [self._live(*key) for key in keys]
            return [None if item is None else _copied_item(item) for item in found]

    def query(self, pk: str, prefix: str = "") -> list[dict[str, Any]]:
        with self.operation("query", pk, prefix):
            keys = sorted(key for key in self.items if key[0] == pk and key[1].startswith(prefix))
            found = [self._live(*key) for key in keys]
            return [_copied_item(item) for item in found if item is not None]

    def put_new(self, pk: str, sk: str, data: Mapping[str, Any]) -> bool:
        with self.operation("put_new", pk, sk, data):
            if self._live(pk, sk) is not None:
                return False
            self._store(pk, sk, data)
            return True

    def update(
        self,
        pk: str,
        sk: str,
        set_: Mapping[str, Any],
        *,
        remove: Iterable[str] = (),
        add: Mapping[str, int] | None = None,
        expect: Mapping[str, Any] | None = None,
        below: Mapping[str, int] | None = None,
    ) -> dict[str, Any] | None:
        with self.operation("update", pk, sk, set_, tuple(remove), add, expect, below):
            if expect or below:
                present = self._live(pk, sk)
                if present is None or not _allowed(present, expect or {}, below or {}):
                    return None
            item = dict(self.items.get((pk, sk), {}))
            item.update(set_)
            for name, step in (add or {}).items():
                item[name] = item.get(name, 0) + step
            for name in remove:
                item.pop(name, None)
            return _copied_item(self._store(pk, sk, item))

    def by_person(self, person: str) -> list[dict[str, Any]]:
        with self.operation("by_person", person):
            found = [self._live(*key) for key, item in self.items.items() if item.get("person") == person]
            indexed = [item for item in found if item is not None and "received_at" in item]
            return [
                _copied_item(item) for item in sorted(indexed, key=lambda item: str(item["received_at"]), reverse=True)
            ]

    def open_requests(self, kind: str = "open") -> Iterator[dict[str, Any]]:
        with self.operation("open_requests", kind):
            keys = [key for key, item in self.items.items() if item.get("open") == kind and "due_at" in item]
            found = [item for key in keys if (item := self._live(*key)) is not None]
            yield from (_copied_item(item) for item in sorted(found, key=lambda item: str(item["due_at"])))

    def delete(self, pk: str, sk: str) -> None:
        with self.operation("delete", pk, sk):
            self.items.pop((pk, sk), None)

    def _live(self, pk: str, sk: str) -> dict[str, Any] | None:
        item = self.items.get((pk, sk))
        if item is None or item.get("expires_at", float("inf")) <= self.clock().timestamp():
            return None
        return item

    def _store(self, pk: str, sk: str, data: Mapping[str, Any]) -> dict[str, Any]:
        item = _copied_item({**data, "pk": pk, "sk": sk})
        if _size(item) > ITEM_LIMIT:
            raise NeedsAttention("put: the item is larger than DynamoDB allows")
        self.items[pk, sk] = item
        return item


def _allowed(item: Mapping[str, Any], expect: Mapping[str, Any], below: Mapping[str, int]) -> bool:
    for name, wanted in expect.items():
        if item.get(name) not in (wanted if isinstance(wanted, tuple) else (wanted,)):
            return False
    return all(item.get(name, 0) < value for name, value in below.items())


def _copied_item(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copied(value) for name, value in item.items()}


def _copied(value: Any) -> Any:
    """As it would come back from DynamoDB; TypeError for what it cannot hold."""
    if isinstance(value, Mapping):
        return {str(key): _copied(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(inner) for inner in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value
    if value is None or isinstance(value, str | bytes | int):
        return value
    raise TypeError(f"{type(value).__name__} cannot be stored in the table")


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return sum(len(key.encode()) + _size(inner) + 1 for key, inner in value.items()) + 3
    if isinstance(value, list):
        return sum(_size(inner) + 1 for inner in value) + 3
    if isinstance(value, str):
        return len(value.encode())
    return len(value) if isinstance(value, bytes) else 8
