"""The Lambdas that measure: the daily round, and the end of a request."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.complete.app import handler as complete
from functions.deadlines.app import handler as deadlines
from rightful import wiring
from rightful.errors import NeedsAttention
from rightful.service import requests
from tests.fakes.recording import Moment, no_fault
from tests.fakes.world import World
from tests.functional.deadlines.rounds import company, due_in

EVENT = json.loads((Path(__file__).parents[3] / "events/deadlines_daily.json").read_text())
CONTEXT: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Rightful")
    made = company()
    monkeypatch.setattr(wiring, "build", lambda: made.deps)
    return made


def metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """Metric -> value, of all that was measured since the last look."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')]
    return {
        metric["Name"]: line[metric["Name"]][0]
        for line in lines
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }


def test_a_round_counts_and_measures(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for name, days in (("late", -1), ("near", 1), ("soon", 6), ("later", 30)):
        due_in(world, name, days)
    due_in(world, "waiting", 30, status="awaiting_approval")
    due_in(world, "paused", -5, status="paused")
    world.clock.advance(3600)
    counts = deadlines(EVENT, CONTEXT)
    assert (counts["open"], counts["overdue"], counts["mailed"]) == (6, 1, 1)
    assert metrics(capsys) == {
        "OpenRequests": 6,
        "Overdue": 1,
        "DueWithin2Days": 1,
        "DueWithin7Days": 2,
        "Paused": 1,
        "AwaitingDpo": 1,
        "ActiveHolds": 0,
        "OldestDays": 0,
        "OpenBreaches": 0,
        "BreachesOverdue": 0,
        "DroppedIssues": 0,
        "DeadlineRuns": 1,
    }


def test_a_round_in_which_something_failed_raises_its_alarms_and_counts_as_none(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    due_in(world, "late", -1)

    def down(name: str, moment: Moment) -> None:
        if name == "files.list":
            raise NeedsAttention("ListObjectsV2 answered AccessDenied")

    world.files.fault = down
    with pytest.raises(NeedsAttention, match="downloads: ListObjectsV2 answered AccessDenied"):
        deadlines(EVENT, CONTEXT)
    measured = metrics(capsys)
    assert measured["Overdue"] == 1
    assert "DeadlineRuns" not in measured
    world.files.fault = no_fault
    deadlines(EVENT, CONTEXT)
    assert metrics(capsys)["DeadlineRuns"] == 1


def test_what_could_not_be_counted_is_not_measured_as_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def down(name: str, moment: Moment) -> None:
        if name == "table.open_requests":
            raise NeedsAttention("Query answered AccessDenied")

    world.table.fault = down
    with pytest.raises(NeedsAttention):
        deadlines(EVENT, CONTEXT)
    assert metrics(capsys) == {"ActiveHolds": 0}


def test_a_request_that_ends_is_measured_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.ask_for("access", "r1")
    world.clock.advance(days=3.5)
    for _ in range(2):
        assert complete({"request_id": "r1"}, CONTEXT) == {"status": "completed"}
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')]
    closed, taken = lines
    assert (closed["Stage"], closed["Type"], closed["Status"]) == ("local", "access", "completed")
    assert (closed["ClosedRequests"], taken["DaysToClose"]) == ([1.0], [3.5])
    assert "Status" not in taken


def test_of_one_that_was_withdrawn_the_days_until_then_count(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.ask_for("erasure", "r1")
    world.clock.advance(days=2)
    requests.transition(world.deps, "r1", "withdrawn", what="You withdrew the request")
    world.clock.advance(days=5)
    assert complete({"request_id": "r1"}, CONTEXT) == {"status": "withdrawn"}
    assert metrics(capsys) == {"ClosedRequests": 1, "DaysToClose": 2}
