"""What every in-memory fake shares: a lock, a record of its calls, and a place to break it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

Moment = Literal["before", "after"]
Fault = Callable[[str, Moment], None]
"""Called as `fault("table.put_new", "before")` and again with "after" once the change is made; what it raises
reaches the caller. Raising "after" is an answer that was lost."""


class Call(NamedTuple):
    name: str
    """`<port>.<method>`."""
    args: tuple[Any, ...]


def no_fault(name: str, moment: Moment) -> None:
    """The fault that never happens."""


class Recorder:
    """Base of the fakes. State changes happen under `lock`; the fault hook runs outside it, so it may block."""

    port = ""

    def __init__(self, fault: Fault = no_fault) -> None:
        self.fault = fault
        self.calls: list[Call] = []
        self.lock = threading.RLock()

    @contextmanager
    def operation(self, method: str, *args: Any) -> Iterator[None]:
        name = f"{self.port}.{method}"
        self.fault(name, "before")
        with self.lock:
            self.calls.append(Call(name, args))
            yield
        self.fault(name, "after")
