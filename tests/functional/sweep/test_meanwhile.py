"""What changes between a run's count and its writes: the data map, the stores, the clock, who answers and when."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rightful.errors import Conflict, TryAgain
from rightful.model import Store
from rightful.service import holding
from rightful.service.sweep import braking, runs, splitting
from tests.fakes.company import ADA
from tests.fakes.recording import Moment, no_fault
from tests.fakes.state_machine import Execution, Failed
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


def reported(world: World) -> dict[str, Any]:
    (key,) = (key for key in world.reports.list("retention/") if key.endswith(".json"))
    found: dict[str, Any] = json.loads(b"".join(world.reports.read(key)))["stores"]
    return found


def deploy(world: World, name: str, change: Callable[[Store], Store]) -> None:
    stores = {**world.deps.datamap.stores, name: change(world.deps.datamap.stores[name])}
    world.deps = replace(world.deps, datamap=replace(world.deps.datamap, stores=stores))


def shorter(store: Store) -> Store:
    return replace(store, retention=replace(store.retention, period="P1D"))


def answered(world: World, run: Execution) -> dict[str, Any]:
    assert braking.decide(world.deps, "by-hand", "continue_sweep", reason="looked at")["ok"]
    output: dict[str, Any] = run.resume().value
    return output


def test_what_was_counted_by_one_rule_is_not_deleted_by_another(world: World) -> None:
    run = world.sweep("apply").run()
    deploy(world, "accounts", shorter)
    answered(world, run)
    assert len(left(world, "accounts")) == 10
    assert reported(world)["accounts"]["failed_segments"] > 0
    assert reported(world)["accounts"]["period"] == "P1Y"


def test_a_rule_that_changes_between_counting_and_acting_waits_for_the_next_run(world: World) -> None:
    """Nobody is asked: one event of ten is not over the brake, but ten would be."""
    changes = iter([lambda: deploy(world, "events", shorter)])
    world.sweepers["answers"].between = lambda: next(changes, lambda: None)()
    world.sweep("apply").run()
    assert len(left(world, "events")) == 10
    assert reported(world)["events"]["failed_segments"] > 0


def test_a_store_that_leaves_the_data_map_stops_no_run(world: World) -> None:
    run = world.sweep("apply").run()
    stores = {name: store for name, store in world.deps.datamap.stores.items() if name != "accounts"}
    world.deps = replace(world.deps, datamap=replace(world.deps.datamap, stores=stores))
    assert list(answered(world, run)["stores"]) == ["accounts", "events", "invoices", "answers"]
    assert len(left(world, "accounts")) == 10


def test_no_more_goes_than_the_dpo_was_shown(world: World) -> None:
    """An import overwrites every date while the DPO thinks about two records."""
    run = world.sweep("apply").run()
    for n in range(10):
        world.stores["accounts"].put({"id": f"a{n}", "used_at": "1999-01-01T00:00:00Z"})
    answered(world, run)
    assert len(left(world, "accounts")) >= 7
    assert reported(world)["accounts"]["failed_segments"] > 0


def test_what_is_withheld_brakes_nothing_and_goes_no_sooner_than_it_was_weighed() -> None:
    """All of a store is due and held, day after day; the hold is released while the sweep goes on."""
    world = company(sweep_map(events=10), events=[{"id": f"e{n}", "used_at": OLD} for n in range(10)])
    holding.place(world.deps, "h1", "store", store="events", ground="legal_process", reason="case 12")
    assert world.sweep("apply", "monday", stores=["events"]).run().ended
    world.reports.delete("retention/")
    counting = []

    def release() -> None:
        counting.append(1)
        if len(counting) == world.sweepers["events"].parts + 1:
            holding.release(world.deps, "h1")

    world.sweepers["events"].between = release
    world.sweep("apply", "tuesday", stores=["events"]).run()
    assert len(left(world, "events")) == 10
    assert reported(world)["events"]["failed_segments"] > 0


def test_what_was_done_before_a_segment_failed_is_counted() -> None:
    """More is due on the last page than was counted."""
    world = company(
        sweep_map(accounts=50),
        accounts=[{"id": f"a{n:02}", "used_at": OLD if n < 4 else NEW} for n in range(20)],
    )
    world.sweepers["accounts"].page_size, world.sweepers["accounts"].parts = 5, 1

    def restore() -> None:
        if len(left(world, "accounts")) == 19:
            world.sweepers["accounts"].between = lambda: None
            for n in range(5, 20):
                world.stores["accounts"].put({"id": f"a{n:02}", "used_at": OLD})

    world.sweepers["accounts"].between = restore
    world.sweep("apply").run()
    counts = reported(world)["accounts"]
    assert counts["failed_segments"] == 1
    assert counts["deleted"] == 20 - len(left(world, "accounts")) > 0


def test_an_answer_that_comes_while_the_question_is_put_again_is_not_lost(world: World) -> None:
    """The step that asks was killed after its mail; the DPO answers when its next try has begun."""
    world.sweep("apply").run()
    world.executions.waiting = {"next try"}

    def answer(name: str, when: Moment) -> None:
        if (name, when) == ("vault.seal", "before"):
            world.vault.fault = no_fault
            braking.decide(world.deps, "by-hand", "continue_sweep", reason="looked at")

    world.vault.fault = answer
    braking.ask(world.deps, "by-hand", "next try")
    assert list(world.executions.answers) == ["next try"]


def test_while_one_store_is_thought_about_the_one_that_was_let_through_stays_with_the_run(world: World) -> None:
    for n in range(10):
        world.stores["events"].put({"id": f"e{n}", "used_at": OLD})
    run = world.sweep("apply").run()
    braking.decide(world.deps, "by-hand", "continue_sweep", stores=["events"], reason="an import")
    world.executions.waiting.add("next try")
    braking.ask(world.deps, "by-hand", "next try")  # the first was killed
    assert set(world.sweep("apply", "tuesday").run().value["left_out"]) == {"accounts", "events"}
    run.token = "next try"
    assert answered(world, run)["stores"]["events"]["deleted"] == 10


def test_a_preview_takes_no_answer(world: World) -> None:
    world.sweep("preview").run()
    with pytest.raises(Conflict):
        braking.decide(world.deps, "by-hand", "continue_sweep", reason="it looks right")


def test_what_came_back_is_known_as_such_after_the_copy_of_the_ledger_has_gone() -> None:
    """The bucket keeps it for a week; the DPO may take longer."""
    used = "2026-10-20T00:00:00Z"
    accounts = [{"id": "a1", "used_at": used, "email": ADA}, {"id": "a2", "used_at": used, "email": "bob@example.org"}]
    world = company(sweep_map(accounts=10), accounts=accounts)
    world.ask_for("erasure")
    world.execution().run()
    world.stores["accounts"].put(accounts[0])
    world.clock.advance(days=1)
    run = world.sweep("apply").run()
    world.reports.delete("work/")
    assert answered(world, run)["stores"]["accounts"]["resurrected"] == 1
    assert left(world, "accounts") == ["a2"]


def test_a_record_that_came_back_and_is_somebody_elses_by_now_stays() -> None:
    """As an erasure looks at whose it is when it writes."""
    used = "2026-10-20T00:00:00Z"
    account = {"id": "a1", "used_at": used, "email": ADA}
    world = company(accounts=[account])
    world.ask_for("erasure")
    world.execution().run()
    world.stores["accounts"].put(account)
    world.clock.advance(days=1)
    pages = []

    def take_over() -> None:
        pages.append(1)
        if len(pages) == 2:
            world.stores["accounts"].put({**account, "email": "bob@example.org"})

    world.sweepers["accounts"].parts, world.sweepers["accounts"].between = 1, take_over
    assert world.sweep("apply").run().value["stores"]["accounts"]["changed_meanwhile"] == 1
    assert left(world, "accounts") == ["a1"]


def test_a_name_that_is_free_again_is_not_taken_for_the_run_that_had_it(world: World) -> None:
    world.sweep("apply", "quarter", stores=["events"]).run()
    world.clock.advance(days=100)
    with pytest.raises(Failed):
        world.sweep("apply", "quarter", stores=["events"]).run()
    assert len(left(world, "events")) == 9


def test_of_two_executions_that_begin_one_run_the_one_that_does_it_has_its_locks() -> None:
    """A schedule fires twice at once: the first takes the locks, the second writes the run down."""
    world = company(accounts=[{"id": "a1", "used_at": OLD}])
    at, arn = {"mode": "apply", "run_id": "2026-11-02T03:00:00Z"}, "arn:aws:states:::execution:RetentionSweep:{}"
    run_id = "daily-2026-11-02T030000Z"
    for name in ("first", "second"):
        world.executions.alive.add(arn.format(name))
    for store in world.stores:
        runs.lock(world.deps, run_id, arn.format("first"), store)
    assert splitting.step(world.deps, at, arn.format("second"))["mine"]
    assert not splitting.step(world.deps, at, arn.format("first"))["mine"]
    world.executions.alive.remove(arn.format("first"))
    assert runs.lock(world.deps, "other", arn.format("other"), "accounts") == run_id


def test_a_store_of_which_only_what_may_be_due_is_read_is_weighed_as_a_whole() -> None:
    world = company(sweep_map(accounts=10), accounts=[{"id": f"a{n}", "used_at": OLD} for n in range(10)])
    world.sweepers["accounts"].records = 1000
    assert world.sweep("apply").run().value["stores"]["accounts"]["deleted"] == 10


def test_a_page_of_the_smallest_records_leaves_a_note_that_an_item_holds() -> None:
    """1 MB of records of 40 bytes."""
    world = company(accounts=[{"id": f"{n:05}", "used_at": OLD} for n in range(26_000)])
    world.sweepers["accounts"].page_size, world.sweepers["accounts"].parts = 26_000, 1
    largest = 0

    def look(name: str, when: Moment) -> None:
        nonlocal largest
        if (name, when) == ("sweeper.delete", "before") and not largest:
            item = world.table.get("SWEEP#by-hand", "SEGMENT#apply#accounts#00000")
            assert item is not None
            largest = len(item["sealed"])
            raise TryAgain("for once")

    world.sweepers["accounts"].fault = look
    world.sweep("apply").run()
    assert 0 < largest < 350_000
    assert reported(world)["accounts"]["deleted"] == 26_000


def test_a_page_that_takes_longer_than_there_is_time_is_left_half_way() -> None:
    world = company(accounts=[{"id": f"{n:04}", "used_at": OLD if n % 2 else NEW} for n in range(2000)])
    world.sweepers["accounts"].page_size, world.sweepers["accounts"].parts = 2000, 1
    world.time_left = lambda: lambda: 0.0
    run = world.sweep("apply", stores=["accounts"]).run()
    counts = reported(world)["accounts"]
    assert run.history.count("Delete or anonymise what is due in this segment") == 10
    assert (counts["scanned"], counts["due"], counts["deleted"]) == (2000, 1000, 1000)
    assert len(left(world, "accounts")) == 1000
