"""The download's memory: flat, however much there is."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from rightful.model import Record
from rightful.records import to_line
from rightful.service import packaging
from tests.fakes.company import small_map
from tests.fakes.world import forever, make_world


def test_memory_does_not_grow_with_the_data() -> None:
    def peak(megabytes: int) -> int:
        world = make_world(small_map())
        world.ask_for("access")
        record = Record("k", {"id": "1", "text": "lorem ipsum " * 600, "n": Decimal("1.5")})
        line = to_line(record.data, {}, record)
        part = 4_000_000 // len(line)

        class Endless(type(world.files)):  # type: ignore[misc] # the fake's class, whose reading and writing is replaced
            """Makes its parts as they are read, and counts what is uploaded instead of keeping it."""

            def list(self, prefix: str) -> Iterator[str]:
                if prefix == "work/r1/":
                    return iter([f"{prefix}accounts/{n:05}.jsonl" for n in range(megabytes // 4)])
                return super().list(prefix)  # type: ignore[no-any-return] # as above

            def read(self, key: str) -> Iterator[bytes]:
                if "/accounts/" in key:
                    return (line * 50 for _ in range(part // 50))
                return super().read(key)  # type: ignore[no-any-return] # as above

            def upload(self, key: str, state: str | None = None) -> Counter:
                return Counter()

        files = Endless()
        world.deps = replace(world.deps, files=files)
        tracemalloc.start()
        assert packaging.step(world.deps, "r1", forever) == {"done": True, "failed": []}
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert world.request()["package"]["size"] > megabytes * 1000, "it was all written"
        return most

    small, large = peak(8), peak(96)
    assert large < small + 1_000_000
    assert large < 16_000_000


@dataclass
class Counter:
    """An upload that only counts."""

    offset: int = 0

    def write(self, data: bytes) -> int:
        self.offset += len(data)
        return len(data)

    def tell(self) -> int:
        return self.offset

    def flush(self) -> None:
        """There is nothing to flush."""

    def pause(self) -> str:
        return ""

    def finish(self) -> None:
        """There is nothing to finish."""
