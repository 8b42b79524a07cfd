"""Telling everyone of a new policy is killed at every call, before and after it takes effect: nobody is told twice, and
nobody is left out."""

from __future__ import annotations

from collections import Counter

import pytest

from rightful.errors import TryAgain
from rightful.service import mail_events
from rightful.service.desk import book
from tests.fakes.recording import Fault, Moment, no_fault
from tests.fakes.state_machine import Killed
from tests.fakes.world import World
from tests.functional.announcing.people import VERSION, company, people, publish, reports, told

ACCOUNTS = [*people(7), {"id": "b1", "email": "p3@example.org"}, {"id": "b2", "email": "nobody"}]
EVERYONE = [f"p{n}@example.org" for n in range(7)]


def published() -> World:
    world = company(ACCOUNTS, page_size=3, parts=2)
    publish(world)
    return world


def break_all(world: World, fault: Fault) -> None:
    for port in (world.table, world.vault, world.mailer, world.sweepers["accounts"]):
        port.fault = fault


def points() -> list[tuple[str, Moment, int]]:
    """Every call of a whole run, before and after it is made: (name, moment, which time)."""
    world, seen = published(), Counter[tuple[str, Moment]]()
    found = []

    def look(name: str, moment: Moment) -> None:
        seen[name, moment] += 1
        found.append((name, moment, seen[name, moment]))

    break_all(world, look)
    world.policy_notice(VERSION).run()
    return found


def struck(at: tuple[str, Moment, int], error: BaseException) -> World:
    """A run in which that call is hit. From then on time passes, as it does between the tries of Step Functions."""
    world = published()
    name, moment, which = at
    count = [0]

    def strike(called: str, when: Moment) -> None:
        if (called, when) == (name, moment):
            count[0] += 1
            if count[0] == which:
                raise error
        if count[0] >= which:
            world.clock.advance(5)
        if called in ("table.get_many", "table.put_new") and when == "before":
            deliver(world)

    break_all(world, strike)
    world.policy_notice(VERSION).run()
    assert count[0] >= which, "the fault was never met"
    return world


def deliver(world: World) -> None:
    """The events that SES publishes of the mails it took; another function handles them, and nobody kills that."""
    kept, world.table.fault = world.table.fault, no_fault
    for mail in list(world.mailer.sent):
        subject, kind, number = mail.key.split(":")
        tags = {"subject": [subject], "kind": [kind], "number": [number]}
        mail_events.note(world.deps, {"detail": {"eventType": "Send", "mail": {"messageId": "m", "tags": tags}}})
    world.table.fault = kept


POINTS = points()


@pytest.mark.parametrize("at", POINTS, ids=lambda at: "-".join(map(str, at)))
@pytest.mark.parametrize("error", [Killed(), TryAgain("passing")], ids=["killed", "passing"])
def test_nobody_is_told_twice_and_nobody_is_left_out(at: tuple[str, Moment, int], error: BaseException) -> None:
    world = struck(at, error)
    assert told(world) == EVERYONE
    assert len(reports(world)) == 1
    (entry,) = {entry["key"]: entry for entry in book.entries(world.deps) if entry["key"].startswith("told:")}.values()
    counted = {name: entry["facts"][name] for name in ("told", "same_address", "odd_address", "segments_left")}
    assert counted == {"told": 7, "same_address": 1, "odd_address": 1, "segments_left": 0}
