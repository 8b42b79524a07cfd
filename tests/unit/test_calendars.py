"""The calendar file, read back by a small reader that takes nothing but what RFC 5545 allows."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.calendars import Entry, ics

NOW = datetime(2027, 2, 1, 10, 30, tzinfo=timezone(timedelta(hours=2)))
DUE = Entry(
    uid="r1-due@example.com",
    day=date(2027, 3, 1),
    title="Answer due: erasure",
    description="Request r1\nShow it: open the console; then, look.",
    alarms=(7, 2),
)
_LINE = re.compile(r"([A-Z-]+)((?:;[A-Z-]+=[^;:,\"]+)*):(.*)", re.DOTALL)
_ONCE = {"UID", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "TRANSP", "ACTION", "TRIGGER"}


def read(file: bytes) -> dict[str, Any]:
    """{"name", "parts": [the same], property: value}"""
    assert file.endswith(b"\r\n")
    physical = file[:-2].split(b"\r\n")
    for line in physical:
        assert 0 < len(line) <= 75
        line.decode()  # no character is torn
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line)
    open_parts: list[dict[str, Any]] = [{"name": "", "parts": []}]
    for unfolded in file[:-2].replace(b"\r\n ", b"").decode().split("\r\n"):
        match = _LINE.fullmatch(unfolded)
        assert match, unfolded
        name, parameters, value = match.groups()
        if name == "BEGIN":
            open_parts.append({"name": value, "parts": []})
        elif name == "END":
            done = open_parts.pop()
            assert done["name"] == value
            open_parts[-1]["parts"].append(done)
        else:
            assert name not in open_parts[-1] or name not in _ONCE
            open_parts[-1][name + parameters] = value
    (calendar,) = open_parts.pop()["parts"]
    assert not open_parts
    return dict(calendar)


def text(value: str) -> str:
    """What an escaped TEXT says. Whatever is not escaped as it must be fails."""
    assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,nN])*", value, re.DOTALL), value
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], value)


def test_an_event_of_one_day_with_its_alarms() -> None:
    calendar = read(ics([DUE], now=NOW))
    assert (calendar["name"], calendar["VERSION"], calendar["METHOD"]) == ("VCALENDAR", "2.0", "PUBLISH")
    assert calendar["PRODID"]
    (event,) = calendar["parts"]
    alarms = event.pop("parts")
    assert event == {
        "name": "VEVENT",
        "UID": "r1-due@example.com",
        "DTSTAMP": "20270201T083000Z",
        "SEQUENCE": event["SEQUENCE"],
        "DTSTART;VALUE=DATE": "20270301",
        "DTEND;VALUE=DATE": "20270302",
        "TRANSP": "TRANSPARENT",
        "SUMMARY": "Answer due: erasure",
        "DESCRIPTION": r"Request r1\nShow it: open the console\; then\, look.",
    }
    assert [(alarm["name"], alarm["ACTION"], alarm["TRIGGER"]) for alarm in alarms] == [
        ("VALARM", "DISPLAY", "-P7D"),
        ("VALARM", "DISPLAY", "-P2D"),
    ]
    assert {alarm["DESCRIPTION"] for alarm in alarms} == {"Answer due: erasure"}


def test_a_newer_file_replaces_what_an_older_one_said() -> None:
    (older,) = read(ics([DUE], now=NOW))["parts"]
    (newer,) = read(ics([DUE], now=NOW + timedelta(minutes=1)))["parts"]
    assert newer["UID"] == older["UID"]
    assert newer["DTSTAMP"] > older["DTSTAMP"]
    assert int(newer["SEQUENCE"]) == int(older["SEQUENCE"]) + 1
    assert int(newer["SEQUENCE"]) < 2**31


def test_the_same_entries_give_the_same_file() -> None:
    assert ics([DUE], now=NOW) == ics(iter([DUE]), now=NOW.astimezone(UTC))


def test_an_empty_calendar_is_none() -> None:
    with pytest.raises(ValueError, match="at least one entry"):
        ics([], now=NOW)


def test_nothing_that_is_written_in_a_title_becomes_a_line_of_its_own() -> None:
    hostile = "x\r\nEND:VEVENT\nATTACH:https://example.com/\rBEGIN:VALARM\x00\x85\u2028;,\\n"
    (event,) = read(ics([Entry(uid="u", day=date(2027, 3, 1), title=hostile, description=hostile)], now=NOW))["parts"]
    assert "ATTACH" not in event
    assert text(event["SUMMARY"]) == "x\nEND:VEVENT\nATTACH:https://example.com/\nBEGIN:VALARM\u2028;,\\n"


@pytest.mark.parametrize("character", ["a", "é", "€", "\U0001f4c5", ";"])
def test_long_lines_are_folded_between_characters(character: str) -> None:
    for length in range(1, 240):
        (event,) = read(ics([Entry(uid="u", day=date(2027, 3, 1), title=character * length)], now=NOW))["parts"]
        assert text(event["SUMMARY"]) == character * length


wild = st.text(st.characters(exclude_categories=["Cc"]) | st.sampled_from("\n\t\r\x00\x7f;,\\:é\U0001f4c5"))
entries = st.builds(
    Entry,
    uid=wild,
    day=st.dates(date(2024, 1, 1), date(2100, 1, 1)),
    title=wild,
    description=wild,
    alarms=st.lists(st.integers(0, 60), max_size=3).map(tuple),
)


def plain(value: str) -> str:
    value = value.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "ignore").decode()
    return "".join(sign for sign in value if sign in "\n\t" or not re.match(r"[\x00-\x1f\x7f-\x9f]", sign))


@given(st.lists(entries, min_size=1, max_size=4))
def test_whatever_is_written_is_read_again(given: list[Entry]) -> None:
    events = read(ics(given, now=NOW))["parts"]
    for entry, event in zip(given, events, strict=True):
        assert event["DTSTART;VALUE=DATE"] == f"{entry.day:%Y%m%d}"
        assert text(event["UID"]) == plain(entry.uid)
        assert text(event["SUMMARY"]) == plain(entry.title)
        assert text(event.get("DESCRIPTION", "")) == plain(entry.description)
        assert [alarm["TRIGGER"] for alarm in event["parts"]] == [f"-P{days}D" for days in entry.alarms]
