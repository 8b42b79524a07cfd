"""An erasure leaves what legal holds cover, and says so: by its plan, and by what it finds right before it writes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from rightful.errors import Conflict, Invalid, NeedsAttention
from rightful.model import Page, RequestPolicy
from rightful.service import completing, deciding, discovering, erased, holding, requests
from tests.fakes.company import ADA, BOB, small_map, small_stores
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World, make_world
from tests.functional.workflow.held import HOLD, erase, followers, ids, notes, plan, release, row, sealed

HELD_BY = [{"hold_id": "h1", "ground": "legal_process", "until": ""}]
DPO = small_map(erasure=RequestPolicy(approval="dpo"))


def test_a_hold_on_whoever_asks_covers_all_that_the_search_finds() -> None:
    world = make_world()
    holding.place_on_person(world.deps, "h1", "Ada@Example.org", **HOLD)
    before = world.contents()
    erase(world)
    assert world.contents() == before
    told = plan(world)
    assert {name: told[name]["held"] for name in before} == {
        "accounts": 1,
        "subscriptions": 2,
        "invoices": 1,
        "surveys": 1,
        "contacts": 2,
    }
    assert {name: told[name]["delete"] + told[name]["anonymise"] for name in before} == dict.fromkeys(before, 0)
    assert told["accounts"]["held_by"] == HELD_BY


def test_a_hold_on_somebody_else_covers_what_is_theirs_too() -> None:
    """Bob listed Ada as a contact of his. His hold names his account; the entry is found for Ada by her address."""
    world = make_world()
    holding.place_on_person(world.deps, "h1", BOB, **HOLD)
    erase(world)
    assert ids(world, "contacts") == ["c1", "c2", "c3"], "c1 is Bob in Ada's list, c2 is Ada in Bob's"
    assert (row(world, "contacts")["held"], row(world, "contacts")["deleted"]) == (2, 0)
    assert ids(world, "accounts") == ["a2"]


@pytest.mark.parametrize("place", ["store", "record"])
def test_a_hold_on_a_store_or_a_record_covers_that(place: str) -> None:
    world = make_world()
    if place == "store":
        holding.place(world.deps, "h1", "store", store="subscriptions", **HOLD)
    else:
        key = world.stores["subscriptions"].key_of({"id": "s2"})
        holding.place_on_record(world.deps, "h1", "subscriptions", key, **HOLD)
    erase(world)
    left = ["s1", "s2", "s3"] if place == "store" else ["s2", "s3"]
    assert ids(world, "subscriptions") == left
    counts = {name: row(world, "subscriptions")[name] for name in ("held", "deleted", "left", "later")}
    assert counts == {"held": len(left) - 1, "deleted": 3 - len(left), "left": 0, "later": 0}
    assert ids(world, "accounts") == ["a2"], "the account through which they were found"


def test_what_the_law_keeps_is_kept_and_what_is_past_that_is_held() -> None:
    world = make_world()
    holding.place(world.deps, "h1", "store", store="invoices", **HOLD)
    erase(world)
    assert (plan(world)["invoices"]["keep"], plan(world)["invoices"]["held"]) == (2, 1)
    assert (row(world, "invoices")["kept"], row(world, "invoices")["held"]) == (2, 1)
    assert ids(world, "invoices") == ["i1", "i2", "i3", "i4"]


def test_an_account_that_was_opened_during_the_hold_is_held_too() -> None:
    world = make_world()
    holding.place_on_person(world.deps, "h1", ADA, **HOLD)
    world.stores["accounts"].put({"id": "a9", "email": ADA, "account_id": "acct-9"})
    world.stores["subscriptions"].put({"id": "s9", "account_id": "acct-9"})
    erase(world)
    assert "s9" in ids(world, "subscriptions")
    assert row(world, "subscriptions")["held"] == 3


def test_a_hold_hides_nothing_from_who_asks_for_a_copy() -> None:
    world = make_world()
    holding.place_on_person(world.deps, "h1", ADA, **HOLD)
    world.ask_for("access")
    world.execution().run()
    assert plan(world)["accounts"] == {**plan(world)["accounts"], "export": 1}
    assert "held" not in plan(world)["accounts"]
    assert notes(world) == []


@pytest.mark.parametrize("change", ["placed", "released"])
def test_a_hold_that_changes_while_an_approval_is_waited_for_comes_back_to_the_dpo(change: str) -> None:
    world = make_world(DPO)
    if change == "released":
        holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    world.ask_for("erasure")
    run = world.execution().run()
    seen = world.request()["plan_hash"]
    if change == "placed":
        holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    else:
        holding.release(world.deps, "h1")
    before = world.contents()
    deciding.decide(world.deps, "r1", "approve", plan_hash=seen)
    run.resume()
    assert run.state == "Wait for the DPO's approval"
    assert world.request()["plan_hash"] != seen
    assert world.contents() == before
    assert plan(world)["surveys"]["held"] == (1 if change == "placed" else 0)
    deciding.decide(world.deps, "r1", "approve", plan_hash=world.request()["plan_hash"])
    run.resume()
    assert world.request()["status"] == "completed"
    assert ("note" in world.stores["surveys"].items[0]) == (change == "placed")


def test_another_hold_of_the_same_count_is_another_plan() -> None:
    world = make_world(DPO)
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    world.ask_for("erasure")
    run = world.execution().run()
    seen = world.request()["plan_hash"]
    holding.place(world.deps, "h2", "store", store="surveys", **HOLD)
    holding.release(world.deps, "h1")
    deciding.decide(world.deps, "r1", "approve", plan_hash=seen)
    run.resume()
    assert world.request()["plan_hash"] != seen


class Meddled(MemoryStore):
    """A store in which something happens right after a page was read. `then`: number of the page -> what happens."""

    pages = 0
    then: Mapping[int, Callable[[], object]] = {}

    def find(self, *arguments: Any) -> Page:
        page = super().find(*arguments)
        self.pages += 1
        self.then.get(self.pages, dict)()
        return page


def meddled(name: str) -> tuple[World, Meddled]:
    """The first page is the search's; then come those of the first pass of the erasure, and of the second."""
    store = Meddled(small_stores()[name].items)
    return make_world(stores={**small_stores(), name: store}), store


