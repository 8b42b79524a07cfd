"""Deadlines as a calendar file (iCalendar, RFC 5545) that a DPO opens in any calendar program. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

_LINE_OCTETS: Final = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An event of one whole day."""

    uid: str
    """The same for the same event in every file, and unique in the world, e.g. `REQUEST_ID-due@stack.example`: what a
    calendar knows under it, a newer file replaces."""
    day: date
    title: str
    description: str = ""
    alarms: tuple[int, ...] = ()
    """How many days before the day begins its owner is reminded."""


def ics(entries: Iterable[Entry], *, now: datetime) -> bytes:
    """The file: `text/calendar; charset=utf-8; method=PUBLISH`. Events carry `now` (aware) as their stamp and, in
    minutes, as their revision, so that a later file wins. ValueError without entries: RFC 5545 knows no empty calendar.
    """
    events = [line for entry in entries for line in _event(entry, now)]
    if not events:
        raise ValueError("a calendar has at least one entry")
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Rightful//Deadlines//EN", "METHOD:PUBLISH"]
    return b"".join(_folded(line) for line in [*lines, *events, "END:VCALENDAR"])


def _event(entry: Entry, now: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(entry.uid)}"
    yield f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield f"SEQUENCE:{int(now.timestamp()) // 60}"
    yield f"DTSTART;VALUE=DATE:{_date(entry.day)}"
    yield f"DTEND;VALUE=DATE:{_date(entry.day + timedelta(days=1))}"
    yield "TRANSP:TRANSPARENT"
    yield f"SUMMARY:{_text(entry.title)}"
    if entry.description:
        yield f"DESCRIPTION:{_text(entry.description)}"
    for days in entry.alarms:
        yield "BEGIN:VALARM"
        yield "ACTION:DISPLAY"
        yield f"DESCRIPTION:{_text(entry.title)}"
        yield f"TRIGGER:-P{days}D"
        yield "END:VALARM"
    yield "END:VEVENT"


def _date(day: date) -> str:
    return day.isoformat().replace("-", "")


def _text(value: str) -> str:
    """TEXT (section 3.3.11): its own signs escaped, line breaks as `\\n`, no other control characters."""
    for sign in ("\\", ";", ","):
        value = value.replace(sign, f"\\{sign}")
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        "\\n" if character == "\n" else character
        for character in value
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs")
    )


def _folded(line: str) -> bytes:
    """The content line with its end, in pieces of at most 75 octets that each hold whole characters (section 3.1)."""
    pieces, room = [""], _LINE_OCTETS
    for character in line:
        size = len(character.encode())
        if size > room:
            pieces.append("")
            room = _LINE_OCTETS - 1  # a continuation begins with a space
        pieces[-1] += character
        room -= size
    return "\r\n ".join(pieces).encode() + b"\r\n"
