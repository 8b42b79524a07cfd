"""What an export writes down is what the store held."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.model import Record, StoredFile
from rightful.records import Line, decode, encode, from_line, to_line

names = st.text(max_size=8) | st.sampled_from(["base64", "number", "_base64", "__number", "shown", "source"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=20)
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4), max_leaves=12
)


@given(st.dictionaries(names, values, max_size=5))
def test_a_record_comes_back_as_it_was(data: dict[str, Any]) -> None:
    text = encode(data)
    assert decode(text) == data
    assert b"\n" not in text


@given(st.dictionaries(names, values, max_size=5))
def test_any_json_reader_can_read_it(data: dict[str, Any]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    json.loads(encode(data), parse_constant=refuse)


@pytest.mark.parametrize("digits", ["0.10", "1.000000000000000000000000000000000001", "1E+3", "-0.0", "9" * 38, "5"])
def test_a_number_keeps_every_digit(digits: str) -> None:
    assert encode({"n": Decimal(digits)}) == b'{"n":' + digits.encode() + b"}"
    assert decode(encode({"n": Decimal(digits)})) == {"n": Decimal(digits)}


@pytest.mark.parametrize("number", [Decimal("NaN"), Decimal("-Infinity"), float("inf"), 10**2000, Decimal("9" * 5000)])
def test_a_number_that_json_readers_refuse_is_tagged(number: Any) -> None:
    if isinstance(number, int):
        number = Decimal(number)
    (tag,) = json.loads(encode({"n": number}))["n"]
    assert tag == "number"
    assert str(decode(encode({"n": number}))["n"]) == str(Decimal(number))


def test_a_set_is_a_sorted_list() -> None:
    assert encode({"s": {"b", "a"}, "n": {Decimal(10), Decimal(9)}, "e": set()}) == b'{"s":["a","b"],"n":[9,10],"e":[]}'
    assert encode({"s": frozenset({b"b", b"a", "x"})}) == b'{"s":[{"base64":"YQ=="},{"base64":"Yg=="},"x"]}'


def test_a_date_is_text() -> None:
    assert decode(encode({"at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "on": date(2026, 1, 2)})) == {
        "at": "2026-01-02T03:04:00+00:00",
        "on": "2026-01-02",
    }


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\x00", "\u2028", "\U0001f600 é", '"\\', "\u202eabc"])
def test_hostile_text_survives(text: str) -> None:
    assert decode(encode({text: text})) == {text: text}


def test_an_unknown_type_is_refused_without_its_value() -> None:
    with pytest.raises(TypeError, match=r"^a record cannot hold a complex$"):
        encode({"secret": 1j})


def test_a_line_carries_what_opens_the_file_and_only_then() -> None:
    plain = Record("k1", {"a": "secret"})
    line = to_line({"a": "[masked]\t\n"}, {"other": 1}, plain)
    assert b"secret" not in line
    assert line.count(b"\n") == 1
    assert from_line(line) == Line(encode({"a": "[masked]\t\n"}), {"other": 1}, None)
    assert from_line(line).shown() == {"a": "[masked]\t\n"}
    assert from_line(to_line({}, {}, plain)) == Line(b"{}", {})
    filed = Record("k2", {"key": "u/1", "tags": {"x"}}, native=object(), file=StoredFile("cv.pdf", 12))
    source = from_line(to_line({}, {}, filed)).source
    assert source == Record("k2", {"key": "u/1", "tags": ["x"]}, None, StoredFile("cv.pdf", 12))


@given(st.dictionaries(names | st.just("\udc00"), values, max_size=5))
def test_the_names_of_a_line_can_be_had_without_reading_it_all(data: dict[str, Any]) -> None:
    line = from_line(to_line(data, {}, Record("k", data)))
    assert list(line.names()) == list(data)
