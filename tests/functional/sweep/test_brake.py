"""A store with more than its share due is not touched until the DPO says so; the others go on."""

from __future__ import annotations

import json

import pytest

from rightful.errors import Conflict, Invalid, NotFound
from rightful.service.sweep import braking, runs
from tests.fakes.world import World
from tests.functional.sweep.company import NEW, OLD, company, left, sweep_map


@pytest.fixture
def world() -> World:
    """Of ten accounts two are due, of ten events one."""
    return company(
        sweep_map(accounts=10, events=10),
        accounts=[{"id": f"a{n}", "used_at": OLD if n < 2 else NEW} for n in range(10)],
        events=[{"id": f"e{n}", "used_at": OLD if n < 1 else NEW} for n in range(10)],
    )


def test_the_braked_store_is_not_touched_and_the_others_are(world: World) -> None:
    run = world.sweep("apply").run()
    assert not run.ended
    assert len(left(world, "accounts")) == 10
    assert len(left(world, "events")) == 9
    assert run.history[-1] == "Wait for the DPO to release the brake"


def test_exactly_the_share_is_not_over_it(world: World) -> None:
    """Events: one of ten, the brake at ten percent."""
    run = world.sweep("apply").run()
    summary = json.loads(b"".join(world.reports.read(next(k for k in world.reports.list("") if k.endswith("json")))))
    assert summary["stores"]["events"]["braked"] is False
    assert summary["stores"]["accounts"]["braked"] is True
    assert not run.ended


def test_the_dpo_is_told_once_how_much_and_how_to_answer(world: World) -> None:
    world.sweep("apply").run()
    (mail,) = world.mailer.sent
    assert mail.to == "dpo@example.org"
    assert '"action": "continue_sweep"' in mail.text
    assert '"run_id": "by-hand"' in mail.text
    assert "Accounts" in mail.text


def test_released_the_store_is_swept_as_it_was_decided_then(world: World) -> None:
    run = world.sweep("apply").run()
    world.clock.advance(days=200)
    assert braking.decide(world.deps, "by-hand", "continue_sweep", reason="the first run")["ok"]
    output = run.resume().value
    assert left(world, "accounts") == [f"a{n}" for n in range(2, 10)]  # the others are due by now, but were not then
    assert output["stores"]["accounts"]["deleted"] == 2
    assert output["stores"]["accounts"]["braked"] is True


def test_cancelled_the_store_stays_as_it_is(world: World) -> None:
    run = world.sweep("apply").run()
    braking.decide(world.deps, "by-hand", "cancel_sweep", reason="the clock of the import was wrong")
    output = run.resume().value
    assert len(left(world, "accounts")) == 10
    assert output["stores"]["accounts"]["deleted"] == 0
    assert output["stores"]["accounts"]["due"] == 2


def test_the_same_answer_twice_acts_once_and_another_is_refused(world: World) -> None:
    run = world.sweep("apply").run()
    for _ in range(2):
        assert braking.decide(world.deps, "by-hand", "continue_sweep", reason="first run")["ok"]
    with pytest.raises(Conflict):
        braking.decide(world.deps, "by-hand", "cancel_sweep", reason="no")
    assert run.resume().ended
    assert len(left(world, "accounts")) == 8


@pytest.mark.parametrize(
    ("run_id", "stores", "reason", "error"),
    [
        ("unknown", [], "x", NotFound),
        ("by-hand", ["events"], "x", Invalid),
        ("by-hand", ["nothing"], "x", Invalid),
        ("by-hand", [], " ", Invalid),
    ],
)
def test_an_answer_that_does_not_fit_changes_nothing(
    world: World, run_id: str, stores: list[str], reason: str, error: type[Exception]
) -> None:
    run = world.sweep("apply").run()
    with pytest.raises(error):
        braking.decide(world.deps, run_id, "continue_sweep", stores=stores, reason=reason)
    assert run.token in world.executions.waiting


def test_an_answer_to_a_run_that_was_stopped_changes_nothing_and_says_so(world: World) -> None:
    world.sweep("apply").run()
    world.executions.alive.clear()
    with pytest.raises(Conflict, match="over"):
        braking.decide(world.deps, "by-hand", "continue_sweep", reason="the first run")
    assert runs.decisions(world.deps, "by-hand") == {}


def test_while_it_waits_the_next_day_leaves_the_store_alone(world: World) -> None:
    world.sweep("apply", "monday").run()
    output = world.sweep("apply", "tuesday").run().value
    assert output["left_out"] == {"accounts": "run monday works on it"}
    assert "events" in output["stores"]
    assert len(left(world, "accounts")) == 10


def test_a_run_that_was_stopped_gives_its_stores_back(world: World) -> None:
    world.sweep("apply", "monday").run()
    world.executions.alive.clear()
    output = world.sweep("apply", "tuesday").run()
    assert not output.ended  # it has the store, and asks anew
    assert output.history[-1] == "Wait for the DPO to release the brake"


def test_a_preview_brakes_nothing_and_says_what_would_be_braked(world: World) -> None:
    output = world.sweep("preview").run().value
    assert output["stores"]["accounts"]["braked"] is True
    assert world.mailer.sent == []
