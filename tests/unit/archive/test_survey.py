"""The summary of a store stays small and loses no count."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rightful.archive.survey import BUDGET, ITEMS, RECORDS, TEXT, Survey, shorten
from rightful.model import Record
from rightful.records import from_line, to_line


def survey_of(records: list[dict[str, Any]], hidden: dict[str, int] | None = None) -> Survey:
    survey = Survey()
    lines = (from_line(to_line(record, hidden or {}, Record("k", record))) for record in records)
    assert sum(1 for _ in survey.watch(lines)) == len(records)
    return survey


def test_every_record_counts_and_the_first_are_kept() -> None:
    survey = survey_of([{"n": n, f"c{n % 3}": 1} for n in range(500)], {"other": 2})
    assert (survey.count, survey.hidden) == (500, {"other": 1000})
    assert list(survey.columns) == ["n", "c0", "c1", "c2"]
    assert [record["n"] for record in survey.sample] == [str(n) for n in range(RECORDS)]


def test_huge_records_are_cut_down() -> None:
    text = "x" * 400_000
    record = {"t": text, "l": [text[:1000]] * 1000, "m": {str(n): text[:1000] for n in range(1000)}}
    survey = survey_of([record] * 20)
    assert len(json.dumps(survey.to_json())) < 2 * BUDGET
    assert survey.count == 20
    assert survey.sample[0]["t"] == "x" * TEXT + f"… (+{400_000 - TEXT})"
    assert survey.sample[0]["l"]["more"] == 1000 - ITEMS


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.text() | st.binary(max_size=5) | st.integers() | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.lists(st.dictionaries(st.text(), values, max_size=4), max_size=4))
def test_it_can_be_laid_aside_and_taken_up(records: list[dict[str, Any]]) -> None:
    survey = survey_of(records, {"free_text": 1})
    survey.note_file("cv.pdf", 3, "files/x/000001.pdf")
    assert Survey.from_json(json.loads(json.dumps(survey.to_json()))) == survey


def test_what_a_page_cannot_show_is_replaced() -> None:
    assert shorten({"a\x00": "b\ud800\x1b"}) == {"a\ufffd": "b\ufffd\ufffd"}
    assert shorten([b"abc", Decimal("1.0")], 1) == {"list": [{"bytes": 3}, "1.0"], "more": 0}


def test_a_files_name_cannot_turn_around() -> None:
    survey = Survey()
    survey.note_file("cv\u202efdp.exe", 1, "files/x/000001.bin")
    assert survey.sample_files[0]["name"] == "cv\ufffdfdp.exe"
