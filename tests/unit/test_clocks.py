"""The statutory clocks, by the worked examples of the law and of the authorities, and by what holds for every date."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.clocks import day, due, moment, stamp, zone
from rightful.model import Regime

UK_2019 = ["2019-05-06", "2019-12-25", "2019-12-26"]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC).timetz()


@pytest.mark.parametrize(
    ("regime", "received", "extended", "holidays", "last_day"),
    [
        ("gdpr", "2027-01-31", False, [], "2027-03-01"),
        ("gdpr", "2027-01-31", True, [], "2027-04-30"),
        ("gdpr", "2028-01-31", False, [], "2028-02-29"),
        ("gdpr", "2026-11-02", False, [], "2026-12-02"),
        ("gdpr", "2026-11-25", False, ["2026-12-25", "2026-12-26"], "2026-12-28"),
        ("gdpr", "2026-12-31", False, [], "2027-02-01"),
        ("uk_gdpr", "2019-09-27", False, [], "2019-10-28"),
        ("uk_gdpr", "2019-04-06", False, UK_2019, "2019-05-07"),
        ("uk_gdpr", "2019-09-26", True, UK_2019, "2019-12-27"),
        ("ccpa", "2026-11-02", False, [], "2026-12-17"),
        ("ccpa", "2026-11-11", False, ["2026-12-26"], "2026-12-26"),
        ("ccpa", "2026-11-02", True, [], "2027-01-31"),
    ],
)
def test_worked_examples(regime: Regime, received: str, extended: bool, holidays: list[str], last_day: str) -> None:
    received_at = datetime.combine(date.fromisoformat(received), NOON)
    assert stamp(due(regime, received_at, holidays, extended=extended)) == f"{last_day}T23:59:59Z"


def test_the_day_of_receipt_is_the_day_at_the_controllers_seat() -> None:
    late = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)
    assert stamp(due("gdpr", late)) == "2026-12-02T23:59:59Z"
    assert stamp(due("gdpr", late, tz=ZoneInfo("Europe/Berlin"))) == "2026-12-03T22:59:59Z"


def test_west_of_greenwich_an_evening_is_still_that_day() -> None:
    evening = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)  # 30 November, half past eight in the evening, in New York
    assert stamp(due("gdpr", evening, tz=zone("America/New_York"))) == "2026-12-31T04:59:59Z"
    assert stamp(due("gdpr", evening, tz=zone("UTC"))) == "2027-01-01T23:59:59Z"


def test_a_moment_is_of_the_day_it_is_at_the_controllers_seat() -> None:
    last = stamp(due("ccpa", datetime(2026, 11, 2, 20, tzinfo=UTC), tz=zone("America/Los_Angeles")))
    assert last == "2026-12-18T07:59:59Z"
    assert day(last, zone("America/Los_Angeles")) == "2026-12-17"
    assert day(last, UTC) == "2026-12-18"


def test_a_period_of_holidays_still_holds_two_working_days() -> None:
    received = datetime(2026, 11, 2, 9, tzinfo=UTC)
    closed = [(date(2026, 11, 3) + timedelta(days=n)).isoformat() for n in range(30)]
    assert stamp(due("gdpr", received, closed)) == "2026-12-04T23:59:59Z"


days = st.dates(date(2018, 5, 25), date(2100, 1, 1))
received_times = st.builds(datetime.combine, days, st.times(timezones=st.just(UTC)))
regimes: st.SearchStrategy[Regime] = st.sampled_from(("gdpr", "uk_gdpr", "ccpa"))


@given(regimes, received_times, st.booleans(), st.lists(st.dates().map(date.isoformat), max_size=5))
def test_for_every_date(regime: Regime, received: datetime, extended: bool, holidays: list[str]) -> None:
    end = due(regime, received, holidays, extended=extended)
    days = (end.date() - received.date()).days
    assert (end.hour, end.minute, end.second) == (23, 59, 59)
    assert due(regime, received + timedelta(days=1), holidays, extended=extended) >= end
    if regime == "ccpa":
        assert days == (90 if extended else 45)
    else:
        assert end.weekday() < 5
        assert end.date().isoformat() not in holidays
        assert 28 <= days <= 31 + 2 * 92 if extended else 28 <= days <= 31 + 3 + len(holidays) * 3


@given(received_times)
def test_text_and_moment_say_the_same(when: datetime) -> None:
    assert moment(stamp(when)) == when.replace(microsecond=0)


@given(received_times, received_times)
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    assert (stamp(one) < stamp(other)) == (one.replace(microsecond=0) < other.replace(microsecond=0))
