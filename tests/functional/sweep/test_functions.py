"""The Lambdas of the sweep, called one after the other with the events in events/, as the machine calls them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.brake.app import handler as brake
from functions.decide.app import handler as decide
from functions.order.app import handler as order
from functions.report.app import handler as report
from functions.split.app import handler as split
from functions.sweep.app import handler as sweep
from functions.weigh.app import handler as weigh
from rightful import wiring
from rightful.errors import NeedsAttention
from tests.fakes.world import World
from tests.functional.sweep.company import NEW, OLD, company, left, sweep_map

EVENTS = Path(__file__).parents[3] / "events"
CONTEXT: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000)


def event(name: str, **changed: Any) -> dict[str, Any]:
    return {**json.loads((EVENTS / f"{name}.json").read_text()), **changed}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Of ten accounts two are due, which is over the brake."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Rightful")
    made = company(
        sweep_map(accounts=10), accounts=[{"id": f"a{n}", "used_at": OLD if n < 2 else NEW} for n in range(10)]
    )
    made.executions.alive.add(event("split_daily")["execution"])
    monkeypatch.setattr(wiring, "build", lambda: made.deps)
    return made


def asked(world: World, **changed: Any) -> dict[str, Any]:
    """What the desk answers to the DPO who lets the sweep go on, in this way or that."""
    taken = order({"input": event("dpo_continue_sweep", **changed), "execution": str(len(world.table.calls))}, CONTEXT)
    answer: dict[str, Any] = decide({"order": taken["order"]}, CONTEXT) if taken["ok"] else taken
    return answer


def counted(world: World) -> None:
    for item in split(event("split_daily"), CONTEXT)["segments"]:
        while not sweep(event("sweep_count", **item), CONTEXT)["done"]:
            pass


def metrics(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines() if line.startswith('{"_aws"')]


def test_a_run_from_its_first_event_to_its_last(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    counted(world)
    weighed = weigh(event("weigh_first"), CONTEXT)
    assert weighed["waiting"] == ["accounts"]
    assert brake(event("brake_ask"), CONTEXT)["stores"]["accounts"]["due"] == 2

    assert asked(world)["ok"]
    for item in weigh(event("weigh_first"), CONTEXT)["apply"]:
        assert sweep(event("sweep_count", stage="apply", **item), CONTEXT) == {"done": True}
    output = report(event("report_end"), CONTEXT)

    assert left(world, "accounts") == [f"a{n}" for n in range(2, 10)]
    assert output["stores"]["accounts"]["deleted"] == 2
    points = metrics(capsys.readouterr().out)
    assert [point["BrakedStores"] for point in points if "BrakedStores" in point] == [[1.0]]
    (runs,) = [point for point in points if "Runs" in point]
    assert (runs["Mode"], runs["Stage"]) == ("apply", "local")
    (accounts,) = [point for point in points if point.get("Store") == "accounts"]
    assert (accounts["Scanned"], accounts["Deleted"], accounts["Held"]) == ([10.0], [2.0], [0.0])


def test_a_step_that_is_tried_again_answers_alike_and_is_measured_once(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    counted(world)
    first = brake(event("brake_ask"), CONTEXT)
    assert brake(event("brake_ask"), CONTEXT) == first
    ended = report(event("report_end"), CONTEXT)
    assert report(event("report_end"), CONTEXT) == ended
    points = metrics(capsys.readouterr().out)
    assert [name for point in points for name in ("Runs", "BrakedStores") if name in point] == ["BrakedStores", "Runs"]


def test_a_store_that_waits_for_the_dpo_raises_the_alarm_with_each_sweep_until_there_is_an_answer(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    counted(world)
    brake(event("brake_ask"), CONTEXT)

    def next_day(name: str) -> list[Any]:
        capsys.readouterr()
        world.sweep("apply", name).run()
        report({"run_id": name}, CONTEXT)
        return [point["BrakedStores"] for point in metrics(capsys.readouterr().out) if "BrakedStores" in point]

    assert [next_day("tuesday"), next_day("wednesday")] == [[[1.0]], [[1.0]]]
    asked(world)
    assert next_day("thursday") == [], "the first run has the store still, and works on it"


def test_a_store_on_which_another_run_works_raises_no_alarm(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    counted(world)
    assert set(world.sweep("apply", "by-hand").run().value["left_out"]) == set(world.stores)
    report({"run_id": "by-hand"}, CONTEXT)
    assert not [point for point in metrics(capsys.readouterr().out) if "BrakedStores" in point]


def test_a_log_line_says_which_segment_and_names_nobody(world: World, caplog: pytest.LogCaptureFixture) -> None:
    counted(world)
    lines = [vars(record) for record in caplog.records if record.getMessage() == "step"]
    assert (lines[0]["run_id"], lines[0]["mode"]) == ("daily-2027-01-31T030000Z", "apply")
    accounts = [line for line in lines if line.get("store") == "accounts"]
    assert {line["stage"] for line in accounts} == {"count"}
    assert sorted(line["segment"] for line in accounts if line["done"]) == list(range(len(accounts)))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"action": "go on"}, "action"),
        ({"stores": []}, "stores"),
        ({"stores": "accounts"}, "stores"),
        ({"stores": [1]}, "stores"),
        ({"stores": ["answers"]}, "stores"),
        ({"reason": ""}, "reason"),
        ({"reason": 7}, "reason"),
        ({"run_id": 7}, "run_id"),
        ({"run_id": "another"}, None),
        ({"run_id": ""}, "run_id"),
    ],
)
def test_an_answer_that_cannot_be_used_says_how_to_mend_it(
    world: World, changed: dict[str, Any], field: str | None
) -> None:
    counted(world)
    brake(event("brake_ask"), CONTEXT)
    answer = asked(world, **changed)
    assert answer["ok"] is False
    assert answer["message"]
    assert set(answer.get("errors", {})) == ({field} if field else set())
    assert weigh(event("weigh_first"), CONTEXT)["waiting"] == ["accounts"]


def test_a_missing_run_is_an_error_that_names_nothing(world: World) -> None:
    for handler, name in ((weigh, "weigh_first"), (report, "report_end"), (brake, "brake_ask")):
        with pytest.raises(NeedsAttention, match="no such run"):
            handler(event(name), CONTEXT)
