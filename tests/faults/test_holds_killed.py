"""An erasure that legal holds stand in the way of, their release, and what follows: killed after each call that has an
effect, or refused a call by a store, it ends as undisturbed."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from rightful.errors import TryAgain
from rightful.service import holding
from tests.fakes.company import ADA, small_map, small_stores
from tests.fakes.memory_store import MemoryStore
from tests.fakes.state_machine import Killed
from tests.fakes.world import World, make_world
from tests.faults.test_detours import BREAKS, TRIES, Break, Line, Watched, bystanders, outcome, tried

HOLD: dict[str, Any] = {"ground": "legal_process", "reason": "case 12"}
RELEASES = ("h1", "h2")


class Way(NamedTuple):
    first: tuple[str, ...]
    """Stores under hold h1 from the start: one, or all of Ada's (none named)."""
    late: bool = False
    """Hold h2, on her subscriptions, comes when the plan is made already."""


WAYS = {
    "all of hers is held": Way(()),
    "one store is held, and then another": Way(("surveys",), late=True),
    "two holds are on one store": Way(("subscriptions",), late=True),
}


def travel(way: Way, at: int = -1, broken: Break | None = None) -> tuple[dict[str, Any], list[str]]:
    stores: dict[str, MemoryStore] = {name: Watched(store.items) for name, store in small_stores().items()}
    world = make_world(small_map(), stores, time_left=lambda: lambda: 0.0)
    for store in stores.values():
        store.clock = world.clock
    before = bystanders(world)
    world.ask_for("erasure")
    if way.first:
        holding.place(world.deps, "h1", "store", store=way.first[0], **HOLD)
    else:
        holding.place_on_person(world.deps, "h1", ADA, **HOLD)
    line = Line(world, at, broken)
    run = world.execution()
    plan = run.lambdas["PlanFunctionArn"]

    def planned(event: dict[str, Any]) -> Any:
        answer = plan(event)
        if way.late:
            with line.aside():
                holding.place(world.deps, "h2", "store", store="subscriptions", **HOLD)
        return answer

    run.lambdas = {**run.lambdas, "PlanFunctionArn": planned}
    assert run.run().ended
    done = {"r1"}
    for hold_id in RELEASES[: 1 + way.late]:
        _insist_on_release(world, hold_id)
        for new in [item["request_id"] for item in world.executions.started.values() if "request_id" in item]:
            if new not in done:
                assert world.execution(new).run().ended
                done.add(new)
    assert bystanders(world) == before, "somebody else's data"
    return outcome(world), line.calls


def _insist_on_release(world: World, hold_id: str) -> None:
    for _ in range(TRIES):
        try:
            holding.release(world.deps, hold_id)
        except (Killed, TryAgain):
            continue
        return
    raise AssertionError("it was never released")


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_wherever_it_breaks_every_record_goes_once_and_none_is_forgotten(way: Way, broken: Break) -> None:
    undisturbed, calls = travel(way)
    data = undisturbed["people's data"]
    assert [item["id"] for item in data["accounts"] + data["subscriptions"] + data["contacts"]] == ["a2", "s3", "c3"]
    assert "note" not in data["surveys"][0]
    assert not [item for item in undisturbed["the table"] if item["sk"].startswith(("SEALED#", "WITHHELD#"))]
    differences = []
    for at, name in enumerate(calls):
        if not tried(name, broken):
            continue
        disturbed, _ = travel(way, at, broken)
        parts = [part for part in undisturbed if disturbed[part] != undisturbed[part]]
        differences += [f"call {at} of {len(calls)}, {name}: {', '.join(parts)} differ"] * bool(parts)
    assert not differences, "\n".join(differences)
