"""When a record's retention has run out, and what is then done to it. Pure, and the only place where it is decided.

A record goes when its period since its last use is over and no ground keeps it. A date that is missing, that cannot be
read, or that can only be a placeholder keeps the record and is reported: it is never a reason to delete. A day without
a time of day counts from its end (in UTC): the record may have been used in the day's last second. Months are
calendar months, see `rightful.periods`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal

from rightful import anonymising, paths, periods
from rightful.model import Record, Retention, Unless
from rightful.ports import ANONYMISED_MARK

Action = Literal["delete", "anonymise", "keep"]

DUE: Final = "due"
IN_USE: Final = "in_use"
"""The period since its last use is not over."""
MALFORMED: Final = "malformed"
"""A date that decides is missing or cannot be read."""
ANONYMISED: Final = "anonymised"
"""The rule was carried out earlier."""

SKEW: Final = timedelta(minutes=5)
"""How far a machine's clock may be ahead: a sweep decides as of that much earlier."""
EARLIEST: Final = datetime(1971, 1, 1, tzinfo=UTC)
"""Anything before is how software writes *never*: the epoch, year 1, or a number that is no count of seconds."""
_DAY: Final = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}|[0-9]{4}-?W[0-9]{2}(-?[0-9])?", re.ASCII)
_HOUR: Final = re.compile(rf"(?:{_DAY.pattern}).[0-9]{{2}}(?:Z|[+-][0-9:]+)?", re.ASCII)
_PLAIN: Final = re.compile(
    r"2[0-9]{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z",
    re.ASCII,
)
"""Of every year; 29 February, which is not in every year, is left to `decide`."""
_MARGIN: Final = periods.Period(days=3)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the sweep does to one record, and why."""

    action: Action
    reason: str
    """`due`; or for `keep`: `in_use`, `malformed`, `anonymised`, or the ground of the data map that keeps it."""


def decide(rule: Retention, record: Record, now: datetime) -> Decision:
    """What `rule` says of the record at `now` (aware)."""
    used = last_used(rule, record)
    if used is None:
        return Decision("keep", MALFORMED)
    if now < periods.add(used, periods.parse(rule.period)):
        return Decision("keep", IN_USE)
    if rule.action == "anonymise" and is_anonymised(rule, record):
        return Decision("keep", ANONYMISED)
    for unless in rule.unless:
        if _flagged(unless, record):
            end = _ends(unless, record)
            if end is None:
                return Decision("keep", MALFORMED)
            if now < end:
                return Decision("keep", unless.ground)
    return Decision(rule.action, DUE)


def last_used(rule: Retention, record: Record) -> datetime | None:
    """The moment by which its last use was over; None when that cannot be told. Of several dates the last counts, and
    all must be readable."""
    return _latest(dates(rule.since, record))


def is_anonymised(rule: Retention, record: Record) -> bool:
    """Whether the rule's fields were dealt with and nothing came back since."""
    return is_marked(rule, record) and anonymising.stands(record.data, rule.fields)


def is_marked(rule: Retention, record: Record) -> bool:
    """Whether the record was anonymised after its last use. A use since may have brought values back that look like
    what `hmac` and `fake` leave."""
    mark, used = periods.instant(record.data.get(ANONYMISED_MARK)), last_used(rule, record)
    return mark is not None and not (used and used > mark)


def attributes(rule: Retention) -> frozenset[str]:
    """Top-level attributes that `decide` looks at, and those that anonymising would change."""
    looked_at = [attribute(rule.since)]
    for unless in rule.unless:
        looked_at += [paths.top(path) for path in (unless.attribute,) if path]
        looked_at += [attribute(unless.since)] if unless.since else []
    if rule.action == "anonymise":
        looked_at += [ANONYMISED_MARK, *map(paths.top, rule.fields)]
    return frozenset(looked_at)


def guard(rule: Retention) -> list[str]:
    """Top-level attributes that must still be as they were read when a record is written."""
    return sorted(attributes(rule) - {ANONYMISED_MARK})


def attribute(since: str) -> str:
    """The top-level attribute of a record that a `since` of the data map reads."""
    if since == "object_age":
        return "last_modified"
    if since.startswith("tag:"):
        return "tags"
    return "key" if since.startswith("key_date:") else paths.top(since)


def due_after(rule: Retention, now: datetime) -> datetime:
    """A moment such that a record last used after it is surely not due at `now`: a little later than exact, because
    months are of different lengths."""
    return periods.add(periods.before(now, periods.parse(rule.period)), _MARGIN)


