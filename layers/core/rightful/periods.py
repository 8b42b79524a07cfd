"""Calendar periods and dates as they stand in data maps and records. Pure.

ISO 8601 durations of years, months, weeks and days (`P1Y`, `P7Y6M`, `P90D`) plus hours and minutes. A month is a
calendar month: the same day of a later month, or that month's last day (31 January + P1M = 28 or 29 February).
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from rightful.errors import Invalid

_DURATION = re.compile(
    "P(?:{n}Y)?(?:{n}M)?(?:{n}W)?(?:{n}D)?(?:T(?=[0-9])(?:{n}H)?(?:{n}M)?)?".replace("{n}", "([0-9]{1,4})")
)


@dataclass(frozen=True, slots=True)
class Period:
    months: int = 0
    days: int = 0
    minutes: int = 0


def parse(text: str) -> Period:
    """`P1Y` -> Period. Raises Invalid for anything that is not a positive duration of the kinds above."""
    match = _DURATION.fullmatch(text)
    numbers = [int(part or 0) for part in match.groups()] if match else []
    if not any(numbers):
        raise Invalid(f"`{text}` is not an ISO 8601 duration such as P1Y, P6M or P30D")
    years, months, weeks, days, hours, minutes = numbers
    return Period(months=12 * years + months, days=7 * weeks + days, minutes=60 * hours + minutes)


def add(start: datetime, period: Period) -> datetime:
    """`start` plus whole months, then days, then minutes; the calendar's last moment (in the year 9999) for what lies
    beyond it, as where a record's date stands for *never*."""
    index = start.year * 12 + start.month - 1 + period.months
    year, month = divmod(index, 12)
    try:
        day = min(start.day, calendar.monthrange(year, month + 1)[1])
        moved = start.replace(year=year, month=month + 1, day=day)
        return moved + timedelta(days=period.days, minutes=period.minutes)
    except (ValueError, OverflowError):
        return datetime.max.replace(tzinfo=start.tzinfo)


def before(end: datetime, period: Period) -> datetime:
    """`end` less whole months, then days and minutes; the first moment that can be written (in the year 1) for what
    lies before it."""
    year, month = divmod(end.year * 12 + end.month - 1 - period.months, 12)
    try:
        day = min(end.day, calendar.monthrange(year, month + 1)[1])
        moved = end.replace(year=year, month=month + 1, day=day)
        return moved - timedelta(days=period.days, minutes=period.minutes)
    except (ValueError, OverflowError):
        return datetime.min.replace(tzinfo=end.tzinfo)


def instant(value: Any) -> datetime | None:
    """A record's date as an aware UTC time: RFC 3339 text, an ISO date (its first moment), or epoch seconds.
    None for anything else: what cannot be read is never a reason to delete."""
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            return None
        try:
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
        except OverflowError:
            return None
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(int(value), UTC)
        except (ValueError, OverflowError, OSError):
            return None
    if isinstance(value, datetime):
        return instant(value.isoformat())
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return None
