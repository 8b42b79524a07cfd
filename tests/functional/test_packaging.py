"""The download, from the lines of the export steps to the finished ZIP: whole, resumable, small in memory."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import zipfile
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from rightful.errors import NeedsAttention
from rightful.service import packaging, progress, requests
from tests.fakes.company import small_map
from tests.fakes.world import World, forever, make_world
from tests.functional.packed import (
    FILES,
    HOSTILE,
    KEY,
    opened,
    pack,
    short_of_time_at_every,
    small_world,
)


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
