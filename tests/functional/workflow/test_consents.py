"""What an erasure leaves of a person's choices: refusals, and for a while the proof of what they had agreed to."""

from __future__ import annotations

from typing import Any

import pytest

from rightful.service import consents, holding, may_contact, unsubscribing
from rightful.service.unsubscribing import Link
from tests.fakes.company import ADA, BOB
from tests.fakes.recording import Moment
from tests.fakes.state_machine import Killed
from tests.fakes.world import World, make_world

YEARS_KEPT = 3


def person(world: World, email: str = ADA) -> str:
    return world.vault.digest("person", email)


def say(world: World, email: str = ADA, **words: bool) -> None:
    consents.change(world.deps, person(world, email), lambda _: words, how="api", shown={})


def records(world: World, email: str = ADA) -> list[tuple[Any, ...]]:
    found = world.table.query(f"CONSENT#{person(world, email)}", "RECORD#")
    return [tuple(each[name] for name in ("topic", "old", "new", "how")) for each in found]


def reason(world: World, topic: str, email: str = ADA) -> str:
    [answer] = may_contact.answer(world.deps, {"contacts": [{"email": email, "topic": topic}]})["answers"]
    return str(answer["reason"])


def erased() -> World:
    """Ada reads the newsletter, and wants no announcements; then she has her data erased."""
    world = make_world()
    say(world, newsletter=True, announcements=True)
    say(world, BOB, newsletter=True)
    unsubscribing.refuse(world.deps, Link(person(world), "announcements"), "en")
    world.clock.advance(60)
    world.ask_for("erasure")
    assert world.execution().run().ended
    return world


def test_her_consents_end_with_a_record_and_her_refusals_stay() -> None:
    world = erased()
    assert records(world) == [
        ("announcements", None, True, "api"),
        ("newsletter", None, True, "api"),
        ("announcements", True, False, "one_click"),
        ("newsletter", True, None, "erasure"),
    ]
    assert {name: said["on"] for name, said in consents.load(world.deps, person(world)).topics.items()} == {
        "announcements": False
    }
    assert records(world, BOB) == [("newsletter", None, True, "api")]


def test_she_is_not_mailed_although_an_import_brings_her_back() -> None:
    world = erased()
    world.stores["accounts"].put({"id": "a1", "email": ADA, "account_id": "acct-1", "used_at": "2026-10-01"})
    world.stores["contacts"].put({"id": "c2", "account_id": "acct-10", "email": ADA})
    for years in range(3):
        assert reason(world, "announcements") == "unsubscribed"
        assert reason(world, "newsletter") == "erased"
        assert reason(world, "rewards") == "erased"
        assert reason(world, "service") == "erased"
        world.clock.advance(days=366 * years)
    assert reason(world, "newsletter", BOB) == "consented"


def test_proof_of_what_she_had_agreed_to_goes_when_nothing_can_be_claimed_any_more() -> None:
    world = erased()
    world.clock.advance(days=365 * YEARS_KEPT)
    assert len(records(world)) == 4
    world.clock.advance(days=2)
    assert records(world) == [("announcements", True, False, "one_click")], "the refusal stands"


def test_of_whoever_refused_nothing_all_goes() -> None:
    world = make_world()
    say(world, newsletter=True)
    world.ask_for("erasure")
    assert world.execution().run().ended
    assert len(records(world)) == 2
    world.clock.advance(days=366 * YEARS_KEPT)
    assert records(world) == []
    assert consents.load(world.deps, person(world)) == consents.Choices()


def test_whoever_comes_back_chooses_anew() -> None:
    world = erased()
    world.clock.advance(days=30)
    say(world, newsletter=True)
    assert reason(world, "newsletter") == "consented"
    world.clock.advance(days=366 * YEARS_KEPT)
    assert reason(world, "newsletter") == "consented"
    assert records(world)[-1] == ("newsletter", None, True, "api")


def test_whoever_chose_nothing_leaves_nothing() -> None:
    world = make_world()
    world.ask_for("erasure")
    assert world.execution().run().ended
    assert not [key for key in world.table.items if key[0].startswith("CONSENT#")]


def test_what_is_agreed_to_after_the_search_is_a_consent_of_its_own() -> None:
    """Whoever asks to be erased, and says the next day that the newsletter may come, is taken at the last word."""
    world = make_world()
    say(world, newsletter=True)
    world.ask_for("erasure")
    run = world.execution()
    step = run.lambdas["CompleteFunctionArn"]

    def late(event: dict[str, Any]) -> Any:
        world.clock.advance(60)
        say(world, announcements=True)
        return step(event)

    run.lambdas = {**run.lambdas, "CompleteFunctionArn": late}
    assert run.run().ended
    assert reason(world, "announcements") == "consented"
    assert reason(world, "newsletter") == "not_consented"


def test_what_follows_a_legal_hold_ends_no_newer_consent() -> None:
    world = make_world()
    say(world, newsletter=True)
    holding.place(world.deps, "h1", "store", store="surveys", ground="legal_process", reason="case 12")
    world.ask_for("erasure")
    assert world.execution().run().ended
    world.clock.advance(days=30)
    say(world, newsletter=True)
    holding.release(world.deps, "h1")
    [follows] = [item["request_id"] for item in world.executions.started.values() if "request_id" in item]
    world.clock.advance(60)
    assert world.execution(follows).run().ended
    assert [each[2] for each in records(world)] == [True, None, True]
    assert reason(world, "newsletter") == "consented"


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_anywhere_at_the_end_and_run_again_each_record_is_there_once(when: Moment) -> None:
    """The last step is killed at each call that it makes to the table."""
    whole = records(erased())
    for at in range(200):
        world = make_world()
        say(world, newsletter=True, announcements=True)
        unsubscribing.refuse(world.deps, Link(person(world), "announcements"), "en")
        world.clock.advance(60)
        world.ask_for("erasure")
        run = world.execution()
        step, left = run.lambdas["CompleteFunctionArn"], [at]

        def fault(name: str, moment: Moment, left: list[int] = left) -> None:
            left[0] -= moment == when
            if left[0] == -1 and moment == when:
                raise Killed

        def killed(
            event: dict[str, Any], world: World = world, step: Any = step, fault: Any = fault, left: list[int] = left
        ) -> Any:
            world.clock.advance(90 if left[0] < 0 else 0)  # Step Functions waits before it tries again
            world.table.fault = fault
            try:
                return step(event)
            finally:
                world.table.fault = lambda *_: None

        run.lambdas = {**run.lambdas, "CompleteFunctionArn": killed}
        assert run.run().ended
        assert records(world) == whole, at
        if left[0] >= 0:
            return
    raise AssertionError("it never came to its end")
