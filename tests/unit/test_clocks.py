"""The statutory clocks, by the worked examples of the law and of the authorities, and by what holds for every date."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rightful.clocks import (
    Pause,
    aware_within,
    confirm_by,
    day,
    due,
    extension_told_by,
    moment,
    pausable,
    stamp,
    zone,
)
from rightful.model import Regime, RequestType

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


@pytest.mark.parametrize(
    ("regime", "received", "pauses", "extended", "last_day"),
    [
        ("uk_gdpr", "2026-11-02", [("2026-11-04", "2026-11-04")], False, "2026-12-02"),  # answered the same day
        ("uk_gdpr", "2026-11-02", [("2026-11-04", "2026-11-05")], False, "2026-12-03"),
        ("gdpr", "2026-11-02", [("2026-11-04", "2026-11-14")], False, "2026-12-14"),  # Saturday the 12th
        ("gdpr", "2026-11-02", [("2026-11-04", "2026-11-09"), ("2026-11-10", "2026-11-13")], False, "2026-12-10"),
        ("gdpr", "2026-11-02", [("2026-12-01", "2027-02-01")], False, "2027-02-02"),  # a day was left
        ("gdpr", "2026-11-02", [("2026-11-04", "2026-11-14")], True, "2027-02-12"),
        ("uk_gdpr", "2026-07-01", [("2026-07-01", "2027-02-01")], False, "2027-03-01"),  # afresh, not on 4 March
        ("ccpa", "2026-11-02", [("2026-11-04", "2026-11-24")], False, "2026-12-17"),
    ],
)
def test_pauses(regime: Regime, received: str, pauses: list[tuple[str, str]], extended: bool, last_day: str) -> None:
    at = [datetime.combine(date.fromisoformat(text), NOON) for pair in pauses for text in pair]
    stood = list(zip(at[::2], at[1::2], strict=True))
    received_at = datetime.combine(date.fromisoformat(received), NOON)
    assert stamp(due(regime, received_at, extended=extended, pauses=iter(stood))) == f"{last_day}T23:59:59Z"


def test_the_days_of_a_pause_are_days_at_the_controllers_seat() -> None:
    received = datetime(2026, 11, 2, 12, tzinfo=UTC)
    pause = (datetime(2026, 11, 4, 2, tzinfo=UTC), datetime(2026, 11, 4, 12, tzinfo=UTC))
    assert stamp(due("gdpr", received, pauses=[pause])) == "2026-12-02T23:59:59Z"
    there = zone("America/New_York")  # where it began on the evening of the third
    assert day(stamp(due("gdpr", received, tz=there, pauses=[pause])), there) == "2026-12-03"


@pytest.mark.parametrize(
    ("received", "holidays", "last_day"),
    [
        ("2026-11-02", [], "2026-11-16"),
        ("2026-11-02", ["2026-11-11"], "2026-11-17"),
        ("2026-11-07", [], "2026-11-20"),  # a Saturday
        ("2026-12-18", ["2026-12-25", "2027-01-01"], "2027-01-05"),
    ],
)
def test_receipt_is_confirmed_in_ten_business_days(received: str, holidays: list[str], last_day: str) -> None:
    received_at = datetime.combine(date.fromisoformat(received), NOON)
    end = confirm_by("ccpa", received_at, holidays)
    assert end is not None
    assert stamp(end) == f"{last_day}T23:59:59Z"
    assert confirm_by("gdpr", received_at, holidays) is None
    assert confirm_by("uk_gdpr", received_at, holidays) is None


def test_an_extension_is_told_within_the_period_that_it_extends() -> None:
    received = datetime(2027, 1, 31, 12, tzinfo=UTC)
    pause = (datetime(2027, 2, 10, tzinfo=UTC), datetime(2027, 2, 20, tzinfo=UTC))
    assert stamp(extension_told_by("gdpr", received)) == "2027-03-01T23:59:59Z"
    assert stamp(extension_told_by("uk_gdpr", received, pauses=[pause])) == "2027-03-10T23:59:59Z"
    assert stamp(extension_told_by("ccpa", received, pauses=[pause])) == "2027-03-17T23:59:59Z"


def test_what_a_clock_may_be_stopped_for() -> None:
    allowed = {
        (regime, kind): set(pausable(regime, kind)) for regime in get_args(Regime) for kind in get_args(RequestType)
    }
    assert allowed == {
        ("gdpr", "access"): {"identification", "clarification"},
        ("gdpr", "erasure"): {"identification"},
        ("uk_gdpr", "access"): {"identification", "clarification"},
        ("uk_gdpr", "erasure"): {"identification"},
        ("ccpa", "access"): set(),
        ("ccpa", "erasure"): set(),
    }
    assert "12A(5)" in pausable("uk_gdpr", "access")["clarification"]
    assert "12(6)" in pausable("gdpr", "erasure")["identification"]


def test_the_hours_of_a_breach_run_on_over_a_weekend_and_a_change_of_clocks() -> None:
    friday = datetime(2027, 3, 26, 17, 30, tzinfo=ZoneInfo("Europe/Paris"))
    assert aware_within(friday) == datetime(2027, 3, 29, 16, 30, tzinfo=UTC)
    assert aware_within(friday).astimezone(friday.tzinfo).hour == 18


@pytest.mark.parametrize(
    ("place", "received", "end"),
    [
        ("Africa/Cairo", "2026-09-29", "2026-10-29T21:59:59Z"),  # 23:00 to 24:00 comes twice
        ("America/Nuuk", "2027-02-10", "2027-03-28T00:59:59Z"),  # 23:00 to 24:00 does not come
        ("America/Havana", "2026-09-30", "2026-10-31T03:59:59Z"),
        ("Pacific/Apia", "2011-11-30", "2011-12-30T09:59:59Z"),  # there was no 30 December
    ],
)
def test_the_last_second_of_a_day_on_which_the_clocks_change(place: str, received: str, end: str) -> None:
    regime: Regime = "ccpa" if place == "America/Nuuk" else "gdpr"
    received_at = datetime.combine(date.fromisoformat(received), NOON, ZoneInfo(place))
    assert stamp(due(regime, received_at, tz=ZoneInfo(place))) == end


PLACES = (
    "UTC",
    "Europe/Paris",
    "Europe/London",
    "America/New_York",
    "America/Los_Angeles",
    "America/Havana",
    "America/Nuuk",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)
DAYS = [date(2024, 1, 1) + timedelta(days=number) for number in range((date(2037, 1, 1) - date(2024, 1, 1)).days)]
HOLIDAYS = [f"{year}-{rest}" for year in range(2024, 2038) for rest in ("01-01", "05-01", "07-14", "12-25", "12-26")]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("regime", get_args(Regime))
def test_every_day_for_years_in_every_kind_of_zone(regime: Regime, place: str) -> None:
    tz = ZoneInfo(place)
    ends = [due(regime, datetime.combine(day, time(13, 30), tz), HOLIDAYS, tz=tz) for day in DAYS]
    assert all(one <= other for one, other in pairwise(ends))
    for received, end in zip(DAYS, ends, strict=True):
        last = end.astimezone(tz).date()
        assert (end + timedelta(seconds=1)).astimezone(tz).date() > last
        assert last == naive(regime, received, HOLIDAYS, extended=False, pauses=[])


def naive(
    regime: Regime, received: date, holidays: list[str], *, extended: bool, pauses: list[tuple[date, date]]
) -> date:
    """The last day, counted on the fingers."""
    if regime == "ccpa":
        for _ in range(90 if extended else 45):
            received += timedelta(days=1)
        return received
    months = 3 if extended else 1
    end = months_on(received, months)
    for since, until in pauses:
        while since < until:
            since += timedelta(days=1)
            end += timedelta(days=1)
    for _, until in pauses[-1:]:
        end = min(end, months_on(until, months))
    while end.weekday() in (calendar.SATURDAY, calendar.SUNDAY) or str(end) in holidays:
        end += timedelta(days=1)
    return end


def months_on(start: date, months: int) -> date:
    """Day by day, until that many months have begun and the date is the same, or the month is over."""
    begun, now = 0, start
    while begun < months or (now.day != start.day and (now + timedelta(days=1)).day != 1):
        now += timedelta(days=1)
        begun += now.day == 1
    return now


days = st.dates(date(2018, 5, 25), date(2100, 1, 1))
received_times = st.builds(datetime.combine, days, st.times(timezones=st.just(UTC)))
regimes: st.SearchStrategy[Regime] = st.sampled_from(get_args(Regime))
gaps = st.lists(st.integers(0, 5_000), max_size=4).map(lambda hours: hours[: len(hours) // 2 * 2])
"""Hours from receipt to a pause, from its beginning to its end, from there to the next ..."""
some_holidays = st.lists(days.map(date.isoformat), max_size=5)


def paused(received: datetime, hours: list[int]) -> list[Pause]:
    at = [received + timedelta(hours=sum(hours[: number + 1])) for number in range(len(hours))]
    return list(zip(at[::2], at[1::2], strict=True))


@given(regimes, received_times, st.booleans(), some_holidays, gaps, st.sampled_from(PLACES))
@example("uk_gdpr", datetime(2026, 7, 1, tzinfo=UTC), False, [], [0, 215 * 24], "UTC")
def test_for_every_date(
    regime: Regime, received: datetime, extended: bool, holidays: list[str], hours: list[int], place: str
) -> None:
    tz, pauses = ZoneInfo(place), paused(received, hours)
    end = due(regime, received, holidays, extended=extended, tz=tz, pauses=pauses)
    last = end.astimezone(tz).date()
    stood = [(since.astimezone(tz).date(), until.astimezone(tz).date()) for since, until in pauses]
    assert last == naive(regime, received.astimezone(tz).date(), holidays, extended=extended, pauses=stood)
    assert (end + timedelta(seconds=1)).astimezone(tz).date() > last
    if regime != "ccpa":
        assert last.weekday() < calendar.SATURDAY
        assert last.isoformat() not in holidays


@given(regimes, received_times, st.timedeltas(timedelta(0), timedelta(days=400)), st.booleans(), some_holidays, gaps)
def test_who_comes_later_is_answered_later(
    regime: Regime, received: datetime, later: timedelta, extended: bool, holidays: list[str], hours: list[int]
) -> None:
    pauses = paused(received + later, hours)
    first = due(regime, received, holidays, extended=extended, pauses=pauses)
    assert first <= due(regime, received + later, holidays, extended=extended, pauses=pauses)


@given(regimes, received_times, some_holidays, gaps)
def test_neither_an_extension_nor_a_pause_nor_a_holiday_shortens(
    regime: Regime, received: datetime, holidays: list[str], hours: list[int]
) -> None:
    pauses = paused(received, hours)
    plain, more = due(regime, received, holidays), due(regime, received, holidays, pauses=pauses)
    assert due(regime, received) <= plain <= more
    assert more < due(regime, received, holidays, pauses=pauses, extended=True)
    assert due(regime, received, holidays, pauses=pauses[:1]) <= more


@given(received_times, some_holidays, st.sampled_from(PLACES))
def test_ten_business_days_are_ten(received: datetime, holidays: list[str], place: str) -> None:
    tz = ZoneInfo(place)
    end = confirm_by("ccpa", received, holidays, tz=tz)
    assert end is not None
    first, last = received.astimezone(tz).date(), end.astimezone(tz).date()
    between = [first + timedelta(days=number) for number in range(1, (last - first).days + 1)]
    worked = [day for day in between if day.strftime("%a") not in ("Sat", "Sun") and str(day) not in holidays]
    assert len(worked) == 10
    assert worked[-1] == last


@given(received_times)
def test_text_and_moment_say_the_same(when: datetime) -> None:
    assert moment(stamp(when)) == when.replace(microsecond=0)


@given(received_times, received_times)
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    assert (stamp(one) < stamp(other)) == (one.replace(microsecond=0) < other.replace(microsecond=0))
