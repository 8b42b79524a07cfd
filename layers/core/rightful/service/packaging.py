"""Makes the ZIP of an access request out of the lines that the export steps wrote, entry by entry.

A step stops when time runs short, but never inside an entry and never before it wrote one. Where to go on is saved
sealed; what the last entries need of the earlier ones lies on the `shelf`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cached_property
from itertools import chain
from typing import Any

from rightful.archive import article15, names, tables, viewer
from rightful.archive.survey import Missing, Survey
from rightful.archive.zipping import Entry, ZipWriter
from rightful.clocks import moment, stamp
from rightful.errors import NeedsAttention, NotFound, Unreadable
from rightful.records import Line
from rightful.service import progress, requests, sealed
from rightful.service.deps import Deps, TimeLeft
from rightful.service.shelf import Shelf

LIFE = timedelta(days=7)
"""How long a package can be downloaded."""
TRIES = 3
"""How often a package is begun anew when its half-done upload was lost."""
SEVERAL = 2
"""Original files of a store of which at least one must be readable; a single one may be at fault itself."""
LARGE = 2**31
"""Bytes from which an original file is written with ZIP64 sizes."""


@dataclass(slots=True)
class _State:
    """Where a package stands between two entries."""

    stores: list[str]
    """The covered stores of the data map that it was begun with."""
    upload: str | None = None
    store: int = 0
    """Index of the store whose entries come next; the number of stores when only the last entries are missing."""
    stage: str = "data"
    part: int = 0
    line: int = 0
    """Where the next original file is named: the part and the line in it."""
    file: int = 0
    """Original files of the store dealt with so far."""
    ledger: int = 0
    """Objects of the ledger that hold the entries so far."""
    manifest: str = ""
    """SHA-256 of manifest.json, once that is written."""
    tries: int = 1


class _StoreFails(Exception):
    """A store's original files cannot be read: the DPO decides."""

    def __init__(self, store: str, why: str) -> None:
        super().__init__(store, why)
        self.store = store
        self.why = why


def step(deps: Deps, request_id: str, time_left: TimeLeft) -> dict[str, Any]:
    """Packs until `packages/<request id>.zip` exists, time runs short or a store fails; `{"done", "failed": [store,
    ...]}`, and `why` where one failed. A single file that cannot be read is noted for the person, and so are all of a
    store that the DPO has skipped.

    When done, the work files are gone and the request has `package`: {"size": bytes, "entries", "manifest_sha256",
    "expires_at"}. The digest is that of manifest.json, which holds the digests of all other entries. Raises TryAgain,
    NeedsAttention, progress.Ended."""
    request = progress.load_verified(deps, request_id)
    if "package" not in request:
        progress.ensure_open(request)
        state = _resumed(deps, request_id)
        try:
            packed = _Packer(deps, request, state).run(time_left)
        except NotFound:
            _begin_anew(deps, request_id, state)
            packed = False
        except _StoreFails as fault:
            return {"done": False, "failed": [fault.store], "why": fault.why}
        if not packed:
            return {"done": False, "failed": []}
    deps.files.delete(f"work/{request_id}/")
    return {"done": True, "failed": []}


def _resumed(deps: Deps, request_id: str) -> _State:
    """As it was saved; anew when there was nothing, or when the data map has other stores since."""
    stores = [name for name, store in deps.datamap.stores.items() if store.covered]
    saved = sealed.load(deps, request_id, "package")
    state = _State(**json.loads(saved)) if saved else _State(stores)
    return state if state.stores == stores else _State(stores, tries=state.tries)


def _begin_anew(deps: Deps, request_id: str, state: _State) -> None:
    """The half-done upload is no more (it was left for too long, say): nothing of it can be used."""
    if state.tries >= TRIES:
        raise NeedsAttention("the package's upload was lost again and again")
    anew = _State(state.stores, tries=state.tries + 1)
    sealed.save(deps, request_id, "package", json.dumps(asdict(anew)).encode())


