"""Each request that ended is in the register, once, with what was done and without whose it was."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from rightful.clocks import moment, stamp
from rightful.service import completing, discovering, registering, requests
from tests.fakes.company import ADA, small_map
from tests.fakes.recording import no_fault
from tests.fakes.world import World, forever, make_world

DAY = date(2026, 11, 2)


def register(world: World) -> list[dict[str, Any]]:
    return list(registering.read(world.deps, DAY, DAY))


def test_an_erasure_is_written_down_with_its_counts() -> None:
    world = make_world()
    world.ask_for("erasure")
    world.execution().run()
    (row,) = register(world)
    assert (row["pk"], row["sk"]) == ("REGISTER#2026-11", f"{world.request()['changed_at']}#r1")
    assert row["status"] == "completed"
    assert (row["type"], row["regime"], row["source"], row["late"], row["extended"]) == (
        *("erasure", "gdpr", "form"),
        *(False, False),
    )
    assert row["stores"] == {
        "accounts": {"deleted": 1},
        "subscriptions": {"deleted": 2},
        "invoices": {"deleted": 1, "kept": 2},
        "surveys": {"anonymised": 1},
        "contacts": {"deleted": 2},
    }
    assert row["kept_by"] == {"accounting": 2}


def test_it_names_nobody() -> None:
    world = make_world()
    world.ask_for("access")
    world.execution().run()
    (row,) = register(world)
    said = json.dumps(row)
    assert row["stores"]["accounts"] == {"exported": 1}
    assert "person" not in row
    assert ADA not in said
    assert world.vault.digest("person", ADA) not in said


@pytest.mark.parametrize(
    ("changed", "column", "value"),
    [
        ({"due_at": "2026-11-02T08:59:59Z"}, "late", True),
        ({"due_at": "2026-11-02T09:00:00Z"}, "late", False),
        ({"extended_until": "2027-02-02T23:59:59Z"}, "extended", True),
        ({"paused_days": 4}, "paused_days", 4),
        ({"source": "letter"}, "source", "letter"),
    ],
)
def test_what_the_request_says_of_itself(changed: dict[str, Any], column: str, value: Any) -> None:
    world = make_world()
    world.ask_for("access", **changed)
    world.execution().run()
    (row,) = register(world)
    assert row[column] == value


def test_a_refusal_comes_with_its_ground_and_a_withdrawal_without() -> None:
    world = make_world()
    for request_id, facts in (
        ("r1", {"refusal": {"ground": "excessive", "law": "Article 12(5) GDPR", "reason": "Ada asks daily"}}),
        ("r2", {}),
    ):
        world.ask_for("erasure", request_id)
        if facts:
            world.table.update(f"REQUEST#{request_id}", "REQUEST", facts)
        else:
            requests.transition(world.deps, request_id, "withdrawn", what="You withdrew it")
        completing.step(world.deps, request_id)
    first, second = register(world)
    assert (first["status"], first["ground"]) == ("rejected", "excessive")
    assert (second["status"], second["ground"], second["stores"]) == ("withdrawn", "", {})
    assert "daily" not in json.dumps(first)


def test_a_store_that_was_left_out_says_so() -> None:
    world = make_world()
    world.ask_for("erasure")
    discovering.step(world.deps, "r1", forever)
    world.table.update("REQUEST#r1", "STORE#surveys", {"skipped": True, "reason": "r", "left": 3, "deleted": 0})
    world.table.update(
        "REQUEST#r1", "STORE#accounts", {"done": True, "held": 2, "held_by": [], "blocked": 1, "deleted": 0}
    )
    completing.step(world.deps, "r1")
    (row,) = register(world)
    assert row["stores"] == {"surveys": {"left": 3, "skipped": True}, "accounts": {"held": 2, "blocked": 1}}


class Killed(BaseException):
    """The process ended here."""


def test_killed_anywhere_and_run_again_there_is_one_row_before_the_mail() -> None:
    for number in range(200):
        world = make_world()
        world.ask_for("erasure")
        discovering.step(world.deps, "r1", forever)
        left = [number]

        def fault(name: str, moment: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Killed

        world.table.fault = world.mailer.fault = fault
        try:
            completing.step(world.deps, "r1")
            return
        except Killed:
            world.table.fault = world.mailer.fault = no_fault
            assert len(register(world)) == 1 or not world.mailer.sent
        world.clock.advance(3600)
        completing.step(world.deps, "r1")
        (row,) = register(world)
        assert row["closed_at"] == world.request()["changed_at"]
    raise AssertionError("the step never came to its end")


def test_what_is_written_down_stays_as_it_was() -> None:
    world = make_world()
    world.ask_for("erasure")
    discovering.step(world.deps, "r1", forever)
    completing.step(world.deps, "r1")
    before = register(world)
    world.table.update("REQUEST#r1", "STORE#accounts", {"deleted": 9})
    completing.step(world.deps, "r1")
    assert register(world) == before


def test_what_has_not_ended_is_not_written_down() -> None:
    world = make_world()
    world.ask_for("access")
    with pytest.raises(ValueError, match="ended"):
        registering.enter(world.deps, world.request())
    assert register(world) == []


@pytest.mark.parametrize(
    ("kept", "until"), [("P3Y", "2030-11-02"), ("P1M", "2028-11-02"), ("P1Y", "2028-11-02"), ("P13M", "2028-12-02")]
)
def test_it_stays_a_year_longer_than_the_request_and_two_at_least(kept: str, until: str) -> None:
    datamap = small_map()
    world = make_world(replace(datamap, controller=replace(datamap.controller, records_kept=kept)))
    world.ask_for("access")
    completing.step(world.deps, "r1")
    (row,) = register(world)
    assert stamp(moment(row["closed_at"])).startswith("2026-11-02")
    assert stamp(registering.until(world.deps, moment(row["closed_at"]))).startswith(until)
    assert row["expires_at"] == int(moment(f"{until}T09:00:00Z").timestamp())
    assert registering.oldest(world.deps) <= DAY
    world.clock.set(moment(f"{until}T08:59:59Z"))
    assert len(register(world)) == 1
    assert registering.oldest(world.deps) <= DAY, "a row that is still there is still read"
    world.clock.advance(1)
    assert register(world) == []


def test_reading_goes_over_months_and_holds_a_day_at_a_time() -> None:
    world = make_world()
    for closed in ("2026-10-30T23:59:59Z", "2026-10-31T00:00:00Z", "2026-11-01T12:00:00Z", "2026-11-02T00:00:00Z"):
        world.table.put_new(f"REGISTER#{closed[:7]}", f"{closed}#r", {"closed_at": closed})
    found = [row["closed_at"] for row in registering.read(world.deps, date(2026, 10, 31), date(2026, 11, 1))]
    assert found == ["2026-10-31T00:00:00Z", "2026-11-01T12:00:00Z"]
