"""Somebody reports that an account belongs to someone under 18: only the DPO's approval lets it go."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from rightful import receipts
from rightful.clocks import moment, stamp
from rightful.errors import Conflict, NeedsAttention, NotFound
from rightful.model import RequestPolicy
from rightful.service import (
    admitting,
    deadlines,
    erasing,
    intake,
    planning,
    protecting,
    receipting,
    registering,
    requests,
    verifying,
    viewing,
)
from rightful.service.desk.actions import ACTIONS
from tests.fakes.company import ADA, BOB, small_map
from tests.fakes.state_machine import Execution
from tests.fakes.world import World, forever, make_world
from tests.functional.issues.reports import DPO, issue, mails, proof, report

APPROVAL = "Wait for the DPO's approval"
WEEK = timedelta(days=7)


def reported(world: World, **more: Any) -> tuple[str, Execution]:
    """The request that stands for Ada, and its workflow as far as it goes by itself."""
    request_id = issue(world, report(world, "under_18", **more))["erasure_id"]
    return request_id, world.execution(request_id).run()


def approved(world: World, request_id: str) -> None:
    answer = world.ask_desk("approve", request_id=request_id, plan_hash=world.request(request_id)["plan_hash"])
    assert answer["ok"], answer


def until_the_wait(world: World, run: Execution) -> None:
    """Goes on, and stops where the grace period is waited for."""
    definition = copy.deepcopy(run.definition)
    definition["States"]["Wait for the grace period to end"] = {"Type": "Succeed"}
    run.definition = definition
    run.resume()
    assert run.ended


def receipt(world: World, request_id: str) -> dict[str, Any]:
    made = receipting.issued(world.deps, request_id)
    assert made
    return receipts.verify(made["jws"], receipting.keys(world.deps))


def test_without_an_approval_nothing_is_erased_ever() -> None:
    world = make_world()
    before = copy.deepcopy(world.contents())
    request_id, run = reported(world)
    assert run.state == APPROVAL
    item = world.request(request_id)
    assert (item["status"], item["source"], item.get("verified_at")) == ("awaiting_approval", "under_18", None)
    for _ in range(40):
        world.clock.advance(days=9)
        deadlines.step(world.deps, forever).faults.ensure_none()
    assert world.contents() == before
    assert world.request(request_id)["status"] == "awaiting_approval"
    with pytest.raises(NeedsAttention, match="never verified"):
        erasing.step(world.deps, request_id, "accounts", forever)
    with pytest.raises(Conflict):
        requests.begin_erasing(world.deps, request_id, plan_hash=item["plan_hash"])
    assert planning.step(world.deps, request_id)["decision"] == "ask"


def test_approved_it_waits_a_week_and_then_erases() -> None:
    world = make_world()
    request_id, run = reported(world)
    world.clock.advance(3600)
    approved(world, request_id)
    at = world.clock()
    item = world.request(request_id)
    assert (item["verified_at"], item["verified_by"]) == (stamp(at), "dpo")
    before = copy.deepcopy(world.contents())
    until_the_wait(world, run)
    assert world.request(request_id)["scheduled_for"] == stamp(at + WEEK)
    assert world.contents() == before
    (told,) = mails(world, "reported_scheduled")
    assert told.to == ADA
    assert "Nothing is deleted before 9 November 2026" in told.text
    world.clock.advance(WEEK.total_seconds())
    assert world.execution(request_id).run().ended
    assert world.request(request_id)["status"] == "completed"
    assert [item["id"] for item in world.stores["accounts"].items] == ["a2"]
    assert "It was reported that this account belongs to someone under 18" in mails(world, "completed_erasure")[0].text


def test_a_longer_grace_period_of_the_map_counts_and_a_shorter_one_does_not() -> None:
    for period, days in (("P1D", 7), ("P30D", 30)):
        world = make_world(small_map(erasure=RequestPolicy(grace_period=period)))
        request_id, run = reported(world)
        approved(world, request_id)
        until_the_wait(world, run)
        assert moment(world.request(request_id)["scheduled_for"]) == world.clock() + timedelta(days=days)


def test_withdrawn_in_the_week_nothing_is_erased() -> None:
    world = make_world()
    before = copy.deepcopy(world.contents())
    request_id, run = reported(world)
    approved(world, request_id)
    until_the_wait(world, run)
    holder = proof(world)
    assert [each["request_id"] for each in viewing.listed(world.deps, holder)] == [request_id]
    assert viewing.withdraw(world.deps, holder, request_id)["status"] == "withdrawn"
    world.clock.advance(days=8)
    assert world.execution(request_id).run().ended
    assert world.contents() == before
    claims = receipt(world, request_id)
    assert (claims["status"], claims["verified_by"]) == ("withdrawn", "dpo")


def test_withdrawn_before_the_approval_nobody_stood_for_it_and_the_receipt_says_so() -> None:
    world = make_world()
    before = copy.deepcopy(world.contents())
    request_id, run = reported(world)
    viewing.withdraw(world.deps, proof(world), request_id)
    run.resume()
    assert run.ended
    claims = receipt(world, request_id)
    assert [claims[name] for name in ("source", "verified_at", "verified_by")] == ["under_18", "", ""]
    assert world.contents() == before
    answer = world.ask_desk("approve", request_id=request_id)
    assert answer["ok"] is False


def test_nobody_else_sees_or_withdraws_it() -> None:
    world = make_world()
    request_id, _ = reported(world)
    for act in (viewing.one, viewing.withdraw):
        with pytest.raises(NotFound):
            act(world.deps, proof(world, BOB), request_id)


def asks_themself(world: World) -> str:
    """The request that stands for Ada's own, once she entered the code that was mailed to her."""
    answer = intake.submit(world.deps, intake.Asked(type="erasure", email=ADA), "192.0.2.9")
    person = proof(world).person
    return str(admitting.admit(world.deps, answer["request_id"], person, world.clock())["request_id"])


