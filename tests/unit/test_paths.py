"""Paths into records: what they find, what they change, and what they leave alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful import paths
from rightful.errors import Invalid

RECORD: dict[str, Any] = {
    "email": "ana@example.com",
    "a.b": 1,
    "address": {"city": "Lyon", "lines": ["1 rue X", "2e étage"]},
    "contacts": [{"email": "b@example.com"}, {"name": "no address"}, {"email": "c@example.com"}, "odd one"],
    "tags": {"red", "blue"},
    "grid": [[1, 2], [3]],
    "nothing": None,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("email", ["ana@example.com"]),
        ("address.city", ["Lyon"]),
        ("address.lines[]", ["1 rue X", "2e étage"]),
        ("contacts[].email", ["b@example.com", "c@example.com"]),
        ("grid[][]", [1, 2, 3]),
        ("a\\.b", [1]),
        ("nothing", [None]),
        ("nothing.at.all", []),
        ("email[]", []),
        ("contacts.email", []),
        ("absent[].x", []),
    ],
)
def test_get_finds_what_the_path_says_and_tolerates_the_rest(path: str, found: list[Any]) -> None:
    assert paths.get(RECORD, path) == found


def test_sets_are_walked_like_lists() -> None:
    assert sorted(paths.get(RECORD, "tags[]")) == ["blue", "red"]
    assert paths.replace(RECORD, "tags[]", str.upper)["tags"] == {"RED", "BLUE"}


def test_a_set_that_loses_its_last_element_goes_and_a_list_stays_empty() -> None:
    assert "tags" not in paths.replace(RECORD, "tags[]", lambda _: paths.REMOVE)
    assert paths.replace(RECORD, "address.lines[]", lambda _: paths.REMOVE)["address"]["lines"] == []


def test_remove_takes_the_key_only_where_it_stands() -> None:
    contacts = paths.replace(RECORD, "contacts[].email", lambda _: paths.REMOVE)["contacts"]
    assert contacts == [{}, {"name": "no address"}, {}, "odd one"]


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "[]", "[]a", "a[]b", "a[0]", "a[", "a]", "a\\", "a\\b"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(Invalid):
        paths.parse(path)


def test_top_is_the_attribute_a_write_must_replace() -> None:
    assert paths.top("contacts[].email") == "contacts"
    assert paths.top("a\\.b.c") == "a.b"


names = st.text(min_size=1, max_size=4)
leaves = st.none() | st.integers() | st.text(max_size=3)
trees = st.dictionaries(
    names,
    st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)),
    max_size=4,
)


def every_path(value: Any, steps: str = "") -> set[str]:
    found = {steps} if steps else set()
    if isinstance(value, dict):
        for name, inner in value.items():
            found |= every_path(inner, f"{steps}.{paths.join([name])}" if steps else paths.join([name]))
    elif isinstance(value, list):
        for inner in value:
            found |= every_path(inner, f"{steps}[]")
    return found


@st.composite
def records_and_paths(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    record = draw(trees.filter(bool))
    return record, draw(st.sampled_from(sorted(every_path(record))))


@given(records_and_paths())
def test_every_path_of_a_record_is_found(case: tuple[dict[str, Any], str]) -> None:
    record, path = case
    assert paths.get(record, path)


@given(records_and_paths())
def test_replace_changes_exactly_what_get_finds(case: tuple[dict[str, Any], str]) -> None:
    record, path = case
    before = copy.deepcopy(record)
    found = paths.get(record, path)
    seen: list[Any] = []

    def note(value: Any) -> str:
        seen.append(value)
        return "new"

    changed = paths.replace(record, path, note)
    assert record == before
    assert seen == found
    assert paths.get(changed, path) == ["new"] * len(found)
    assert paths.get(paths.replace(record, path, lambda _: paths.REMOVE), path) == []
    assert paths.replace(record, path, lambda value: value) == record


@given(trees, st.lists(names, min_size=1, max_size=3))
def test_replacing_what_is_not_there_changes_nothing(record: dict[str, Any], steps: list[str]) -> None:
    path = paths.join(steps)
    if not paths.get(record, path):
        assert paths.replace(record, path, lambda _: "new") == record


@given(st.lists(names, min_size=1, max_size=4))
def test_join_and_parse_are_inverse(steps: list[str]) -> None:
    assert paths.parse(paths.join(steps)) == tuple(steps)
