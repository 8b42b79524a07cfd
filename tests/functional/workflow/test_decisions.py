"""What the DPO decides, and what runs because of it."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from rightful.errors import Conflict, Invalid, NeedsAttention
from rightful.model import RequestPolicy
from rightful.service import asking, deciding, requests
from tests.fakes.company import ADA, small_map
from tests.fakes.state_machine import Failed, Lambda
from tests.fakes.world import World, make_world

APPROVAL = "Wait for the DPO's approval"
ATTENTION = "Wait for the DPO to resolve what failed"


def waiting_for_approval() -> tuple[World, asking.Why]:
    world = make_world(small_map(erasure=RequestPolicy(approval="dpo")))
    world.ask_for("erasure")
    return world, "approval"


def test_erasure_runs_only_the_approved_hash_and_comes_back_when_the_records_changed() -> None:
    world, _ = waiting_for_approval()
    run = world.execution().run()
    first = world.request()["plan_hash"]
    world.stores["surveys"].put({"id": "v9", "email": ADA, "note": "new"})

    deciding.decide(world.deps, "r1", "approve", plan_hash=first)
    run.resume()

    assert run.state == APPROVAL
    second = world.request()["plan_hash"]
    assert second != first
    assert len(world.stores["accounts"].items) == 2, "nothing was erased under the old approval"
    assert len(world.mailer.to("dpo@example.org")) == 2, "the DPO is told of the new plan"

    with pytest.raises(Conflict, match="changed"):
        deciding.decide(world.deps, "r1", "approve", plan_hash=first)
    deciding.decide(world.deps, "r1", "approve", plan_hash=second)
    run.resume()
    assert world.request()["status"] == "completed"
    assert [item["id"] for item in world.stores["accounts"].items] == ["a2"]


def test_a_refusal_needs_ground_and_reason_and_tells_the_person() -> None:
    world, _ = waiting_for_approval()
    run = world.execution().run()
    before = world.contents()
    with pytest.raises(Invalid) as refused:
        deciding.decide(world.deps, "r1", "reject")
    assert [field for field, _ in refused.value.errors] == ["ground", "reason"]
    with pytest.raises(Invalid) as refused:
        deciding.decide(world.deps, "r1", "reject", ground="12(5)", reason="Asked daily.")
    assert refused.value.errors == (
        ("ground", "Write one of: manifestly_unfounded (Article 12(5) GDPR), excessive (Article 12(5) GDPR)."),
    )

    deciding.decide(world.deps, "r1", "reject", ground="17(3)(e)", reason="A court case is open.")
    run.resume()

    assert run.ended
    assert world.request()["status"] == "rejected"
    refusal = {"ground": "legal_claims", "law": "Article 17(3)(e) GDPR", "reason": "A court case is open."}
    assert world.request()["refusal"] == refusal
    assert world.contents() == before
    assert [mail.key for mail in world.mailer.to(ADA)] == ["r1:request_received:1", "r1:rejected:1"]


def test_grace_period_lets_the_person_withdraw_and_then_nothing_is_touched() -> None:
    world = make_world(small_map(erasure=RequestPolicy(grace_period="P7D")))
    world.ask_for("erasure")
    before = world.contents()
    run = world.execution()
    original = world.clock.set

    def withdraw_first(now: object) -> None:
        requests.transition(world.deps, "r1", "withdrawn", what="You withdrew the request")
        original(now)  # type: ignore[arg-type] # the clock's own argument, handed on

    world.clock.set = withdraw_first  # type: ignore[method-assign] # while the workflow waits, the person acts
    run.run()

    assert "Wait for the grace period to end" in run.history
    assert run.ended
    assert world.request()["status"] == "withdrawn"
    assert world.contents() == before


def test_after_the_grace_period_what_is_there_then_is_erased() -> None:
    world = make_world(small_map(erasure=RequestPolicy(grace_period="P7D")))
    world.ask_for("erasure")
    start = world.clock()
    run = world.execution().run()
    assert run.ended
    assert (world.clock() - start).days == 7
    assert run.history.count("Find the person's records") == 2
    assert [item["id"] for item in world.stores["accounts"].items] == ["a2"]


def test_the_grace_period_begins_with_the_approval() -> None:
    world = make_world(small_map(erasure=RequestPolicy(approval="dpo", grace_period="P7D")))
    world.ask_for("erasure")
    run = world.execution().run()
    world.clock.advance(days=20)
    approved_at = world.clock()
    deciding.decide(world.deps, "r1", "approve", plan_hash=world.request()["plan_hash"])
    run.resume()
    assert run.ended
    assert (world.clock() - approved_at).days == 7


def test_a_store_that_could_not_be_searched_when_the_plan_was_approved_is_approved_when_it_can() -> None:
    world, _ = waiting_for_approval()
    world.stores["subscriptions"].fail("find", NeedsAttention("no access"), times=None)
    run = world.execution().run()
    deciding.decide(world.deps, "r1", "approve", plan_hash=world.request()["plan_hash"])
    run.resume()
    assert run.state == ATTENTION
    held = world.stores["subscriptions"].items, world.stores["invoices"].items

    world.stores["subscriptions"].mend()
    deciding.decide(world.deps, "r1", "retry", store="subscriptions")
    run.resume()
    assert run.state == APPROVAL
    assert (world.stores["subscriptions"].items, world.stores["invoices"].items) == held
    deciding.decide(world.deps, "r1", "approve", plan_hash=world.request()["plan_hash"])
    run.resume()
    assert world.request()["status"] == "completed"
    assert [item["id"] for item in world.stores["subscriptions"].items] == ["s3"]


@pytest.mark.parametrize("kind", ["access", "erasure"])
def test_a_store_that_fails_for_good_leaves_all_others_done_and_waits_for_a_decision(kind: str) -> None:
    world = make_world()
    world.ask_for(kind)
    world.stores["subscriptions"].fail(
        "delete" if kind == "erasure" else "find", NeedsAttention("no access"), times=None
    )
    run = world.execution().run()

    assert run.state == ATTENTION
    assert world.request()["status"] == "needs_attention"
    rows = {row["sk"].removeprefix("STORE#") for row in world.table.query("REQUEST#r1", "STORE#") if row.get("done")}
    assert rows == {"accounts", "surveys", "contacts", "invoices"}
    mail = world.mailer.sent[-1]
    assert mail.to == "dpo@example.org"
    assert "subscriptions" in mail.text

    world.stores["subscriptions"].mend()
    deciding.decide(world.deps, "r1", "retry", store="subscriptions")
    run.resume()
    assert world.request()["status"] == "completed"
    if kind == "erasure":
        assert [item["id"] for item in world.stores["subscriptions"].items] == ["s3"]
        assert [item["id"] for item in world.stores["invoices"].items] == ["i1", "i3", "i4"]


def test_a_search_that_failed_is_made_good_after_retry_with_what_it_leads_to() -> None:
    world = make_world()
    world.ask_for("erasure")
    world.stores["subscriptions"].fail("find", NeedsAttention("no access"), times=None)
    run = world.execution().run()
    assert run.state == ATTENTION
    assert "i2" in {item["id"] for item in world.stores["invoices"].items}, "only subscriptions lead to it"

    world.stores["subscriptions"].mend()
    deciding.decide(world.deps, "r1", "retry", store="subscriptions")
    run.resume()

    assert world.request()["status"] == "completed"
    assert "i2" not in {item["id"] for item in world.stores["invoices"].items}
    rows = {row["sk"]: row for row in world.table.query("REQUEST#r1", "STORE#")}
    assert rows["STORE#invoices"]["deleted"] == 1
    assert rows["STORE#subscriptions"]["deleted"] == 2


def test_skip_needs_a_failed_store_and_a_reason_and_then_completes() -> None:
    world = make_world()
    world.ask_for("erasure")
    world.stores["surveys"].fail("anonymise", NeedsAttention("table is gone"), times=None)
    run = world.execution().run()
    with pytest.raises(Invalid):
        deciding.decide(world.deps, "r1", "skip", store="accounts", reason="why not")
    with pytest.raises(Invalid):
        deciding.decide(world.deps, "r1", "skip", store="surveys")
    deciding.decide(world.deps, "r1", "skip", store="surveys", reason="table was dropped")
    run.resume()
    assert world.request()["status"] == "completed"


def test_once_erasing_began_it_can_no_longer_be_refused() -> None:
    world = make_world()
    world.ask_for("erasure")
    world.stores["surveys"].fail("anonymise", NeedsAttention("table is gone"), times=None)
    world.execution().run()
    with pytest.raises(Conflict, match="begun"):
        deciding.decide(world.deps, "r1", "reject", ground="manifestly_unfounded", reason="r")


def test_a_decision_that_nobody_waits_for_changes_nothing() -> None:
    world = make_world()
    world.ask_for("access")
    world.execution().run()
    before = world.request()
    with pytest.raises(Conflict, match="waits for no decision"):
        deciding.decide(world.deps, "r1", "approve", plan_hash=before["plan_hash"])
    assert world.request() == before


@pytest.mark.parametrize(
    ("said", "message", "errors"),
    [
        ({"action": "approve", "request_id": "r2"}, "There is no verified request with this id.", set()),
        ({"action": "approve", "request_id": 7}, "Look at request_id.", {"request_id"}),
        ({}, "Name an action; these are what there is.", {"action"}),
        ({"action": "aprove"}, "The desk does not know this action.", {"action"}),
        ({"action": "retry"}, 'The request is awaiting_approval: its "action" can be approve, reject.', set()),
        ({"action": "approve", "plan_hash": "old"}, "The plan has changed since that mail.", set()),
        ({"action": "reject", "ground": "manifestly_unfounded", "reason": " "}, "Look at reason.", {"reason"}),
        ({"action": "reject", "ground": "no law", "reason": "r"}, "ground", {"ground"}),
        ({"action": "reject"}, "Look at ground, reason.", {"ground", "reason"}),
    ],
)
def test_an_answer_that_does_not_fit_is_told_what_would(said: dict[str, Any], message: str, errors: set[str]) -> None:
    world, _ = waiting_for_approval()
    world.execution().run()
    before = world.request()
    told = world.ask_desk(**{"action": "", "request_id": "r1", **said})
    assert told["ok"] is False
    assert message in told["message"]
    assert set(told.get("errors", {})) == errors
    assert world.request() == before


def test_an_answer_that_cannot_be_read_back_is_not_blamed_on_its_id() -> None:
    world, _ = waiting_for_approval()
    world.execution().run()

    def denied(name: str, moment: str) -> None:
        if name.startswith("table."):
            raise NeedsAttention("GetItem answered AccessDeniedException")

    world.table.fault = denied
    with pytest.raises(Failed, match="NeedsAttention"):
        world.ask_desk("approve", "denied", request_id="r1")


def test_each_skipped_store_says_which_are_still_to_decide() -> None:
    world = make_world()
    world.ask_for("erasure")
    for name in ("contacts", "surveys"):
        fails = "anonymise" if name == "surveys" else "delete"
        world.stores[name].fail(fails, NeedsAttention("table is gone"), times=None)
    world.execution().run()
    gone = {"action": "skip", "request_id": "r1", "reason": "the table was dropped"}
    told = [world.ask_desk(**gone, store=name) for name in ("accounts", "contacts", "surveys")]
    assert [each["message"] for each in told] == [
        "Only a store that failed can be skipped.",
        "contacts is left out. To decide still: surveys.",
        deciding.DONE["skip"],
    ]


def test_a_new_execution_takes_up_a_request_whose_old_one_ended() -> None:
    world, _ = waiting_for_approval()
    world.stores["surveys"].fail("anonymise", NeedsAttention("no access"), times=None)
    old = world.execution().run()
    deciding.decide(world.deps, "r1", "approve", plan_hash=world.request()["plan_hash"])
    old.resume()
    world.clock.advance(days=366)

    new = world.execution().run()
    assert new.state == ATTENTION, "what was approved and erased stays so"
    world.stores["surveys"].mend()
    deciding.decide(world.deps, "r1", "retry")
    new.resume()
    assert world.request()["status"] == "completed"


def test_nothing_can_be_skipped_where_no_single_store_failed() -> None:
    world = make_world()
    world.files.fault = lambda name, _: fail_listing(name)
    world.ask_for("access")
    world.execution().run()
    told = world.ask_desk("skip", request_id="r1", store="accounts", reason="r")
    assert told == {
        "ok": False,
        "action": "skip",
        "message": "What failed is not one store, so nothing can be skipped. Remove the cause, then retry.",
    }


def fail_listing(name: str) -> None:
    if name == "files.list":
        raise NeedsAttention("ListObjectsV2 answered AccessDenied")


def test_what_was_exported_long_before_the_decision_is_exported_anew() -> None:
    world = make_world()
    world.ask_for("access")
    world.stores["subscriptions"].fail("find", NeedsAttention("no access"), times=None)
    run = world.execution().run()
    assert run.state == ATTENTION
    world.clock.advance(days=120)
    world.files.delete("work/r1/")
    world.stores["surveys"].put({"id": "v3", "email": ADA, "note": "since then"})

    world.stores["subscriptions"].mend()
    deciding.decide(world.deps, "r1", "retry", store="subscriptions")
    run.resume()

    archive = zipfile.ZipFile(io.BytesIO(world.files.objects["packages/r1.zip"]))
    assert {item["id"] for item in json.loads(archive.read("data/surveys.json"))} == {"v1", "v3"}


@pytest.mark.parametrize("policy", [RequestPolicy(grace_period="P7D"), RequestPolicy(approval="dpo")])
def test_what_failed_before_there_was_a_plan_skips_neither_grace_period_nor_approval(policy: RequestPolicy) -> None:
    world = make_world(small_map(erasure=policy))
    world.ask_for("erasure")
    run = world.execution()
    planned = run.lambdas["PlanFunctionArn"]
    failing: Lambda = raising(NeedsAttention("the plan cannot be written"))
    run.lambdas = {**run.lambdas, "PlanFunctionArn": failing}
    run.run()
    assert run.state == ATTENTION
    before = world.contents()

    run.lambdas = {**run.lambdas, "PlanFunctionArn": planned}
    deciding.decide(world.deps, "r1", "retry")
    run.resume()
    if policy.approval == "dpo":
        assert run.state == APPROVAL
        assert world.contents() == before
        deciding.decide(world.deps, "r1", "approve", plan_hash=world.request()["plan_hash"])
        run.resume()
    else:
        assert "Wait for the grace period to end" in run.history
    assert world.request()["status"] == "completed"
    assert [item["id"] for item in world.stores["accounts"].items] == ["a2"], "completed means erased"


def raising(error: Exception) -> Lambda:
    def step(event: dict[str, object]) -> object:
        raise error

    return step
