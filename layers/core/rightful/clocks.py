"""Moments as text, and the statutory clocks of a request. Pure.

Sources: GDPR Article 12(3); Regulation (EEC, Euratom) 1182/71, Article 3 (how months and working days are counted);
ICO, "Time limits for responding to data protection rights requests" (United Kingdom); 11 CCR section 7021 (California).
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from rightful.model import Regime


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds: `2027-01-31T09:30:00Z`. Text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> datetime:
    """The inverse of `stamp`."""
    return datetime.fromisoformat(text)


def zone(name: str) -> tzinfo:
    """The time zone of that IANA name, which the data map's check knows to exist."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # reads files; most are content without

    return ZoneInfo(name)


def day(text: str, tz: tzinfo) -> str:
    """ISO date, in that zone, of a moment that `stamp` wrote."""
    return moment(text).astimezone(tz).date().isoformat()


def due(
    regime: Regime, received_at: datetime, holidays: Iterable[str] = (), *, extended: bool = False, tz: tzinfo = UTC
) -> datetime:
    """The last second, in UTC, at which an answer to a request received at `received_at` (aware) is in time.

    `holidays` are ISO dates at the controller's seat, `tz` is its time zone: the day of receipt is the day there.
    `extended`: after the one extension of which the person was told in time.

    gdpr, uk_gdpr: one month from receipt, three when extended (Article 12(3)), the end moved to the next working day.
    ccpa: 45 calendar days, 90 when extended (section 7021(b)), weekends and holidays included."""
    received = received_at.astimezone(tz).date()
    if regime == "ccpa":
        last = received + timedelta(days=90 if extended else 45)
    else:
        off = frozenset(date.fromisoformat(day) for day in holidays)
        last = _working_end(received, _months_after(received, 3 if extended else 1), off)
    return datetime.combine(last, time(23, 59, 59), tz).astimezone(UTC)


def _months_after(day: date, months: int) -> date:
    """The same date that many months on, or that month's last day (Article 3(2)(c))."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def _working_end(start: date, end: date, off: frozenset[date]) -> date:
    """`end`, or the next working day (Article 3(4)); later still until two working days lie in the period that began
    after `start` (Article 3(5)): only a holiday list that covers whole months can ask for that."""
    worked = sum(_works(start + timedelta(days=n), off) for n in range(1, (end - start).days + 1))
    while not _works(end, off) or worked < 2:
        end += timedelta(days=1)
        worked += _works(end, off)
    return end


def _works(day: date, off: frozenset[date]) -> bool:
    return day.weekday() < calendar.SATURDAY and day not in off
