"""Days and moments as the DPO writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, tzinfo

from rightful.errors import Invalid

CURE = "Write it as 2027-01-29, or with the time as 2027-01-29T14:30:00Z."


def day(name: str, text: str, tz: tzinfo) -> date:
    """The day, in that zone. Raises Invalid that names the field."""
    return _moment(name, text, time(12), tz).astimezone(tz).date()


def begin(name: str, text: str, tz: tzinfo) -> datetime:
    """The moment, in UTC; of a day without a time, its first second in that zone."""
    return _moment(name, text, time(0), tz)


def end(name: str, text: str, tz: tzinfo) -> datetime:
    """The moment, in UTC; of a day without a time, its last second in that zone."""
    return _moment(name, text, time(23, 59, 59), tz)


def _moment(name: str, text: str, at: time, tz: tzinfo) -> datetime:
    try:
        plain = date.fromisoformat(text)
    except ValueError:
        plain = None
    try:
        found = datetime.combine(plain, at, tz) if plain else datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=tz)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("A date cannot be read.", errors=[(name, CURE)]) from None
