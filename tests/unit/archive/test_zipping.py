"""Any reader opens what the writer wrote, however often it was interrupted."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.archive import zipping
from rightful.archive.zipping import Entry, ZipWriter

AT = datetime(2026, 11, 2, 9, 30, 15, tzinfo=UTC)
contents = st.lists(st.tuples(st.lists(st.binary(max_size=300), max_size=4), st.booleans(), st.booleans()), max_size=6)


@dataclass
class Sink:
    """Write and tell, and nothing else."""

    body: bytearray = field(default_factory=bytearray)

    def write(self, data: bytes) -> int:
        self.body += data
        return len(data)

    def tell(self) -> int:
        return len(self.body)


@dataclass
class FarSink(Sink):
    """As if so many bytes had been written before."""

    before: int = 0

    def tell(self) -> int:
        return self.before + len(self.body)


@given(contents)
def test_what_went_in_comes_out(entries: list[tuple[list[bytes], bool, bool]]) -> None:
    sink = Sink()
    writer = ZipWriter(sink, AT)
    done = [
        writer.add(f"e/{number}", iter(chunks), deflate=deflate, large=large)
        for number, (chunks, deflate, large) in enumerate(entries)
    ]
    writer.close(done)
    archive = zipfile.ZipFile(io.BytesIO(bytes(sink.body)))
    assert archive.testzip() is None
    assert archive.namelist() == [entry.name for entry in done]
    for entry, (chunks, deflate, _), info in zip(done, entries, archive.infolist(), strict=True):
        body = b"".join(chunks)
        assert archive.read(entry.name) == body
        assert entry.sha256 == hashlib.sha256(body).hexdigest()
        assert (entry.size, entry.packed) == (info.file_size, info.compress_size)
        assert info.compress_type == (zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED)
        assert info.date_time == (2026, 11, 2, 9, 30, 14)


@given(contents)
def test_another_writer_goes_on_where_one_stopped(entries: list[tuple[list[bytes], bool, bool]]) -> None:
    def write(*, anew: bool) -> bytes:
        sink, lines = Sink(), b""
        writer = ZipWriter(sink, AT)
        for number, (chunks, deflate, large) in enumerate(entries):
            writer = ZipWriter(sink, AT) if anew else writer
            lines += writer.add(f"e/{number}", chunks, deflate=deflate, large=large).to_line()
        writer.close(Entry.from_line(line) for line in lines.splitlines())
        return bytes(sink.body)

    assert write(anew=True) == write(anew=False)


def test_entries_beyond_4_gib_and_beyond_65535_of_them_are_found() -> None:
    far = FarSink(before=5 * 2**30)
    writer = ZipWriter(far, AT)
    entry = writer.add("late", [b"hello"])
    early = [Entry(f"early/{n}", 0, 0, 6 * 2**30, 7 * 2**30, n, "") for n in range(70_000)]
    writer.close([*early, entry])

    class Sparse(io.RawIOBase):
        """Zeros up to where the sink's bytes begin."""

        position = 0

        def seekable(self) -> bool:
            return True

        def readable(self) -> bool:
            return True

        def seek(self, offset: int, whence: int = 0) -> int:
            self.position = offset + {0: 0, 1: self.position, 2: far.tell()}[whence]
            return self.position

        def tell(self) -> int:
            return self.position

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # narrower than the stub's Buffer
            at = self.position - far.before
            data = bytes(far.body[at : at + len(buffer)]) if at >= 0 else bytes(len(buffer))
            buffer[: len(data)] = data
            self.position += len(data)
            return len(data)

    archive = zipfile.ZipFile(io.BufferedReader(Sparse()))
    assert len(archive.infolist()) == 70_001
    assert archive.read("late") == b"hello"
    assert archive.getinfo("early/1").file_size == 7 * 2**30


def test_an_entry_that_turns_out_larger_than_said_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipping, "_MOST_32", 1000)
    writer = ZipWriter(Sink(), AT)
    writer.add("small", [bytes(1000)], deflate=False)
    with pytest.raises(ValueError, match="not said to be large"):
        writer.add("not small", [bytes(500)] * 3, deflate=False)


def test_times_that_zip_cannot_hold_are_brought_near() -> None:
    sink = Sink()
    writer = ZipWriter(sink, datetime(1970, 1, 1, tzinfo=UTC))
    writer.close([writer.add("a", [])])
    assert zipfile.ZipFile(io.BytesIO(bytes(sink.body))).getinfo("a").date_time == (1980, 1, 1, 0, 0, 0)
