"""A store that leads to more identities than one person has: the search stops there, and the DPO is asked before
anything is shown or erased."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rightful.errors import NeedsAttention
from rightful.model import RequestPolicy
from rightful.service import deciding
from tests.fakes.company import ADA, small_map
from tests.fakes.memory_store import MemoryStore
from tests.fakes.state_machine import Execution
from tests.fakes.world import World, make_world

STRANGERS = [f"acct-{number}" for number in range(100, 125)]


def shared_mailbox(kind: str, approval: Any = "auto") -> tuple[World, Execution]:
    """25 people of a company share Ada's address; each has an account, and one a subscription."""
    world = make_world(small_map(**{kind: RequestPolicy(approval=approval)}))
    for account in STRANGERS:
        world.stores["accounts"].put({"id": account, "email": ADA, "account_id": account})
    world.stores["subscriptions"].put({"id": "s9", "account_id": STRANGERS[0], "customer_id": "cus-9"})
    world.ask_for(kind)
    return world, world.execution()


def allow(world: World, **most: int) -> None:
    """The data map, mended."""
    datamap = world.deps.datamap
    identities = {name: replace(each, most=most.get(name, each.most)) for name, each in datamap.identities.items()}
    world.deps = replace(world.deps, datamap=replace(datamap, identities=identities))


@pytest.mark.parametrize("approval", ["auto", "dpo"])
@pytest.mark.parametrize("kind", ["access", "erasure"])
def test_nothing_is_shown_or_erased_and_the_dpo_is_told_where_without_a_value(kind: str, approval: str) -> None:
    world, run = shared_mailbox(kind, approval)
    before = world.contents()
    run.run()
    request = world.request()
    assert (request["status"], request["failed"]) == ("needs_attention", ["accounts"])
    assert "erasing_since" not in request
    assert world.contents() == before
    assert not list(world.files.list("work/"))
    (mail,) = world.mailer.to("dpo@example.org")
    assert "accounts" in mail.text
    assert "it leads to more than 20 values of `account_id`" in mail.text
    assert "Nothing of this request has been shown or erased" in mail.text
    assert not any(value in mail.text for value in (*STRANGERS, "acct-1", ADA))


@pytest.mark.parametrize("kind", ["access", "erasure"])
def test_when_the_map_allows_it_the_request_goes_on(kind: str) -> None:
    world, run = shared_mailbox(kind)
    run.run()
    allow(world, account_id=26)
    deciding.decide(world.deps, "r1", "retry")
    run.resume()
    assert world.request()["status"] == "completed"
    left = sorted(item["id"] for item in world.stores["subscriptions"].items)
    assert left == (["s3"] if kind == "erasure" else ["s1", "s2", "s3", "s9"])


def test_a_retry_with_nothing_mended_asks_again() -> None:
    world, run = shared_mailbox("erasure")
    before = world.contents()
    run.run()
    deciding.decide(world.deps, "r1", "retry")
    run.resume()
    assert world.request()["status"] == "needs_attention"
    assert world.contents() == before
    assert len(world.mailer.to("dpo@example.org")) == 2


def test_nothing_that_a_store_gave_is_followed_when_it_is_left_out() -> None:
    world, run = shared_mailbox("erasure")
    before = world.contents()
    run.run()
    deciding.decide(world.deps, "r1", "skip", store="accounts", reason="a shared mailbox")
    run.resume()
    assert world.request()["status"] == "completed"
    assert {name for name, items in world.contents().items() if items != before[name]} == {"surveys", "contacts"}


def test_the_request_can_be_refused() -> None:
    world, run = shared_mailbox("erasure")
    before = world.contents()
    run.run()
    deciding.decide(world.deps, "r1", "reject", ground="12(6)", reason="We cannot tell which of them you are.")
    run.resume()
    assert world.request()["status"] == "rejected"
    assert world.contents() == before


@pytest.mark.parametrize("answer", ["retry", "skip"])
def test_after_erasing_began_what_a_doubtful_store_led_to_is_forgotten_again(answer: str) -> None:
    world = make_world()
    theirs = {"id": "i9", "customer_id": "cus-103", "email": "eve@example.org", "issued_at": "2012-02-29"}
    world.stores["invoices"].put(theirs)
    for number in range(100, 125):
        world.stores["subscriptions"].put({"id": str(number), "account_id": "acct-1", "customer_id": f"cus-{number}"})
    world.stores["subscriptions"].fail("find", NeedsAttention("no access"), times=None)
    world.ask_for("erasure")
    run = world.execution().run()
    assert world.request()["failed"] == ["invoices", "subscriptions"]

    world.stores["subscriptions"].mend()
    before = world.contents()
    deciding.decide(world.deps, "r1", "retry")
    run.resume()
    assert world.request()["failed"] == ["subscriptions"]
    assert world.contents() == before

    if answer == "skip":
        deciding.decide(world.deps, "r1", "skip", store="subscriptions", reason="strangers in it")
    else:
        mine = [item for item in world.stores["subscriptions"].items if item["customer_id"] in ("cus-1", "cus-2")]
        world.stores["subscriptions"] = MemoryStore(mine)
        deciding.decide(world.deps, "r1", "retry")
    run.resume()
    assert world.request()["status"] == "completed"
    assert theirs in world.stores["invoices"].items
