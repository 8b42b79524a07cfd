"""The sweep keeps to the units it was given, slows down where the table throttles, and comes back to speed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest

from rightful.entry import RESERVE
from rightful.pace import LEAST, LONGEST_WAIT, PAUSE, Pace


@dataclass
class Time:
    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


def spend(pace: Pace, time: Time, calls: int, units: float, lasting: float = 0.01) -> float:
    """Units a second over these calls."""
    begun = time.now
    for _ in range(calls):
        pace.wait()
        time.now += lasting
        pace.spent(units)
    pace.wait()
    return calls * units / (time.now - begun)


@pytest.mark.parametrize("units", [0.5, 20, 256, 700])
def test_no_more_is_spent_than_the_limit_says(time: Time, units: float) -> None:
    assert spend(Pace(100, time.clock, time.sleep), time, 400, units) <= 101


def test_what_is_not_used_is_not_saved_up_for_long(time: Time) -> None:
    pace = Pace(100, time.clock, time.sleep)
    time.now += 3600
    pace.wait()
    pace.spent(300)
    pace.wait()
    assert sum(time.slept) == pytest.approx(2)


def test_without_a_limit_it_never_waits(time: Time) -> None:
    pace = Pace(0, time.clock, time.sleep)
    assert spend(pace, time, 100, 256) == pytest.approx(25600)
    assert pace.rate == math.inf
    assert time.slept == []


def test_throttling_halves_what_went_through_and_calls_that_pass_give_it_back(time: Time) -> None:
    pace = Pace(0, time.clock, time.sleep)
    spend(pace, time, 100, 10)
    pace.throttled()
    assert pace.rate == pytest.approx(500)
    pace.throttled()
    assert pace.rate == pytest.approx(250)
    for _ in range(8):
        pace.spent(1)
    assert pace.rate > 500
    limited = Pace(100, time.clock, time.sleep)
    spend(limited, time, 50, 20)
    limited.throttled()
    assert limited.rate == pytest.approx(50, rel=0.05)
    spend(limited, time, 50, 20)
    assert limited.rate == 100


def test_throttling_never_stops_it_for_good(time: Time) -> None:
    for most, least in ((0, LEAST), (500, LEAST), (5, 5)):
        pace = Pace(most, time.clock, time.sleep)
        for _ in range(100):
            pace.throttled()
        assert pace.rate == least


def test_no_call_waits_longer_than_a_step_has_in_reserve(time: Time) -> None:
    pace = Pace(1, time.clock, time.sleep)
    assert PAUSE < RESERVE
    for _ in range(3):
        pace.spent(1000)
        pace.wait()
    assert time.slept == [PAUSE] * 3


def test_what_went_through_before_a_long_pause_does_not_count(time: Time) -> None:
    pace = Pace(0, time.clock, time.sleep)
    spend(pace, time, 10, 10_000)
    time.now += 86_400
    spend(pace, time, 200, 10)
    pace.throttled()
    assert pace.rate == pytest.approx(500)


def test_a_new_limit_holds_at_once_and_forgets_no_throttling(time: Time) -> None:
    pace = Pace(0, time.clock, time.sleep)
    pace.limit(80)
    assert pace.rate == 80
    spend(pace, time, 10, 80)
    pace.throttled()
    slow = pace.rate
    pace.limit(80)
    assert pace.rate == slow
    pace.limit(5)
    assert pace.rate == 5


def test_tries_are_spread_over_longer_and_longer_times(time: Time) -> None:
    pace = Pace(0, time.clock, time.sleep)
    for tries in range(30):
        pace.back_off(tries)
        assert time.slept[-1] <= min(0.1 * 2**tries, LONGEST_WAIT)
    assert len(set(time.slept)) > 20
