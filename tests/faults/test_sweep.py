"""The sweep in bad weather: killed at every call, throttled, written to by others, overtaken by another run, and over a
million records. No record goes that should not, none that is due stays for long, and the counts add up.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from rightful.errors import TryAgain
from tests.fakes.recording import Fault, Moment
from tests.fakes.state_machine import Killed
from tests.fakes.world import World
from tests.functional.sweep.company import NEW, OLD, company, left, sweep_map

FEWEST = 60
"""Calls of a run; far fewer would mean that they are not watched."""


def adds_up(counts: dict[str, Any]) -> bool:
    """Of the report's counts, which tell more than the execution's output."""
    acted = sum(counts[name] for name in ("deleted", "anonymised", "held", "changed_meanwhile", "blocked", "failed"))
    kept = sum(counts["kept"].values()) + counts["malformed"]
    return bool(counts["scanned"] == counts["due"] + kept and counts["due"] == acted)


def report(world: World, run_id: str) -> dict[str, Any]:
    import json

    (key,) = (key for key in world.reports.list("retention/") if key.endswith(f"/{run_id}.json"))
    found: dict[str, Any] = json.loads(b"".join(world.reports.read(key)))["stores"]
    return found


def watch(world: World, fault: Fault) -> None:
    for port in (world.table, world.vault, world.reports, world.executions, world.mailer):
        port.fault = fault
    for sweeper in world.sweepers.values():
        sweeper.fault = fault


def small() -> World:
    """Every kind of outcome, over several pages and segments, with a time guard that lets one page through."""
    world = company(
        sweep_map(),
        accounts=[{"id": f"a{n}", "used_at": OLD if n % 2 else NEW, "status": "closed"} for n in range(8)],
        answers=[{"id": f"v{n}", "used_at": OLD, "email": f"{n}@example.org", "note": "x"} for n in range(5)],
        invoices=[{"id": "i1", "used_at": OLD, "issued_at": OLD}, {"id": "i2"}],
    )
    for sweeper in world.sweepers.values():
        sweeper.page_size, sweeper.parts = 3, 1
    world.time_left = lambda: lambda: 0.0
    return world


def outcome(world: World) -> dict[str, Any]:
    contents = world.contents()
    for item in contents["answers"]:
        item.pop("rightful_anonymised_at", None)
    counts = report(world, "by-hand")
    return {"contents": contents, "counts": {store: {**c, "capacity": 0} for store, c in counts.items()}}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_call_the_end_and_the_counts_are_the_same(moment: Moment) -> None:
    calls: list[str] = []
    undisturbed = small()
    watch(undisturbed, lambda name, when: calls.append(name) if when == moment else None)
    undisturbed.sweep("apply").run()
    watch(undisturbed, lambda name, when: None)
    assert len(calls) >= FEWEST
    assert all(adds_up(counts) for counts in report(undisturbed, "by-hand").values())
    differences = []
    for at, name in enumerate(calls):
        world = small()
        seen = iter(range(10**6))

        def kill(_: str, when: Moment, at: int = at, seen: Iterator[int] = seen) -> None:
            if when == moment and next(seen) == at:
                raise Killed

        watch(world, kill)
        world.sweep("apply").run()
        watch(world, lambda name, when: None)
        if outcome(world) != outcome(undisturbed):
            differences.append((at, name))
    assert differences == []


def test_throttled_at_every_fifth_call_nothing_is_lost() -> None:
    dice = random.Random(5)
    world = company(accounts=[{"id": f"{n:05}", "used_at": OLD if n % 3 else NEW} for n in range(3000)])
    world.sweepers["accounts"].page_size = 50
    world.time_left = lambda: lambda: 0.0
    throttled = []

    def throttle(name: str, when: Moment) -> None:
        if name in ("sweeper.page", "table.update") and when == "before" and dice.random() < 0.2:
            throttled.append(name)
            raise TryAgain("throttled")

    watch(world, throttle)
    world.sweep("apply").run()
    watch(world, lambda name, when: None)
    counts = report(world, "by-hand")["accounts"]
    assert len(throttled) > 20
    assert adds_up(counts)
    assert (counts["deleted"], len(left(world, "accounts"))) == (2000, 1000)


def test_a_store_that_throttles_again_and_again_is_gone_through_for_as_long_as_it_gives_anything() -> None:
    """Far more often than a state of the workflow is tried again; half-way through a page, too."""
    world = company(accounts=[{"id": f"{n:05}", "used_at": OLD} for n in range(4000)])
    world.sweepers["accounts"].page_size, world.sweepers["accounts"].parts = 2000, 1
    turn = iter(range(10**6))

    def throttle(name: str, when: Moment) -> None:
        if name == "sweeper.delete" and when == "before" and next(turn) % 150 == 149:
            raise TryAgain("throttled")

    watch(world, throttle)
    world.sweep("apply").run()
    watch(world, lambda name, when: None)
    counts = report(world, "by-hand")["accounts"]
    assert adds_up(counts)
    assert (counts["deleted"], left(world, "accounts")) == (4000, [])


def test_one_poison_record_in_a_thousand_stops_nothing_else() -> None:
    world = company(
        accounts=[{"id": f"{n:05}", "used_at": OLD} for n in range(3000)],
        answers=[{"id": f"{n:05}", "used_at": OLD, "note": "x"} for n in range(3000)],
    )
    for name in ("accounts", "answers"):
        world.sweepers[name].poison = {world.stores[name].key_of({"id": f"{n:05}"}) for n in (7, 1007, 2007)}
    world.sweep("apply").run()
    for name, done in (("accounts", "deleted"), ("answers", "anonymised")):
        counts = report(world, "by-hand")[name]
        assert (counts["failed"], counts[done]) == (3, 2997)
        assert adds_up(counts)


def test_what_was_announced_and_then_touched_is_not_counted_as_deleted() -> None:
    world = company(accounts=[{"id": f"{n:03}", "used_at": OLD} for n in range(10)])
    world.sweepers["accounts"].parts = 1
    store = world.stores["accounts"]

    def touched_and_killed(name: str, when: str) -> None:
        if name == "sweeper.delete" and when == "before":
            watch(world, lambda name, when: None)
            store.put({"id": "003", "used_at": NEW})
            raise Killed

    watch(world, touched_and_killed)
    world.sweep("apply").run()
    counts = report(world, "by-hand")["accounts"]
    assert adds_up(counts)
    assert left(world, "accounts") == ["003"]
    assert (counts["scanned"], counts["deleted"]) == (10, 9)


def test_what_was_announced_and_not_reached_again_is_not_counted_as_deleted() -> None:
    """Others wrote records in between, so that the page that is read again ends earlier."""
    world = company(accounts=[{"id": f"{n:03}", "used_at": OLD} for n in range(10)])
    sweeper, store = world.sweepers["accounts"], world.stores["accounts"]
    sweeper.parts, sweeper.page_size = 1, 5

    def joined_and_killed(name: str, when: str) -> None:
        if name == "sweeper.delete" and when == "before":
            watch(world, lambda name, when: None)
            for n in range(3):
                store.put({"id": f"000-{n}", "used_at": NEW})
            raise Killed

    watch(world, joined_and_killed)
    world.sweep("apply").run()
    counts = report(world, "by-hand")["accounts"]
    assert adds_up(counts)
    assert left(world, "accounts") == ["000-0", "000-1", "000-2"]
    assert (counts["scanned"], counts["deleted"]) == (13, 10)


@pytest.mark.parametrize("seed", range(60))
def test_killed_while_others_write_what_is_counted_as_deleted_is_gone(seed: int) -> None:
    dice = random.Random(seed)
    size = dice.randrange(5, 60)
    world = company(accounts=[{"id": f"{n:03}", "used_at": OLD} for n in range(size)])
    sweeper, store = world.sweepers["accounts"], world.stores["accounts"]
    sweeper.page_size, sweeper.parts = dice.randrange(2, 15), 1
    world.time_left = dice.choice([world.time_left, lambda: lambda: 0.0])
    touched, added, kills = set[str](), set[str](), iter(range(dice.randrange(1, 6)))

    def disturb(name: str, when: Moment) -> None:
        one = f"{dice.randrange(size):03}"
        if dice.random() < 0.1 and store.record(store.key_of({"id": one})):
            store.put({"id": one, "used_at": NEW})
            touched.add(one)
        if dice.random() < 0.1:
            store.put({"id": f"{one}-more", "used_at": NEW})
            added.add(f"{one}-more")
        if dice.random() < 0.1 and next(kills, None) is not None:
            raise Killed

    for each in world.sweepers.values():
        each.fault = disturb
    world.sweep("apply").run()
    counts = report(world, "by-hand")["accounts"]
    assert adds_up(counts)
    assert set(left(world, "accounts")) == touched | added
    assert counts["deleted"] == size - len(touched)
    assert size <= counts["scanned"] <= size + len(added)


def test_what_others_touch_meanwhile_is_left_alone() -> None:
    """Every hundredth write another process uses a record that is about to go, for the first time in a year."""
    world = company(accounts=[{"id": f"{n:05}", "used_at": OLD, "visits": 0} for n in range(5000)])
    world.sweepers["accounts"].page_size = 2000
    dice, touched, turn = random.Random(1), set[str](), iter(range(10**9))

    def others() -> None:
        if next(turn) % 100 == 99:
            key = f"{dice.randrange(5000):05}"
            if (item := world.stores["accounts"].record(world.stores["accounts"].key_of({"id": key}))) is not None:
                world.stores["accounts"].put({**item.data, "used_at": NEW})
                touched.add(key)

    world.sweepers["accounts"].between = others
    world.sweep("apply").run()
    counts = report(world, "by-hand")["accounts"]
    world.sweepers["accounts"].between = lambda: None
    assert len(touched) > 20
    assert counts["changed_meanwhile"] > 0
    assert adds_up(counts)
    assert set(left(world, "accounts")) == touched
    assert world.sweep("apply", "second").run().value["stores"]["accounts"]["due"] == 0


def test_a_run_that_lost_its_stores_to_another_deletes_nothing_wrong_and_stops() -> None:
    """Its execution was ended by hand while a Lambda of it still worked; the next run takes over."""
    world = company(accounts=[{"id": f"{n:05}", "used_at": OLD if n % 2 else NEW} for n in range(400)])
    world.sweepers["accounts"].page_size, world.sweepers["accounts"].parts = 20, 1
    world.time_left = lambda: lambda: 0.0
    turn = iter(range(10**9))

    def overtaken() -> None:
        if next(turn) == 60:
            world.executions.alive.clear()
            world.sweep("apply", "second").run()

    world.sweepers["accounts"].between = overtaken
    world.sweep("apply", "first").run()
    first, second = report(world, "first")["accounts"], report(world, "second")["accounts"]
    assert first["failed_segments"] == 1
    assert second["failed_segments"] == 0
    assert adds_up(second)
    assert left(world, "accounts") == [f"{n:05}" for n in range(0, 400, 2)]


def test_a_million_records_with_others_at_work() -> None:
    """One in a hundred is due, and a hundredth of those are touched while the sweep goes on."""
    million = 1_000_000
    world = company(events=({"id": f"{n:07}", "used_at": OLD if n % 100 == 0 else NEW} for n in range(million)))
    sweeper, store = world.sweepers["events"], world.stores["events"]
    sweeper.page_size = 1000
    touched, turn = set[str](), iter(range(10**9))

    def others() -> None:
        number = next(turn)
        if number % 100 == 50 and (record := store.record(store.key_of({"id": f"{(number * 997) % 10_000 * 100:07}"}))):
            store.put({**record.data, "used_at": NEW})
            touched.add(record.data["id"])

    sweeper.between = others
    world.sweep("apply", "first").run()
    sweeper.between = lambda: None
    counts = report(world, "first")["events"]
    assert counts["scanned"] == million
    assert adds_up(counts)
    assert touched
    assert len(store.items) == million - 10_000 + len(touched)
    assert all(store.record(store.key_of({"id": each})) for each in touched)
    assert world.sweep("apply", "second").run().value["stores"]["events"]["due"] == 0
