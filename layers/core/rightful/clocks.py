"""Moments as text, and the statutory clocks of a request. Pure.

Sources: GDPR Article 12(3); Regulation (EEC, Euratom) 1182/71, Article 3 (how months and working days are counted);
EDPB Guidelines 01/2022 on the right of access, section 5.3 (timing); UK GDPR Article 12A, as inserted by section 76 of
the Data (Use and Access) Act 2025; ICO, "Time limits for responding to data protection rights requests" (United
Kingdom); California Civil Code section 1798.130(a)(2) and 11 CCR section 7021.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from rightful.model import Regime, RequestType

Pause = tuple[datetime, datetime]
"""(since, until), aware: the clock stood from when the person was asked until the answer came in."""

_EDPB: Final = "EDPB Guidelines 01/2022, section 5.3"
_PAUSES: Final[Mapping[tuple[Regime, RequestType], Mapping[str, str]]] = {
    ("gdpr", "access"): {
        "identification": f"Article 12(6) GDPR; {_EDPB}",
        "clarification": f"Recital 63 GDPR; {_EDPB}",
    },
    ("gdpr", "erasure"): {"identification": f"Article 12(6) GDPR; {_EDPB}"},
    ("uk_gdpr", "access"): {
        "identification": "Articles 12(6), 12A(2)(b) UK GDPR",
        "clarification": "Article 12A(5) UK GDPR",
    },
    ("uk_gdpr", "erasure"): {"identification": "Articles 12(6), 12A(2)(b) UK GDPR"},
}


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
    regime: Regime,
    received_at: datetime,
    holidays: Iterable[str] = (),
    *,
    extended: bool = False,
    tz: tzinfo = UTC,
    pauses: Iterable[Pause] = (),
) -> datetime:
    """The last second, in UTC, at which an answer to a request received at `received_at` (aware) is in time.

    `holidays` are ISO dates at the controller's seat, `tz` is its time zone: the day of receipt is the day there.
    `extended`: after the one extension of which the person was told in time. `pauses` are over, and do not overlap.

    gdpr, uk_gdpr: one month from receipt, three when extended (Article 12(3)); later by the days from the one on which
    each pause began to the one on which it ended (none when that is the same); but not later than a period that began
    afresh when the last pause ended. Then the end is moved to the next working day.
    ccpa: 45 calendar days, 90 when extended (section 7021(b)), weekends and holidays included; no pause stops them.

    The sources count pauses differently, and this is never later than any of them. The EDPB speaks of a suspension. In
    the United Kingdom neither the first nor the last day of a clarification counts (Article 12A(5)(b)): a day more than
    here. For an identification its period begins afresh (Article 12A(2)(b)): later than here as a rule, but up to three
    days earlier than a suspension where one of the two periods holds a February."""
    received = received_at.astimezone(tz).date()
    if regime == "ccpa":
        return _end_of(received + timedelta(days=90 if extended else 45), tz)
    months = 3 if extended else 1
    last = _months_after(received, months)
    stood = [(since.astimezone(tz).date(), until.astimezone(tz).date()) for since, until in pauses]
    if stood:
        paused = sum((until - since for since, until in stood), timedelta())
        last = min(last + paused, _months_after(max(until for _, until in stood), months))
    return _end_of(_working_end(received, last, _dates(holidays)), tz)


def extension_told_by(
    regime: Regime,
    received_at: datetime,
    holidays: Iterable[str] = (),
    *,
    tz: tzinfo = UTC,
    pauses: Iterable[Pause] = (),
) -> datetime:
    """The last second, in UTC, at which the person may still be told of an extension: within the period that it
    extends (Article 12(3) GDPR; Article 12A(4)(a) UK GDPR; California Civil Code section 1798.130(a)(2)(A))."""
    return due(regime, received_at, holidays, tz=tz, pauses=pauses)


def confirm_by(
    regime: Regime, received_at: datetime, holidays: Iterable[str] = (), *, tz: tzinfo = UTC
) -> datetime | None:
    """The last second, in UTC, at which receipt must be confirmed. ccpa: the tenth business day after the day of
    receipt (section 7021(a)). None for the others, which know no such duty."""
    if regime != "ccpa":
        return None
    off, last, left = _dates(holidays), received_at.astimezone(tz).date(), 10
    while left:
        last += timedelta(days=1)
        left -= _works(last, off)
    return _end_of(last, tz)


def pausable(regime: Regime, kind: RequestType) -> Mapping[str, str]:
    """What the clock of such a request may be stopped for (`identification`, `clarification`), and the law that allows
    it. A clarification only where much is held about the person, and only of what they want to see: an erasure has
    none. ccpa has no pause at all: its days run "regardless of time required to verify the request" (7021(b))."""
    return _PAUSES.get((regime, kind), {})


def aware_within(aware_at: datetime) -> datetime:
    """The end, in UTC, of the 72 hours in which the authority is told of a breach. They begin when the controller
    became aware of it (Article 33(1) GDPR and UK GDPR), which may be later than when word of it came in, and run on
    over nights, weekends and holidays (Regulation 1182/71, Article 3(3) and (4))."""
    return aware_at.astimezone(UTC) + timedelta(hours=72)


def _end_of(day: date, tz: tzinfo) -> datetime:
    """The last second of that day there. Where the clocks are set back before midnight there are two such; where they
    skip it, `fold` makes it the last one before."""
    return datetime.combine(day, time(23, 59, 59, fold=1), tz).astimezone(UTC)


def _dates(holidays: Iterable[str]) -> frozenset[date]:
    return frozenset(date.fromisoformat(day) for day in holidays)


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
