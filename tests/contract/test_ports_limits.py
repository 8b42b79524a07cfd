"""What every limit does: never more than its due in any window, however many ask at once."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.aws.limits import RACES, TableLimits
from rightful.ports import Limits
from tests.fakes.clock import MovableClock
from tests.fakes.limits import MemoryLimits
from tests.fakes.recording import Moment
from tests.fakes.table import MemoryTable


class LimitsContract:
    """Needs `make(clock)`."""

    def make(self, clock: MovableClock) -> Limits:
        """Each implementation makes its own."""
        raise NotImplementedError

    def test_the_wait_told_is_the_wait_needed(self) -> None:
        clock = MovableClock()
        limits = self.make(clock)
        assert limits.take("codes", "ann", 2, 60) == 0
        clock.advance(20)
        assert limits.take("codes", "ann", 2, 60) == 0
        assert limits.take("codes", "ann", 2, 60) == 40
        clock.advance(39.5)
        assert limits.take("codes", "ann", 2, 60) == 1
        clock.advance(0.5)
        assert limits.take("codes", "ann", 2, 60) == 0
        assert limits.take("codes", "ann", 2, 60) == 20

    def test_a_refused_use_is_not_counted(self) -> None:
        clock = MovableClock()
        limits = self.make(clock)
        limits.take("codes", "ann", 1, 60)
        for _ in range(59):
            clock.advance(1)
            assert limits.take("codes", "ann", 1, 60) > 0
        clock.advance(1)
        assert limits.take("codes", "ann", 1, 60) == 0

    def test_subjects_and_uses_are_apart(self) -> None:
        limits = self.make(MovableClock())
        assert limits.take("codes", "ann", 1, 60) == 0
        assert limits.take("codes", "bob", 1, 60) == 0
        assert limits.take("other", "ann", 1, 60) == 0
        assert limits.take("codes", "ann", 1, 60) == 60

    def test_none_at_all(self) -> None:
        assert self.make(MovableClock()).take("codes", "ann", 0, 60) == 60

    def test_a_rush_gets_no_more_than_its_due(self) -> None:
        limits = self.make(MovableClock())
        started, allowed = threading.Barrier(16), []

        def take() -> None:
            started.wait()
            allowed.append(limits.take("codes", "ann", 5, 60) == 0)

        threads = [threading.Thread(target=take) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 1 <= sum(allowed) <= 5


class TestMemoryLimits(LimitsContract):
    def make(self, clock: MovableClock) -> MemoryLimits:
        return MemoryLimits(clock)


@pytest.mark.parametrize("kind", ["memory", "table"])
@given(
    most=st.integers(1, 4),
    seconds=st.integers(1, 30),
    steps=st.lists(st.integers(0, 20_000), max_size=40),
)
def test_no_window_ever_holds_more(kind: str, most: int, seconds: int, steps: list[int]) -> None:
    clock = MovableClock()
    limits: Limits = MemoryLimits(clock) if kind == "memory" else TableLimits(MemoryTable(clock), clock)
    now, taken = 0, list[int]()
    for milliseconds in steps:
        clock.advance(milliseconds / 1000)
        now += milliseconds
        inside = [at for at in taken if at > now - seconds * 1000]
        wait = limits.take("codes", "ann", most, seconds)
        assert (wait == 0) == (len(inside) < most)
        if wait == 0:
            taken.append(now)
        else:
            left = inside[-most] + seconds * 1000 - now
            assert left <= wait * 1000 < left + 1000


class TestTableLimits(LimitsContract):
    def make(self, clock: MovableClock) -> TableLimits:
        return TableLimits(MemoryTable(clock), clock)

    @pytest.mark.parametrize("used", [0, 1])
    def test_who_loses_every_race_is_refused(self, used: int) -> None:
        clock = MovableClock()
        table = MemoryTable(clock)
        limits, rival = TableLimits(table, clock), TableLimits(table, clock)
        for _ in range(used):
            limits.take("codes", "ann", 99, 60)
        overtaken = 0

        def overtake(name: str, moment: Moment) -> None:
            nonlocal overtaken
            if name == "table.get" and moment == "after":
                overtaken += 1
                table.fault = lambda *_: None
                assert rival.take("codes", "ann", 99, 60) == 0
                table.fault = overtake

        table.fault = overtake
        assert limits.take("codes", "ann", 99, 60) == 1
        assert overtaken == RACES

    def test_the_item_ends_with_its_window(self) -> None:
        clock = MovableClock()
        table = MemoryTable(clock)
        TableLimits(table, clock).take("codes", "ann", 1, 60)
        clock.advance(62)
        assert table.get("LIMIT#codes#ann", "LIMIT") is None
