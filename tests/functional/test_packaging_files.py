"""Original files that packing finds gone, cannot read, or must not wait for."""

from __future__ import annotations

import json

import pytest

from rightful.errors import NeedsAttention, TryAgain
from rightful.service import deciding, packaging, progress, requests
from tests.fakes.world import forever, make_world
from tests.functional.packed import (
    FILES,
    opened,
    pack,
    small_world,
)


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
def test_the_dpo_can_resolve_what_packing_could_not(decision: deciding.Decision, name: str) -> None:
    world = make_world()
    file = world.stores["contacts"].put({"id": "c1", "account_id": "acct-1", "email": "bob@example.org"})
    world.stores["contacts"].files[file] = b"hello"
    world.stores["contacts"].fail("open", NeedsAttention("GetObject answered AccessDenied"), times=None)
    world.ask_for("access")
    run = world.execution().run()
    assert (world.request()["status"], world.request()["failed"]) == ("needs_attention", ["contacts"])
    if decision == "retry":
        world.stores["contacts"].mend()
    deciding.decide(world.deps, "r1", decision, store=name, reason="it stays closed")
    run.resume()
    assert world.request()["status"] == "completed"
    assert ("files/contacts/000001.bin" in opened(world).namelist()) is (decision == "retry")
