"""JSON is the lossless copy; CSV is harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.archive import tables
from rightful.cells import cell
from rightful.model import Record
from rightful.records import Line, from_line, to_line

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "\u00a0=1",
    "\u200b=1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    '"=1',
    "'=1",
    "\n=1",
]
cells = st.text(max_size=20) | st.sampled_from(FORMULAS)
values = (
    cells
    | st.none()
    | st.booleans()
    | st.decimals(allow_nan=False)
    | st.binary(max_size=4)
    | st.lists(cells, max_size=3)
    | st.dictionaries(cells, cells, max_size=2)
)
records = st.lists(st.dictionaries(cells, values, max_size=4), max_size=5)
STARTS_A_FORMULA = re.compile(r"[\s\u200b\ufeff\"]*[=+\-@＝＋－＠]|[\t\r\n]")


def lines(data: Iterable[dict[str, Any]]) -> list[Line]:
    return [from_line(to_line(record, {}, Record("k", record))) for record in data]


def columns(data: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for record in data for name in record))


def read_csv(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))


@given(records)
def test_the_json_is_an_array_of_every_record(data: list[dict[str, Any]]) -> None:
    body = b"".join(tables.as_json(lines(data)))
    parsed = json.loads(body, parse_float=Decimal)
    assert len(parsed) == len(data)
    assert body.startswith(b"[")
    assert [line.shown() for line in lines(data)] == [
        from_line(text.rstrip(b",") + b'\t{"hidden":{}}').shown() for text in body.splitlines()[1:-1] if text
    ]


@given(records)
def test_no_cell_starts_a_formula(data: list[dict[str, Any]]) -> None:
    body = b"".join(tables.as_csv(lines(data), columns(data)))
    assert body.startswith(b"\xef\xbb\xbf")
    rows = read_csv(body) if columns(data) else []
    assert len(rows) == (len(data) + 1 if columns(data) else 0)
    for row in rows:
        assert len(row) == len(columns(data))
        assert not [cell for cell in row if STARTS_A_FORMULA.match(cell)]
        assert not [
            piece
            for cell in row
            for piece in re.split("[;\t]", cell)
            if STARTS_A_FORMULA.match(piece) and piece.strip()
        ]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_kept_as_text(formula: str) -> None:
    assert cell(formula).startswith("'")
    assert cell(formula).replace("'", "") == formula.replace("'", "")
    assert cell(f"a;{formula}").startswith("a;'")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ('O\'Neill, "Ada"\nline', 'O\'Neill, "Ada"\nline'),
        ("a - b = c", "a - b = c"),
        ("", ""),
        (None, ""),
        (True, "true"),
        (False, "false"),
        (Decimal("1.10"), "1.10"),
        (Decimal("-1.10"), "'-1.10"),
        ({"a": [Decimal("1.10"), None]}, '{"a":[1.10,null]}'),
        ([b"x"], '[{"base64":"eA=="}]'),
        ([10**30], "[1" + "0" * 30 + "]"),
        ([Decimal("NaN")], '[{"number":"NaN"}]'),
        ("nul\x00l", "nul\ufffdl"),
        ("lone \ud800", "lone \ufffd"),
        ("\u202eabc 😀 é", "\u202eabc 😀 é"),
    ],
)
def test_a_value_reads_as_itself(value: Any, text: str) -> None:
    assert cell(value) == text


def test_records_of_different_shapes_share_the_columns() -> None:
    data: list[dict[str, Any]] = [{"a": 1}, {"b": "x,y"}, {"a": {"c": 2}, "b": None}]
    assert b"".join(tables.as_csv(lines(data), ["a", "b"])) == (b'\xef\xbb\xbfa,b\r\n1,\r\n,"x,y"\r\n"{""c"":2}",\r\n')


def test_a_large_table_comes_in_chunks() -> None:
    data = [{"a": "x" * 100_000}] * 20
    assert max(map(len, tables.as_csv(lines(data), ["a"]))) < 2 * tables.CHUNK
    assert max(map(len, tables.as_json(lines(data)))) < 2 * tables.CHUNK