def test_a_hold_that_comes_between_reading_and_writing_is_respected() -> None:
    world, subscriptions = meddled("subscriptions")
    key = subscriptions.key_of({"id": "s2"})
    subscriptions.then = {2: lambda: holding.place_on_record(world.deps, "h1", "subscriptions", key, **HOLD)}
    erase(world)
    assert ids(world, "subscriptions") == ["s2", "s3"]
    counts = row(world, "subscriptions")
    assert (counts["deleted"], counts["held"], counts["held_by"], counts["left"]) == (1, 1, HELD_BY, 0)
    assert plan(world)["subscriptions"]["held"] == 0, "it came after the plan"
    assert notes(world) == ["WITHHELD#h1#r1"]
    (follower,) = release(world)
    assert ids(world, "subscriptions") == ["s3"]
    assert row(world, "subscriptions", follower)["deleted"] == 1


def test_a_hold_that_is_released_after_the_plan_leaves_the_record_to_the_request_that_follows() -> None:
    """The plan that was released did not have it. What it withheld must be erased all the same."""
    world, surveys = meddled("surveys")
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    surveys.then = {2: lambda: holding.release(world.deps, "h1")}
    erase(world)
    assert surveys.items[0]["note"] == "I like it"
    assert (row(world, "surveys")["held"], row(world, "surveys")["anonymised"]) == (1, 0)
    (follower,) = followers(world)
    world.execution(follower).run()
    assert "note" not in surveys.items[0]
    assert row(world, "surveys", follower)["anonymised"] == 1


@pytest.mark.parametrize("time_left", [1e9, 0.0])
def test_what_was_left_once_is_left_by_this_erasure_for_good(time_left: float) -> None:
    """The hold comes and goes between two passes over the store: one request erases the record, not both or none."""
    world, subscriptions = meddled("subscriptions")
    world.time_left = lambda: lambda: time_left
    subscriptions.then = {
        2: lambda: holding.place(world.deps, "h1", "store", store="subscriptions", **HOLD),
        3: lambda: holding.release(world.deps, "h1"),
    }
    erase(world)
    assert ids(world, "subscriptions") == ["s1", "s2", "s3"]
    assert (row(world, "subscriptions")["held"], row(world, "subscriptions")["deleted"]) == (2, 0)
    (follower,) = followers(world)
    world.execution(follower).run()
    assert ids(world, "subscriptions") == ["s3"]
    assert row(world, "subscriptions", follower)["deleted"] == 2


def test_with_no_hold_the_cost_is_one_query_a_search_and_one_a_page_that_is_written() -> None:
    world = make_world()
    world.ask_for("erasure")
    world.table.calls.clear()
    world.execution().run()
    asked = [call for call in world.table.calls if call.name == "table.query" and call.args == ("HOLDS", "HOLD#")]
    assert len(asked) <= 1 + 6  # pages with something to write: one in each of five stores, two lookups in contacts


def test_the_person_is_told_what_is_held_and_why_but_not_the_reasons() -> None:
    for locale, words in (
        ("en", ("1 record kept under a legal hold", "Why the hold: a legal proceeding needs it")),
        ("fr", ("1 enregistrement conservé en raison d’un gel juridique", "une procédure judiciaire l’exige")),
    ):
        world = make_world()
        world.ask_for("erasure")
        world.table.update("REQUEST#r1", "REQUEST", {"locale": locale})
        holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
        erase(world)
        (mail,) = world.mailer.sent
        for word in words:
            assert word in mail.text
        assert "case 12" not in mail.text + mail.html
        shown = completing.outcomes(world.deps, "r1")["surveys"]
        assert (shown["held"], shown["held_by"]) == (1, HELD_BY)


