"""Runs: their input, their names, and that only one of them works on a store."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from rightful.errors import NeedsAttention, TryAgain
from rightful.service.deps import Settings
from rightful.service.sweep import splitting
from tests.fakes.state_machine import Failed
from tests.functional.sweep.company import NEW, OLD, company, left


def test_a_schedule_that_fires_twice_makes_one_run() -> None:
    world = company(accounts=[{"id": "a1", "used_at": OLD}])
    at = "2026-11-02T03:00:00Z"
    first = world.sweep("apply", "first", run_id=at).run()
    second = world.sweep("apply", "second", run_id=at).run()
    assert first.value["run_id"] == "daily-2026-11-02T030000Z"
    assert first.value["stores"]["accounts"]["deleted"] == 1
    assert second.history[-1] == "Another execution does this run"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"mode": "erase"}, "mode"),
        ({"mode": "apply", "stores": ["acounts"]}, "stores"),
        ({"mode": "apply", "stores": []}, "stores"),
        ({"mode": "apply", "stores": "accounts"}, "stores"),
        ({"mode": "apply", "as_of": "yesterday"}, "as_of"),
        ({"mode": "apply", "as_of": 5}, "as_of"),
        ({"mode": "apply", "run_id": "a/b"}, "run_id"),
        ({"mode": "apply", "store": "accounts"}, "store"),
    ],
)
def test_input_that_cannot_be_used_changes_nothing_and_names_the_field(given: dict[str, object], named: str) -> None:
    world = company(accounts=[{"id": "a1", "used_at": OLD}])
    run = world.sweep("apply")
    run.input = given
    with pytest.raises(Failed):
        run.run()
    assert f"`{named}`" in run.shown[-1]
    assert left(world, "accounts") == ["a1"]
    assert world.table.items == {}


@pytest.mark.parametrize("stage", ["prod", "production", "live", "acme"])
def test_in_production_whatever_its_name_a_sweep_decides_for_now(stage: str) -> None:
    world = company(accounts=[{"id": "a1", "used_at": NEW}])
    world.deps = replace(world.deps, settings=Settings(stage=stage))
    run = world.sweep("apply", as_of="2030-01-01T00:00:00Z")
    with pytest.raises(Failed):
        run.run()
    assert "`as_of`" in run.shown[-1]
    assert left(world, "accounts") == ["a1"]


def test_only_the_stores_named_are_swept() -> None:
    world = company(accounts=[{"id": "a1", "used_at": OLD}], events=[{"id": "e1", "used_at": OLD}])
    output = world.sweep("apply", stores=["events"]).run().value
    assert list(output["stores"]) == ["events"]
    assert (left(world, "accounts"), left(world, "events")) == (["a1"], [])


def test_a_clock_that_is_five_minutes_fast_deletes_nothing_early() -> None:
    """The clock of the tests stands at noon; a record used a year ago but for three minutes is not due."""
    world = company(accounts=[{"id": "a1", "used_at": "2025-11-02T11:57:00Z"}])
    world.clock.set(world.clock().replace(hour=12, minute=0, second=0))
    assert world.sweep("apply", "one").run().value["stores"]["accounts"]["due"] == 0
    world.clock.advance(300)
    assert world.sweep("apply", "two").run().value["stores"]["accounts"]["due"] == 1


def test_a_clock_that_is_five_minutes_slow_leaves_nothing_for_good() -> None:
    """It is noon; a record used a year and eight minutes ago is due."""
    world = company(accounts=[{"id": "a1", "used_at": "2025-11-02T11:52:00Z"}, {"id": "a2", "used_at": NEW}])
    noon = world.clock().replace(hour=12, minute=0, second=0)
    world.clock.set(noon - timedelta(minutes=5))
    assert world.sweep("apply", "slow").run().value["stores"]["accounts"]["due"] == 0
    world.clock.set(noon)
    assert world.sweep("apply", "right").run().value["stores"]["accounts"]["deleted"] == 1
    assert left(world, "accounts") == ["a2"]


def test_nothing_that_shows_who_anybody_is_is_in_the_history() -> None:
    world = company(accounts=[{"id": f"ada-{n}@example.org", "used_at": OLD} for n in range(500)])
    for sweeper in world.sweepers.values():
        sweeper.page_size, sweeper.parts = 10, 1
    world.time_left = lambda: lambda: 0.0
    run = world.sweep("apply").run()
    assert run.value["stores"]["accounts"]["deleted"] == 500
    assert run.history.count("Delete or anonymise what is due in this segment") > 50
    assert "ada-" not in "".join(run.shown)
    assert list(world.reports.list("retention/"))
    assert b"ada-" not in b"".join(body for key in world.reports.list("") for body in world.reports.read(key))


def test_a_store_that_cannot_be_gone_through_is_told_and_stops_no_other() -> None:
    world = company(accounts=[{"id": "a1", "used_at": OLD}], events=[{"id": "e1", "used_at": OLD}])

    def refused(most: int, as_of: datetime) -> list[str]:
        raise NeedsAttention("DescribeTable answered AccessDeniedException")

    world.sweepers["accounts"].segments = refused  # type: ignore[method-assign]  # the store's own refusal
    output = world.sweep("apply", "one").run().value
    assert output["left_out"] == {"accounts": "DescribeTable answered AccessDeniedException"}
    assert (left(world, "accounts"), left(world, "events")) == (["a1"], [])
    (written,) = (key for key in world.reports.list("retention/") if key.endswith(".json"))
    assert json.loads(b"".join(world.reports.read(written)))["unreached"] == ["accounts"]
    assert ("SWEEP", "LOCK#accounts") not in world.table.items


def test_a_store_that_keeps_throttling_is_left_out_in_the_end_and_the_others_are_swept() -> None:
    world = company(accounts=[{"id": "a1", "used_at": OLD}], events=[{"id": "e1", "used_at": OLD}])
    asked = []

    def throttles(most: int, as_of: datetime) -> list[str]:
        asked.append(1)
        raise TryAgain("DescribeTable answered ThrottlingException")

    world.sweepers["accounts"].segments = throttles  # type: ignore[method-assign]  # the store's own refusal
    output = world.sweep("apply", "one").run().value
    assert len(asked) == splitting.PATIENCE + 1
    assert output["left_out"] == {"accounts": "DescribeTable answered ThrottlingException"}
    assert left(world, "events") == []
