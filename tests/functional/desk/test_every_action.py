"""Every action of the desk against every status of a request: what is allowed acts once, all else says so and changes
nothing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rightful.errors import NeedsAttention
from rightful.lifecycle import Status
from rightful.model import RequestPolicy
from rightful.service import issues, requests
from rightful.service.desk.actions import ACTIONS, HASH
from tests.fakes.company import ADA, small_map
from tests.fakes.world import World, make_world

EVENTS = Path(__file__).parents[3] / "events"
ON_A_REQUEST = [name for name, action in ACTIONS.items() if "request_id" in action.parts]
DECIDING = [name for name in ON_A_REQUEST if name != "show"]


def uk(**policies: RequestPolicy) -> World:
    world = make_world(small_map(**policies))
    world.ask_for("erasure", regime="uk_gdpr")
    return world


def awaiting_verification() -> World:
    world = make_world()
    world.ask_desk("submit", type="erasure", email=ADA, received_at="2026-11-01", source="letter")
    (item,) = [item for (_, sk), item in world.table.items.items() if sk == "REQUEST"]
    world.table.items["REQUEST#r1", "REQUEST"] = {**item, "pk": "REQUEST#r1", "request_id": "r1"}
    return world


def in_progress() -> World:
    return uk()


def awaiting_approval() -> World:
    world = uk(erasure=RequestPolicy(approval="dpo"))
    world.execution().run()
    return world


def scheduled() -> World:
    world = uk(erasure=RequestPolicy(grace_period="P7D"))
    requests.transition(world.deps, "r1", "scheduled", what="Scheduled")
    return world


def paused() -> World:
    world = awaiting_approval()
    assert world.ask_desk("pause", request_id="r1", reason="Which account is yours?")["ok"]
    return world


def needs_attention() -> World:
    """A store leads to more customers than one person is: nothing is done before the DPO looked."""
    datamap = small_map()
    few = {"customer_id": replace(datamap.identities["customer_id"], most=1)}
    world = make_world(replace(datamap, identities=datamap.identities | few))
    world.ask_for("erasure", regime="uk_gdpr")
    world.execution().run()
    return world


def erasing() -> World:
    """Needs attention too, with records erased already."""
    world = uk()
    world.stores["surveys"].fail("anonymise", NeedsAttention("no access"), times=None)
    world.execution().run()
    return world


def completed() -> World:
    world = uk()
    world.execution().run()
    return world


def rejected() -> World:
    world = uk()
    ended = world.ask_desk("reject", request_id="r1", ground="manifestly_unfounded", reason="r")
    assert ended["ok"]
    return world


def withdrawn() -> World:
    world = uk()
    requests.transition(world.deps, "r1", "withdrawn", what="Withdrawn")
    return world


def expired() -> World:
    world = awaiting_verification()
    requests.transition(world.deps, "r1", "expired", what="Never confirmed")
    return world


WAYS: list[Callable[[], World]] = [
    *(awaiting_verification, in_progress, awaiting_approval, scheduled, paused, needs_attention, erasing),
    *(completed, rejected, withdrawn, expired),
]
ALLOWED: dict[str, set[str]] = {
    "approve": {"awaiting_approval"},
    "reject": {"in_progress", "awaiting_approval", "scheduled", "paused", "needs_attention"},
    "extend": {"in_progress", "awaiting_approval", "scheduled", "paused", "needs_attention", "erasing"},
    "pause": {"in_progress", "awaiting_approval", "scheduled", "needs_attention"},
    "resume": {"paused"},
    "retry": {"needs_attention", "erasing"},
    "skip": {"needs_attention", "erasing"},
    "show": {way.__name__ for way in WAYS},
}
"""Action -> where it acts."""


def order(world: World, action: str) -> dict[str, Any]:
    given = {**ACTIONS[action].example(action), "request_id": "r1"}
    if "store" in given:
        given["store"] = (world.request().get("failed") or ["surveys"])[0]
    return {name: value for name, value in given.items() if name not in ("plan_hash", "code")}


def seen(world: World) -> Any:
    """All that an action could change: the request's items, the mails, what was woken."""
    items = {key: item for key, item in world.table.items.items() if not key[0].startswith("ORDER#")}
    return json.loads(json.dumps([[*key, item] for key, item in sorted(items.items())], default=repr)), [
        len(world.mailer.sent),
        dict(world.executions.answers),
        dict(world.executions.started),
        world.contents(),
    ]


