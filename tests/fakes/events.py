"""An event bus in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.fakes.recording import Fault, Recorder, no_fault


class MemoryEvents(Recorder):
    """`published` holds (kind, detail) in order."""

    port = "events"

    def __init__(self, fault: Fault = no_fault) -> None:
        super().__init__(fault)
        self.published: list[tuple[str, dict[str, Any]]] = []

    def publish(self, kind: str, detail: Mapping[str, Any]) -> None:
        with self.operation("publish", kind):
            self.published.append((kind, json.loads(json.dumps(dict(detail)))))
