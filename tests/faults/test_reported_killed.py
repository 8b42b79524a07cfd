"""The report of somebody under 18, killed at any call, and taken up by the same call again or by the daily round: one
request, one workflow, one mail to each; and nothing of anybody's data is touched."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from rightful.clocks import stamp
from rightful.service import deadlines
from tests.fakes.company import ADA
from tests.fakes.recording import Fault, Moment, Recorder, no_fault
from tests.fakes.state_machine import Killed
from tests.fakes.world import World, forever, make_world
from tests.functional.issues.reports import DPO, report

KEY = "3f6a1c52-7be0-4e0d-9d53-0a2b9f1c7d64"


def ports(world: World) -> list[Recorder]:
    limits = world.deps.limits
    assert isinstance(limits, Recorder)
    return [world.table, world.vault, world.mailer, world.executions, world.events, limits]


def break_all(world: World, fault: Fault) -> None:
    for port in ports(world):
        port.fault = fault


def provider_reports(world: World) -> None:
    for mail in world.mailer.sent:
        subject, kind, _ = mail.key.split(":")
        world.table.update(f"REQUEST#{subject}", f"MAIL#{kind}", {"accepted_at": stamp(world.clock())})


def send_again(world: World) -> None:
    world.clock.advance(120)
    report(world, "under_18", key=KEY)


def next_round(world: World) -> None:
    world.clock.advance(20 * 3600)
    deadlines.step(world.deps, forever).faults.ensure_none()


def end(world: World) -> dict[str, Any]:
    requests = [item for (_, sk), item in world.table.items.items() if sk == "REQUEST"]
    issues = [item for (_, sk), item in world.table.items.items() if sk == "ISSUE"]
    return {
        "requests": [
            (item["status"], item["source"], "reported_at" in item, "verified_at" in item) for item in requests
        ],
        "issues": [(item["open"], item["erasure_id"] == requests[0]["request_id"]) for item in issues],
        "started": list(world.executions.started) == [f"erasure-{item['request_id']}" for item in requests],
        "to the holder": [mail.key.split(":")[1] for mail in world.mailer.to(ADA)],
        "to the DPO": len([mail for mail in world.mailer.to(DPO) if mail.key.split(":")[1] != "dpo_deadlines"]),
        "entries": [entry[1] for entry in sorted(world.table.items) if entry[1].startswith("EVENT#")],
    }


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("recover", [send_again, next_round])
def test_wherever_it_is_killed_the_end_is_the_same(moment: Moment, recover: Callable[[World], None]) -> None:
    undisturbed = make_world()
    report(undisturbed, "under_18", key=KEY)
    wanted, calls = end(undisturbed), sum(len(port.calls) for port in ports(undisturbed))
    assert wanted["requests"] == [("in_progress", "under_18", True, False)]
    assert wanted["to the holder"] == ["reported_under_18"]
    assert calls > 25
    for at in range(calls):
        world, seen = make_world(), 0
        before = copy.deepcopy(world.contents())

        def kill(_: str, now: Moment, at: int = at) -> None:
            nonlocal seen
            seen += now == moment
            if now == moment and seen == at + 1:
                raise Killed

        break_all(world, kill)
        with pytest.raises(Killed):
            report(world, "under_18", key=KEY)
        break_all(world, no_fault)
        provider_reports(world)
        if recover is next_round and not [key for key in world.table.items if key[1] == "ISSUE"]:
            continue  # nothing was registered, and the caller was told of an error
        recover(world)
        assert end(world) == wanted, (moment, at)
        assert world.contents() == before
