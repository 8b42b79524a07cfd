"""People whose data breaks careless software: each gets a package that is safe to open, and is erased cleanly."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from infra.local import checks
from infra.local.person import Person
from infra.local.stack import Stack
from infra.sample.digest import snapshot
from infra.sample.truth import Truth
from tests.e2e import driving

READERS = (
    "html",
    "formula",
    "formula_tab",
    "quotes",
    "right_to_left",
    "emoji",
    "invisible",
    "huge_ticket",
    "odd_values",
    "odd_files",
)
LEAVERS = ("wildcards", "kelvin_ascii", "plus_address", "longer_domain")
"""People of a team list each other as contacts, so these are of one whose records no other test counts."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@pytest.fixture(scope="module")
def packages(stack: Stack, truth: Truth, person: Callable[[str], Person]) -> dict[str, bytes]:
    """Trait -> ZIP. The requests run side by side."""
    readers = {trait: person(next(truth.people(trait))) for trait in READERS}
    asked = {trait: reader.ask("access") for trait, reader in readers.items()}
    for trait, reader in readers.items():
        assert reader.wait(asked[trait])["status"] == "completed"
    return {trait: driving.fetch(stack, reader, asked[trait]) for trait, reader in readers.items()}


@pytest.fixture(params=READERS)
def trait(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def archive(packages: dict[str, bytes], trait: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(packages[trait]))


class Page(HTMLParser):
    """Collects what of a page could act or reach out. `beside`: the files it may point to."""

    def __init__(self, text: str, beside: list[str]) -> None:
        super().__init__()
        self._beside = beside
        self.acting: list[str] = []
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in {"script", "iframe", "object", "embed", "base", "form", "link", "img"}:
            self.acting.append(tag)
        self.acting += [name for name in given if name.startswith("on")]
        self.acting += [url for name, url in given.items() if name in {"href", "src"} and not self._harmless(url)]
        if tag == "meta" and given.get("http-equiv", "").lower() == "content-security-policy":
            self.policy = given["content"]

    def _harmless(self, url: str) -> bool:
        return url.startswith(("#", "https://", "mailto:")) or unquote(url) in self._beside


def test_the_zip_opens_and_is_what_its_manifest_says(archive: zipfile.ZipFile, tmp_path: Path) -> None:
    assert archive.testzip() is None
    names = archive.namelist()
    assert len(names) == len({name.lower() for name in names}), "no two names are one on any file system"
    for name in names:
        assert not name.startswith(("/", "\\"))
        assert not {"..", "."} & set(name.replace("\\", "/").split("/"))
        assert name.isascii()
        assert name.isprintable()
    archive.extractall(tmp_path)
    listed = json.loads(archive.read("manifest.json"))["files"]
    assert {name: facts["sha256"] for name, facts in listed.items()} == {
        name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in names if name != "manifest.json"
    }


def test_the_page_runs_nothing_and_calls_nobody(archive: zipfile.ZipFile) -> None:
    pages = [name for name in archive.namelist() if name.endswith(".html")]
    assert "index.html" in pages
    for name in pages:
        page = Page(archive.read(name).decode(), archive.namelist())
        assert page.acting == []
        assert "default-src 'none'" in page.policy


def test_no_cell_of_a_table_is_a_formula(archive: zipfile.ZipFile) -> None:
    tables = [name for name in archive.namelist() if name.endswith(".csv") and name.startswith("data/")]
    assert tables
    csv.field_size_limit(10**6)
    for name in tables:
        text = io.StringIO(archive.read(name).decode("utf-8-sig"), newline="")
        assert [cell for row in csv.reader(text) for cell in row if cell.startswith(FORMULA)] == []


def test_every_record_is_there_unchanged(
    stack: Stack, truth: Truth, packages: dict[str, bytes], trait: str, archive: zipfile.ZipFile
) -> None:
    email = next(truth.people(trait))
    now = snapshot(stack.client)

    outcomes = checks.access(truth, email, now, now, io.BytesIO(packages[trait]))

    assert [outcome for outcome in outcomes if outcome.problems] == []
    (account,) = json.loads(archive.read("data/accounts.json"))
    assert f"{account['first_name']} {account['last_name']}" == truth.content["persons"][email]["name"]


def test_hostile_people_are_erased_and_nobody_else(stack: Stack, truth: Truth, person: Callable[[str], Person]) -> None:
    before = snapshot(stack.client)
    leavers = [person(next(truth.people(trait))) for trait in LEAVERS]
    asked = [leaver.ask("erasure") for leaver in leavers]

    ended = [leaver.wait(request_id) for leaver, request_id in zip(leavers, asked, strict=True)]

    after = snapshot(stack.client)
    assert {end["status"] for end in ended} == {"completed"}
    assert checks.bystanders(truth, before, after, [leaver.email for leaver in leavers]) == []
    for leaver in leavers:
        gone = {
            key
            for store, share in truth.person(leaver.email).items()
            if store != "usage_events"
            for key in share["keys"]
            if key not in share["after_erasure"] and key in after[store]
        }
        assert gone == set()
