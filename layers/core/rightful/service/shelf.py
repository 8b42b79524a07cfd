"""What packaging reads and lays aside in the exports bucket while it makes one package.

`work/<request id>/<store>/<nnnnn>.jsonl`         the lines that the export steps wrote
`work/<request id>/~package/<store>.json`         what index.html will show of a store
`work/<request id>/~package/ledger-<nnnnnn>`      the entries written so far, for the ZIP's directory and the manifest

What is laid aside stays in memory until the step pauses: a package made in one go writes and reads none of it. The
number of ledger objects is part of the saved state, so a step that was killed only writes the same ones again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from rightful.archive import names
from rightful.archive.survey import Survey
from rightful.archive.zipping import Entry
from rightful.errors import NotFound
from rightful.records import Line, encode, from_line
from rightful.service.deps import Deps

LEDGER = 5_000
"""Entries noted in one object of the ledger."""


class Shelf:
    def __init__(self, deps: Deps, request_id: str, ledger: int) -> None:
        """`ledger`: how many ledger objects hold the entries so far."""
        self._deps = deps
        self._work = f"work/{request_id}"
        self._ledger = ledger
        self._noted: list[Entry] = []
        self._surveys: dict[str, Survey] = {}
        self._unsaved: set[str] = set()
        self._parts: defaultdict[str, list[str]] = defaultdict(list)
        self._listed = False
        self._recent: tuple[str, bytes] = ("", b"")

    def parts(self, store: str) -> list[str]:
        """All of them: exporting is over when packing begins."""
        if not self._listed:
            for key in self._deps.files.list(f"{self._work}/"):
                self._parts[key.split("/")[2]].append(key)
            self._listed = True
        return self._parts[store]

    def read(self, part: str) -> Iterator[Line]:
        return map(from_line, _split(self._chunks(part)))

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
        if store not in self._surveys:
            self._surveys[store] = self._saved_survey(store)
        return self._surveys[store]

    def lay_aside(self, store: str, survey: Survey) -> None:
        self._surveys[store] = survey
        self._unsaved.add(store)

    def note(self, entry: Entry) -> None:
        self._noted.append(entry)
        if len(self._noted) >= LEDGER:
            self._write_ledger()

    def save(self) -> int:
        """Writes what another process needs to go on; how many ledger objects there are now."""
        for store in sorted(self._unsaved):
            self._deps.files.put(self._aside(f"{store}.json"), json.dumps(self._surveys[store].to_json()).encode())
        self._unsaved.clear()
        self._write_ledger()
        return self._ledger

    def entries(self) -> Iterator[Entry]:
        """Every entry noted so far, in order."""
        for number in range(self._ledger):
            for line in _split(self._deps.files.read(self._aside(f"ledger-{number:06}"))):
                yield Entry.from_line(line)
        yield from self._noted

    def _saved_survey(self, store: str) -> Survey:
        if not self.parts(store):
            return Survey()
        try:
            text = b"".join(self._deps.files.read(self._aside(f"{store}.json")))
        except NotFound:
            return Survey()
        return Survey.from_json(json.loads(text))

    def _write_ledger(self) -> None:
        if self._noted:
            body = b"".join(entry.to_line() for entry in self._noted)
            self._deps.files.put(self._aside(f"ledger-{self._ledger:06}"), body)
            self._ledger += 1
            self._noted.clear()

    def _chunks(self, part: str) -> Iterable[bytes]:
        """A part that is one chunk is kept for the next reading: most stores hold no more, and are read twice."""
        if part == self._recent[0]:
            return [self._recent[1]]
        chunks = self._deps.files.read(part)
        first, second = next(chunks, b""), next(chunks, None)
        if second is not None:
            return chain([first, second], chunks)
        self._recent = (part, first)
        return [first]

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
