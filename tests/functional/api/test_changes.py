"""A request's status changes once, whoever else is changing it, and its timeline misses nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from rightful import ledger
from rightful.errors import Conflict, Invalid, NotFound, TryAgain
from rightful.lifecycle import TERMINAL, Status
from rightful.service import requests
from tests.fakes.recording import Moment, no_fault
from tests.fakes.world import World

OPEN = sorted(set(Status) - TERMINAL - {Status.awaiting_verification})


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def asked(world: World) -> World:
    """A verified erasure, `r1`."""
    world.ask_for("erasure")
    return world


def sentences(world: World) -> list[str]:
    return [event["what"] for event in requests.timeline(world.deps, world.request())]


def test_a_change_is_made_once_and_told_again(asked: World) -> None:
    for _ in range(3):
        requests.transition(asked.deps, "r1", "paused", what="Paused", paused_since="2026-11-02T09:00:00Z")
    assert sentences(asked) == [requests.RECEIVED, "Paused"]
    assert [detail["status"] for _, detail in asked.events.published] == ["paused"] * 3
    assert asked.events.published[0] == (
        "PrivacyRequestStatusChanged",
        {"request_id": "r1", "type": "erasure", "status": "paused"},
    )


@pytest.mark.parametrize("port", ["table", "events"])
@pytest.mark.parametrize("number", range(1, 7))
def test_an_entry_lost_by_one_process_is_written_by_the_next(asked: World, port: str, number: int) -> None:
    left = number

    def fault(_: str, moment: Moment) -> None:
        nonlocal left
        if moment == "before":
            left -= 1
            if left == 0:
                raise Killed

    broken = asked.table if port == "table" else asked.events
    broken.fault = fault
    with suppress(Killed):
        requests.transition(asked.deps, "r1", "scheduled", what="Scheduled")
    broken.fault = no_fault
    changed = asked.request()["status"] == "scheduled"
    requests.transition(asked.deps, "r1", "withdrawn", what="Withdrawn")
    changes = ["Scheduled", "Withdrawn"] if changed else ["Withdrawn"]
    assert sentences(asked) == [requests.RECEIVED, *changes]
    entries = [item["what"] for (_, sk), item in sorted(asked.table.items.items()) if sk.startswith("EVENT#")]
    assert entries == changes


def test_withdrawing_and_erasing_never_both_win(world: World) -> None:
    def withdraw(request_id: str) -> bool:
        try:
            requests.transition(world.deps, request_id, "withdrawn", what="Withdrawn")
        except Conflict:
            return False
        return True

    def erase(request_id: str) -> bool:
        try:
            requests.begin_erasing(world.deps, request_id)
        except Conflict:
            return False
        return True

    ids = [f"r{n}" for n in range(60)]
    for request_id in ids:
        world.ask_for("erasure", request_id)
    with ThreadPoolExecutor(8) as pool:
        withdrawn = [pool.submit(withdraw, request_id) for request_id in ids]
        erased = [pool.submit(erase, request_id) for request_id in ids]
    for w, e in zip(withdrawn, erased, strict=True):
        assert w.result() != e.result()


@pytest.mark.parametrize("to", ["withdrawn", "rejected"])
def test_erasing_that_begins_at_the_last_moment_wins(asked: World, to: str) -> None:
    """Between the reading and the writing of who withdraws, the workflow begins to erase."""

    def begin(name: str, moment: Moment) -> None:
        if name == "table.update" and moment == "before":
            asked.table.fault = no_fault
            requests.begin_erasing(asked.deps, "r1")

    asked.table.fault = begin
    with pytest.raises(Conflict, match="Erasing has begun"):
        requests.transition(asked.deps, "r1", to, what="Too late")
    assert asked.request()["status"] == "in_progress"


def test_a_withdrawal_at_the_last_moment_wins(asked: World) -> None:
    def withdraw(name: str, moment: Moment) -> None:
        if name == "table.update" and moment == "before":
            asked.table.fault = no_fault
            requests.transition(asked.deps, "r1", "withdrawn", what="Withdrawn")

    asked.table.fault = withdraw
    with pytest.raises(Conflict):
        requests.begin_erasing(asked.deps, "r1")
    assert "erasing_since" not in asked.request()


@pytest.mark.parametrize("to", ["withdrawn", "rejected"])
@pytest.mark.parametrize("status", OPEN)
def test_what_is_being_erased_cannot_be_taken_back(asked: World, status: Status, to: str) -> None:
    requests.begin_erasing(asked.deps, "r1")
    asked.table.update("REQUEST#r1", "REQUEST", {"status": status.value})
    with pytest.raises(Conflict, match="Erasing has begun"):
        requests.transition(asked.deps, "r1", to, what="Too late")


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.in_progress}))
def test_erasing_begins_only_in_progress(asked: World, status: Status) -> None:
    asked.table.update("REQUEST#r1", "REQUEST", {"status": status.value})
    with pytest.raises(Conflict):
        requests.begin_erasing(asked.deps, "r1")
    assert "erasing_since" not in asked.request()


def test_erasing_begins_once(asked: World) -> None:
    first = requests.begin_erasing(asked.deps, "r1")["erasing_since"]
    asked.clock.advance(60)
    assert requests.begin_erasing(asked.deps, "r1")["erasing_since"] == first


def test_erasing_begins_with_the_plan_it_follows_in_one_write(asked: World) -> None:
    before = len(asked.table.calls)
    begun = requests.begin_erasing(asked.deps, "r1", plan_hash="a", map_version="1")
    assert [call.name for call in asked.table.calls[before:]] == ["table.get", "table.update", "table.put_new"]
    assert requests.begin_erasing(asked.deps, "r1", plan_hash="a", map_version="1") == begun
    asked.clock.advance(60)
    again = requests.begin_erasing(asked.deps, "r1", plan_hash="b", map_version="1")
    assert again == asked.request()
    assert (again["plan_hash"], again["erasing_since"]) == ("b", begun["erasing_since"])
    assert [entry["facts"].get("plan_hash") for entry in requests.entries(asked.deps, again)] == [None, "a", "b"]


def test_erasing_does_not_begin_for_an_access_request(world: World) -> None:
    world.ask_for("access")
    with pytest.raises(Conflict):
        requests.begin_erasing(world.deps, "r1")


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_an_end_is_an_end(asked: World, status: Status) -> None:
    asked.table.update("REQUEST#r1", "REQUEST", {"status": status.value})
    for to in set(Status) - {status}:
        with pytest.raises(Conflict):
            requests.transition(asked.deps, "r1", to, what="Back to life")
    assert asked.request()["status"] == status.value


def test_an_ended_request_is_no_longer_listed_as_open(asked: World) -> None:
    assert "open" in asked.request()
    requests.transition(asked.deps, "r1", "completed", what="Done")
    assert "open" not in asked.request()


def test_a_change_that_never_wins_is_tried_later(asked: World) -> None:
    def busy(name: str, moment: Moment) -> None:
        if name == "table.update" and moment == "before":
            asked.table.fault = no_fault
            requests.append(asked.deps, "r1", "Something else", key=str(asked.request()["seq"]))
            asked.table.fault = busy

    asked.table.fault = busy
    with pytest.raises(TryAgain):
        requests.transition(asked.deps, "r1", "completed", what="Done")


def test_an_unknown_request(world: World) -> None:
    with pytest.raises(NotFound):
        requests.transition(world.deps, "nobody", "completed", what="Done")


def test_every_change_is_a_link_of_one_chain(asked: World) -> None:
    requests.transition(asked.deps, "r1", "awaiting_approval", what="It is with the DPO")
    requests.append(asked.deps, "r1", "A mail could not be delivered", key="bounced:code:1", noted={"n": 1})
    requests.transition(asked.deps, "r1", "in_progress", what="It goes on", noted={"stores": {"accounts": 3}})
    item = requests.begin_erasing(asked.deps, "r1", plan_hash="a")
    entries = requests.entries(asked.deps, item)
    assert ledger.head("r1", entries) == item["head"]
    assert [entry["status"] for entry in entries] == [
        "awaiting_verification",
        *["awaiting_approval"] * 2,
        *["in_progress"] * 2,
    ]


def test_what_is_noted_under_a_key_is_noted_once_whoever_comes_first(asked: World) -> None:
    with ThreadPoolExecutor(8) as pool:
        for n in range(24):
            pool.submit(requests.append, asked.deps, "r1", "Bounced", key=f"mail:{n % 3}")
    entries = requests.entries(asked.deps, asked.request())
    assert sorted(entry["key"] for entry in entries) == ["", "mail:0", "mail:1", "mail:2"]
    assert ledger.head("r1", entries) == asked.request()["head"]


@pytest.mark.parametrize("n", range(1, 5))
@pytest.mark.parametrize("name", ["at", "what", "status", "facts"])
def test_a_stored_link_that_was_tampered_with_is_caught(asked: World, n: int, name: str) -> None:
    for each in range(4):
        requests.append(asked.deps, "r1", f"Step {each}", key=str(each))
    if n == 1:
        asked.table.update("REQUEST#r1", "REQUEST", {"received_at": "2020-01-01T00:00:00Z"})
    else:
        asked.table.update("REQUEST#r1", f"EVENT#{n:06}", {name: {} if name == "facts" else "other", "forged": True})
        asked.table.update("REQUEST#r1", f"EVENT#{n:06}", {"facts": {"forged": 1}} if name == "facts" else {})
    with pytest.raises(Invalid, match=f"entry {n}|entry {n + 1}"):
        ledger.head("r1", requests.entries(asked.deps, asked.request()))


def test_a_link_that_was_removed_is_caught(asked: World) -> None:
    for each in range(4):
        requests.append(asked.deps, "r1", f"Step {each}", key=str(each))
    asked.table.delete("REQUEST#r1", "EVENT#000003")
    with pytest.raises(Invalid, match="entry 3 "):
        ledger.head("r1", requests.entries(asked.deps, asked.request()))
