"""Where several legal holds stood in the way of one erasure, the last one that is released lets go."""

from __future__ import annotations

from typing import Any

import pytest

from rightful.service import holding
from tests.fakes.company import ADA
from tests.fakes.state_machine import Killed
from tests.fakes.world import make_world
from tests.functional.workflow.held import (
    HOLD,
    erase,
    followers,
    ids,
    left_out,
    notes,
    release,
    row,
    sealed,
)


def test_of_two_holds_the_last_one_lets_go() -> None:
    world = make_world()
    key = world.stores["subscriptions"].key_of({"id": "s1"})
    holding.place(world.deps, "h1", "store", store="subscriptions", **HOLD)
    holding.place_on_record(world.deps, "h2", "subscriptions", key, **HOLD)
    erase(world)
    assert [each["hold_id"] for each in row(world, "subscriptions")["held_by"]] == ["h1", "h2"]
    (first,) = release(world, "h1")
    assert ids(world, "subscriptions") == ["s1", "s3"]
    assert (row(world, "subscriptions", first)["deleted"], row(world, "subscriptions", first)["held"]) == (1, 0)
    assert notes(world) == ["WITHHELD#h2#r1"]
    assert sealed(world), "what is needed to find the rest"
    assert left_out(world) == ["subscriptions"], "one record of it is held still"
    world.stores["subscriptions"].put({"id": "s2", "account_id": "acct-1", "customer_id": "cus-2"})
    (second,) = release(world, "h2")
    assert left_out(world) == []
    assert ids(world, "subscriptions") == ["s2", "s3"], "s2 was made anew, and was the first one's to erase"
    assert row(world, "subscriptions", second)["deleted"] == 1
    assert (notes(world), sealed(world)) == ([], [])


@pytest.mark.parametrize("order", [("h1", "h2"), ("h2", "h1")])
def test_a_record_under_both_is_erased_when_both_are_gone_in_whichever_order(order: tuple[str, str]) -> None:
    world = make_world()
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    holding.place_on_person(world.deps, "h2", ADA, **HOLD)
    erase(world)
    release(world, order[0])
    assert world.stores["surveys"].items[0]["note"] == "I like it"
    (last,) = release(world, order[1])
    assert "note" not in world.stores["surveys"].items[0]
    assert row(world, "surveys", last)["anonymised"] == 1


def test_holds_that_are_gone_when_the_erasure_ends_are_followed_by_one_request() -> None:
    world = make_world()
    for hold_id in ("h1", "h2"):
        holding.place(world.deps, hold_id, "store", store="surveys", **HOLD)
    world.ask_for("erasure")
    run = world.execution()
    complete = run.lambdas["CompleteFunctionArn"]

    def at_once(event: dict[str, Any]) -> object:
        for hold_id in ("h1", "h2"):
            holding.release(world.deps, hold_id)
        return complete(event)

    run.lambdas = {**run.lambdas, "CompleteFunctionArn": at_once}
    run.run()
    (follower,) = followers(world)
    world.execution(follower).run()
    assert row(world, "surveys", follower)["anonymised"] == 1
    assert (notes(world), sealed(world)) == ([], [])


def test_another_hold_keeps_what_the_first_one_let_go_until_it_is_released_too() -> None:
    world = make_world()
    holding.place(world.deps, "h1", "store", store="subscriptions", **HOLD)
    erase(world)
    key = world.stores["subscriptions"].key_of({"id": "s1"})
    holding.place_on_record(world.deps, "h2", "subscriptions", key, ground="investigation", reason="r")
    (first,) = release(world, "h1")
    assert ids(world, "subscriptions") == ["s1", "s3"]
    assert (row(world, "subscriptions", first)["held"], row(world, "subscriptions", first)["deleted"]) == (1, 1)
    assert "Why the hold: an investigation" in world.mailer.sent[-1].text
    assert notes(world) == [f"WITHHELD#h2#{first}"]
    (second,) = release(world, "h2")
    assert world.request(second)["follows"] == first
    assert ids(world, "subscriptions") == ["s3"]
    assert sealed(world) + sealed(world, first) + sealed(world, second) == []


def test_two_releases_at_once_agree_and_the_slower_one_leaves_nothing_behind() -> None:
    """While one process makes the request that follows, another one made it, and it ran to its end."""
    world = make_world()
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    erase(world)
    turns = [1]

    def overtake(name: str, moment: str) -> None:
        if name == "vault.seal" and turns:
            turns.pop()
            assert len(release(world)) == 1

    world.vault.fault = overtake
    holding.release(world.deps, "h1")
    (follower,) = followers(world)
    assert world.request(follower)["status"] == "completed"
    assert sealed(world) + sealed(world, follower) + notes(world) == []
    assert world.table.query("GUARDS") == []
    assert [mail.key for mail in world.mailer.sent] == ["r1:completed_erasure:1", f"{follower}:completed_erasure:1"]


def test_two_holds_released_at_once_are_followed_by_one_request_for_each_record() -> None:
    """Both cover both records. While the release of one is about to say what it lets go, that of the other starts what
    follows from both, and is killed."""
    world = make_world()
    for hold_id in ("h1", "h2"):
        holding.place(world.deps, hold_id, "store", store="subscriptions", **HOLD)
    erase(world)
    turns, kills = [1], [Killed()]

    def kill(name: str, moment: str) -> None:
        if (name, moment) == ("executions.start", "after") and kills:
            raise kills.pop()

    def overtake(name: str, moment: str) -> None:
        if (name, moment) == ("table.update", "before") and turns:
            turns.pop()
            with pytest.raises(Killed):
                holding.release(world.deps, "h2")

    world.executions.fault, world.table.fault = kill, overtake
    holding.release(world.deps, "h1")
    for hold_id in holding.to_release(world.deps):
        holding.release(world.deps, hold_id)
    (follower,) = followers(world)
    world.execution(follower).run()
    assert row(world, "subscriptions", follower)["deleted"] == 2
    assert ids(world, "subscriptions") == ["s3"]
    assert sealed(world) + notes(world) == []