def test_confirmed_by_the_person_it_is_theirs_and_runs_when_approved() -> None:
    world = make_world()
    request_id, run = reported(world)
    assert asks_themself(world) == request_id
    item = world.request(request_id)
    assert (item["verified_at"], item.get("verified_by")) == (stamp(world.clock()), None)
    assert run.state == APPROVAL, "the DPO decides all the same"
    approved(world, request_id)
    run.resume()
    assert run.ended
    assert world.request(request_id)["status"] == "completed"
    claims = receipt(world, request_id)
    assert [claims[name] for name in ("source", "verified_by")] == ["under_18", "person"]
    assert mails(world, "reported_scheduled") == []


def test_confirmed_after_the_approval_both_stand_in_the_ledger() -> None:
    world = make_world()
    request_id, run = reported(world)
    approved(world, request_id)
    until_the_wait(world, run)
    world.clock.advance(60)
    assert asks_themself(world) == request_id
    item = world.request(request_id)
    assert (item["verified_by"], item["confirmed_at"]) == ("dpo", stamp(world.clock()))
    said = [entry["what"] for entry in requests.entries(world.deps, item)]
    assert said[0] == "Somebody reported that this account belongs to someone under 18"
    assert "You confirmed that it is you" in said
    assert world.execution(request_id).run().ended
    assert world.request(request_id)["status"] == "completed"


def test_the_register_says_how_it_came_and_who_stood_for_it() -> None:
    world = make_world()
    request_id, run = reported(world)
    approved(world, request_id)
    run.resume()
    assert run.ended
    (row,) = registering.read(world.deps, world.clock().date(), world.clock().date())
    assert (row["request_id"], row["source"], row["verified_by"]) == (request_id, "under_18", "dpo")


def test_where_two_must_approve_one_is_not_enough() -> None:
    world = make_world(small_map(erasure=RequestPolicy(approvers=2)))
    deputy = "deputy@example.org"
    object.__setattr__(world.deps.datamap.controller, "deputy", deputy)
    request_id, _ = reported(world)
    codes = {
        mail.to: mail.text.partition('"code": "')[2].partition('"')[0]
        for mail in [*mails(world, "dpo_approval"), *mails(world, "dpo_second_approval")]
    }
    assert world.ask_desk("approve", request_id=request_id, code=codes[DPO])["ok"]
    assert "verified_at" not in world.request(request_id)
    assert world.ask_desk("approve", request_id=request_id, code=codes[deputy])["ok"]
    assert world.request(request_id)["verified_by"] == "dpo"


def test_refused_by_the_dpo_its_holder_reads_that_nothing_is_deleted() -> None:
    world = make_world()
    before = copy.deepcopy(world.contents())
    request_id, run = reported(world)
    assert world.ask_desk(
        "reject", request_id=request_id, ground="manifestly_unfounded", reason="A birthday of 1970 is on record."
    )["ok"]
    run.resume()
    assert run.ended
    assert mails(world, "rejected") == []
    (told,) = mails(world, "reported_dismissed")
    assert "nothing will be deleted" in told.text
    assert "1970" not in told.text
    assert world.contents() == before


@pytest.mark.parametrize("waiting", [True, False], ids=["at the question", "in the grace period"])
def test_refused_by_the_dpo_nothing_was_refused_to_its_holder_where_they_follow_it(waiting: bool) -> None:
    """What the DPO writes is about the report, and may name who made it."""
    world = make_world()
    request_id, run = reported(world)
    if not waiting:
        approved(world, request_id)
        until_the_wait(world, run)
    said = {"ground": "manifestly_unfounded", "reason": "Eve is the ex-wife."}
    assert world.ask_desk("reject", request_id=request_id, **said)["ok"]
    if waiting:
        run.resume()
    shown = viewing.one(world.deps, proof(world), request_id)
    assert (shown["status"], shown["reported"]) == ("rejected", True)
    assert "refusal" not in shown
    told = [event["what"] for event in shown["events"]]
    assert told[-1] == "Nothing is deleted: your account stays as it is"
    assert not any("your request" in what for what in told)


