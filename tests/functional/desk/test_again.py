"""What broke off at the desk and is started again: nothing acts twice, and nobody is left untold or waiting."""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from rightful import ledger
from rightful.errors import Invalid, NeedsAttention, TryAgain
from rightful.model import RequestPolicy
from rightful.service import protecting, registering, requests
from rightful.service.desk import book
from tests.fakes.company import ADA, small_map
from tests.fakes.recording import Moment
from tests.fakes.state_machine import Failed, Killed
from tests.fakes.world import World, make_world

PAUSE = "Wait for the clock to run again"
PAUSED = {"request_id": "r1", "reason": "Which account is yours?"}


def searching() -> World:
    world = make_world(small_map(access=RequestPolicy()))
    world.ask_for("access", regime="uk_gdpr")
    return world


def held_up() -> World:
    """Its workflow waits for the clock."""
    world = searching()
    world.ask_desk("pause", **PAUSED)
    assert world.execution().run().state == PAUSE
    return world


ORDERS: dict[str, tuple[Callable[[], World], dict[str, Any]]] = {
    "extend": (searching, {"request_id": "r1", "reason": "Many systems."}),
    "pause": (searching, PAUSED),
    "resume": (held_up, {"request_id": "r1", "reason": "She answered."}),
    "reject": (searching, {"request_id": "r1", "ground": "manifestly_unfounded", "reason": "Why not."}),
    "submit": (make_world, {"type": "access", "email": ADA, "received_at": "2026-11-01", "source": "letter"}),
    "hold": (make_world, {"email": ADA, "ground": "contract", "reason": "Case 1"}),
    "disclose": (make_world, {"authority": "a", "basis": "b", "scope": "c", "email": ADA, "hold": True}),
    "publish_policy": (
        make_world,
        {"version": "2", "url": "https://example.org/2", "effective_from": "2027-05-01", "material": True},
    ),
}


def left(world: World) -> Any:
    """What there is in the end, whatever broke off before: no orders, and of the desk's book each key once."""
    kept = ("status", "due_at", "paused_from", "pauses_begun", "ground", "scope", "authority", "url", "open")
    items = {
        (pk, sk): {name: item[name] for name in kept if name in item}
        for (pk, sk), item in world.table.items.items()
        if pk != "DESK" and not pk.startswith("ORDER#")
    }
    booked = {entry["key"].split(":")[0] for entry in book.entries(world.deps)}
    return sorted(map(str, items.values())), booked, [*world.executions.answers.values()]


def kinds(world: World) -> set[str]:
    """Of the mails that went out, without the ids that differ from one company to the next."""
    return {mail.key.partition(":")[2] for mail in world.mailer.sent}


@pytest.mark.parametrize("action", ORDERS)
def test_killed_anywhere_and_started_again_it_is_done_once_and_told_once(action: str) -> None:
    begin, order = ORDERS[action]
    whole = begin()
    before = len(whole.mailer.sent)
    assert whole.ask_desk(action, **order)["ok"]
    for number in range(200):
        world, calls = begin(), [number]

        def fault(name: str, moment: Moment, calls: list[int] = calls) -> None:
            calls[0] -= 1
            if calls[0] == -1:
                raise Killed

        for port in (world.table, world.mailer, world.executions, world.events):
            port.fault = fault
        with suppress(Failed):  # Step Functions tries again what vanished, here without the time it takes for it
            world.ask_desk(action, name="killed", **order)
        world.clock.advance(seconds=90)
        for port in (world.table, world.mailer, world.executions, world.events):
            port.fault = lambda *_: None
        assert world.ask_desk(action, name="killed", **order)["ok"], number
        assert len(world.mailer.sent) - before in (len(whole.mailer.sent) - before, len(whole.mailer.sent) - before + 1)
        assert kinds(world) == kinds(whole)
        assert left(world) == left(whole)
        if calls[0] >= 0:
            return
    raise AssertionError("it never came to its end")


def test_a_pause_whose_mail_could_not_be_sent_at_first_is_told_when_it_is_asked_for_again() -> None:
    world = searching()
    world.mailer.fault = Once(TryAgain("SendEmail answered Throttling"))
    with pytest.raises(Failed):
        world.ask_desk("pause", **PAUSED)
    world.clock.advance(seconds=90)
    assert world.ask_desk("pause", **PAUSED)["ok"]
    assert [mail.key for mail in world.mailer.to(ADA)] == ["r1:paused:1"]


def test_a_resume_whose_answer_was_throttled_wakes_the_workflow_when_it_is_asked_for_again() -> None:
    world = held_up()
    world.executions.fault = Once(TryAgain("SendTaskSuccess answered Throttling"), "executions.answer")
    order = {"request_id": "r1", "reason": "She answered."}
    world.ask_desk("resume", **order)
    assert world.ask_desk("resume", **order)["ok"]
    assert [answer["decision"] for answer in world.executions.answers.values()] == ["retry"]


class Once:
    """A fault before the first call, or the first of that name."""

    def __init__(self, error: Exception, name: str = "") -> None:
        self.error: Exception | None = error
        self.name = name

    def __call__(self, name: str, moment: Moment) -> None:
        if moment == "before" and self.error and self.name in ("", name):
            error, self.error = self.error, None
            raise error