def test_the_dpo_reads_in_the_plan_which_hold_it_is() -> None:
    world = make_world(DPO)
    holding.place(world.deps, "h1", "store", store="surveys", until=world.clock() + timedelta(days=400), **HOLD)
    world.ask_for("erasure")
    world.execution().run()
    text = world.mailer.sent[-1].text
    assert "leave under a legal hold: 1" in text
    assert "Hold h1: a legal proceeding needs it, until" in text


def test_an_erasure_that_did_not_happen_withheld_nothing() -> None:
    for end in ("withdrawn", "reject"):
        world = make_world(DPO)
        holding.place_on_person(world.deps, "h1", ADA, **HOLD)
        world.ask_for("erasure")
        run = world.execution().run()
        if end == "reject":
            deciding.decide(world.deps, "r1", "reject", ground="17(3)(e)", reason="a case")
        else:
            requests.transition(world.deps, "r1", "withdrawn", what="You withdrew the request")
            world.executions.answer(run.token, {"decision": "stop"})
        run.resume()
        assert run.ended
        assert (notes(world), sealed(world)) == ([], [])
        assert release(world) == []


def test_a_store_that_the_dpo_left_out_is_left_out() -> None:
    world = make_world()
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    world.ask_for("erasure")
    world.stores["surveys"].fail("find", NeedsAttention("no access"), times=None, after=1)
    run = world.execution().run()
    deciding.decide(world.deps, "r1", "skip", store="surveys", reason="it was closed")
    run.resume()
    assert world.request()["status"] == "completed"
    assert notes(world) == []


def test_one_id_is_one_hold() -> None:
    world = make_world()
    holding.place_on_person(world.deps, "h1", ADA, **HOLD)
    world.stores["accounts"].put({"id": "a9", "email": ADA, "account_id": "acct-9"})
    assert holding.place_on_person(world.deps, "h1", ADA, **HOLD)["hold_id"] == "h1", "more is known of her by now"
    others: list[Callable[[], object]] = [
        lambda: holding.place_on_person(world.deps, "h1", BOB, **HOLD),
        lambda: holding.place(world.deps, "h1", "store", store="surveys", **HOLD),
        lambda: holding.place_on_person(world.deps, "h1", ADA, ground="investigation", reason="r"),
    ]
    for other in others:
        with pytest.raises(Conflict, match="Another hold has this id"):
            other()
    for wrong in ("", "a#b", "x" * 65, "a b"):
        with pytest.raises(Invalid) as refusal:
            holding.place(world.deps, wrong, "store", store="surveys", **HOLD)
        assert refusal.value.errors[0][0] == "hold_id"
    with pytest.raises(Invalid):
        holding.place_on_record(world.deps, "h2", "surveys", " ", **HOLD)


def test_the_ledger_of_erased_people_leaves_out_where_something_is_withheld() -> None:
    world = make_world()
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    erase(world)
    (digest,) = erased.digests(world.deps, {"email": [ADA]})
    noted = world.table.get("ERASED", digest)
    assert noted is not None
    assert noted["except"] == ["surveys"]
    release(world)
    after = world.table.get("ERASED", digest)
    assert after is not None
    assert (after["before"], after["except"]) == (noted["before"], [])


def test_a_later_erasure_has_the_last_word_in_the_ledger() -> None:
    world = make_world()
    holding.place(world.deps, "h1", "store", store="surveys", **HOLD)
    erase(world)
    world.clock.advance(days=3)
    erase(world, "r2")
    (digest,) = erased.digests(world.deps, {"email": [ADA]})
    erased.note_rest(world.deps, {"email": [ADA]}, world.clock() - timedelta(days=3, minutes=5), ["surveys"])
    noted = world.table.get("ERASED", digest)
    assert noted is not None
    assert noted["except"] == ["surveys"], "r2 withheld it as well, and its hold stands"


def test_thousands_of_records_that_a_late_hold_covers_are_all_left_and_all_erased_later() -> None:
    world, subscriptions = meddled("subscriptions")
    for n in range(6_000):
        subscriptions.put({"id": f"n{n:04}", "account_id": "acct-1", "customer_id": "cus-1"})
    searched = 6_002 // discovering.PAGE + 1
    subscriptions.then = {searched + 1: lambda: holding.place(world.deps, "h1", "store", store="subscriptions", **HOLD)}
    turns = itertools.count(1)
    world.time_left = lambda: lambda: float(next(turns) % 9)  # a step is over after nine looks at the clock
    erase(world)
    assert (row(world, "subscriptions")["held"], row(world, "subscriptions")["deleted"]) == (6_002, 0)
    assert len(subscriptions.items) == 6_003
    (follower,) = release(world)
    assert ids(world, "subscriptions") == ["s3"]
    assert row(world, "subscriptions", follower)["deleted"] == 6_002
