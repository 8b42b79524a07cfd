"""Percentiles are nearest ranks, as a sorted list gives them."""

from __future__ import annotations

import math
import statistics

from hypothesis import given
from hypothesis import strategies as st

from rightful.spread import Spread

numbers = st.lists(st.integers(0, 400), min_size=1, max_size=80)


def spread(days: list[int]) -> Spread:
    made = Spread()
    for each in days:
        made.add(each)
    return made


@given(numbers, st.integers(1, 100))
def test_a_percentile_is_the_smallest_number_that_enough_do_not_exceed(days: list[int], percent: int) -> None:
    found = spread(days).percentile(percent)
    assert found == sorted(days)[math.ceil(percent * len(days) / 100) - 1]
    enough = [each for each in sorted(days) if sum(other <= each for other in days) * 100 >= percent * len(days)]
    assert found == enough[0]


@given(numbers)
def test_median_and_mean_are_those_of_the_standard_library(days: list[int]) -> None:
    made = spread(days)
    assert made.percentile(50) == statistics.median_low(days)
    assert made.mean() == round(statistics.fmean(days), 1)
    assert made.percentile(100) == max(days)
    assert made.count == len(days)


@given(st.lists(st.integers(0, 400)))
def test_bands_hold_each_number_once(days: list[int]) -> None:
    assert spread(days).bands([7, 14]) == [
        sum(each <= 7 for each in days),
        sum(7 < each <= 14 for each in days),
        sum(each > 14 for each in days),
    ]


def test_of_nothing_nothing_is_said() -> None:
    assert (Spread().percentile(50), Spread().mean(), Spread().bands([7])) == (None, None, [0, 0])