@pytest.mark.parametrize(("action", "order"), [(name, ORDERS[name][1]) for name in ("extend", "pause")])
def test_who_cannot_be_reached_by_mail_is_named_and_the_dpo_is_told_what_to_do(
    action: str, order: dict[str, Any]
) -> None:
    world = searching()
    world.mailer.fault = refuses
    for _ in range(2):
        answer = world.ask_desk(action, **order)
        assert answer["ok"] is False
        assert "Tell them in another way" in answer["message"]
    assert "A mail to you could not be delivered" in [
        each["what"] for each in requests.timeline(world.deps, world.request())
    ]


def refuses(name: str, moment: Moment) -> None:
    if name == "mailer.send":
        raise NeedsAttention("SendEmail answered MessageRejected")


@pytest.mark.parametrize("end", ["reject", "withdraw"])
def test_the_days_of_a_pause_count_although_the_request_ended_in_it(end: str) -> None:
    world = searching()
    world.table.update("REQUEST#r1", "REQUEST", {"due_at": "2026-12-02T23:59:59Z"})
    world.clock.advance(days=20)
    world.ask_desk("pause", **PAUSED)
    world.clock.advance(days=60)
    if end == "reject":
        assert world.ask_desk("reject", request_id="r1", ground="identity_not_proven", reason="No answer.")["ok"]
    else:
        requests.transition(world.deps, "r1", "withdrawn", what="Withdrawn")
    item = world.request()
    assert (item["paused_days"], item["due_at"]) == (60, "2027-02-01T23:59:59Z")
    registering.enter(world.deps, item)
    (row,) = (item for (pk, _), item in world.table.items.items() if pk.startswith("REGISTER#"))
    assert (row["paused_days"], row["late"]) == (60, False)


def test_an_answer_to_a_workflow_that_is_no_more_is_never_called_done() -> None:
    world = make_world(small_map(erasure=RequestPolicy(approval="dpo")))
    world.ask_for("erasure")
    world.execution().run()
    world.executions.waiting.clear()
    for _ in range(2):
        answer = world.ask_desk("approve", request_id="r1")
        assert answer["ok"] is False
        assert "start PrivacyRequest anew" in answer["message"]


def test_two_orders_of_a_court_are_two_holds() -> None:
    world = make_world()
    order = {"store": "accounts", "ground": "legal_process", "reason": "Case A", "until": "2026-12-31"}
    first = world.ask_desk("hold", **order)
    later = world.ask_desk("hold", **{**order, "reason": "Case B", "until": "2028-12-31"})
    longer = world.ask_desk("hold", **{**order, "until": "2027-12-31"})
    assert len({each["hold_id"] for each in (first, later, longer)}) == 3
    assert {each["until"][:4] for each in protecting.active(world.deps)} == {"2026", "2027", "2028"}


def test_a_letter_that_waits_for_its_person_is_among_what_is_open() -> None:
    world = make_world()
    letter = world.ask_desk("submit", type="access", email=ADA, received_at="2026-11-01", source="letter")
    (shown,) = world.ask_desk("open")["requests"]
    assert (shown["request_id"], shown["status"]) == (letter["request_id"], "awaiting_verification")


def test_a_store_that_did_not_fail_is_not_tried_again() -> None:
    world = make_world()
    world.ask_for("erasure")
    world.stores["surveys"].fail("anonymise", NeedsAttention("no access"), times=None)
    world.execution().run()
    assert set(world.ask_desk("retry", request_id="r1", store="nope")["errors"]) == {"store"}
    assert world.ask_desk("retry", request_id="r1", store="surveys")["ok"]


def test_the_desks_book_is_one_chain_whoever_writes_and_any_change_is_caught() -> None:
    world = make_world()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: book.enter(world.deps, f"Step {n}", str(n), {"n": n}), range(40)))
    entries = book.entries(world.deps)
    assert sorted(int(entry["key"]) for entry in entries) == list(range(40))
    ledger.head(book.OF, entries)
    for n in range(40):
        forged = copy.deepcopy(entries)
        forged[n]["what"] = "Nothing happened"
        with pytest.raises(Invalid):
            ledger.head(book.OF, forged)
        with pytest.raises(Invalid):
            ledger.head(book.OF, [entry for entry in entries if entry["n"] != n + 1] if n < 39 else [])


def test_what_is_done_outside_of_requests_is_in_the_desks_book_and_names_nobody() -> None:
    world = make_world()
    hold = world.ask_desk("hold", email=ADA, ground="contract", reason="Quince Lane")["hold_id"]
    world.ask_desk("release", hold_id=hold)
    world.ask_desk("disclose", authority="Quince Police", basis="b", scope="c", email=ADA)
    said = [entry["what"] for entry in book.entries(world.deps)]
    assert said == ["A legal hold was placed", "A legal hold was released", "A disclosure was registered"]
    assert "uince" not in str(book.entries(world.deps))
    assert ADA not in str(book.entries(world.deps))