def test_the_ways_lead_to_every_status() -> None:
    reached = {way.__name__: way().request()["status"] for way in WAYS}
    assert set(reached.values()) == {status.value for status in Status}
    assert all(name in (status, "erasing") for name, status in reached.items())


@pytest.mark.parametrize("action", ON_A_REQUEST)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: str(way.__name__))
def test_every_action_against_every_status(way: Callable[[], World], action: str) -> None:
    world = way()
    before, asked = seen(world), order(world, action)
    answer = world.ask_desk(**asked)
    assert answer["message"]
    assert answer["ok"] is (way.__name__ in ALLOWED[action])
    if action == "show" or not answer["ok"]:
        assert seen(world) == before, "nothing changed"
        return
    assert seen(world) != before
    after = seen(world)
    again = world.ask_desk(**asked)
    assert again["message"]
    assert seen(world) == after, "a second time changes nothing"


@pytest.mark.parametrize(("action", "status"), sorted((a, s) for a in DECIDING for s in ALLOWED[a]))
def test_asked_for_many_times_at_once_it_acts_once(action: str, status: str) -> None:
    (way,) = [way for way in WAYS if way.__name__ == status]
    world = way()
    mails, number, asked = len(world.mailer.sent), itertools.count(), order(world, action)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: world.ask_desk(**asked, name=str(next(number))), range(6)))
    assert any(answer["ok"] for answer in answers)
    assert all(answer["message"] for answer in answers)
    entries = requests.entries(world.deps, world.request())
    assert len({(entry["what"], entry["status"]) for entry in entries[1:]}) == len(entries[1:]), "one entry for it"
    told = world.mailer.sent[mails:]
    assert len({mail.key for mail in told}) == len(told) <= 1


def where(action: str) -> World:
    """A company in which the example of the action has something to do."""
    ways = {"approve": awaiting_approval, "resume": paused, "retry": needs_attention, "skip": needs_attention}
    world = ways.get(action, in_progress)()
    world.clock.set(datetime(2027, 1, 30, tzinfo=UTC))
    item = {**world.request(), "due_at": "2027-02-28T23:59:59Z", "plan_hash": HASH}
    if action == "skip":
        item["failed"] = ["accounts", "subscriptions"]
    world.table.items["REQUEST#r1", "REQUEST"] = item
    return world


@pytest.mark.parametrize("action", ACTIONS)
def test_the_example_of_each_action_is_one_that_it_does(action: str) -> None:
    example = json.loads((EVENTS / f"dpo_{action}.json").read_text("utf-8"))
    assert example == ACTIONS[action].example(action)
    world = where(action)
    if "issue_id" in example:
        world.clock.set(datetime(2027, 1, 29, 14, tzinfo=UTC))
        example["issue_id"] = reported(world)
        world.clock.set(datetime(2027, 1, 30, tzinfo=UTC))
    if action in ("continue_sweep", "cancel_sweep"):
        braked(world, example["run_id"])
    if action == "release":
        example["hold_id"] = world.ask_desk("hold", store="accounts", ground="contract", reason="r")["hold_id"]
    if "request_id" in example:
        example["request_id"] = "r1"
    answer = world.desk(example).run().value
    assert answer["ok"], answer


def reported(world: World, kind: str = "wrong_data") -> str:
    """A reported issue; its id."""
    said = {"kind": kind, "message": "Look at this.", "email": ADA, "locale": "en", "source": "192.0.2.1"}
    return str(issues.report(world.deps, **said, proof=None)["issue_id"])


def braked(world: World, run_id: str) -> None:
    """A sweep that waits for the DPO, since all of the accounts are due."""
    datamap = world.deps.datamap
    world.stores["accounts"].put({"id": "a9", "email": "old@example.org", "used_at": "2020-01-01T00:00:00Z"})
    assert datamap.stores["accounts"].retention.brake < 33
    arn = "arn:aws:states:eu-west-1:123456789012:execution:RetentionSweep:x"
    world.executions.alive.add(arn)
    run = world.sweep("apply", "x", run_id=run_id, stores=["accounts"]).run()
    assert run.state == "Wait for the DPO to release the brake"
