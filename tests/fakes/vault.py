"""Sealing in memory. Enough of a cipher that nothing sealed is readable and tampering shows; no more."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime

from rightful.errors import NeedsAttention, NotFound
from rightful.ports import Clock
from tests.fakes.recording import Fault, Recorder, no_fault


class MemoryVault(Recorder):
    """`keys` maps a request id to its data key."""

    port = "vault"

    def __init__(self, fault: Fault = no_fault, clock: Clock = lambda: datetime.now(UTC)) -> None:
        super().__init__(fault)
        self.keys: dict[str, bytes] = {}
        self.ends: dict[str, datetime] = {}
        self._clock = clock
        self._pepper = secrets.token_bytes(32)

    def seal(self, request_id: str, plain: bytes, until: datetime | None = None) -> bytes:
        with self.operation("seal", request_id):
            self._check_life(request_id)
            if until and request_id not in self.keys:
                self.ends[request_id] = until
            key = self.keys.setdefault(request_id, secrets.token_bytes(32))
            nonce = secrets.token_bytes(12)
            hidden = _xor(plain, key, nonce)
            return nonce + _tag(key, nonce + hidden) + hidden

    def open(self, request_id: str, sealed: bytes) -> bytes:
        with self.operation("open", request_id):
            self._check_life(request_id)
            key = self.keys.get(request_id)
            if key is None:
                raise NotFound("The key of this request was destroyed.")
            nonce, tag, hidden = sealed[:12], sealed[12:28], sealed[28:]
            if not hmac.compare_digest(tag, _tag(key, nonce + hidden)):
                raise NeedsAttention("open: sealed bytes were altered, or belong to another request")
            return _xor(hidden, key, nonce)

    def lapse(self, request_id: str, at: datetime) -> None:
        with self.operation("lapse", request_id):
            if request_id in self.keys:
                self.ends[request_id] = at

    def prolong(self, request_id: str, by: datetime) -> None:
        with self.operation("prolong", request_id):
            self._check_life(request_id)
            if request_id not in self.keys:
                raise NotFound("The key of this request was destroyed.")
            if request_id in self.ends and self.ends[request_id] <= by:
                del self.ends[request_id]

    def digest(self, purpose: str, value: str) -> str:
        with self.operation("digest", purpose):
            mac = hmac.digest(self._pepper + purpose.encode(), value.encode(), "sha256")
            return base64.urlsafe_b64encode(mac).decode().rstrip("=")

    def _check_life(self, request_id: str) -> None:
        if request_id in self.ends and self.ends[request_id] <= self._clock():
            raise NotFound("The key of this request was destroyed.")


def _xor(data: bytes, key: bytes, nonce: bytes) -> bytes:
    stream = hashlib.shake_256(key + nonce).digest(len(data))
    return (int.from_bytes(data) ^ int.from_bytes(stream)).to_bytes(len(data))


def _tag(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")[:16]
