"""A download of 2 GB: throughput of the packaging step, and how much memory it needs beyond an idle process.

Ours is the real step with the real multipart upload, over a client that throws the parts away: reading the work files,
JSON, CSV, original files, digests, deflate. Floor: zlib level 6 over the very same bytes, its calls alone. The work
files and originals are blocks made beforehand, so that making them costs neither side anything. Runs in a process of
its own, whose peak memory is the operating system's figure.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Any, ClassVar
from unittest.mock import patch

from rightful.archive.zipping import Entry, Sink, ZipWriter
from rightful.aws.uploads import S3Upload
from rightful.model import Record, StoredFile
from rightful.records import to_line
from rightful.service import packaging
from tests.bench.results import ROOT, Result
from tests.fakes.files import MemoryFiles
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import forever, make_world

MEGABYTES = 2000
MIX = {"records": 0.4, "text": 0.3, "photos": 0.3}
"""Share of the bytes: JSON and CSV together, files that deflate well, files that are compressed already."""
BLOCK, FILE, PART = 1024 * 1024, 50_000_000, 4_000_000
CSV_SHARE = 0.45
"""Of the bytes that records become, about this much is CSV."""
TARGET, MEMORY_TARGET = 0.6, 128.0
"""Times the floor; MB."""


def run(megabytes: int = MEGABYTES) -> Iterator[Result]:
    for case, mix in (("export", MIX), ("export_records", {"records": 1.0})):
        size = megabytes if case == "export" else megabytes // 5
        command = [sys.executable, "-m", "tests.bench.bench_export", str(size), json.dumps(mix)]
        found = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
        details = {"megabytes": found["megabytes"], "mix": mix, "zip_megabytes": found["zip"]}
        yield Result(
            case=case,
            unit="MB/s",
            ours=found["megabytes"] / found["ours"],
            floor=found["megabytes"] / found["floor"],
            rounds=1,
            target=TARGET,
            at_least=True,
            details=details,
        )
        if case == "export":
            yield Result(
                case="export_memory",
                unit="MB",
                ours=found["memory"],
                rounds=1,
                target=MEMORY_TARGET,
                judged="ours",
                details=details,
            )


def measure(megabytes: float, mix: dict[str, float]) -> dict[str, float]:
    """CPU seconds of both sides, megabytes that were packed, and how far the peak rose above idle (MB)."""
    blocks = Blocks()
    package(blocks, 1, mix)
    idle = peak_memory()
    started = time.process_time()
    size = package(blocks, megabytes, mix)
    ours = time.process_time() - started
    memory = peak_memory() - idle
    Floor.seconds, Floor.size = 0.0, 0
    with patch.object(packaging, "ZipWriter", Floor):
        package(blocks, megabytes, mix)
    return {
        "ours": ours,
        "floor": Floor.seconds,
        "megabytes": Floor.size / 1e6,
        "zip": size / 1e6,
        "memory": memory,
    }


def package(blocks: Blocks, megabytes: float, mix: dict[str, float]) -> int:
    """Makes one package of about that size; bytes of the ZIP."""
    world = make_world()
    files = Work(blocks, megabytes * 1e6, mix)
    world.deps = replace(world.deps, files=files, connectors={**world.stores, "surveys": Originals(blocks)})
    world.ask_for("access")
    assert packaging.step(world.deps, "r1", forever) == {"done": True, "failed": []}
    return int(world.request()["package"]["size"])


def peak_memory() -> float:
    """MB; the system counts in kB, macOS in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


class Blocks:
    """What everything is made of."""

    def __init__(self) -> None:
        chance = random.Random(20261102)
        words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 10))) for _ in range(3000)]
        lines: list[bytes] = []
        while sum(map(len, lines)) < PART:
            record = {
                "event_id": f"evt-{chance.randrange(10**12):012}",
                "at": f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}T10:{chance.randint(10, 59)}:00Z",
                "account_id": "acct-7f3a",
                "amount": Decimal(chance.randint(1, 99_999)) / 100,
                "count": chance.randint(0, 10**6),
                "ok": chance.random() < 0.5,
                "meta": {"ip": "10.1.2.3", "agent": "Mozilla/5.0 (X11; Linux x86_64)"},
                "text": " ".join(chance.choices(words, k=chance.randint(10, 150))),
            }
            lines.append(to_line(record, {}, Record("k", record)))
        self.part = b"".join(lines)
        self.text = " ".join(chance.choices(words, k=BLOCK // 4)).encode()[:BLOCK]
        self.photo = chance.randbytes(BLOCK)


class Originals(MemoryStore):
    """Files made of blocks."""

    def __init__(self, blocks: Blocks) -> None:
        super().__init__()
        self._blocks = blocks

    def open(self, record: Record) -> Iterator[bytes]:
        block = self._blocks.text if record.key.startswith("text") else self._blocks.photo
        return (block for _ in range(FILE // BLOCK))


class Work(MemoryFiles):
    """The exports bucket; the work files are made of blocks as they are read."""

    def __init__(self, blocks: Blocks, total: float, mix: dict[str, float]) -> None:
        super().__init__()
        self._blocks = blocks
        self._parts = round(total * mix["records"] * (1 - CSV_SHARE) / PART) or 1
        originals = []
        for kind, name in (("text", "diary.txt"), ("photos", "film.mp4")):
            count = int(total * mix.get(kind, 0) / FILE)
            originals += [Record(f"{kind}-{n}", {}, file=StoredFile(name, FILE)) for n in range(count)]
        self.objects["work/r1/surveys/00000.jsonl"] = b"".join(to_line({"n": r.key}, {}, r) for r in originals)

    def list(self, prefix: str) -> Iterator[str]:
        made = (f"work/r1/accounts/{number:05}.jsonl" for number in range(self._parts))
        return chain(made, super().list(prefix)) if prefix == "work/r1/" else super().list(prefix)

    def read(self, key: str) -> Iterator[bytes]:
        if not key.startswith("work/r1/accounts/"):
            return super().read(key)
        part = self._blocks.part
        return (part[at : at + BLOCK] for at in range(0, len(part), BLOCK))

    def upload(self, key: str, state: str | None = None) -> Any:
        client: Any = Void()
        return S3Upload(self, client, "bucket", key, state)


class Void:
    """An S3 client that keeps nothing."""

    def create_multipart_upload(self, **_: Any) -> dict[str, Any]:
        return {"UploadId": "u"}

    def upload_part(self, **_: Any) -> dict[str, Any]:
        return {"ETag": "e"}

    def complete_multipart_upload(self, **_: Any) -> None:
        """Nothing was kept."""


class Floor(ZipWriter):
    """Deflates the same bytes at level 6 and does nothing else that counts."""

    seconds: ClassVar[float] = 0.0
    size: ClassVar[int] = 0

    def __init__(self, sink: Sink, at: datetime) -> None:
        super().__init__(sink, at)
        self._sink = sink

    def add(self, name: str, chunks: Iterable[bytes], *, deflate: bool = True, large: bool = False) -> Entry:
        deflater = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        for chunk in chunks:
            started = time.process_time()
            deflater.compress(chunk)
            Floor.seconds += time.process_time() - started
            Floor.size += len(chunk)
        self._sink.write(name.encode())
        return Entry(name, 8, 0, 0, 0, 0, "")

    def close(self, entries: Iterable[Entry]) -> None:
        """Nothing to close."""


if __name__ == "__main__":
    print(json.dumps(measure(float(sys.argv[1]), json.loads(sys.argv[2]))))
