"""A connector over items in memory. It passes the contract suite, takes a million items, and fails when told to."""

from __future__ import annotations

import json
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rightful import paths
from rightful.clocks import stamp
from rightful.errors import NotFound
from rightful.model import Done, Locator, Page, Record, Result, StoredFile
from rightful.ports import ANONYMISED_MARK, Clock

CHUNK = 1024 * 1024


@dataclass
class _Fault:
    method: str
    error: BaseException
    times: int | None
    after: int
    committed: bool


@dataclass
class MemoryStore:
    """Items with a primary key of one or more attributes, located by `through == {"attribute": PATH}`.

    Values are compared as text. `files` maps `Record.key` to the bytes of an original file, `blocked` to the date
    until which the store refuses to delete a record.
    """

    initial: Iterable[Mapping[str, Any]] = ()
    key: Sequence[str] = ("id",)
    locate: Sequence[Locator] = ()
    """The locators that the data map has for this store."""
    clock: Clock = lambda: datetime.now(UTC)
    files: dict[str, bytes] = field(default_factory=dict)
    blocked: dict[str, datetime | None] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    """Names of the methods called, in order; calls that failed too."""
    _items: dict[str, dict[str, Any]] = field(default_factory=dict)
    _faults: list[_Fault] = field(default_factory=list)
    _index: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """path -> value -> keys, sorted. May name items that are gone or have changed: `find` looks again."""
    _sorted: list[str] | None = None
    """All keys, and some that are gone; None when a key came since."""

    def __post_init__(self) -> None:
        for item in self.initial:
            self.put(item)

    # For the tests that use it

    @property
    def items(self) -> list[dict[str, Any]]:
        """Copies of all items, by key."""
        return [deepcopy(self._items[key]) for key in sorted(self._items)]

    def key_of(self, item: Mapping[str, Any]) -> str:
        return json.dumps([item[name] for name in self.key], ensure_ascii=False, default=str)

    def put(self, item: Mapping[str, Any]) -> str:
        """Adds or replaces an item; its `Record.key`."""
        key = self.key_of(item)
        if key not in self._items:
            self._sorted = None
        self._items[key] = deepcopy(dict(item))
        for path, index in self._index.items():
            self._enter(index, path, key)
        return key

    def keys_after(self, cursor: str | None) -> Iterator[str]:
        """Keys in order, beyond the cursor."""
        if self._sorted is None:
            self._sorted = sorted(self._items)
        keys = self._sorted
        for at in range(0 if cursor is None else bisect_right(keys, cursor), len(keys)):
            if keys[at] in self._items:
                yield keys[at]

    def peek(self, key: str, attribute: str) -> Any:
        """One attribute as it stands; None when it is not there."""
        return self._items.get(key, {}).get(attribute)

    def record(self, key: str) -> Record | None:
        return self._record(key) if key in self._items else None

    def fail(
        self, method: str, error: BaseException, *, times: int | None = 1, after: int = 0, committed: bool = False
    ) -> None:
        """Makes `find`, `delete`, `anonymise` or `open` raise `error`, `times` times (None: for good), after that many
        calls that pass. `committed`: the call does its work first, and only the answer is lost."""
        self._faults.append(_Fault(method, error, times, after, committed))

    def mend(self) -> None:
        """Ends all faults."""
        self._faults.clear()

    # The connector

    def find(self, locator: Locator, value: str, cursor: str | None, limit: int) -> Page:
        fault = self._enter_call("find")
        path = locator.through["attribute"]
        if path not in self._index:
            self._index[path] = {}
            for key in sorted(self._items):
                self._enter(self._index[path], path, key)
        keys = self._index[path].get(value, [])
        records: list[Record] = []
        more = False
        for at in range(0 if cursor is None else bisect_right(keys, cursor), len(keys)):
            if keys[at] in self._items and value in texts(self._items[keys[at]], path):
                if more := len(records) == limit:
                    break
                records.append(self._record(keys[at]))
        _raise(fault)
        return Page(tuple(records), records[-1].key if more else None)

    def matches(self, record: Record, locator: Locator, value: str) -> bool:
        return value in texts(record.data, locator.through["attribute"])

    def identities(self, record: Record) -> set[tuple[str, str]]:
        return identities(self.locate, record)

    def delete(self, records: Sequence[Record], guard: Sequence[str]) -> list[Result]:
        fault = self._enter_call("delete")
        results = [self._delete(record, guard) for record in records]
        _raise(fault)
        return results

    def anonymise(self, records: Sequence[tuple[Record, Mapping[str, Any]]], guard: Sequence[str]) -> list[Result]:
        fault = self._enter_call("anonymise")
        results = [self._anonymise(record, changes, guard) for record, changes in records]
        _raise(fault)
        return results

    def open(self, record: Record) -> Iterator[bytes]:
        fault = self._enter_call("open")
        if record.key not in self.files:
            raise NotFound("The file is no longer there.")
        body = self.files[record.key]
        for start in range(0, len(body), CHUNK):
            yield body[start : start + CHUNK]
        _raise(fault)

    # Inside

    def _enter_call(self, method: str) -> _Fault | None:
        """The fault to raise once the call has done its work, if any; raises one that comes before."""
        self.calls.append(method)
        for fault in self._faults:
            if fault.method != method or fault.times == 0:
                continue
            if fault.after:
                fault.after -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
            if fault.committed:
                return fault
            raise fault.error
        return None

    def _enter(self, index: dict[str, list[str]], path: str, key: str) -> None:
        for text in set(texts(self._items[key], path)):
            keys = index.setdefault(text, [])
            at = bisect_right(keys, key)
            if not at or keys[at - 1] != key:
                insort(keys, key)

    def _record(self, key: str) -> Record:
        body = self.files.get(key)
        file = None if body is None else StoredFile(key, len(body))
        return Record(key, deepcopy(self._items[key]), file=file)

    def _delete(self, record: Record, guard: Sequence[str]) -> Result:
        item = self._items.get(record.key)
        if item is None:
            return Result(Done.gone)
        if _differs(item, record.data, guard):
            return Result(Done.changed)
        if record.key in self.blocked:
            return Result(Done.blocked, self.blocked[record.key])
        del self._items[record.key]
        self.files.pop(record.key, None)
        return Result(Done.deleted)

    def _anonymise(self, record: Record, changes: Mapping[str, Any], guard: Sequence[str]) -> Result:
        item = self._items.get(record.key)
        if item is None:
            return Result(Done.gone)
        if ANONYMISED_MARK in item and item[ANONYMISED_MARK] != record.data.get(ANONYMISED_MARK):
            held = all(item.get(name) == value for name, value in changes.items())
            return Result(Done.anonymised if held else Done.changed)
        if _differs(item, record.data, guard):
            return Result(Done.changed)
        removed = {name for name, value in changes.items() if value is None}
        marked = {**item, **changes, ANONYMISED_MARK: stamp(self.clock())}
        self.put({name: value for name, value in marked.items() if name not in removed})
        return Result(Done.anonymised)


def identities(locate: Iterable[Locator], record: Record) -> set[tuple[str, str]]:
    return {(each.by, text) for each in locate for text in texts(record.data, each.through["attribute"])}


def texts(data: Mapping[str, Any], path: str) -> list[str]:
    """The values at a path, those inside a list or set at its end included."""
    values = paths.get(data, path)
    many = [element for value in values if isinstance(value, list | set | frozenset) for element in value]
    return [str(value) for value in values + many if not isinstance(value, bool | bytes | dict | list | set | None)]


def _differs(item: Mapping[str, Any], read: Mapping[str, Any], guard: Sequence[str]) -> bool:
    missing = object()
    return any(item.get(name, missing) != read.get(name, missing) for name in guard)


def _raise(fault: _Fault | None) -> None:
    if fault is not None:
        raise fault.error
