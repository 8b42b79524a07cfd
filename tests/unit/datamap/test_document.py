"""YAML as it is read: what is text, what is refused, and that no file can hurt the reader."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rightful.datamap import document
from tests.unit.datamap.maps import outcome


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2027-01-01", "2027-01-01"),
        ("0o17", "0o17"),
        (".inf", ".inf"),
        ("true", True),
        ("~", None),
        ("-7", -7),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("!!str 7", "7"),
    ],
)
def test_plain_words_stay_text(text: str, value: object) -> None:
    read = document.read(f"key: {text}")
    assert read.problems == []
    assert read.value == {"key": value}


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "empty"),
        ("a: 1\nb: [1", 2, "not YAML"),
        ("a: 1\nb: 2\na: 3", 3, "`a` is here twice"),
        ("a: 1\nb: !!python/object:os.system x", 2, "type of its own"),
        ("a: 1\nb: !custom {}\n", 2, "type of its own"),
        ("a: 1\n? [1, 2]\n: 3", 2, "a key that is not text"),
        ("a: 1\n---\nb: 2", 2, "not YAML"),
        ("a: 1\nb: *nowhere", 2, "not YAML"),
        ("a: 1\nb: \x01", 2, "a character"),
        ("a: &self [*self]", 1, "nested more than"),
        ("[" * 5000, 1, "nested more than"),
        ("a: 1\nb: 99999999999999999999", 2, "type of its own"),
        ("#" * (document.MOST_CHARACTERS + 1), 1, "characters"),
        ('a: "\\ud800"', 1, "half of a character"),
    ],
)
def test_what_cannot_be_a_map_is_told_with_its_line(text: str, line: int, what: str) -> None:
    problem = outcome(text).problems[0]
    assert problem.line == line
    assert what in problem.what


def test_aliases_are_followed_but_not_into_a_flood() -> None:
    assert document.read("a: &x {b: 1}\nc: *x").value == {"a": {"b": 1}, "c": {"b": 1}}
    flood = "\n".join(
        [
            "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]",
            *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)),
        ]
    )
    assert "values" in document.read(flood).problems[0].what


def test_lines_are_those_of_keys_and_elements() -> None:
    read = document.read("a:\n  - b: 1\n  - b: 2\n")
    assert read.line(("a", 1, "b")) == 3
    assert read.line(("a", 1, "missing", "deeper")) == 3
    assert read.line(("absent",)) == 1


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    assert outcome(text).problems


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(["version", "controller", "identities", "stores", "requests"]), plain))
def test_no_value_raises(value: object) -> None:
    assert outcome(yaml.safe_dump(value, allow_unicode=True)).problems


@given(st.dictionaries(st.text(max_size=5), plain, min_size=1))
def test_what_yaml_wrote_is_read_back(value: dict[str, object]) -> None:
    read = document.read(yaml.safe_dump(value, allow_unicode=True, default_style='"'))
    assert (read.problems, read.value) == ([], value)
