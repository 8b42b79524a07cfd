"""Stacked columns stand on one line, are as high as what they count, and do not overlap."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.reports.columns import BOTTOM, HEIGHT, LABEL, LEFT, PLOT, WIDTH, columns, steps


def weeks(counts: list[dict[str, int]], start: str = "2026-01-05") -> list[dict[str, Any]]:
    first = date.fromisoformat(start)
    return [{"monday": (first + timedelta(weeks=n)).isoformat(), "types": each} for n, each in enumerate(counts)]


@given(st.integers(0, 10_000_000))
def test_the_axis_reaches_what_it_must_in_few_round_steps(most: int) -> None:
    found = steps(most)
    assert found[0] == 0
    assert most <= found[-1] < max(most * 2.1, 2)
    assert 2 <= len(found) <= 6
    assert len({later - earlier for earlier, later in pairwise(found)}) == 1
    assert str(found[1]).rstrip("0") in ("1", "2", "5")


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 900)), min_size=1, max_size=160))
def test_columns_are_to_scale_and_apart(counts: list[dict[str, int]]) -> None:
    drawn = columns(weeks(counts), ["a", "b", "c"])
    scale = PLOT / drawn["ticks"][-1]["value"]
    by_week: dict[str, list[dict[str, Any]]] = {}
    for bar in drawn["bars"]:
        assert bar["height"] == pytest.approx(bar["requests"] * scale, abs=0.06)
        assert bar["x"] >= LEFT
        assert bar["x"] + bar["width"] <= WIDTH + 0.1
        by_week.setdefault(bar["monday"], []).append(bar)
    assert sum(bar["requests"] for bar in drawn["bars"]) == sum(sum(each.values()) for each in counts)
    for stack in by_week.values():
        foot = float(HEIGHT - BOTTOM)
        for bar in stack:
            assert bar["y"] + bar["height"] == pytest.approx(foot, abs=0.25)
            foot = bar["y"]
    ends = [(stack[0]["x"], stack[0]["x"] + stack[0]["width"]) for stack in by_week.values()]
    assert all(end < begin for (_, end), (begin, _) in pairwise(ends))


def test_months_are_named_where_there_is_room() -> None:
    year = columns(weeks([{}] * 53), [])["months"]
    assert [month["name"] for month in year] == [
        *("Jan 2026", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    ]
    crowded = columns(weeks([{}] * 157), [])["months"]
    places = [month["x"] for month in crowded]
    assert all(later - earlier >= LABEL for earlier, later in pairwise(places))
