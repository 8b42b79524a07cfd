"""What the desk does in between: a request moves while it is decided about, and clocks are not turned back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rightful import refusals
from rightful.errors import NeedsAttention
from rightful.lifecycle import Status
from rightful.model import RequestPolicy
from rightful.service import asking, following, progress, protecting, requests
from rightful.service.desk import orders
from tests.fakes.company import ADA, small_map
from tests.fakes.world import World, make_world

APPROVAL, ATTENTION = "Wait for the DPO's approval", "Wait for the DPO to resolve what failed"
DPO = "dpo@example.org"


def approved(world: World) -> Any:
    world.ask_for("erasure", regime="uk_gdpr")
    run = world.execution().run()
    assert run.state == APPROVAL
    world.ask_desk("approve", request_id="r1")
    return run


def by_approval(**policy: Any) -> World:
    return make_world(small_map(erasure=RequestPolicy(approval="dpo", **policy)))


def test_an_approved_request_whose_search_fails_waits_for_the_dpo_and_goes_on() -> None:
    world = by_approval()
    run = approved(world)
    discover = run.lambdas["DiscoverFunctionArn"]

    def failing(event: dict[str, Any]) -> Any:
        raise NeedsAttention("the keys table is gone")

    run.lambdas = {**run.lambdas, "DiscoverFunctionArn": failing}
    run.resume()
    assert (run.state, world.request()["status"]) == (ATTENTION, "needs_attention")
    assert "Attention needed" in world.mailer.to(DPO)[-1].subject
    run.lambdas = {**run.lambdas, "DiscoverFunctionArn": discover}
    world.ask_desk("retry", request_id="r1")
    run.resume()
    assert world.request()["status"] == "completed"


def test_an_approved_request_that_comes_to_two_people_meanwhile_waits_for_the_dpo() -> None:
    datamap = small_map(erasure=RequestPolicy(approval="dpo"))
    one = {"account_id": replace(datamap.identities["account_id"], most=1)}
    world = make_world(replace(datamap, identities=datamap.identities | one))
    run = approved(world)
    world.stores["accounts"].put({"id": "a9", "email": ADA, "account_id": "acct-99"})
    before = world.contents()
    run.resume()
    assert run.state == ATTENTION
    assert world.contents() == before


@pytest.mark.parametrize("why", ["approval", "attention", "pause"])
@pytest.mark.parametrize("status", progress.OPEN)
def test_every_question_can_be_asked_from_every_status_of_an_open_request(status: str, why: asking.Why) -> None:
    world = by_approval()
    world.ask_for("erasure")
    facts = {"status": status, "plan_hash": "h"}
    facts |= {"paused_since": "2026-11-02T09:00:00Z", "paused_from": "in_progress"} if status == "paused" else {}
    world.table.update("REQUEST#r1", "REQUEST", facts)
    world.executions.waiting.add("token")
    asking.ask(world.deps, "r1", "token", why, ["surveys"] if why == "attention" else [])
    assert world.request()["question"] == why
    expected = {"approval": "awaiting_approval", "attention": "needs_attention", "pause": status}[why]
    assert world.request()["status"] == ("paused" if status == "paused" else expected)


def stuck(*stores: str) -> World:
    world = make_world()
    world.ask_for("erasure")
    for name in stores:
        world.stores[name].fail("anonymise" if name == "surveys" else "delete", NeedsAttention("no access"), times=None)
    assert world.execution().run().state == ATTENTION
    return world


def test_a_skip_that_comes_after_another_answer_leaves_nothing_out() -> None:
    world = stuck("surveys")
    old = world.request()
    assert world.ask_desk("retry", request_id="r1")["ok"]
    world.table.items["REQUEST#r1", "REQUEST"]["status"] = old["status"]
    assert world.ask_desk("skip", request_id="r1", store="surveys", reason="too late")["ok"] is False
    assert "skipped" not in world.table.items.get(("REQUEST#r1", "STORE#surveys"), {})


def test_a_skip_is_in_the_ledger_and_a_retry_takes_it_back() -> None:
    world = make_world()
    world.ask_for("erasure")
    for name in ("contacts", "surveys"):
        fails = "anonymise" if name == "surveys" else "delete"
        world.stores[name].fail(fails, NeedsAttention("no access"), times=None)
    run = world.execution().run()
    world.ask_desk("skip", request_id="r1", store="surveys", reason="a mistake")
    assert [e["facts"]["store"] for e in requests.entries(world.deps, world.request()) if e["key"][:5] == "skipp"] == [
        "surveys"
    ]
    for name in ("contacts", "surveys"):
        world.stores[name].mend()
    world.ask_desk("retry", request_id="r1")
    run.resume()
    assert world.request()["status"] == "completed"
    (first, _) = world.stores["surveys"].items
    assert first["email"] != ADA
    assert "skipped" not in world.table.items["REQUEST#r1", "STORE#surveys"]


def test_what_may_have_been_erased_before_it_was_left_out_is_told_as_such() -> None:
    world = stuck("surveys")
    world.ask_desk("skip", request_id="r1", store="surveys", reason="the table is gone")
    assert world.table.items["REQUEST#r1", "STORE#surveys"]["partly"] is True


def test_what_could_not_be_searched_was_not_erased_in_part() -> None:
    world = make_world()
    world.ask_for("erasure")
    world.stores["surveys"].fail("find", NeedsAttention("no access"), times=None)
    world.execution().run()
    world.ask_desk("skip", request_id="r1", store="surveys", reason="the table is gone")
    assert world.table.items["REQUEST#r1", "STORE#surveys"]["partly"] is False


def test_an_overdue_request_is_neither_paused_nor_extended() -> None:
    world = by_approval()
    world.ask_for("erasure", regime="uk_gdpr")
    world.execution().run()
    world.clock.set(datetime(2027, 1, 1, tzinfo=UTC))
    for action in ("pause", "extend"):
        assert world.ask_desk(action, request_id="r1", reason="r")["ok"] is False
    assert world.request()["due_at"] == "2026-12-02T23:59:59Z"


def test_an_extension_during_a_pause_promises_no_day_that_is_past() -> None:
    world = by_approval()
    world.ask_for("erasure", regime="uk_gdpr")
    world.execution().run()
    world.ask_desk("pause", request_id="r1", reason="r")
    world.clock.advance(days=120)
    answer = world.ask_desk("extend", request_id="r1", reason="r")
    assert answer["due_at"] == "2027-06-02T23:59:59Z"
    resumed = world.ask_desk("resume", request_id="r1", reason="r")
    assert resumed["due_at"] == answer["due_at"]


def test_the_mail_that_asks_for_an_approval_lists_the_grounds_for_a_refusal() -> None:
    world = by_approval()
    world.ask_for("erasure", regime="uk_gdpr")
    world.execution().run()
    mail = world.mailer.to(DPO)[-1].text
    assert all(ground.key in mail for ground in refusals.fitting("erasure", "uk_gdpr"))
    assert not any(ground.key in mail for ground in refusals.GROUNDS if ground.regime == "ccpa")


def test_a_letter_that_came_before_the_form_dates_the_answer() -> None:
    world = make_world()
    world.clock.set(datetime(2026, 11, 22, 9, tzinfo=UTC))
    world.ask_for("access", due_at="2026-12-22T23:59:59Z")
    person = world.request()["person"]
    world.table.put_new(f"PERSON#{person}", "OPEN#access", {"request_id": "r1"})
    letter = {"type": "access", "email": ADA, "received_at": "2026-11-02", "source": "letter"}
    answer = world.ask_desk("submit", **letter)
    assert (answer["request_id"], answer["due_at"]) == ("r1", "2026-12-02T23:59:59Z")
    assert world.ask_desk("submit", **letter)["due_at"] == "2026-12-02T23:59:59Z"
    world.ask_desk("extend", request_id="r1", reason="r")
    assert world.request()["due_at"] == "2027-02-02T23:59:59Z"
    said = [each["what"] for each in requests.timeline(world.deps, world.request())]
    assert said.count("A letter or a call of 2026-11-02 asks for the same") == 1


def test_a_refusal_that_crosses_the_wait_for_the_clock_ends_the_workflow(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    world.ask_for("access", regime="uk_gdpr")
    world.ask_desk("pause", request_id="r1", reason="r")
    loaded: list[Any] = []

    real = requests.transition

    def transition(*args: Any, **facts: Any) -> Any:
        if not loaded:
            loaded.append(world.execution().run())
        return real(*args, **facts)

    monkeypatch.setattr(requests, "transition", transition)
    assert world.ask_desk("reject", request_id="r1", ground="identity_not_proven", reason="r")["ok"]
    (run,) = loaded
    run.resume()
    assert run.ended
    assert world.request()["status"] == "rejected"
    assert ("REQUEST#r1", "RECEIPT") in world.table.items


def test_what_was_approved_and_then_paused_can_be_refused() -> None:
    world = by_approval(grace_period="P7D")
    run = approved(world)
    waits: list[Callable[[datetime], None]] = [world.clock.set]

    def act(now: datetime) -> None:
        world.ask_desk("pause", request_id="r1", reason="r")
        answer = world.ask_desk("reject", request_id="r1", ground="identity_not_proven", reason="No answer.")
        assert answer["ok"], answer
        waits[0](now)

    world.clock.set = act  # type: ignore[method-assign] # while the workflow waits for the grace period
    before = world.contents()
    run.resume()
    assert (run.ended, world.request()["status"]) == (True, "rejected")
    assert world.contents() == before


@pytest.mark.parametrize("action", ["pause", "extend"])
def test_nothing_more_is_said_to_who_was_refused(action: str) -> None:
    world = by_approval()
    world.ask_for("erasure", regime="uk_gdpr")
    world.execution().run()
    world.ask_desk("reject", request_id="r1", ground="identity_not_proven", reason="r")
    assert world.request()["status"] == Status.awaiting_approval, "the workflow has not acted yet"
    sent = len(world.mailer.sent)
    assert world.ask_desk(action, request_id="r1", reason="r")["ok"] is False
    assert len(world.mailer.sent) == sent


def test_a_hold_that_is_placed_again_covers_what_is_known_of_the_person_now() -> None:
    world = make_world()
    order = {"email": ADA, "ground": "contract", "reason": "Case 1"}
    world.ask_desk("hold", **order)
    (before,) = protecting.active(world.deps)
    world.stores["accounts"].put({"id": "a9", "email": ADA, "account_id": "acct-99"})
    world.ask_desk("hold", **order)
    (after,) = protecting.active(world.deps)
    assert set(before["digests"]) < set(after["digests"])


def test_two_that_settle_at_once_leave_the_follow_up_whole() -> None:
    """One reads what was withheld while the other makes the request that follows, and forgets it."""
    world = make_world()
    world.ask_for("erasure")
    erase = world.execution()
    held: list[str] = []
    step = erase.lambdas["EraseFunctionArn"]

    def holding(event: dict[str, Any]) -> Any:
        if not held:
            held.append(world.ask_desk("hold", email=ADA, ground="contract", reason="r")["hold_id"])
        return step(event)

    erase.lambdas = {**erase.lambdas, "EraseFunctionArn": holding}
    erase.run()
    world.table.delete(protecting.HOLDS, f"HOLD#{held[0]}")
    inside: list[bool] = []

    def cross(name: str, moment: str) -> None:
        if name == "table.query" and moment == "before" and not inside and reading(world):
            inside.append(True)
            following.settle(world.deps, "r1")

    def reading(world: World) -> bool:
        return any(call.name == "table.get" for call in world.table.calls[-3:])

    world.table.fault = cross
    following.settle(world.deps, "r1")
    world.table.fault = lambda *_: None
    assert inside
    (follow,) = (item for (_, sk), item in world.table.items.items() if sk == "REQUEST" and "follows" in item)
    run = world.execution(follow["request_id"]).run()
    assert run.ended
    assert world.request(follow["request_id"])["status"] == "completed"
    assert [item["id"] for item in world.stores["accounts"].items] == ["a2"]


@pytest.mark.parametrize("field", ["request_id", "hold_id", "store"])
def test_an_address_in_the_wrong_field_goes_no_further(field: str) -> None:
    world = make_world()
    action = {"request_id": "show", "hold_id": "release", "store": "skip"}[field]
    order = {"action": action, "request_id": "r1", "store": "x", "reason": "r", field: "quince@example.org"}
    order = {key: value for key, value in order.items() if action == "skip" or key in ("action", field)}
    assert "quince" not in str(orders.take(world.deps, order, "arn"))
