"""Durations and dates: calendar months, leap days, the ends of the calendar, and text that is neither."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.errors import Invalid
from rightful.periods import Period, add, instant, parse

moments = st.integers(-11_000_000_000_000_000, 13_000_000_000_000_000).map(
    lambda microseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)
"""From 1621 to 2381."""
periods = st.builds(Period, st.integers(0, 1200), st.integers(0, 5000), st.integers(0, 100_000))


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("P1Y", Period(months=12)),
        ("P7Y6M", Period(months=90)),
        ("P2W", Period(days=14)),
        ("P90D", Period(days=90)),
        ("PT30M", Period(minutes=30)),
        ("P1Y2M3W4DT5H6M", Period(months=14, days=25, minutes=306)),
    ],
)
def test_a_duration_is_months_days_and_minutes(text: str, period: Period) -> None:
    assert parse(text) == period


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P0D",
        "P1",
        "1Y",
        "p1y",
        "P-1D",
        "P1.5Y",
        "P1DT",
        "P1H",
        "P1Y ",
        "P1D1Y",
        "P1Y\n",
        "P١Y",
        "P99999Y",
    ],
)
def test_what_is_no_positive_duration_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="ISO 8601"):
        parse(text)


@given(st.text())
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        period = parse(text)
    except Invalid:
        return
    assert period != Period()


@pytest.mark.parametrize(
    ("start", "period", "end"),
    [
        ("2027-01-31", "P1M", "2027-02-28"),
        ("2028-01-31", "P1M", "2028-02-29"),
        ("2028-02-29", "P1Y", "2029-02-28"),
        ("2028-02-29", "P4Y", "2032-02-29"),
        ("2026-12-31", "P2M", "2027-02-28"),
        ("2026-11-30", "P1M", "2026-12-30"),
        ("2027-01-31", "P1M1D", "2027-03-01"),
    ],
)
def test_a_month_ends_on_the_same_day_or_the_months_last(start: str, period: str, end: str) -> None:
    assert add(datetime.fromisoformat(start), parse(period)) == datetime.fromisoformat(end)


@given(moments, periods, periods)
def test_adding_goes_forward_and_a_longer_period_never_ends_earlier(start: datetime, one: Period, more: Period) -> None:
    longer = Period(one.months + more.months, one.days + more.days, one.minutes + more.minutes)
    assert start <= add(start, one) <= add(start, longer)


@given(moments, st.integers(0, 1200))
def test_months_are_months_of_the_calendar(start: datetime, months: int) -> None:
    end = add(start, Period(months=months))
    assert (end.year - start.year) * 12 + end.month - start.month == months
    assert end.timetz() == start.timetz()
    assert end.day == start.day or (end.day < start.day and (end + timedelta(days=1)).day == 1)


@pytest.mark.parametrize("period", ["P1D", "P7Y", "P9999Y9999M", "P9999W9999D", "PT9999H"])
def test_what_lies_beyond_the_calendar_is_its_end(period: str) -> None:
    assert add(datetime(9999, 12, 31, 12, tzinfo=UTC), parse(period)) == datetime.max.replace(tzinfo=UTC)


@given(moments)
def test_every_way_to_write_a_moment_is_read_as_that_moment(moment: datetime) -> None:
    second = moment.replace(microsecond=0)
    elsewhere = second.astimezone(timezone(timedelta(hours=-7, minutes=-30)))
    epoch = int(second.timestamp())
    for written in (second.isoformat(), f"{second:%Y-%m-%dT%H:%M:%SZ}", elsewhere.isoformat(), epoch, Decimal(epoch)):
        assert instant(written) == second
    assert instant(second) == instant(second.replace(tzinfo=None)) == second
    day = datetime(second.year, second.month, second.day, tzinfo=UTC)
    assert instant(second.date()) == instant(second.date().isoformat()) == day


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "2027-02-29",
        "2026-13-01",
        "31.12.2026",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        True,
        None,
        1.5,
        b"2026-01-01",
        ["2026-01-01"],
        {"at": "2026-01-01"},
        10**18,
        -(10**18),
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1E125"),
    ],
)
def test_what_is_no_date_is_none(value: Any) -> None:
    assert instant(value) is None


@given(st.one_of(st.text(), st.integers(), st.decimals(-(10**40), 10**40), st.dates(), st.datetimes(), st.binary()))
def test_whatever_a_record_holds_is_a_moment_in_utc_or_none(value: Any) -> None:
    found = instant(value)
    assert found is None or found.utcoffset() == timedelta(0)
    assert not isinstance(value, date) or found is not None
