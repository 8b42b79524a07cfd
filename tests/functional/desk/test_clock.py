"""Extensions and pauses: once, in time, told to the person, and never started again by anybody but the DPO."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rightful.model import RequestPolicy
from rightful.service import asking, planning, requests
from tests.fakes.company import ADA, small_map
from tests.fakes.world import World, make_world

APPROVAL, PAUSE = "Wait for the DPO's approval", "Wait for the clock to run again"


def waiting(regime: str = "uk_gdpr", kind: str = "access", **policy: Any) -> World:
    """Received on 2 November 2026; its plan waits for the DPO unless `policy` says otherwise."""
    world = make_world(small_map(**{kind: RequestPolicy(**(policy or {"approval": "dpo"}))}))
    world.ask_for(kind, regime=regime)
    world.table.update("REQUEST#r1", "REQUEST", {"due_at": "2026-12-02T23:59:59Z"})
    return world


def test_an_extension_is_counted_from_receipt_and_told_to_the_person() -> None:
    world = waiting()
    world.execution().run()
    world.clock.advance(days=20)
    answer = world.ask_desk("extend", request_id="r1", reason="It is spread over many systems.")
    assert answer["ok"]
    assert world.request()["due_at"] == world.request()["extended_until"] == "2027-02-02T23:59:59Z"
    (mail,) = [mail for mail in world.mailer.to(ADA) if mail.key == "r1:extended:1"]
    assert "It is spread over many systems." in mail.text
    assert "2 February 2027" in mail.text
    events = requests.timeline(world.deps, world.request())
    assert events[-1]["what"] == "We need more time; you will have our answer by 2027-02-02 at the latest"


def test_an_extension_comes_too_late_when_the_first_period_is_over() -> None:
    world = waiting()
    world.execution().run()
    world.clock.set(datetime(2026, 12, 3, tzinfo=UTC))
    answer = world.ask_desk("extend", request_id="r1", reason="r")
    assert answer["ok"] is False
    assert "within it" in answer["message"]
    assert "extended_until" not in world.request()


def test_an_extension_whose_mail_was_lost_is_told_when_it_is_asked_for_again() -> None:
    world = waiting()
    world.execution().run()
    sent = len(world.mailer.sent)
    requests.append(
        world.deps,
        "r1",
        "We need more time",
        key="extended",
        due_at="2027-02-02T23:59:59Z",
        extended_until="2027-02-02T23:59:59Z",
        extension_reason="Because.",
    )
    assert world.ask_desk("extend", request_id="r1", reason="another")["ok"]
    assert [mail.key for mail in world.mailer.sent[sent:]] == ["r1:extended:1"]
    assert "Because." in world.mailer.sent[-1].text


@pytest.mark.parametrize(
    ("regime", "kind", "purpose", "allowed"),
    [
        ("uk_gdpr", "access", "identification", True),
        ("uk_gdpr", "access", "clarification", True),
        ("uk_gdpr", "erasure", "clarification", False),
        ("gdpr", "access", "identification", True),
        ("gdpr", "erasure", "clarification", False),
        ("ccpa", "access", "identification", False),
        ("ccpa", "erasure", "clarification", False),
        ("uk_gdpr", "access", "holiday", False),
    ],
)
def test_the_clock_stops_only_where_the_regime_lets_it(regime: str, kind: str, purpose: str, allowed: bool) -> None:
    world = waiting(regime, kind)
    world.execution().run()
    before = world.request()
    answer = world.ask_desk("pause", request_id="r1", reason="Which account is yours?", purpose=purpose)
    assert answer["ok"] is allowed
    assert (world.request()["status"] == "paused") is allowed
    if not allowed:
        assert world.request() == before


def test_a_pause_moves_the_end_by_its_days_and_the_person_is_told_both_times() -> None:
    world = waiting()
    run = world.execution().run()
    world.clock.advance(days=10)
    world.ask_desk("pause", request_id="r1", reason="Which account is yours?")
    assert world.request()["paused_since"]
    world.clock.advance(days=9)
    answer = world.ask_desk("resume", request_id="r1", reason="She answered.")
    assert answer["due_at"] == "2026-12-11T23:59:59Z", "nine days later"
    item = world.request()
    assert (item["status"], item["paused_days"]) == ("awaiting_approval", 9)
    assert "paused_since" not in item
    assert [mail.key for mail in world.mailer.to(ADA)][-2:] == ["r1:paused:1", "r1:resumed:1"]
    assert world.ask_desk("approve", request_id="r1")["ok"]
    run.resume()
    assert world.request()["status"] == "completed"


def test_nothing_is_decided_while_the_clock_stands_but_a_refusal() -> None:
    world = waiting()
    run = world.execution().run()
    world.ask_desk("pause", request_id="r1", reason="Which account is yours?")
    assert world.ask_desk("approve", request_id="r1")["ok"] is False
    assert world.ask_desk("reject", request_id="r1", ground="identity_not_proven", reason="No answer came.")["ok"]
    run.resume()
    assert run.ended
    assert world.request()["status"] == "rejected"


@pytest.mark.parametrize("kind", ["access", "erasure"])
def test_a_request_that_is_paused_while_it_is_searched_waits_until_the_dpo_lets_it_go_on(kind: str) -> None:
    world = waiting(kind=kind, approval="auto")
    before = world.contents()
    world.ask_desk("pause", request_id="r1", reason="Which account is yours?")
    run = world.execution().run()
    assert run.state == PAUSE
    assert world.contents() == before
    assert not world.files.objects
    world.ask_desk("resume", request_id="r1", reason="She answered.")
    run.resume()
    assert world.request()["status"] == "completed"


def test_a_pause_at_the_last_moment_before_the_plan_runs_wins_and_one_after_it_comes_too_late() -> None:
    world = waiting(kind="erasure", approval="auto")
    run = world.execution()
    planned = run.lambdas["PlanFunctionArn"]
    answers: list[bool] = []

    def plan(event: dict[str, Any]) -> Any:
        if not answers:
            answers.append(world.ask_desk("pause", "early", request_id="r1", reason="r")["ok"])
            return planned(event)
        answered = planned(event)
        answers.append(world.ask_desk("pause", "late", request_id="r1", reason="r")["ok"])
        return answered

    run.lambdas = {**run.lambdas, "PlanFunctionArn": plan}
    before = world.contents()
    run.run()
    assert (run.state, answers) == (PAUSE, [True])
    assert world.contents() == before
    world.ask_desk("resume", request_id="r1", reason="r")
    run.resume()
    assert answers == [True, False], "erasing has begun"
    assert world.request()["status"] == "completed"


def test_a_question_that_comes_while_the_clock_stands_waits_for_it() -> None:
    """The plan was written, and called for an approval, right before the DPO stopped the clock."""
    world = waiting()
    run = world.execution()
    asked = run.lambdas["AskFunctionArn"]

    def ask(event: dict[str, Any]) -> Any:
        world.ask_desk("pause", "between", request_id="r1", reason="Which account is yours?")
        return asked(event)

    run.lambdas = {**run.lambdas, "AskFunctionArn": ask}
    run.run()
    assert (run.state, world.request()["status"]) == (APPROVAL, "paused")
    world.ask_desk("resume", request_id="r1", reason="She answered.")
    assert world.request()["status"] == "awaiting_approval"
    world.ask_desk("approve", request_id="r1")
    run.resume()
    assert world.request()["status"] == "completed"


def test_a_clock_that_ran_again_before_the_workflow_asked_is_not_waited_for() -> None:
    world = waiting(approval="auto")
    world.ask_desk("pause", request_id="r1", reason="r")
    run = world.execution()
    asked = run.lambdas["AskFunctionArn"]

    def ask(event: dict[str, Any]) -> Any:
        world.ask_desk("resume", "between", request_id="r1", reason="r")
        return asked(event)

    run.lambdas = {**run.lambdas, "AskFunctionArn": ask}
    run.run()
    assert run.ended
    assert world.request()["status"] == "completed"


def test_pauses_and_an_extension_add_up() -> None:
    world = waiting()
    world.execution().run()
    for _ in range(2):
        world.ask_desk("pause", request_id="r1", reason="r")
        world.clock.advance(days=3)
        world.ask_desk("resume", request_id="r1", reason="r")
    world.ask_desk("extend", request_id="r1", reason="r")
    assert world.request()["due_at"] == "2027-02-08T23:59:59Z", "three months and six days"
    keys = [mail.key for mail in world.mailer.to(ADA)]
    assert [key for key in keys if "paused" in key or "resumed" in key] == [
        *("r1:paused:1", "r1:resumed:1"),
        *("r1:paused:2", "r1:resumed:2"),
    ]


def test_a_paused_request_keeps_its_question_for_a_year() -> None:
    world = waiting()
    run = world.execution().run()
    world.ask_desk("pause", request_id="r1", reason="r")
    world.clock.advance(days=300)
    world.ask_desk("resume", request_id="r1", reason="r")
    world.ask_desk("approve", request_id="r1")
    run.resume()
    assert world.request()["status"] == "completed"


def test_planning_and_asking_never_start_a_clock() -> None:
    world = waiting(kind="erasure", grace_period="P7D")
    world.ask_desk("pause", request_id="r1", reason="r")
    assert planning.step(world.deps, "r1")["decision"] == "pause"
    asking.ask(world.deps, "r1", "token", "attention", ["surveys"])
    assert world.request()["status"] == "paused"
    world.ask_desk("resume", request_id="r1", reason="r")
    assert world.request()["status"] == "needs_attention"
