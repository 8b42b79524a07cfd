"""The chain of a request's ledger: whatever is changed, dropped, added or moved, is noticed."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful import ledger
from rightful.errors import Invalid


def chain(length: int) -> list[ledger.Entry]:
    made: list[ledger.Entry] = []
    for n in range(1, length + 1):
        previous = made[-1]["hash"] if made else ""
        facts = {"stores": {"accounts": {"deleted": n, "kept": [{"ground": "b\u00fccher"}]}}}
        what = f"Step {n} \u2713"
        made.append(ledger.entry("r1", n, previous, at=f"2027-01-0{n}", what=what, status="in_progress", facts=facts))
    return made


def test_the_head_is_the_last_hash() -> None:
    assert ledger.head("r1", chain(4)) == chain(4)[-1]["hash"]
    assert len({entry["hash"] for entry in chain(9)}) == 9


def test_an_entry_is_the_same_after_it_was_stored_in_any_order_of_keys() -> None:
    turned = [dict(reversed(each.items())) for each in chain(3)]
    assert ledger.head("r1", turned) == ledger.head("r1", chain(3))


@pytest.mark.parametrize("n", range(4))
@pytest.mark.parametrize("name", ["request_id", "n", "at", "what", "status", "key", "facts", "previous", "hash"])
def test_a_change_to_any_value_of_any_link_is_caught(n: int, name: str) -> None:
    entries = chain(4)
    value: Any = entries[n][name]
    entries[n][name] = value + 1 if isinstance(value, int) else {} if isinstance(value, dict) else value + "x"
    with pytest.raises(Invalid, match=f"entry {n + 1} "):
        ledger.head("r1", entries)


@pytest.mark.parametrize("n", range(4))
def test_a_link_that_was_forged_whole_breaks_the_next_or_changes_the_head(n: int) -> None:
    entries = chain(4)
    forged = {**entries[n], "what": "Nothing happened"}
    entries[n] = {**forged, "hash": ledger.digest(forged)}
    if n == 3:
        assert ledger.head("r1", entries) != ledger.head("r1", chain(4))
        return
    with pytest.raises(Invalid, match=f"entry {n + 2} "):
        ledger.head("r1", entries)


@given(st.permutations(range(4)), st.integers(0, 4))
def test_links_that_were_dropped_added_or_moved_are_caught(order: list[int], length: int) -> None:
    whole = chain(4)
    entries = [copy.deepcopy(whole[n]) for n in order[:length]]
    if entries == whole[:length] and entries:
        assert (ledger.head("r1", entries) == ledger.head("r1", whole)) == (length == 4)
        return
    with pytest.raises(Invalid):
        ledger.head("r1", entries)


def test_another_requests_ledger_is_not_this_ones() -> None:
    with pytest.raises(Invalid, match="entry 1 "):
        ledger.head("r2", chain(2))
