"""Choosing and refusing, killed at each call to the table and done again: the same end, and each record once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from rightful.errors import TryAgain
from rightful.service import consents, preferences, unsubscribing
from rightful.service.unsubscribing import ALL, Link
from rightful.service.verifying import Proof
from tests.fakes.recording import Moment
from tests.fakes.state_machine import Killed
from tests.fakes.world import World, make_world

ADAS = Proof("ada", "sign_in", "v1", datetime(2026, 11, 2, tzinfo=UTC), b"")
Act = Callable[[World], Any]


def choose(world: World, *, gpc: bool = False, **topics: bool) -> Any:
    return preferences.change(world.deps, ADAS, topics, how="api", shown={}, gpc=gpc)


ACTS: dict[str, Act] = {
    "the first choice": lambda world: choose(world, newsletter=True, product_feedback=True),
    "another mind": lambda world: choose(world, newsletter=False, announcements=False, product_feedback=True),
    "the signal with it": lambda world: choose(world, gpc=True, newsletter=True),
    "one click": lambda world: unsubscribing.refuse(world.deps, Link("ada", "announcements"), "en"),
    "all at one click": lambda world: unsubscribing.refuse(world.deps, Link("ada", ALL), "en"),
    "a contact": lambda world: unsubscribing.refuse(world.deps, Link("ada", "rewards"), "en"),
    "an erasure": lambda world: consents.end(world.deps, {"ada"}, world.clock()),
}


def begun(name: str) -> World:
    world = make_world()
    if name != "the first choice":
        choose(world, newsletter=True, announcements=True)
        world.clock.advance(60)
    return world


def left(world: World) -> Any:
    """All there is, but for the time of day: what is done again is done later."""
    return {
        key: {name: value for name, value in item.items() if name not in ("at", "entries", "expires_at", "topics")}
        for key, item in world.table.items.items()
    }, {name: said["on"] for name, said in consents.load(world.deps, "ada").topics.items()}


@pytest.mark.parametrize("error", [Killed, TryAgain], ids=lambda error: error.__name__)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ACTS)
def test_killed_anywhere_and_done_again_the_end_is_the_same(
    name: str, when: Moment, error: type[BaseException]
) -> None:
    whole = begun(name)
    ACTS[name](whole)
    ends = {key: item.get("expires_at") for key, item in whole.table.items.items()}
    for at in range(50):
        world, calls = begun(name), [at]

        def fault(_: str, moment: Moment, calls: list[int] = calls) -> None:
            calls[0] -= moment == when
            if calls[0] == -1 and moment == when:
                raise error

        world.table.fault = fault
        with suppress(error):
            ACTS[name](world)
        world.table.fault = lambda *_: None
        ACTS[name](world)
        assert left(world) == left(whole), at
        assert {key: item.get("expires_at") for key, item in world.table.items.items()} == ends, at
        if calls[0] >= 0:
            return
    raise AssertionError("it never came to its end")


def test_killed_before_its_record_was_written_and_never_done_again_the_proof_is_there() -> None:
    """In the item of the choices, from where whoever comes next writes it."""
    world = make_world()

    def fault(name: str, moment: Moment) -> None:
        if name == "table.put_new" and moment == "after":
            raise Killed

    world.table.fault = fault
    with suppress(Killed):
        choose(world, newsletter=True)
    world.table.fault = lambda *_: None
    [entry] = consents.load(world.deps, "ada").entries
    assert (entry["topic"], entry["new"], entry["how"]) == ("newsletter", True, "api")
    assert world.table.query("CONSENT#ada", "RECORD#") == []
    choose(world, announcements=True)
    assert [each["topic"] for each in world.table.query("CONSENT#ada", "RECORD#")] == ["newsletter", "announcements"]
