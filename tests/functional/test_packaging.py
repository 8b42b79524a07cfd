"""The download, from the lines of the export steps to the finished ZIP: whole, resumable, small in memory."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import random
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from rightful.errors import NeedsAttention, NotFound, TryAgain, Unreadable
from rightful.model import Record, StoredFile
from rightful.records import to_line
from rightful.service import asking, packaging, progress, requests
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World, forever, make_world, small_map

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


def test_everything_is_in_it_under_harmless_names() -> None:
    world, _ = small_world()
    assert pack(world) == 1
    archive = opened(world)
    assert archive.namelist() == [
        "data/accounts.json",
        "data/accounts.csv",
        "data/surveys.json",
        "data/surveys.csv",
        "files/surveys/000001.pdf",
        "files/surveys/000002.bin",
        "files/surveys/000003.jpg",
        "files/surveys/000004.bin",
        "article15.json",
        "index.html",
        "manifest.json",
    ]
    for name, (_, body) in zip(archive.namelist()[4:8], FILES.values(), strict=True):
        assert archive.read(name) == body
    stored = [info.filename for info in archive.infolist() if info.compress_type == zipfile.ZIP_STORED]
    assert stored == ["files/surveys/000003.jpg"]
    assert all(not info.is_dir() and info.external_attr >> 16 == 0o100600 for info in archive.infolist())
    assert b"unmasked" not in b"".join(archive.read(name) for name in archive.namelist()), (
        "what opens a file is not shown"
    )


def test_the_json_holds_every_value_and_says_where_its_file_is() -> None:
    world, _ = small_world()
    pack(world)
    archive = opened(world)
    accounts = json.loads(archive.read("data/accounts.json"), parse_float=Decimal)
    assert len(accounts) == len(HOSTILE)
    assert accounts[2] == {"id": "3", "big": "x" * 400_000, "set": [], "map": {}, "list": []}
    assert accounts[3] == {**HOSTILE[3], "bytes": {"base64": "AP8="}}
    assert accounts[4] == HOSTILE[4]
    surveys = json.loads(archive.read("data/surveys.json"))
    assert surveys[0] == {"_file": None}
    assert surveys[1] == {
        "_file": "taken",
        "__file": {"name": "../../cv.pdf", "size": 2000, "path": "files/surveys/000001.pdf"},
    }


def test_the_csv_is_for_spreadsheets() -> None:
    world, _ = small_world()
    pack(world)
    body = opened(world).read("data/accounts.csv").decode("utf-8-sig")
    csv.field_size_limit(1_000_000)
    head, *rows = csv.reader(io.StringIO(body, newline=""))
    assert head[:2] == ["id", "note"]
    assert len(rows) == len(HOSTILE)
    assert rows[0][1] == '\'=HYPERLINK("http://evil")'
    assert rows[2][head.index("big")] == "x" * 400_000
    assert rows[5][head.index("base64")] == "alone"


def test_the_manifest_names_every_entry_with_its_digest() -> None:
    world, _ = small_world()
    pack(world)
    archive = opened(world)
    manifest = json.loads(archive.read("manifest.json"))
    expected = {
        name: {"size": len(archive.read(name)), "sha256": hashlib.sha256(archive.read(name)).hexdigest()}
        for name in archive.namelist()
        if name != "manifest.json"
    }
    assert manifest["files"] == expected
    assert (manifest["request_id"], manifest["controller"]) == ("r1", "Example")


def test_the_request_learns_of_its_package_and_the_work_is_cleared_away() -> None:
    world, _ = small_world()
    pack(world)
    assert world.request()["package"] == {
        "size": len(world.files.objects[KEY]),
        "entries": 11,
        "manifest_sha256": hashlib.sha256(opened(world).read("manifest.json")).hexdigest(),
        "expires_at": "2026-11-09T09:00:00Z",
    }
    assert list(world.files.objects) == [KEY]
    assert not world.files.unfinished
    before = dict(world.files.objects)
    assert packaging.step(world.deps, "r1", forever)["done"]
    assert world.files.objects == before


def test_a_package_made_in_many_steps_is_byte_for_byte_the_one_made_in_one() -> None:
    whole, _ = small_world()
    pack(whole)
    for interval in range(1, 12):
        world, _ = small_world()
        steps = pack(world, short_of_time_at_every(interval))
        assert steps > 1
        assert world.files.objects[KEY] == whole.files.objects[KEY]
        assert world.request()["package"] == whole.request()["package"]


@pytest.mark.parametrize("port", ["files", "table"])
@pytest.mark.parametrize("committed", [False, True])
def test_a_step_killed_at_any_call_is_made_up_for(port: str, committed: bool) -> None:
    class Killed(BaseException):
        """Nothing catches it, as nothing catches the end of a process."""

    def with_missing_files() -> World:
        world, originals = small_world(HOSTILE[:2])
        originals.archived = {"photo"}
        del originals.bodies["page"]
        return world

    whole = with_missing_files()
    pack(whole, lambda: 0)
    calls = [call.name for call in getattr(whole, port).calls]
    telling = [n for n, name in enumerate(calls) if name != "files.write" or n % 9 == 0]
    assert len(telling) > 10
    for fatal in telling:
        world = with_missing_files()
        recorder = getattr(world, port)

        def fault(call: Any, moment: str, recorder: Any = recorder, fatal: int = fatal + committed) -> None:
            if len(recorder.calls) == fatal and moment == ("after" if committed else "before"):
                raise Killed

        recorder.fault = fault
        with contextlib.suppress(Killed):
            pack(world, lambda: 0)
        recorder.fault = lambda *_: None
        pack(world, lambda: 0)
        assert world.files.objects == whole.files.objects
        assert world.request()["package"] == whole.request()["package"]


def test_a_file_that_is_gone_is_said_to_be_gone() -> None:
    world, originals = small_world()
    del originals.bodies["page"]
    pack(world, lambda: 0)
    archive = opened(world)
    assert [name for name in archive.namelist() if name.startswith("files/")] == [
        "files/surveys/000001.pdf",
        "files/surveys/000003.jpg",
        "files/surveys/000004.bin",
    ]
    assert archive.read("index.html").decode().count("deleted before this package was made") == 1


def test_a_file_that_cannot_be_read_now_is_tried_again() -> None:
    world, originals = small_world()
    originals.faults = [TryAgain("throttled")]
    with pytest.raises(TryAgain):
        packaging.step(world.deps, "r1", forever)
    pack(world)
    assert "files/surveys/000001.pdf" in opened(world).namelist()


LANGUAGES = [
    ("en", "1 original file could not be read", "could not be read and is not in this package; you can ask for it"),
    ("fr", "1 fichier original n’a pas pu être lu", "n’a pas pu être lu et ne figure pas dans cette archive"),
]


@pytest.mark.parametrize(("locale", "in_all", "beside_it"), LANGUAGES)
def test_a_file_that_cannot_be_read_is_noted_for_the_person(locale: str, in_all: str, beside_it: str) -> None:
    world, originals = small_world()
    world.table.update(requests.pk("r1"), "REQUEST", {"locale": locale})
    originals.archived = {"photo"}
    del originals.bodies["page"]
    pack(world, lambda: 0)
    archive = opened(world)
    page = archive.read("index.html").decode()
    assert (page.count(in_all), page.count(beside_it)) == (1, 1)
    assert world.deps.datamap.controller.contact in page[page.index("note warn") : page.index(in_all)]
    missing = {
        "files/surveys/000002.bin": "deleted before this package was made",
        "files/surveys/000003.jpg": "could not be read; write to dpo@example.org to ask for it",
    }
    assert json.loads(archive.read("manifest.json"))["missing"] == missing
    assert not missing.keys() & set(archive.namelist())


def test_many_files_that_cannot_be_read_do_not_outlast_a_step() -> None:
    world, originals = small_world()
    originals.archived = {"cv", "page", "photo"}
    pauses = pack(world, lambda: 0)
    assert pauses == pack(small_world()[0], lambda: 0), "time is looked at after each file, packed or not"


def test_a_store_none_of_whose_files_can_be_read_waits_for_the_dpo() -> None:
    world, originals = small_world()
    originals.archived = set(FILES)
    for time_left in (forever, lambda: 0):
        while not (answer := packaging.step(world.deps, "r1", time_left))["failed"]:
            assert not answer["done"]
        why = "none of its original files could be read"
        assert answer == {"done": False, "failed": ["surveys"], "why": why}
    originals.archived = {"cv"}
    pack(world)
    assert list(json.loads(opened(world).read("manifest.json"))["missing"]) == ["files/surveys/000001.pdf"], (
        "a retry begins with the first file"
    )


def test_a_store_that_fails_waits_for_the_dpo_and_is_packed_without_its_files_when_skipped() -> None:
    world, originals = small_world()
    originals.faults = [NeedsAttention("GetObject answered AccessDenied")] * 9
    failed = packaging.step(world.deps, "r1", forever)
    assert failed == {"done": False, "failed": ["surveys"], "why": "GetObject answered AccessDenied"}
    progress.skip(world.deps, "r1", "surveys", "the bucket was closed")
    pack(world)
    archive = opened(world)
    assert len(json.loads(archive.read("manifest.json"))["missing"]) == len(FILES)
    page = archive.read("index.html").decode()
    assert "the bucket was closed" in page
    assert "4 original files could not be read" in page
    assert "data/surveys.json" in archive.namelist()


@pytest.mark.parametrize(("decision", "name"), [("retry", ""), ("skip", "contacts")])
def test_the_dpo_can_resolve_what_packing_could_not(decision: asking.Decision, name: str) -> None:
    world = make_world()
    file = world.stores["contacts"].put({"id": "c1", "account_id": "acct-1", "email": "bob@example.org"})
    world.stores["contacts"].files[file] = b"hello"
    world.stores["contacts"].fail("open", NeedsAttention("GetObject answered AccessDenied"), times=None)
    world.ask_for("access")
    run = world.execution().run()
    assert (world.request()["status"], world.request()["failed"]) == ("needs_attention", ["contacts"])
    if decision == "retry":
        world.stores["contacts"].mend()
    asking.decide(world.deps, "r1", decision, store=name, reason="it stays closed")
    run.resume()
    assert world.request()["status"] == "completed"
    assert ("files/contacts/000001.bin" in opened(world).namelist()) is (decision == "retry")


def test_a_lost_upload_is_begun_anew_but_not_for_ever() -> None:
    world, _ = small_world()
    assert packaging.step(world.deps, "r1", lambda: 0) == {"done": False, "failed": []}
    world.files.unfinished.clear()
    assert packaging.step(world.deps, "r1", lambda: 0) == {"done": False, "failed": []}
    pack(world)
    assert opened(world).namelist()

    world, _ = small_world()
    for _ in range(packaging.TRIES - 1):
        packaging.step(world.deps, "r1", lambda: 0)
        world.files.unfinished.clear()
        packaging.step(world.deps, "r1", lambda: 0)
    packaging.step(world.deps, "r1", lambda: 0)
    world.files.unfinished.clear()
    with pytest.raises(NeedsAttention, match="lost again"):
        packaging.step(world.deps, "r1", lambda: 0)


def test_a_data_map_with_other_stores_begins_it_anew() -> None:
    world, _ = small_world()
    packaging.step(world.deps, "r1", lambda: 0)
    stores = {name: store for name, store in world.deps.datamap.stores.items() if name != "invoices"}
    world.deps = replace(world.deps, datamap=replace(world.deps.datamap, stores=stores))
    pack(world)
    assert opened(world).namelist()[0] == "data/accounts.json"


def test_a_person_nobody_knows_gets_an_honest_page() -> None:
    world = make_world()
    world.ask_for("access")
    pack(world)
    archive = opened(world)
    assert archive.namelist() == ["article15.json", "index.html", "manifest.json"]
    page = archive.read("index.html").decode()
    assert "We found no data about you" in page
    assert "What this package does not cover" in page


def test_a_store_that_the_dpo_left_out_is_named_with_the_reason() -> None:
    world, _ = small_world()
    progress.skip(world.deps, "r1", "contacts", "the table was lost <in> a fire")
    pack(world)
    assert "the table was lost &lt;in&gt; a fire" in opened(world).read("index.html").decode()


def test_article_15_comes_from_the_data_map() -> None:
    world, _ = small_world()
    pack(world)
    told = json.loads(opened(world).read("article15.json"))
    assert set(told["stores"]) == set(small_map().stores)
    assert told["controller"]["complaint"] == "CNIL, Paris"
    assert told["stores"]["invoices"]["on_erasure"] == {
        "action": "keep",
        "ground": "accounting",
        "law": "a law",
        "period": "P7Y",
    }
    assert told["stores"]["usage"]["covered"] is False
    assert told["stores"]["accounts"]["categories"] == ["user"]


def test_the_page_speaks_the_requests_language() -> None:
    world, _ = small_world()
    world.table.update("REQUEST#r1", "REQUEST", {"locale": "fr-BE"})
    pack(world)
    assert '<html lang="fr">' in opened(world).read("index.html").decode()


def test_a_request_that_ended_meanwhile_is_packed_no_further() -> None:
    world, _ = small_world()
    requests.transition(world.deps, "r1", "withdrawn", what="You withdrew the request")
    with pytest.raises(progress.Ended):
        packaging.step(world.deps, "r1", forever)
    assert KEY not in world.files.objects


def test_nothing_of_the_person_stands_in_a_key_or_in_the_saved_state() -> None:
    world, _ = small_world()
    world.ask_for("access", "marker")
    packaging.step(world.deps, "r1", lambda: 0)
    keys = "\n".join(world.files.objects)
    assert "Neill" not in keys
    items = world.table.query("REQUEST#r1", "SEALED#package")
    assert items
    assert "files" not in repr(items)
