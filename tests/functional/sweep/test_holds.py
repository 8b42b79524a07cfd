"""Legal holds and open requests withhold what is due, when it is counted and when it is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rightful.errors import Invalid, NeedsAttention, NotFound
from rightful.service import erased, holding, protecting
from tests.fakes.company import ADA
from tests.fakes.world import World
from tests.functional.sweep.company import OLD, company, left

HOLD: dict[str, Any] = {"ground": "legal_process", "reason": "case 12"}


@pytest.fixture
def world() -> World:
    return company(
        accounts=[
            {"id": "a1", "used_at": OLD, "email": "Ada@Example.org", "account_id": "acct-1"},
            {"id": "a2", "used_at": OLD, "email": "bob@example.org", "account_id": "acct-2"},
        ],
        events=[
            {"id": "e1", "used_at": OLD, "account_id": "acct-1"},
            {"id": "e2", "used_at": OLD, "account_id": "acct-2"},
        ],
        answers=[{"id": "v1", "used_at": OLD, "email": ADA, "note": "mine"}],
    )


def swept(world: World, name: str = "run") -> dict[str, tuple[int, int]]:
    """Store -> (due, held)."""
    stores = world.sweep("apply", name).run().value["stores"]
    return {store: (counts["due"], counts["held"]) for store, counts in stores.items() if counts["due"]}


def test_a_hold_on_a_person_covers_what_the_graph_leads_to(world: World) -> None:
    world.stores["accounts"].put({"id": "a1", "used_at": OLD, "email": ADA, "account_id": "acct-1"})
    holding.place_on_person(world.deps, "h1", ADA, **HOLD)
    assert swept(world) == {"accounts": (2, 1), "events": (2, 1), "answers": (1, 1)}
    assert (left(world, "accounts"), left(world, "events")) == (["a1"], ["e1"])
    assert world.stores["answers"].items[0]["note"] == "mine"


def test_a_hold_is_found_by_every_spelling_of_an_address(world: World) -> None:
    found = erased.digests(world.deps, {"email": [ADA]})
    holding.place(world.deps, "h1", "person", found, **HOLD)
    assert swept(world)["accounts"] == (2, 1)
    assert left(world, "accounts") == ["a1"]


def test_a_hold_on_a_store_covers_all_of_it(world: World) -> None:
    holding.place(world.deps, "h1", "store", store="events", **HOLD)
    assert swept(world)["events"] == (2, 2)
    assert left(world, "events") == ["e1", "e2"]


def test_a_hold_on_a_record_covers_that_record(world: World) -> None:
    key = world.stores["events"].key_of({"id": "e2"})
    holding.place(
        world.deps, "h1", "record", [protecting.record_digest(world.deps, "events", key)], store="events", **HOLD
    )
    assert swept(world)["events"] == (2, 1)
    assert left(world, "events") == ["e2"]


def test_a_hold_that_comes_between_reading_and_writing_is_respected(world: World) -> None:
    """It is placed when everything was counted and the page that is to be acted on was read."""
    pages = []

    def place() -> None:
        pages.append(1)
        if len(pages) == 2:
            holding.place(world.deps, "h1", "store", store="events", **HOLD)

    world.sweepers["events"].between = place
    world.sweepers["events"].parts = 1
    assert swept(world)["events"] == (2, 2)
    assert left(world, "events") == ["e1", "e2"]


def test_a_hold_is_looked_for_before_every_hundred_writes(world: World) -> None:
    for n in range(250):
        world.stores["answers"].put({"id": f"n{n}", "used_at": OLD, "note": "x"})
    world.sweepers["answers"].page_size, world.sweepers["answers"].parts = 1000, 1
    turns = []

    def place() -> None:
        turns.append(1)
        if len(turns) == 3:  # two pages were read, and the first record is about to be written
            holding.place(world.deps, "h1", "store", store="answers", **HOLD)

    world.sweepers["answers"].between = place
    counts = world.sweep("apply").run().value["stores"]["answers"]
    assert (counts["anonymised"], counts["held"]) == (100, 151)


def test_a_released_hold_starts_the_sweep_of_what_it_withheld_once(world: World) -> None:
    holding.place(world.deps, "h1", "store", store="events", **HOLD)
    swept(world, "one")
    for _ in range(2):
        holding.release(world.deps, "h1")
    assert world.executions.started == {"after-hold-h1": {"mode": "apply", "stores": ["events"]}}
    assert swept(world, "two") == {"events": (2, 0)}
    assert left(world, "events") == []


def test_a_hold_ends_by_itself_when_it_was_given_an_end(world: World) -> None:
    holding.place(world.deps, "h1", "store", store="events", until=world.clock() + timedelta(days=30), **HOLD)
    assert swept(world, "one")["events"] == (2, 2)
    world.clock.advance(days=30)  # by a clock that may be five minutes ahead
    assert len(protecting.active(world.deps)) == 1
    world.clock.advance(days=1)
    assert swept(world, "two")["events"] == (2, 0)


def test_the_same_hold_twice_is_one(world: World) -> None:
    first = holding.place(world.deps, "h1", "store", store="events", **HOLD)
    world.clock.advance(days=1)
    assert holding.place(world.deps, "h1", "store", store="events", **HOLD) == first
    assert len(protecting.active(world.deps)) == 1


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"ground": "because"}, "ground"),
        ({"reason": " "}, "reason"),
        ({"store": "evnts"}, "store"),
        ({"until": "past"}, "until"),
    ],
)
def test_a_hold_that_cannot_be_is_refused_by_its_field(world: World, changed: dict[str, str], field: str) -> None:
    given: dict[str, Any] = {"store": "events", **HOLD, **changed}
    if "until" in given:
        given["until"] = world.clock()
    with pytest.raises(Invalid) as refusal:
        holding.place(world.deps, "h1", "store", **given)
    assert [name for name, _ in refusal.value.errors] == [field]
    assert protecting.active(world.deps) == []


def test_a_hold_that_would_miss_half_of_a_person_is_not_placed(world: World) -> None:
    world.stores["accounts"].put({"id": "a1", "used_at": OLD, "email": ADA, "account_id": [f"x{n}" for n in range(21)]})
    with pytest.raises(NeedsAttention, match="accounts"):
        holding.place_on_person(world.deps, "h1", ADA, **HOLD)
    assert protecting.active(world.deps) == []


def test_releasing_a_hold_on_a_store_that_no_sweep_reaches_starts_none(world: World) -> None:
    gone = replace(world.deps.datamap.stores["events"], connector="planned")
    holding.place(world.deps, "h1", "store", store="events", **HOLD)
    datamap = replace(world.deps.datamap, stores={**world.deps.datamap.stores, "events": gone})
    holding.release(replace(world.deps, datamap=datamap), "h1")
    assert world.executions.started == {}


def test_there_is_no_hold_to_release() -> None:
    with pytest.raises(NotFound):
        holding.release(company().deps, "h9")


def test_who_has_an_open_request_is_left_alone_until_it_ends(world: World) -> None:
    world.stores["accounts"].put({"id": "a1", "used_at": OLD, "email": ADA, "account_id": "acct-1"})
    world.ask_for("access")
    assert swept(world, "one")["accounts"] == (2, 1)  # before anything was searched: what carries the address
    world.execution().run()
    assert world.request()["status"] == "completed"
    assert swept(world, "two")["accounts"] == (1, 0)


def test_a_request_protects_from_its_proof_to_its_end_and_leaves_no_guard(world: World) -> None:
    world.ask_for("erasure")
    assert {key for key in world.table.items if key[0] == "GUARDS"} == {("GUARDS", "r1")}
    world.execution().run()
    assert not [key for key in world.table.items if key[0] == "GUARDS"]


def test_holds_that_were_released_are_not_read_again(world: World) -> None:
    holding.place(world.deps, "h1", "store", store="events", **HOLD)
    holding.release(world.deps, "h1")
    assert holding.place(world.deps, "h1", "store", store="events", **HOLD)["released_at"]
    assert world.table.query("HOLDS", "HOLD#") == []


def test_where_the_daily_sweep_only_previews_a_released_hold_deletes_nothing(world: World) -> None:
    world.deps = replace(world.deps, settings=replace(world.deps.settings, retention_mode="preview"))
    holding.place(world.deps, "h1", "store", store="events", **HOLD)
    holding.release(world.deps, "h1")
    assert world.executions.started == {"after-hold-h1": {"mode": "preview", "stores": ["events"]}}
