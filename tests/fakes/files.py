"""The exports bucket in memory."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from rightful.errors import NotFound
from tests.fakes.recording import Fault, Recorder, no_fault

CHUNK = 1024 * 1024
"""Largest chunk that `read` gives, in bytes."""


class MemoryFiles(Recorder):
    """`objects` maps key to bytes; `unfinished` maps upload id to (key, bytes so far); `links` lists what was handed
    out as (key, name, seconds)."""

    port = "files"

    def __init__(self, fault: Fault = no_fault) -> None:
        super().__init__(fault)
        self.objects: dict[str, bytes] = {}
        self.unfinished: dict[str, tuple[str, bytes]] = {}
        self.links: list[tuple[str, str, int]] = []

    def put(self, key: str, body: bytes) -> None:
        with self.operation("put", key):
            self.objects[key] = bytes(body)

    def read(self, key: str) -> Iterator[bytes]:
        with self.operation("read", key):
            body = self.objects.get(key)
        if body is None:
            raise NotFound("The file does not exist.")
        return (body[i : i + CHUNK] for i in range(0, len(body), CHUNK))

    def list(self, prefix: str) -> Iterator[str]:
        with self.operation("list", prefix):
            found = sorted(key for key in self.objects if key.startswith(prefix))
        return iter(found)

    def delete(self, prefix: str) -> None:
        with self.operation("delete", prefix):
            self.objects = {key: body for key, body in self.objects.items() if not key.startswith(prefix)}
            self.unfinished = {i: of for i, of in self.unfinished.items() if not of[0].startswith(prefix)}

    def upload(self, key: str, state: str | None = None) -> MemoryUpload:
        if state is None:
            return MemoryUpload(self, key, secrets.token_hex(8))
        saved = json.loads(state)
        with self.operation("resume", key):
            if saved["id"] not in self.unfinished:
                if key not in self.objects:
                    raise NotFound("The upload does not exist any more; begin a new one.")
                return MemoryUpload(self, key, saved["id"], done=True, offset=saved["offset"])
            body = self.unfinished[saved["id"]][1][: saved["offset"]]
        return MemoryUpload(self, key, saved["id"], bytearray(body), offset=len(body))

    def uri(self, key: str) -> str:
        return f"s3://memory/{key}"

    def link(self, key: str, name: str, seconds: int) -> str:
        with self.operation("link", key, name, seconds):
            self.links.append((key, name, seconds))
            return f"https://exports.example/{key}?expires={seconds}"


@dataclass
class MemoryUpload:
    """One upload; nothing is visible before `finish`."""

    files: MemoryFiles
    key: str
    id: str
    body: bytearray = field(default_factory=bytearray)
    done: bool = False
    offset: int = 0

    def write(self, data: bytes) -> int:
        with self.files.operation("write", self.key, len(data)):
            self.body += data
            self.offset += len(data)
        return len(data)

    def tell(self) -> int:
        return self.offset

    def flush(self) -> None:
        """Nothing to do: there is no file underneath."""

    def pause(self) -> str:
        with self.files.operation("pause", self.key):
            if not self.done:
                self.files.unfinished[self.id] = (self.key, bytes(self.body))
        return json.dumps({"id": self.id, "offset": self.offset})

    def finish(self) -> None:
        with self.files.operation("finish", self.key):
            if not self.done:
                self.files.objects[self.key] = bytes(self.body)
                self.files.unfinished.pop(self.id, None)
                self.done = True
