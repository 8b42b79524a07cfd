"""What a request costs: CPU of our own process, AWS calls, and what DynamoDB would bill for them."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.awsrequest import AWSPreparedRequest

from rightful import wiring
from rightful.aws.clients import SERVICES
from tests.bench.account import CONTROL

WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
CODE: Final = re.compile(r"(?m)^\s*(\d{8})\s*$")


@dataclass
class Meter:
    """Hangs on the container's clients. Counting costs CPU, so a run is either counted or timed."""

    counting: bool = False
    cpu: float = 0.0
    """Seconds of this process inside `measured`."""
    calls: Counter[str] = field(default_factory=Counter)
    """`service.Operation` -> requests sent, the SDK's own retries included."""
    invocations: Counter[str] = field(default_factory=Counter)
    """Function -> how often it ran."""
    control_writes: Counter[str] = field(default_factory=Counter)
    """Function -> its writes to Rightful's own tables."""
    write_units: int = 0
    read_units: float = 0.0
    """Of all tables: 1 per started KB written and per started 4 KB read consistently, half for an index."""
    code: str = ""
    """The last code that was mailed."""
    _function: str = ""
    _sent: str = ""

    def watch(self) -> Meter:
        for service in SERVICES:
            events = wiring.clients().get(service).meta.events
            events.register_first("before-send", self._count)
            events.register("after-call", self._answered)
        wiring.clients().get("sesv2").meta.events.register("before-parameter-build", self._mailed)
        return self

    @contextmanager
    def measured(self, function: str) -> Iterator[None]:
        self._function = function
        self.invocations[function] += 1
        begun = time.process_time()
        yield
        self.cpu += time.process_time() - begun

    def timed(self, work: Callable[[], object]) -> float:
        """CPU seconds that the functions took for this piece of work."""
        self.cpu = 0.0
        work()
        return self.cpu

    @contextmanager
    def counted(self) -> Iterator[dict[str, Any]]:
        """The counts of what is done inside, filled in at the end."""
        self.calls, self.invocations = Counter(), Counter()
        self.control_writes, self.write_units, self.read_units, self.counting = Counter(), 0, 0.0, True
        counts: dict[str, Any] = {}
        yield counts
        self.counting = False
        door = self.control_writes["api"]
        counts |= {
            "calls": self.calls.total(),
            "by_operation": dict(self.calls.most_common()),
            "invocations": dict(self.invocations),
            "control_writes": {"workflow": self.control_writes.total() - door, "front door": door},
            "write_units": self.write_units,
            "read_units": self.read_units,
        }

    def _mailed(self, params: dict[str, Any], **_: Any) -> None:
        if found := CODE.search(params["Content"]["Simple"]["Body"]["Text"]["Data"]):
            self.code = found[1]

    def _count(self, event_name: str, request: AWSPreparedRequest, **_: Any) -> None:
        if not self.counting:
            return
        _event, service, operation = event_name.split(".")
        self.calls[f"{service}.{operation}"] += 1
        if service == "dynamodb":
            body = request.body
            self._sent = body.decode() if isinstance(body, bytes) else str(body)
            table = json.loads(self._sent).get("TableName")
            if operation in WRITES and table in CONTROL:
                self.control_writes[self._function] += 1

    def _answered(self, event_name: str, http_response: Any, **_: Any) -> None:
        if not (self.counting and ".dynamodb." in event_name):
            return
        answer, operation = len(http_response.content), event_name.rpartition(".")[2]
        if operation in WRITES:
            self.write_units += _started(max(len(self._sent), answer), 1024)
        else:
            self.read_units += _started(answer, 4096) * (0.5 if "IndexName" in self._sent else 1)


def _started(size: int, unit: int) -> int:
    return max(1, -(-size // unit))
