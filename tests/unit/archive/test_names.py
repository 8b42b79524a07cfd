"""Nothing that somebody wrote becomes part of a path."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.archive import names

HOSTILE = [
    "../../etc/passwd",
    "C:\\x.exe",
    "/abs.pdf",
    "a\x00b.pdf",
    "con.txt",
    "..",
    "",
    ".pdf",
    "x.PDF\n",
    "x.p/df",
    "fdp\u202e.exe",
]


@given(st.text() | st.sampled_from(HOSTILE), st.integers(1, 10**7))
def test_a_files_name_is_ours(original: str, number: int) -> None:
    assert re.fullmatch(r"files/uploads/\d{6,8}\.[a-z0-9]{1,8}", names.file_name("uploads", number, original))


@pytest.mark.parametrize(
    ("original", "extension"),
    [("cv.pdf", "pdf"), ("Photo.JPEG", "jpeg"), ("a.tar.gz", "gz"), ("archive.ZIP", "zip"), ("notes.txt", "txt")],
)
def test_a_passive_kind_keeps_its_extension(original: str, extension: str) -> None:
    assert names.extension(original) == extension


RUNNABLE = """html htm xhtml svg xml js mjs exe com bat cmd ps1 vbs msi scr lnk url hta jar sh py docm xlsm pdfx İpdf"""


@pytest.mark.parametrize("kind", RUNNABLE.split())
def test_what_could_run_becomes_bin(kind: str) -> None:
    assert names.extension(f"invoice.{kind}") == "bin"


def test_stores_named_like_a_device_can_be_unpacked_on_windows() -> None:
    assert names.json_name("con") == "data/con_.json"
    assert names.csv_name("lpt1") == "data/lpt1_.csv"
    assert names.csv_name("contacts") == "data/contacts.csv"


def test_compressed_kinds_are_known() -> None:
    assert names.is_packed("a.JPG")
    assert not names.is_packed("a.txt")
    assert not names.is_packed("a.exe")
