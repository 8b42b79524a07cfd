"""A mail that cannot be delivered stops no work."""

from __future__ import annotations

import pytest

from rightful.errors import NeedsAttention
from rightful.model import RequestPolicy
from rightful.service import deciding, requests
from tests.fakes.company import ADA, small_map
from tests.fakes.recording import Moment
from tests.fakes.world import World, make_world

POLICIES = [RequestPolicy(approval="dpo"), RequestPolicy(grace_period="P7D")]


def refused_once(world: World) -> None:
    """The provider takes every mail but the first."""
    refusals = [NeedsAttention("SendEmail answered MessageRejected")]

    def refuse(name: str, moment: Moment) -> None:
        if refusals:
            raise refusals.pop()

    world.mailer.fault = refuse


@pytest.mark.parametrize("policy", POLICIES, ids=["approval", "grace period"])
def test_a_receipt_that_is_refused_stops_no_plan_and_is_noted(policy: RequestPolicy) -> None:
    world = make_world(small_map(erasure=policy))
    world.ask_for("erasure")
    refused_once(world)
    run = world.execution().run()
    if policy.approval == "dpo":
        assert run.state == "Wait for the DPO's approval"
        deciding.decide(world.deps, "r1", "approve", plan_hash=world.request()["plan_hash"])
        run.resume()
    noted = world.table.get(requests.pk("r1"), "MAIL#request_received")
    assert noted is not None
    assert noted["refused"] == "SendEmail answered MessageRejected"
    told = [entry["what"] for entry in requests.timeline(world.deps, world.request())]
    assert told.count("A mail to you could not be delivered") == 1
    assert world.request()["status"] == "completed"
    assert [mail.key for mail in world.mailer.to(ADA)] == ["r1:completed_erasure:1"], "the refused one is not repeated"


@pytest.mark.parametrize("kind", ["access", "erasure"])
def test_what_was_found_is_forgotten_although_the_last_mail_is_refused_which_is_sent_in_the_end(kind: str) -> None:
    world = make_world()
    world.ask_for(kind)
    forgotten: list[bool] = []

    def refuse(name: str, moment: Moment) -> None:
        if name == "mailer.send" and moment == "before" and len(forgotten) < 3:
            forgotten.append(world.table.query(requests.pk("r1"), "SEALED#") == [])
            world.clock.advance(days=1)
            raise NeedsAttention("SendEmail answered MessageRejected")

    world.mailer.fault = refuse
    assert world.execution().run().value == {"status": "completed"}
    assert forgotten == [True] * 3
    assert [mail.key for mail in world.mailer.to(ADA)] == [f"r1:completed_{kind}:1"]
