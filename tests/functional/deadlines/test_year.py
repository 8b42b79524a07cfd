"""A year of days at a seat with summer time and holidays: what is said on which day, and nothing twice."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from rightful.clocks import due, stamp
from rightful.service import requests
from tests.fakes.world import World
from tests.functional.deadlines.rounds import company, digests, due_in, named, run

FIRST = date(2027, 1, 1)
DAYS_OFF = ("03-29", "05-06", "05-17", "07-14", "09-06", "10-11", "11-01", "11-11", "12-24", "12-27", "12-31")
HOLIDAYS = [f"2027-{day}" for day in DAYS_OFF]
"""On which no answer falls due; all are on days on which people work otherwise."""


def expected(open_now: dict[str, datetime], today: date, tz: ZoneInfo) -> list[str]:
    """By the calendar alone: what ends within seven days, or has ended, the soonest first."""
    days = {name: (end.astimezone(tz).date() - today).days for name, end in open_now.items()}
    return sorted((name for name, left in days.items() if left <= 7), key=lambda name: (days[name], name))


@pytest.mark.parametrize("seat", ["Europe/Paris", "America/New_York"])
def test_each_day_names_each_request_once_and_a_quiet_day_says_nothing(seat: str) -> None:
    tz, chance, world = ZoneInfo(seat), random.Random(1182), company(seat)
    open_now: dict[str, datetime] = {}
    mailed = quiet = moved = 0
    for n in range(365):
        today = FIRST + timedelta(days=n)
        if chance.random() < 0.15:
            name = f"r{n:03}"
            received = datetime.combine(today, time(chance.randrange(6), chance.randrange(60)), tz)
            world.clock.set(received)
            open_now[name] = due("gdpr", received, HOLIDAYS, tz=tz)
            moved += open_now[name] > due("gdpr", received, tz=tz)
            assert open_now[name].astimezone(tz).date().isoformat() not in HOLIDAYS
            due_in(world, name, 0, due_at=stamp(open_now[name]))
        for name in [each for each in open_now if chance.random() < 0.03]:
            requests.transition(world.deps, name, "completed", what="Done")
            del open_now[name]
        world.clock.set(datetime.combine(today, time(6), tz))
        before, wanted = len(digests(world)), expected(open_now, today, tz)
        for hours in (0, 0.1, 12):  # a schedule that fires twice, and somebody who starts it by hand
            world.clock.set(datetime.combine(today, time(6), tz) + timedelta(hours=hours))
            counts = run(world)
            assert (counts["open"], counts["overdue"] + counts["due_within_7"]) == (len(open_now), len(wanted))
        new = digests(world)[before:]
        assert [named(mail) for mail in new] == ([wanted] if wanted else [])
        mailed, quiet = mailed + len(new), quiet + (not new)
    assert min(mailed, quiet) > 30, "both kinds of days were seen"
    assert moved, "an answer that would be due on a holiday"


@pytest.mark.parametrize("night", [date(2027, 3, 28), date(2027, 10, 31)])
def test_the_day_of_a_mail_is_the_controllers(night: date) -> None:
    """One minute before midnight in Paris and one minute after it are two days, whatever the day in UTC."""
    world, tz = company(), ZoneInfo("Europe/Paris")
    midnight = datetime.combine(night, time(0), tz)
    due_in(world, "r1", -1, due_at=stamp(midnight - timedelta(days=5)))
    for minutes in (-2, -1, 1, 2):
        world.clock.set(midnight + timedelta(minutes=minutes))
        run(world)
    keys = [mail.key.split(":")[0] for mail in digests(world)]
    assert keys == [f"deadlines-{night - timedelta(days=1)}", f"deadlines-{night}"]


def test_a_request_comes_nearer_is_late_and_is_gone_when_it_is_answered() -> None:
    world = company()
    due_in(world, "r1", 9)
    told: list[list[int]] = []

    def next_day(world: World) -> None:
        counts = run(world)
        told.append([counts[name] for name in ("due_within_7", "due_within_2", "overdue", "mailed")])
        world.clock.advance(days=1)

    for _ in range(11):
        next_day(world)
    requests.transition(world.deps, "r1", "completed", what="Done")
    next_day(world)
    week, near = [[1, 0, 0, 1]] * 5, [[1, 1, 0, 1]] * 3
    assert told == [[0, 0, 0, 0]] * 2 + week + near + [[0, 0, 1, 1], [0, 0, 0, 0]]