class _Packer:
    """One step's work on one package."""

    def __init__(self, deps: Deps, request: dict[str, Any], state: _State) -> None:
        self._deps = deps
        self._request = request
        self._id = request["request_id"]
        self._state = state
        self._upload = deps.files.upload(f"packages/{self._id}.zip", state.upload)
        self._zip = ZipWriter(self._upload, moment(request["received_at"]))
        self._shelf = Shelf(deps, self._id, state.ledger)
        self._rows = progress.rows(deps, self._id)

    def run(self, time_left: TimeLeft) -> bool:
        """Whether the package is whole."""
        for entry in self._entries():
            if entry is not None:
                self._shelf.note(entry)
            if time_left() <= 0:
                self._save()
                return False
        self._finish()
        return True

    def _save(self) -> None:
        self._state.ledger = self._shelf.save()
        self._state.upload = self._upload.pause()
        sealed.save(self._deps, self._id, "package", json.dumps(asdict(self._state)).encode())

    def _finish(self) -> None:
        count = 0

        def counted() -> Iterator[Entry]:
            nonlocal count
            for entry in self._shelf.entries():
                count += 1
                yield entry

        self._zip.close(counted())
        self._upload.finish()
        facts = {
            "size": self._upload.tell(),
            "entries": count,
            "manifest_sha256": self._state.manifest,
            "expires_at": stamp(self._deps.clock() + LIFE),
        }
        self._deps.table.update(requests.pk(self._id), "REQUEST", {"package": facts})

    # Entries. Each is written between two yields, after which the state names the next one; None stands for a file that
    # is missing.

    def _entries(self) -> Iterator[Entry | None]:
        state = self._state
        while state.store < len(state.stores):
            yield from self._of_store(state.stores[state.store])
            state.store, state.stage, state.file, state.part, state.line = state.store + 1, "data", 0, 0, 0
        if state.stage == "data":
            state.stage = "index"
            yield self._zip.add(names.ARTICLE_15, [_pretty(self._information())])
        if state.stage == "index":
            state.stage = "manifest"
            yield self._zip.add(names.INDEX, self._index())
        if state.stage == "manifest":
            state.stage = "directory"
            manifest = self._zip.add(names.MANIFEST, self._manifest())
            state.manifest = manifest.sha256
            yield manifest

    def _of_store(self, store: str) -> Iterator[Entry | None]:
        state = self._state
        if state.stage == "data":
            survey = Survey()
            if self._shelf.parts(store):
                lines = survey.watch(self._shelf.lines(store, survey))
                entry = self._zip.add(names.json_name(store), tables.as_json(lines), large=True)
                self._shelf.lay_aside(store, survey)
                state.stage = "table"
                yield entry
        if state.stage == "table":
            columns = list(self._shelf.survey(store).columns)
            state.stage = "files"
            lines = self._shelf.lines(store, Survey())
            yield self._zip.add(names.csv_name(store), tables.as_csv(lines, columns), large=True)
        if state.stage == "files" and self._shelf.survey(store).files:
            yield from self._files(store)

    def _files(self, store: str) -> Iterator[Entry | None]:
        state = self._state
        for part, key in enumerate(self._shelf.parts(store)):
            if part < state.part:
                continue
            for number, line in enumerate(self._shelf.read(key)):
                if (part, number) < (state.part, state.line):
                    continue
                state.part, state.line = part, number + 1
                if line.source is not None:
                    state.file += 1
                    yield self._file(store, line)
        survey = self._shelf.survey(store)
        if survey.unreadable() >= SEVERAL and len(survey.missing) == state.file and store not in self._left_out:
            state.file = state.part = state.line = 0  # nothing of them is in the ZIP: a retry begins with the first
            survey.missing.clear()
            self._shelf.lay_aside(store, survey)
            self._save()
            raise _StoreFails(store, "none of its original files could be read")

    def _file(self, store: str, line: Line) -> Entry | None:
        """The original file, or None when it is missing."""
        source = line.source
        assert source is not None
        assert source.file is not None
        path = names.file_name(store, self._state.file, source.file.name)
        try:
            chunks = self._deps.connectors[store].open(source)
            first = next(chunks, b"")
        except NotFound:
            self._miss(store, path, "gone")
            return None
        except NeedsAttention as error:
            if not isinstance(error, Unreadable) and store not in self._left_out:
                raise _StoreFails(store, str(error)) from None
            self._miss(store, path, "unreadable")
            return None
        self._found(store, path)
        return self._zip.add(
            path,
            chain([first], chunks),
            deflate=not names.is_packed(source.file.name),
            large=source.file.size >= LARGE,
        )

    def _miss(self, store: str, path: str, why: Missing) -> None:
        survey = self._shelf.survey(store)
        survey.missing[path] = why
        self._shelf.lay_aside(store, survey)

    def _found(self, store: str, path: str) -> None:
        """Unlike in a try that was killed, perhaps."""
        survey = self._shelf.survey(store)
        if survey.missing.pop(path, None):
            self._shelf.lay_aside(store, survey)

    @cached_property
    def _left_out(self) -> dict[str, str]:
        """Stores that the DPO has skipped -> why."""
        rows = progress.rows(self._deps, self._id)
        return {store: row.get("reason", "") for store, row in rows.items() if row.get("skipped")}

    def _information(self) -> dict[str, Any]:
        return article15.information(self._deps.datamap, self._request["locale"])

    def _index(self) -> Iterator[bytes]:
        return viewer.page(
            self._request["locale"],
            self._information(),
            {store: self._shelf.survey(store) for store in self._state.stores},
            left_out=self._left_out,
            received_at=self._request["received_at"],
            made_at=stamp(self._deps.clock()),
            reference=self._id,
        )

    def _manifest(self) -> Iterator[bytes]:
        """Written entry by entry: there may be a great many."""
        head = {
            "request_id": self._id,
            "received_at": self._request["received_at"],
            "controller": self._deps.datamap.controller.name,
            "data_map_version": self._deps.datamap.version,
            "missing": self._missing(),
        }
        yield _pretty(head).removesuffix(b"\n}\n") + b',\n  "files": {'
        between = "\n"
        for entry in self._shelf.entries():
            facts = json.dumps({"size": entry.size, "sha256": entry.sha256})
            yield f"{between}    {json.dumps(entry.name)}: {facts}".encode()
            between = ",\n"
        yield b"\n  }\n}\n"

    def _missing(self) -> dict[str, str]:
        """Path of an original file that is not in the package -> why."""
        contact = self._deps.datamap.controller.contact
        words: dict[Missing, str] = {
            "gone": "deleted before this package was made",
            "unreadable": f"could not be read; write to {contact} to ask for it",
        }
        surveys = map(self._shelf.survey, self._state.stores)
        return {path: words[why] for survey in surveys for path, why in survey.missing.items()}


def _pretty(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode("utf-8", "replace") + b"\n"
