"""Requests are counted on the days of the controller's zone, once, and where they belong."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rightful.volumes import LISTED, Volumes

NEW_YORK = ZoneInfo("America/New_York")


def volumes(first: str = "2026-02-01", last: str = "2027-01-31", **more: Any) -> Volumes:
    now = more.pop("now", datetime(2027, 2, 1, 12, tzinfo=UTC))
    return Volumes(date.fromisoformat(first), date.fromisoformat(last), now, **more)


def row(received: str, closed: str = "", **more: Any) -> dict[str, Any]:
    plain = {"type": "access", "regime": "gdpr", "status": "completed", "extended": False, "paused_days": 0}
    dates = {"received_at": received, "closed_at": closed or received}
    return {**plain, **dates, "late": False, "ground": "", "stores": {}, "kept_by": {}, **more}


def item(due: str, **more: Any) -> dict[str, Any]:
    plain = {"request_id": "r1", "type": "access", "regime": "gdpr", "status": "in_progress"}
    return {**plain, "received_at": "2027-01-20T12:00:00Z", "due_at": due, **more}


def weeks(counted: Volumes) -> dict[str, dict[str, int]]:
    return {week["monday"]: week["types"] for week in counted.as_json()["received"]["weeks"] if week["types"]}


@pytest.mark.parametrize(
    ("received", "zone", "monday"),
    [
        ("2026-03-08T23:59:59Z", UTC, "2026-03-02"),
        ("2026-03-09T00:00:00Z", UTC, "2026-03-09"),
        ("2026-03-09T03:59:59Z", NEW_YORK, "2026-03-02"),  # the clocks went forward that Sunday: -04:00
        ("2026-03-09T04:00:00Z", NEW_YORK, "2026-03-09"),
        ("2026-11-02T04:59:59Z", NEW_YORK, "2026-10-26"),  # and back that Sunday: -05:00
        ("2026-11-02T05:00:00Z", NEW_YORK, "2026-11-02"),
        ("2027-01-01T12:00:00Z", UTC, "2026-12-28"),  # a week of two years
    ],
)
def test_a_week_begins_on_monday_in_the_controllers_zone(received: str, zone: Any, monday: str) -> None:
    counted = volumes(zone=zone)
    counted.add_closed(row(received))
    assert weeks(counted) == {monday: {"access": 1}}


def test_every_week_of_the_period_is_there_without_a_gap() -> None:
    found = [week["monday"] for week in volumes().as_json()["received"]["weeks"]]
    assert (found[0], found[-1], len(found)) == ("2026-01-26", "2027-01-25", 53)
    assert [week["monday"] for week in volumes("2026-03-04", "2026-03-04").as_json()["received"]["weeks"]] == [
        "2026-03-02"
    ]


@pytest.mark.parametrize(
    ("received", "closed", "days"),
    [
        ("2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z", 2),  # one of these days has 23 hours
        ("2026-03-08T04:59:00Z", "2026-03-08T05:01:00Z", 1),  # over midnight in New York
        ("2026-03-08T05:01:00Z", "2026-03-09T03:59:00Z", 0),  # within a day there
    ],
)
def test_days_to_answer_are_those_of_the_calendar(received: str, closed: str, days: int) -> None:
    counted = volumes(zone=NEW_YORK)
    counted.add_closed(row(received, closed))
    assert counted.as_json()["closed"]["all"]["median"] == days


@pytest.mark.parametrize(
    ("received", "closed", "came_in", "ended"),
    [
        ("2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z", 0, 1),
        ("2026-02-01T00:00:00Z", "2027-01-31T23:59:59Z", 1, 1),
        ("2027-01-31T23:59:59Z", "2027-02-01T00:00:00Z", 1, 0),
        ("2026-01-01T00:00:00Z", "2026-01-31T23:59:59Z", 0, 0),
    ],
)
def test_what_came_in_and_what_ended_in_the_period(received: str, closed: str, came_in: int, ended: int) -> None:
    counted = volumes()
    counted.add_closed(row(received, closed, regime="ccpa"))
    found = counted.as_json()
    assert (found["received"]["total"], found["closed"]["all"]["closed"]) == (came_in, ended)
    expected = {"access": (came_in, ended)} if came_in or ended else {}
    assert {name: (group["received"], group["closed"]) for name, group in found["ccpa"].items()} == expected


def test_only_answers_take_time_and_can_be_late() -> None:
    counted = volumes()
    counted.add_closed(row("2026-03-01T00:00:00Z", "2026-03-05T00:00:00Z", late=True))
    counted.add_closed(row("2026-03-01T00:00:00Z", "2026-03-03T00:00:00Z", status="rejected", ground="excessive"))
    counted.add_closed(row("2026-03-01T00:00:00Z", "2026-05-30T00:00:00Z", status="withdrawn", late=True))
    counted.add_closed(row("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", status="expired", late=True))
    found = counted.as_json()
    whole = {"closed": 3, "answered": 2, "completed": 1, "rejected": 1, "withdrawn": 1, "late": 1}
    assert whole.items() <= found["closed"]["all"].items()
    assert (found["closed"]["all"]["median"], found["closed"]["all"]["p95"]) == (2, 4)
    assert found["refusals"] == {"excessive": 1}
    assert (found["received"]["total"], found["closed"]["unverified"]) == (3, 1)


def test_stores_and_grounds_add_up() -> None:
    counted = volumes()
    stores = {"accounts": {"deleted": 2}, "invoices": {"kept": 3, "skipped": True}}
    for _ in range(2):
        counted.add_closed(row("2026-03-01T00:00:00Z", stores=stores, kept_by={"accounting": 3}, extended=True))
    found = counted.as_json()
    assert (found["stores"]["accounts"]["requests"], found["stores"]["accounts"]["deleted"]) == (2, 4)
    assert (found["stores"]["invoices"]["kept"], found["stores"]["invoices"]["skipped"]) == (6, 2)
    assert found["kept_by"] == {"accounting": 6}
    assert found["closed"]["all"]["extended"] == 2


@pytest.mark.parametrize(
    ("due", "status", "overdue", "soon", "left"),
    [
        ("2027-02-01T11:59:59Z", "in_progress", 1, 0, 0),
        ("2027-01-29T23:59:59Z", "in_progress", 1, 0, -3),
        ("2027-01-29T23:59:59Z", "paused", 0, 0, -3),
        ("2027-02-01T23:59:59Z", "in_progress", 0, 1, 0),
        ("2027-02-08T23:59:59Z", "in_progress", 0, 1, 7),
        ("2027-02-08T23:59:59Z", "paused", 0, 0, 7),
        ("2027-02-09T23:59:59Z", "in_progress", 0, 0, 8),
    ],
)
def test_open_requests_are_overdue_or_soon_due(due: str, status: str, overdue: int, soon: int, left: int) -> None:
    counted = volumes()
    counted.add_open(item(due, status=status))
    found = counted.as_json()["open"]
    assert (found["overdue"], found["soon"], found["listed"][0]["days_left"]) == (overdue, soon, left)


def test_of_many_open_requests_the_most_urgent_are_listed_and_all_counted() -> None:
    counted = volumes()
    for n in range(LISTED + 3):
        counted.add_open(item("2027-02-09T23:59:59Z", request_id=f"r{n}", regime="ccpa", source="letter"))
    found = counted.as_json()
    assert found["open"]["total"] == LISTED + 3
    assert [each["request_id"] for each in found["open"]["listed"]] == [f"r{n}" for n in range(LISTED)]
    assert found["received"]["sources"] == {"letter": LISTED + 3}
    assert found["ccpa"]["access"]["received"] == LISTED + 3
