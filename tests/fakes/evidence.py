"""The evidence bucket in memory."""

from __future__ import annotations

from datetime import datetime

from rightful.errors import NeedsAttention
from tests.fakes.recording import Fault, Recorder, no_fault


class MemoryEvidence(Recorder):
    """`kept` maps key to (bytes, until when)."""

    port = "evidence"

    def __init__(self, fault: Fault = no_fault) -> None:
        super().__init__(fault)
        self.kept: dict[str, tuple[bytes, datetime]] = {}

    def keep(self, key: str, body: bytes, until: datetime) -> None:
        with self.operation("keep", key):
            if self.kept.setdefault(key, (bytes(body), until))[0] != body:
                raise NeedsAttention("the evidence holds something else under this key")
