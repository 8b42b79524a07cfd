"""Which list an open request stands in, by the days of the controller's seat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.agenda import Agenda, drawn_up
from rightful.clocks import due, stamp

PARIS, NEW_YORK = ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York")
LISTS = ("overdue", "near", "soon", "later", "paused")


def request(request_id: str, due_at: str, status: str = "in_progress", **more: Any) -> dict[str, Any]:
    facts = {"type": "access", "received_at": "2027-02-01T09:00:00Z"}
    return {"request_id": request_id, "due_at": due_at, "status": status, **facts, **more}


def where(agenda: Agenda) -> dict[str, str]:
    return {matter.request_id: name for name in LISTS for matter in getattr(agenda, name)}


@pytest.mark.parametrize(
    ("now", "due_at", "listed", "left"),
    [
        ("2027-02-22T22:59:59Z", "2027-03-01T22:59:59Z", "soon", 7),
        ("2027-02-21T22:59:59Z", "2027-03-01T22:59:59Z", "later", 8),
        ("2027-02-21T23:00:00Z", "2027-03-01T22:59:59Z", "soon", 7),  # it is Monday in Paris
        ("2027-02-26T22:59:59Z", "2027-03-01T22:59:59Z", "soon", 3),
        ("2027-02-26T23:00:00Z", "2027-03-01T22:59:59Z", "near", 2),
        ("2027-03-01T22:59:59Z", "2027-03-01T22:59:59Z", "near", 0),
        ("2027-03-01T23:00:00Z", "2027-03-01T22:59:59Z", "overdue", -1),
        ("2027-03-27T23:00:00Z", "2027-03-29T21:59:59Z", "near", 1),  # the night that has 23 hours
        ("2027-10-30T22:00:00Z", "2027-11-01T22:59:59Z", "near", 1),  # the night that has 25
    ],
)
def test_days_are_counted_in_paris(now: str, due_at: str, listed: str, left: int) -> None:
    agenda = drawn_up([request("r", due_at)], datetime.fromisoformat(now), PARIS)
    assert where(agenda) == {"r": listed}
    (matter,) = getattr(agenda, listed)
    assert matter.days_left == left


def test_a_paused_request_is_never_overdue_and_has_its_own_list() -> None:
    agenda = drawn_up([request("r", "2027-01-01T22:59:59Z", "paused")], datetime(2027, 3, 1, tzinfo=UTC), PARIS)
    assert where(agenda) == {"r": "paused"}
    assert agenda.dated == []


def test_the_most_urgent_comes_first_in_whatever_order_the_index_gives_them() -> None:
    items = [
        request("b", "2027-03-05T22:59:59Z"),
        request("c", "2027-03-04T22:59:59Z"),
        request("a", "2027-03-05T22:59:59Z"),
    ]
    agenda = drawn_up(items, datetime(2027, 3, 1, tzinfo=UTC), PARIS)
    assert [matter.request_id for matter in agenda.soon] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("facts", "extendable"),
    [
        ({}, True),
        ({"extended_until": "2027-03-02T22:59:59Z"}, False),
        ({"due_at": "2027-02-28T22:59:59Z"}, False),
        ({"due_at": "2027-02-28T22:59:59Z", "status": "paused"}, True),
    ],
)
def test_only_a_first_period_that_runs_can_be_extended(facts: dict[str, Any], extendable: bool) -> None:
    item = {**request("r", "2027-03-02T22:59:59Z"), **facts}
    agenda = drawn_up([item], datetime(2027, 3, 1, 9, tzinfo=UTC), PARIS)
    (matter,) = (matter for name in LISTS for matter in getattr(agenda, name))
    assert matter.extendable is extendable


def test_what_waits_for_the_dpo_and_how_old_the_oldest_is() -> None:
    statuses = ("awaiting_approval", "needs_attention", "in_progress", "paused", "scheduled")
    items = [request(status, "2027-04-01T21:59:59Z", status) for status in statuses]
    items.append(request("old", "2027-04-01T21:59:59Z", received_at="2027-01-31T23:30:00Z"))
    agenda = drawn_up(items, datetime(2027, 2, 28, 23, tzinfo=UTC), PARIS)
    assert (agenda.awaiting_dpo, agenda.oldest_days) == (2, 28)
    assert drawn_up([], datetime(2027, 2, 28, tzinfo=UTC), PARIS).oldest_days == 0


@given(
    received=st.integers(0, 730 * 24 * 60).map(
        lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    ),
    later=st.timedeltas(timedelta(0), timedelta(days=60)),
    tz=st.sampled_from([UTC, PARIS, NEW_YORK]),
    paused=st.booleans(),
)
def test_each_stands_in_one_list_and_the_lists_follow_the_days(
    received: datetime, later: timedelta, tz: Any, paused: bool
) -> None:
    item = request("r", stamp(due("gdpr", received, tz=tz)), "paused" if paused else "in_progress")
    agenda = drawn_up([item], received + later, tz)
    (matter,) = (matter for name in LISTS for matter in getattr(agenda, name))
    expected = "paused" if paused else "later"
    if not paused and matter.days_left < 0:
        expected = "overdue"
    elif not paused and matter.days_left <= 7:
        expected = "near" if matter.days_left <= 2 else "soon"
    assert where(agenda) == {"r": expected}