def surely_after(value: Any, moment: datetime) -> bool:
    """Whether a date is plainly written (`2027-01-31T09:30:00Z`) and later than `moment`, told without parsing it. What
    is written in another way is for `decide`."""
    return later_than(moment)(value)


@lru_cache(maxsize=16)
def later_than(moment: datetime) -> Callable[[Any], bool]:
    """`surely_after` for many values: of a page that a sweep reads, each record is asked."""
    text, plain = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), _PLAIN.fullmatch
    return lambda value: isinstance(value, str) and plain(value) is not None and value > text


def dates(since: str, record: Record) -> list[datetime | None]:
    """The dates that a `since` of the data map names in a record, each as the moment by which it is over; None for one
    that cannot be read."""
    if since.startswith("key_date:"):
        return [key_date(since.removeprefix("key_date:"), str(record.data.get("key", "")))]
    if since.startswith("tag:"):
        return [_over(record.data.get("tags", {}).get(since.removeprefix("tag:")))]
    return [_over(value) for value in paths.get(record.data, "last_modified" if since == "object_age" else since)]


def _latest(found: list[datetime | None]) -> datetime | None:
    known = [moment for moment in found if moment is not None]
    return max(known) if known and len(known) == len(found) else None


def _over(value: Any) -> datetime | None:
    """The moment by which a date of a record is over."""
    if isinstance(value, bool | float):
        return None
    moment = periods.instant(value)
    if moment is None or moment < EARLIEST:
        return None
    if isinstance(value, str) and _HOUR.fullmatch(value):
        return periods.add(moment, periods.Period(minutes=60))
    if _DAY.fullmatch(value) if isinstance(value, str) else type(value) is date:
        return periods.add(moment, periods.Period(days=1))
    return moment


def _flagged(unless: Unless, record: Record) -> bool:
    """Whether the condition's values (if it names some) are in the record."""
    if not unless.attribute:
        return True
    held = paths.get(record.data, unless.attribute)
    return any(str(value) in unless.equals for value in _flat(held))


def _flat(values: list[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | set | frozenset):
            yield from _flat(list(value))
        elif isinstance(value, bool):
            yield str(value).lower()
        else:
            yield value


def _ends(unless: Unless, record: Record) -> datetime | None:
    """When the condition's own period is over; the end of time when it has none, None when it cannot be told."""
    if not unless.period:
        return datetime.max.replace(tzinfo=UTC)
    begun = _latest(dates(unless.since, record))
    return periods.add(begun, periods.parse(unless.period)) if begun else None


_PARTS: Final = {"%Y": r"(?P<Y>[0-9]{4})", "%m": r"(?P<m>[0-9]{2})", "%d": r"(?P<d>[0-9]{2})", "%H": r"(?P<H>[0-9]{2})"}


@lru_cache(maxsize=64)
def key_pattern(pattern: str) -> re.Pattern[str]:
    """`events/%Y/%m/%d` as a regular expression for the beginning of a key; `*` stands for one part between slashes.
    Raises ValueError when it does not say which day, month or year."""
    pieces = re.split(r"(%.|\*)", pattern)
    text = "".join(
        _PARTS[piece] if piece in _PARTS else "[^/]*" if piece == "*" else re.escape(piece) for piece in pieces
    )
    if any(piece.startswith("%") and piece not in _PARTS for piece in pieces):
        raise ValueError("only %Y, %m, %d and %H stand for parts of a date")
    named = "".join(piece[1] for piece in pieces if piece in _PARTS)
    if sorted(named, key="YmdH".index) != list("YmdH"[: len(named)]) or not named:
        raise ValueError("a year comes with its month before a day, and a day before an hour, each once")
    return re.compile(text, re.ASCII)


def key_date(pattern: str, key: str) -> datetime | None:
    """The end of the year, month, day or hour that an object's key names, whichever is the finest."""
    match = key_pattern(pattern).match(key)
    if match is None:
        return None
    parts = {name: int(text) for name, text in match.groupdict().items()}
    try:
        begins = datetime(parts["Y"], parts.get("m", 1), parts.get("d", 1), parts.get("H", 0), tzinfo=UTC)
    except ValueError:
        return None
    if begins < EARLIEST:
        return None
    if "H" in parts:
        return periods.add(begins, periods.Period(minutes=60))
    if "d" in parts:
        return periods.add(begins, periods.Period(days=1))
    return periods.add(begins, periods.Period(months=1 if "m" in parts else 12))
