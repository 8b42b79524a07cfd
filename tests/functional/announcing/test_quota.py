"""What the provider takes in a second and in a day is shared, and a part of it is left to mails that cannot wait."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from rightful.errors import TryAgain
from rightful.ports import Quota
from rightful.service.announcing import telling
from rightful.service.deps import TimeLeft
from rightful.service.desk import book
from tests.fakes.world import World
from tests.functional.announcing.people import VERSION, company, people, publish, reports, told

WAIT = "Wait until mails may go again"


def rolling(world: World, day: float, rate: float = 14) -> None:
    """From now on the provider counts what it was handed in the last 24 hours."""
    sent_at: list[datetime] = []

    def count(name: str, moment: str) -> None:
        if (name, moment) == ("mailer.send", "after"):
            sent_at.append(world.clock())
        if (name, moment) == ("mailer.quota", "before"):
            recent = sum(world.clock() - each < timedelta(days=1) for each in sent_at)
            world.mailer.allowed = Quota(rate, day, recent - len(world.mailer.sent))
            most.append(recent)

    most: list[int] = []
    world.mailer.fault = count


def test_the_share_of_a_day_is_used_and_the_rest_goes_out_on_the_days_after() -> None:
    """Of 100 mails a day 80 may be notices."""
    world = company(people(200), page_size=40)
    rolling(world, day=100)
    begun = world.clock()
    publish(world)
    execution = world.policy_notice(VERSION).run()
    assert execution.value["told"] == 200
    assert told(world) == sorted(f"p{n}@example.org" for n in range(200))
    assert WAIT in execution.history
    assert timedelta(days=2) <= world.clock() - begun < timedelta(days=4)


@pytest.mark.parametrize(("effective_from", "late"), [("2026-12-02", True), ("2026-12-06", False)])
def test_the_dpo_reads_when_the_last_were_told_less_than_thirty_days_ahead(effective_from: str, late: bool) -> None:
    """It was published in time; but the quota let the mails out over some days."""
    world = company(people(200), page_size=40)
    rolling(world, day=100)
    assert publish(world, effective_from=effective_from)["ok"]
    world.policy_notice(VERSION).run()
    (report,) = reports(world)
    assert ("less than thirty days before the new version takes effect" in report) is late
    assert ("There is nothing left to do here" in report) is not late
    [entry] = [entry for entry in book.entries(world.deps) if entry["key"].startswith("told:")]
    assert "2026-11-02" < entry["facts"]["ended_on"] < "2026-11-06"


@pytest.mark.parametrize("sent", [79.5, 80, 90, 100])
def test_what_is_left_to_mails_that_cannot_wait_is_not_touched(sent: float) -> None:
    world = company(people(3), parts=1)
    world.mailer.allowed = Quota(rate=14, day=100, sent=sent)
    publish(world)
    begun = telling.begin(world.deps, VERSION)
    answer = telling.tell(world.deps, begun["notice_id"], begun["round"], 0, world.time_left())
    assert answer == {"done": False, "until": "2026-11-02T10:00:00Z"}
    assert told(world) == []


@pytest.mark.parametrize(("parts", "share"), [(1, 1), (3, 3), (4, 4), (50, 4)])
def test_segments_that_are_worked_on_side_by_side_share_the_rate_and_the_day(parts: int, share: int) -> None:
    world = company(people(400), parts=parts)
    world.mailer.allowed = Quota(rate=10, day=100, sent=0)
    publish(world)
    begun = telling.begin(world.deps, VERSION)
    telling.tell(world.deps, begun["notice_id"], begun["round"], 0, world.time_left())
    assert set(world.mailer.rates) == {10 * telling.SHARE / share}
    assert len(told(world)) <= 80
    if parts > 1:
        assert len(told(world)) < 80


def test_without_a_limit_of_the_day_nothing_waits() -> None:
    world = company(people(50))
    world.mailer.allowed = Quota(rate=14, day=math.inf, sent=1e9)
    publish(world)
    assert WAIT not in world.policy_notice(VERSION).run().history


def test_an_account_that_may_send_nothing_in_a_second_waits() -> None:
    world = company(people(1), parts=1)
    world.mailer.allowed = Quota(rate=0, day=200, sent=0)
    publish(world)
    begun = telling.begin(world.deps, VERSION)
    assert telling.tell(world.deps, begun["notice_id"], begun["round"], 0, world.time_left())["until"]
    assert world.mailer.rates == []


def test_where_the_provider_takes_no_more_for_now_it_stops_soon_and_goes_on_later() -> None:
    world = company(people(40), parts=1)
    tries, failed = [0], Counter[datetime]()

    def busy(name: str, moment: str) -> None:
        if (name, moment) == ("mailer.send", "before"):
            tries[0] += 1
            if 10 < tries[0] < 40:
                failed[world.clock()] += 1
                raise TryAgain("SendEmail took no more")

    world.mailer.fault = busy
    publish(world)
    execution = world.policy_notice(VERSION).run()
    assert execution.value["told"] == 40
    assert told(world) == sorted(f"p{n}@example.org" for n in range(40))
    assert WAIT in execution.history
    assert max(failed.values()) == telling.MOST_UNSETTLED


def few(pages: int) -> Callable[[], TimeLeft]:
    """Time for that many looks at the clock, in each invocation."""

    def time_left() -> TimeLeft:
        looks = iter(range(pages))
        return lambda: 0.0 if next(looks, None) is None else 1.0

    return time_left


def test_an_invocation_that_runs_short_of_time_goes_on_in_the_next_one() -> None:
    world = company(people(60), page_size=7)
    world.time_left = few(5)
    publish(world)
    execution = world.policy_notice(VERSION).run()
    assert execution.value["told"] == 60
    assert execution.history.count("Tell those of this segment") > 12
    assert len(told(world)) == 60
    assert len(reports(world)) == 1


def test_memory_does_not_grow_with_the_accounts() -> None:
    """What is kept of a segment is its counts and where to go on."""
    sizes = []
    for number in (50, 500):
        world = company(people(number), page_size=10)
        publish(world)
        execution = world.policy_notice(VERSION).run()
        sizes.append(max(map(len, execution.shown)))
    assert sizes[1] <= sizes[0] + 10