def test_the_holder_is_told_at_once_and_once_a_day_at_most() -> None:
    world = make_world()
    for n in range(3):
        report(world, "under_18", source=f"192.0.2.{n}")
        report(world, "other", source=f"192.0.2.{n}")
    assert [mail.key.split(":")[1] for mail in world.mailer.to(ADA)] == ["reported_under_18"]
    (mail,) = mails(world, "reported_under_18")
    assert "Nothing has been deleted" in mail.text
    assert len([key for key in world.table.items if key[1] == "REQUEST"]) == 1


def test_known_and_unknown_addresses_get_the_same_answer_for_the_same_calls() -> None:
    made = []
    for email in (ADA, "stranger@example.com"):
        world = make_world()
        report(world, "under_18", email=email)
        made.append([call[0] for call in world.table.calls])
    assert made[0] == made[1]


def test_a_report_keeps_nothing_from_the_retention_sweep() -> None:
    world = make_world()
    reported(world)
    assert world.table.query(protecting.GUARDS) == []


def test_it_joins_the_persons_own_erasure_which_then_needs_approval() -> None:
    world = make_world()
    own = asks_themself(world)
    request_id, run = reported(world)
    assert request_id == own
    assert run.state == APPROVAL
    assert mails(world, "reported_under_18") == []
    assert world.request(own).get("verified_by") is None
    approved(world, own)
    run.resume()
    assert world.request(own)["status"] == "completed"


def test_a_report_between_the_plan_and_its_erasing_still_asks_the_dpo() -> None:
    world = make_world()
    own = asks_themself(world)
    world.execution(own)
    original = requests.begin_erasing

    def late(*args: Any, **facts: Any) -> dict[str, Any]:
        report(world, "under_18")
        return original(*args, **facts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests, "begin_erasing", late)
        run = world.execution(own).run()
    assert run.state == APPROVAL
    assert "erasing_since" not in world.request(own)


def test_an_erasure_that_has_begun_is_left_to_go_on() -> None:
    world = make_world()
    own = asks_themself(world)
    world.stores["surveys"].fail("anonymise", NeedsAttention("no access"), times=None)
    world.execution(own).run()
    request_id = issue(world, report(world, "under_18"))["erasure_id"]
    assert request_id == own
    assert "reported_at" not in world.request(own)


def test_it_carries_on_a_letter_that_nobody_confirmed() -> None:
    world = make_world()
    letter = world.ask_desk("submit", type="erasure", email=ADA, received_at="2026-10-20", source="letter")[
        "request_id"
    ]
    request_id, run = reported(world)
    assert (request_id, run.state) == (letter, APPROVAL)
    item = world.request(letter)
    assert (item["source"], item["received_at"]) == ("letter", "2026-10-20T00:00:00Z")
    assert "verify_by" not in item
    approved(world, letter)
    assert world.request(letter)["verified_by"] == "dpo"


def test_the_dpo_sees_it_first_and_marked() -> None:
    world = make_world()
    world.ask_for("access", "early", BOB, due_at="2026-11-03T23:59:59Z")
    request_id, _ = reported(world)
    listed = world.ask_desk("open")["requests"]
    assert [(each["request_id"], each.get("priority")) for each in listed] == [(request_id, True), ("early", None)]
    (mail,) = mails(world, "dpo_approval")
    assert mail.subject.startswith("PRIORITY: Approval needed")
    assert "somebody reported that this account belongs to someone under 18" in mail.text
    world.clock.advance(days=27)
    deadlines.step(world.deps, forever)
    assert f"* PRIORITY: erasure {request_id}" in mails(world, "dpo_deadlines")[-1].text


REFUSED = sorted(name for name, action in ACTIONS.items() if "request_id" in action.parts)


@pytest.mark.parametrize("action", REFUSED)
def test_the_dpo_may_show_approve_and_reject_it_and_nothing_else(action: str) -> None:
    world = make_world()
    request_id, _ = reported(world)
    order = {**ACTIONS[action].example(action), "request_id": request_id}
    order |= {"plan_hash": world.request(request_id)["plan_hash"]} if action == "approve" else {}
    assert world.ask_desk(**order)["ok"] is (action in ("show", "approve", "reject"))


def test_the_code_of_another_request_confirms_nothing() -> None:
    world = make_world()
    request_id, _ = reported(world)
    verifying.start(world.deps, ADA, "en", "192.0.2.9")
    assert "verified_at" not in world.request(request_id)


def test_an_account_that_is_reported_by_its_own_holder_is_not_confirmed_by_that() -> None:
    world = make_world()
    request_id, _ = reported(world, email="", proof=proof(world))
    assert "verified_at" not in world.request(request_id)
