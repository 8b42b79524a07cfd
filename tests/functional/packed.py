"""What the packaging tests pack: records that mean no good, and original files that may be gone, locked or slow."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from typing import Any

from rightful.errors import NotFound, Unreadable
from rightful.model import Record, StoredFile
from rightful.records import to_line
from rightful.service import packaging
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World, forever, make_world

PARTS = 3
KEY = "packages/r1.zip"


@dataclass
class Originals(MemoryStore):
    """Original files by record key. `archived`: keys that cannot be read, `faults`: errors to raise, one a call."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    archived: set[str] = field(default_factory=set)
    faults: list[Exception] = field(default_factory=list)

    def open(self, record: Record) -> Iterator[bytes]:
        if self.faults:
            raise self.faults.pop()
        if record.key in self.archived:
            raise Unreadable("GetObject answered InvalidObjectState")
        if record.key not in self.bodies:
            raise NotFound("The file does not exist.")
        body = self.bodies[record.key]
        return (body[at : at + 1000] for at in range(0, len(body), 1000))


HOSTILE: list[dict[str, Any]] = [
    {"id": "1", "note": '=HYPERLINK("http://evil")', "name": 'O\'Neill, "Ada"'},
    {"id": "2", "note": "<script>alert(1)</script>", "rtl": "\u202emirror", "emoji": "👩🏽\u200d💻"},
    {"id": "3", "big": "x" * 400_000, "set": set(), "map": {}, "list": []},
    {"id": "4", "../../etc/passwd": "..\\..\\x", "nul": "a\x00b", "bytes": b"\x00\xff", "n": Decimal("1.10")},
    {"id": "5", "_file": "mine", "base64": 1, "lone": "\ud800"},
    {"base64": "alone"},
    {},
]
FILES = {
    "cv": ("../../cv.pdf", b"%PDF" * 500),
    "page": ("page.html", b"<script>alert(1)</script>"),
    "photo": ("photo.jpg", random.Random(1).randbytes(5000)),
    "empty": ("", b""),
}


def put(
    world: World, store: str, records: list[Record], shown: Callable[[Record], Any] = lambda record: record.data
) -> None:
    """As the export step leaves them, in a few parts."""
    size = max(1, -(-len(records) // PARTS))
    for part in range(0, len(records), size):
        body = b"".join(to_line(shown(record), {"other": 1}, record) for record in records[part : part + size])
        world.files.objects[f"work/r1/{store}/{part // size:05}.jsonl"] = body


def small_world(records: list[dict[str, Any]] = HOSTILE) -> tuple[World, Originals]:
    world = make_world()
    originals = Originals(bodies={key: body for key, (_, body) in FILES.items()})
    world.deps = replace(world.deps, connectors={**world.stores, "surveys": originals})
    world.ask_for("access")
    put(world, "accounts", [Record(str(n), data) for n, data in enumerate(records)])
    files = [
        Record(key, {"key": f"unmasked/{key}", "_file": "taken"}, file=StoredFile(name, len(body)))
        for key, (name, body) in FILES.items()
    ]
    put(
        world,
        "surveys",
        [Record("none", {"key": "no file"}), *files],
        lambda record: {"_file": record.data.get("_file")},
    )
    return world, originals


def pack(world: World, left: Callable[[], float] = forever) -> int:
    """Steps until it is done; how many."""
    for steps in range(1, 200):
        if packaging.step(world.deps, "r1", left)["done"]:
            return steps
    raise AssertionError("it never ends")


def short_of_time_at_every(interval: int) -> Callable[[], float]:
    entries = count(1)
    return lambda: -1.0 if next(entries) % interval == 0 else 1.0


def opened(world: World) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(world.files.objects[KEY]))
    assert archive.testzip() is None
    return archive
