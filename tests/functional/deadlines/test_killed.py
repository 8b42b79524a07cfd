"""Wherever a round is killed, and whatever part of it fails: the rest is done, and all of it once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rightful.errors import NeedsAttention, RightfulError, TryAgain
from rightful.service import deadlines, requests
from tests.fakes.recording import Fault, Moment, Recorder, no_fault
from tests.fakes.world import World, forever
from tests.functional.deadlines.rounds import (
    company,
    digests,
    downloadable,
    due_in,
    held,
    ledger,
    letter,
    provider_reports,
    run,
    unverified,
)


class Killed(BaseException):
    """The process ended here."""


def everything() -> World:
    """One of each thing that a round does."""
    world = company()
    until = letter(world, "letter")
    world.clock.set(until - timedelta(days=8))
    downloadable(world, "done")
    world.clock.set(until - timedelta(days=1))
    held(world, "h1")
    unverified(world, "web")
    unverified(world, "joined")
    world.table.update(requests.pk("joined"), "REQUEST", {"joined_to": "silent"})
    world.clock.set(until)
    due_in(world, "near", 2)
    due_in(world, "paused", 20, status="paused")
    world.ask_for("erasure", "silent", "bob@example.org")
    world.table.update(requests.pk("silent"), "REQUEST", {"due_at": "2027-06-01T21:59:59Z"})
    world.clock.advance(days=1.01)
    return world


def ports(world: World) -> list[Recorder]:
    return [world.table, world.vault, world.mailer, world.files, world.executions, world.events, world.reports]


def break_all(world: World, fault: Fault) -> None:
    for port in ports(world):
        port.fault = fault


def end(world: World) -> dict[str, Any]:
    """What is the same however often a round was begun: no times, no ids of messages."""
    items = {
        (pk, sk.partition("#")[2] if pk.startswith("REGISTER#") else sk): {  # those begin with the time
            name: item[name] for name in ("status", "open", "released_at", "sent_at", "ids") if name in item
        }
        for (pk, sk), item in world.table.items.items()
    }
    for item in items.values():
        item |= dict.fromkeys(item.keys() & {"released_at", "sent_at"}, "some time")
    return {
        "items": items,
        "ledgers": {name: ledger(world, name) for name in ("web", "letter", "joined", "done", "silent")},
        "endless": sorted(
            sk for (pk, sk), item in world.table.items.items() if pk == "REQUEST#web" and "expires_at" not in item
        ),
        "files": sorted(world.files.objects),
        "calendar": sorted(world.reports.objects),
        "started": world.executions.started,
    }


def events() -> list[tuple[str, Moment]]:
    """Every call of a whole round, before and after it is made."""
    world, seen = everything(), []

    def look(name: str, moment: Moment) -> None:
        seen.append((name, moment))

    break_all(world, look)
    run(world)
    return seen


EVENTS = events()


def test_a_round_does_all_of_it() -> None:
    world = everything()
    counts = run(world)
    assert counts == {
        "gathered": 0,
        "dropped": 0,
        "breaches": 0,
        "breaches_overdue": 0,
        "released": 1,
        "active_holds": 0,
        "expired": 3,
        "downloads": 1,
        "open": 3,
        "overdue": 0,
        "due_within_2": 1,
        "due_within_7": 1,
        "paused": 1,
        "awaiting_dpo": 0,
        "oldest_days": 2,
        "acknowledged": 1,
        "mailed": 1,
    }
    again = run(world)
    assert [again[name] for name in ("released", "expired", "downloads", "acknowledged")] == [0, 0, 0, 0]
    assert len(world.mailer.sent) == 2
    state = end(world)
    assert state["endless"] == []
    assert state["files"] == []
    assert state["calendar"] == ["calendar/requests.ics"]
    assert list(state["started"]) == ["after-hold-h1"]
    assert [item for item in state["items"].values() if item.get("open") in ("expired", "unverified", "download")] == []


@pytest.mark.parametrize("at", range(len(EVENTS)))
def test_killed_anywhere_and_run_again_the_end_is_the_same(at: int) -> None:
    world, whole = everything(), everything()
    run(whole)
    left = at

    def fault(name: str, moment: Moment) -> None:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1

    break_all(world, fault)
    with pytest.raises(Killed):
        deadlines.step(world.deps, forever)
    break_all(world, no_fault)
    provider_reports(world)
    world.clock.advance(61)
    run(world)
    world.clock.advance(61)
    run(world)
    state, wanted = end(world), end(whole)
    for item in [*state["items"].values(), *wanted["items"].values()]:
        item.pop("sent_at", None)  # a mail whose sender was killed is settled by the provider's event
    assert state == wanted
    assert len(digests(world)) == 1
    assert len(world.mailer.sent) == 2


FAILING: list[Callable[[str], Exception]] = [TryAgain, NeedsAttention, ValueError]


@pytest.mark.parametrize("error", FAILING)
@pytest.mark.parametrize("call", sorted({name for name, _ in EVENTS} - {"table.query", "table.get", "table.update"}))
def test_whatever_fails_the_other_parts_are_done_and_the_failure_is_told(
    call: str, error: Callable[[str], Exception]
) -> None:
    world = everything()

    def fault(name: str, moment: Moment) -> None:
        if (name, moment) == (call, "before"):
            raise error("ada@example.org")

    break_all(world, fault)
    done = deadlines.step(world.deps, forever)
    assert done.faults
    needed = {
        "released": {"executions.sweep"},
        "downloads": {"files.list", "files.delete"},
        "mailed": {"mailer.send"},
    }
    for name, calls in needed.items():
        if call in calls:
            assert not done.counts.get(name)
        elif not call.startswith("table."):
            assert done.counts[name] == 1, name
    with pytest.raises(NeedsAttention if error is not TryAgain else TryAgain) as raised:
        done.faults.ensure_none()
    assert isinstance(raised.value, RightfulError)
    if error is ValueError:
        assert "ada" not in str(raised.value)
        assert "unexpected ValueError at " in str(raised.value)
    break_all(world, no_fault)
    provider_reports(world)
    world.clock.advance(61)
    run(world)
    assert len(digests(world)) == 1
    refused = call == "mailer.send" and error is NeedsAttention
    assert len(world.mailer.sent) == (1 if refused else 2), "to a person, what the provider refused is not sent again"


def test_one_request_that_cannot_be_ended_keeps_no_other_from_it() -> None:
    world = everything()

    def fault(name: str, moment: Moment) -> None:
        last = world.table.calls[-1] if world.table.calls else None
        if name == "events.publish" and moment == "before" and last and "REQUEST#web" in last.args:
            raise NeedsAttention("the bus is gone")

    world.events.fault = fault
    done = deadlines.step(world.deps, forever)
    assert done.counts["expired"] == 2
    with pytest.raises(NeedsAttention, match=r"^unverified requests: the bus is gone$"):
        done.faults.ensure_none()


def test_when_time_is_up_the_dpo_is_mailed_all_the_same_and_the_rest_is_done_next_time() -> None:
    world = everything()
    done = deadlines.step(world.deps, lambda: 0.0)
    assert (done.counts["expired"], done.counts["downloads"], done.counts["mailed"]) == (0, 0, 1)
    with pytest.raises(TryAgain, match="more is left to do"):
        done.faults.ensure_none()
    assert (run(world)["expired"], len(digests(world))) == (3, 1)
