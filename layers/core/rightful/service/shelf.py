"""What packaging reads and lays aside in the exports bucket while it makes one package.

`work/<request id>/<store>/<nnnnn>.jsonl`         the lines that the export steps wrote
`work/<request id>/~package/<store>.json`         what index.html will show of a store
`work/<request id>/~package/ledger-<nnnnnn>`      the entries written so far, for the ZIP's directory and the manifest

The number of ledger objects is part of the saved state, so a step that was killed only writes the same ones again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from rightful.archive import names
from rightful.archive.survey import Survey
from rightful.archive.zipping import Entry
from rightful.errors import NotFound
from rightful.ports import Files
from rightful.records import Line, encode, from_line

LEDGER = 5_000
"""Entries noted in one object of the ledger."""


class Shelf:
    def __init__(self, files: Files, request_id: str, ledger: int) -> None:
        """`ledger`: how many ledger objects hold the entries so far."""
        self._files = files
        self._work = f"work/{request_id}"
        self._ledger = ledger
        self._noted: list[Entry] = []

    def parts(self, store: str) -> Iterator[str]:
        return self._files.list(f"{self._work}/{store}/")

    def read(self, part: str) -> Iterator[Line]:
        return map(from_line, _split(self._files.read(part)))

    def lines(self, store: str, survey: Survey) -> Iterator[Line]:
        """All lines of a store; one with an original file says where in the ZIP that is, and `survey` counts it."""
        for part in self.parts(store):
            for line in self.read(part):
                if line.source is None or line.source.file is None:
                    yield line
                    continue
                file = line.source.file
                path = names.file_name(store, survey.files + 1, file.name)
                survey.note_file(file.name, file.size, path)
                yield replace(line, text=_with_file(line, {"name": file.name, "size": file.size, "path": path}))

    def survey(self, store: str) -> Survey:
        """As it was laid aside; an empty one where the store held nothing."""
        try:
            text = b"".join(self._files.read(self._aside(f"{store}.json")))
        except NotFound:
            return Survey()
        return Survey.from_json(json.loads(text))

    def lay_aside(self, store: str, survey: Survey) -> None:
        self._files.put(self._aside(f"{store}.json"), json.dumps(survey.to_json()).encode())

    def note(self, entry: Entry) -> None:
        self._noted.append(entry)
        if len(self._noted) >= LEDGER:
            self.write_ledger()

    def write_ledger(self) -> int:
        """Lays aside what was noted; how many ledger objects there are now."""
        if self._noted:
            body = b"".join(entry.to_line() for entry in self._noted)
            self._files.put(self._aside(f"ledger-{self._ledger:06}"), body)
            self._ledger += 1
            self._noted.clear()
        return self._ledger

    def entries(self) -> Iterator[Entry]:
        """Every entry noted so far, in order."""
        for number in range(self.write_ledger()):
            for line in _split(self._files.read(self._aside(f"ledger-{number:06}"))):
                yield Entry.from_line(line)

    def _aside(self, name: str) -> str:
        return f"{self._work}/~package/{name}"


def _with_file(line: Line, file: dict[str, Any]) -> bytes:
    """The record with `_file` added, under a name that it does not have."""
    name = "_file"
    shown = line.shown()
    while name in shown:
        name = "_" + name
    return encode({**shown, name: file})


def _split(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of an object, without their newlines."""
    pending: list[bytes] = []
    for chunk in chunks:
        first, *more = chunk.split(b"\n")
        pending.append(first)
        for line in more:
            yield b"".join(pending)
            pending = [line]
    if last := b"".join(pending):
        yield last
