"""When a legal hold is released, the erasures that it stood in the way of run by themselves, record by record."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from rightful.errors import Conflict, NeedsAttention, NotFound, TryAgain
from rightful.model import RequestPolicy
from rightful.service import deciding, discovering, holding, requests, viewing
from rightful.service.verifying import Proof
from tests.fakes.company import ADA, BOB, small_map
from tests.fakes.state_machine import Killed
from tests.fakes.world import make_world
from tests.functional.workflow.held import (
    HOLD,
    erase,
    followers,
    ids,
    notes,
    plan,
    release,
    remaining,
    row,
    sealed,
    unhindered,
)


@pytest.mark.parametrize("held", ["accounts", "subscriptions", "invoices", "surveys", "contacts", "all of hers"])
def test_in_the_end_it_is_as_if_there_had_been_no_hold(held: str) -> None:
    """Whatever stands in the graph before or after what was held: what led to it may be gone by then."""
    world = make_world()
    if held == "all of hers":
        holding.place_on_person(world.deps, "h1", ADA, **HOLD)
    else:
        holding.place(world.deps, "h1", "store", store=held, **HOLD)
    erase(world)
    assert remaining(world) != unhindered()
    world.clock.advance(days=100)
    (follower,) = release(world)
    assert world.request(follower)["status"] == "completed"
    assert remaining(world) == unhindered()


def test_it_erases_what_was_withheld_and_nothing_that_came_since() -> None:
    world = make_world()
    holding.place_on_person(world.deps, "h1", ADA, **HOLD)
    erase(world)
    world.clock.advance(days=100)
    new = {
        "accounts": {"id": "a9", "email": ADA, "account_id": "acct-1", "note": "back again"},
        "subscriptions": {"id": "s9", "account_id": "acct-1", "customer_id": "cus-1"},
        "surveys": {"id": "v9", "email": ADA, "note": "new"},
        "contacts": {"id": "c9", "account_id": "acct-10", "email": ADA},
    }
    for name, item in new.items():
        world.stores[name].put(item)
    (follower,) = release(world)
    assert all(item in world.stores[name].items for name, item in new.items())
    assert (ids(world, "accounts"), ids(world, "subscriptions")) == (["a2", "a9"], ["s3", "s9"])
    assert (row(world, "accounts", follower)["deleted"], row(world, "accounts", follower)["later"]) == (1, 0)


def test_a_record_that_is_somebody_elses_by_then_is_left_alone() -> None:
    world = make_world()
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    erase(world)
    theirs = {"id": "v1", "email": BOB, "note": "mine now"}
    world.stores["surveys"].put(theirs)
    release(world)
    assert theirs in world.stores["surveys"].items


def test_it_is_as_verified_as_the_first_and_by_the_same_proof() -> None:
    world = make_world()
    world.ask_for("erasure")
    verified_at = world.request()["verified_at"]
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    erase(world)
    world.clock.advance(days=100)
    (follower,) = release(world)
    new, old = world.request(follower), world.request()
    assert {name: new[name] for name in ("type", "person", "regime", "locale", "verified_at")} == {
        name: old[name] for name in ("type", "person", "regime", "locale", "verified_at")
    }
    assert new["verified_at"] == verified_at
    assert (new["follows"], new["received_at"] > old["due_at"], new["due_at"] > new["received_at"]) == (
        "r1",
        True,
        True,
    )


def test_without_its_proof_it_erases_nothing() -> None:
    world = make_world()
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    erase(world)
    holding.release(world.deps, "h1")
    (follower,) = followers(world)
    del world.table.items[f"REQUEST#{follower}", "REQUEST"]["verified_at"]
    before = world.contents()
    with pytest.raises(NeedsAttention, match="never verified"):
        discovering.step(world.deps, follower, lambda: 1e9)
    assert world.contents() == before


def test_the_person_is_told_once_and_sees_it_among_their_requests() -> None:
    world = make_world(small_map(erasure=RequestPolicy(approval="dpo", grace_period="P7D")))
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    world.ask_for("erasure")
    run = world.execution().run()
    deciding.decide(world.deps, "r1", "approve", plan_hash=world.request()["plan_hash"])
    run.resume()
    sent = len(world.mailer.sent)
    holding.release(world.deps, "h1")
    (follower,) = followers(world)
    run = world.execution(follower).run()
    assert run.state == "Wait for the DPO's approval", "the policy of any erasure"
    assert "It follows the erasure r1" in world.mailer.sent[-1].text
    deciding.decide(world.deps, follower, "approve", plan_hash=world.request(follower)["plan_hash"])
    run.resume()
    mails = [mail for mail in world.mailer.sent[sent:] if mail.to == ADA]
    assert [mail.key for mail in mails] == [f"{follower}:completed_erasure:1"]
    assert "After your request r1" in mails[0].text
    assert "1 record made anonymous" in mails[0].text
    assert "Subscriptions" not in mails[0].text, "nothing was withheld there"
    proof = Proof(world.request()["person"], "sign_in", "", world.clock(), b"")
    assert [each["request_id"] for each in viewing.listed(world.deps, proof)] == [follower, "r1"]
    shown = viewing.one(world.deps, proof, follower)
    assert (shown["follows"], set(shown["result"]["stores"]), shown["stores"]) == (
        "r1",
        {"surveys"},
        {"total": 1, "done": 1},
    )
    assert shown["events"][0]["what"] == requests.FOLLOWED


def test_released_twice_it_runs_once() -> None:
    world = make_world()
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    erase(world)
    holding.release(world.deps, "h1")
    holding.release(world.deps, "h1")
    (follower,) = followers(world)
    world.execution(follower).run()
    after = dict(world.table.items)
    sent = len(world.mailer.sent)
    world.stores["surveys"].put({"id": "v1", "email": ADA, "note": "again"})
    assert release(world) == []
    assert (len(world.mailer.sent), after) == (sent, world.table.items)


def test_what_is_needed_is_kept_until_the_release_and_no_longer() -> None:
    world = make_world()
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    erase(world)
    world.clock.advance(days=366 * 12)  # four times the period for which records of requests are kept
    (follower,) = release(world)
    assert "note" not in world.stores["surveys"].items[0]
    for request_id in ("r1", follower):
        assert sealed(world, request_id) == []
        assert world.vault.open(request_id, bytes(world.request(request_id)["contact"]))
    world.clock.advance(days=366 * 3)
    for request_id in ("r1", follower):
        with pytest.raises(NotFound):
            world.vault.open(request_id, bytes(world.request(request_id)["contact"]))


def test_a_hold_whose_end_has_come_is_due_for_release() -> None:
    world = make_world()
    holding.place(world.deps, "h1", "store", store="surveys", until=world.clock() + timedelta(days=30), **HOLD)
    holding.place(world.deps, "h2", "store", store="contacts", **HOLD)
    erase(world)
    assert world.table.query("GUARDS") == [], "the sweep goes by the holds, and by no request that has ended"
    assert holding.to_release(world.deps) == []
    world.clock.advance(days=31)
    assert holding.to_release(world.deps) == ["h1"]
    release(world)
    assert "note" not in world.stores["surveys"].items[0]
    assert holding.to_release(world.deps) == []


def test_a_release_that_was_cut_short_is_due_again() -> None:
    world = make_world()
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    erase(world)
    faults = [TryAgain("throttled")]

    def fault(name: str, moment: str) -> None:
        if name == "executions.start" and faults:
            raise faults.pop()

    world.executions.fault = fault
    with pytest.raises(TryAgain):
        holding.release(world.deps, "h1")
    assert holding.to_release(world.deps) == ["h1"]
    (follower,) = release(world)
    assert world.request(follower)["status"] == "completed"
    assert holding.to_release(world.deps) == []


def test_the_sweep_does_not_take_what_is_held_for_what_came_back() -> None:
    datamap = small_map()
    rules = datamap.stores["surveys"]
    free = replace(rules, retention=replace(rules.retention, brake=100))
    world = make_world(replace(datamap, stores={**datamap.stores, "surveys": free}))
    for item in world.stores["surveys"].items:
        world.stores["surveys"].put({**item, "used_at": "2026-10-30T00:00:00Z"})
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    erase(world)
    world.clock.advance(days=1)
    swept = world.sweep("apply").run().value["stores"]["surveys"]
    assert (swept["due"], swept["resurrected"]) == (0, 0)
    holding.release(world.deps, "h1")  # what follows may wait for the DPO: it is theirs to decide, not the sweep's
    swept = world.sweep("apply", "again").run().value["stores"]["surveys"]
    assert (swept["due"], swept["resurrected"]) == (0, 0)
    (follower,) = followers(world)
    held = world.stores["surveys"].items[0]
    world.execution(follower).run()
    world.stores["surveys"].put(held)  # from a backup
    assert world.sweep("apply", "later").run().value["stores"]["surveys"]["resurrected"] == 1


def test_tried_again_after_a_failure_it_finds_no_more_than_was_withheld() -> None:
    world = make_world()
    holding.place(world.deps, "h1", "store", store="subscriptions", **HOLD)
    erase(world)
    world.stores["subscriptions"].put({"id": "s9", "account_id": "acct-1", "customer_id": "cus-1"})
    for method in ("find", "delete"):
        world.stores["subscriptions"].fail(method, NeedsAttention("no access"), times=1)
    holding.release(world.deps, "h1")
    (follower,) = followers(world)
    run = world.execution(follower).run()
    while not run.ended:
        assert run.state == "Wait for the DPO to resolve what failed"
        deciding.decide(world.deps, follower, "retry")
        run.resume()
    assert ids(world, "subscriptions") == ["s3", "s9"]
    assert row(world, "subscriptions", follower)["deleted"] == 2


def test_a_store_that_is_no_more_is_put_to_the_dpo() -> None:
    world = make_world()
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    holding.place(world.deps, "h2", "store", store="accounts", **HOLD)
    erase(world)
    datamap = world.deps.datamap
    rest = {name: store for name, store in datamap.stores.items() if name != "surveys"}
    world.deps = replace(world.deps, datamap=replace(datamap, stores=rest))
    holding.release(world.deps, "h1")
    (follower,) = followers(world)
    run = world.execution(follower).run()
    assert run.state == "Wait for the DPO to resolve what failed"
    assert plan(world, follower)["surveys"]["failed"] == "the store is no longer in the data map"
    deciding.decide(world.deps, follower, "skip", store="surveys", reason="the table was dropped")
    run.resume()
    assert world.request(follower)["status"] == "completed"
    assert "Left out: the table was dropped" in world.mailer.sent[-1].text


def test_what_follows_can_be_withdrawn_or_refused_like_any_erasure() -> None:
    world = make_world(small_map(erasure=RequestPolicy(approval="dpo")))
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    world.ask_for("erasure")
    run = world.execution().run()
    deciding.decide(world.deps, "r1", "approve", plan_hash=world.request()["plan_hash"])
    run.resume()
    holding.release(world.deps, "h1")
    (follower,) = followers(world)
    run = world.execution(follower).run()
    deciding.decide(world.deps, follower, "reject", ground="17(3)(e)", reason="another case")
    run.resume()
    assert world.request(follower)["status"] == "rejected"
    assert world.stores["surveys"].items[0]["note"] == "I like it"
    assert (notes(world), sealed(world, follower)) == ([], [])
    swept = world.sweep("apply").run().value["stores"]["surveys"]
    assert swept["resurrected"] == 0, "the DPO's answer stands"


def test_a_release_while_the_erasure_is_being_closed_is_seen_by_one_of_the_two() -> None:
    """The closing step is killed after it noted what was withheld and before the request ended; then the hold goes."""
    world = make_world()
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    world.ask_for("erasure")
    kills = [Killed()]

    def fault(name: str, moment: str) -> None:
        if name == "table.update" and moment == "before" and kills and ("HOLDS", "WITHHELD#h1#r1") in world.table.items:
            kill = kills.pop()
            assert release(world) == [], "of an erasure that goes on nothing is started"
            raise kill

    world.table.fault = fault
    world.execution().run()
    assert kills == []
    (follower,) = followers(world)
    world.execution(follower).run()
    assert row(world, "surveys", follower)["anonymised"] == 1
    assert (notes(world), sealed(world)) == ([], [])


def test_what_follows_is_no_way_to_withdraw_what_was_done() -> None:
    world = make_world()
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    erase(world)
    (follower,) = release(world)
    for request_id in ("r1", follower):
        with pytest.raises(Conflict):
            requests.transition(world.deps, request_id, "withdrawn", what="too late")
