"""Much work and little time; things that change meanwhile; requests for which nothing may be done."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from itertools import count

import pytest

from rightful.errors import NeedsAttention
from rightful.ports import Mail
from rightful.service import discovering, erasing, exporting, planning, requests
from rightful.service.deps import TimeLeft
from tests.fakes.company import ADA, BOB, small_stores
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World, forever, make_world

MANY = 50_000


def two_pages_each() -> TimeLeft:
    """A time guard that lets a step read two pages."""
    looks = count()
    return lambda: 1.0 if next(looks) < 1 else 0.0


def large_world() -> World:
    stores = small_stores()
    stores["contacts"] = MemoryStore(
        {"id": f"c{n:06}", "account_id": "acct-10" if n % 10 == 0 else "acct-1", "email": f"{n}@example.org"}
        for n in range(MANY * 10 // 9 + 1)
    )
    return make_world(stores=stores, time_left=two_pages_each)


def test_50000_records_of_one_person_are_erased_in_rounds_that_each_do_little() -> None:
    world = large_world()
    world.ask_for("erasure")
    bystanders = [item for item in world.stores["contacts"].items if item["account_id"] == "acct-10"]
    mine = len(world.stores["contacts"].items) - len(bystanders)
    assert mine >= MANY

    run = world.execution().run()

    assert world.request()["status"] == "completed"
    assert world.stores["contacts"].items == bystanders
    row = world.table.get("REQUEST#r1", "STORE#contacts")
    assert row is not None
    assert (row["deleted"], row["left"]) == (mine, 0)
    assert run.history.count("Erase from this store and read it back") > 200
    assert max(len(text) for text in run.shown) < 262_144, "Step Functions' limit for a state's input or output"


def test_50000_records_of_one_person_are_exported_in_rounds() -> None:
    world = large_world()
    world.ask_for("access")
    world.execution().run()
    archive = zipfile.ZipFile(io.BytesIO(world.files.objects["packages/r1.zip"]))
    exported = json.loads(archive.read("data/contacts.json"))
    mine = [item["id"] for item in world.stores["contacts"].items if item["account_id"] == "acct-1"]
    assert [item["id"] for item in exported] == mine


def test_a_record_that_became_somebody_elses_is_left_alone() -> None:
    world = make_world()
    world.ask_for("erasure")
    contacts = world.stores["contacts"]
    original = contacts.delete
    theirs = {"id": "c2", "account_id": "acct-10", "email": BOB}

    def handed_over(records, guard):  # type: ignore[no-untyped-def] # the connector's own signature
        contacts.put(theirs)
        return original(records, guard)

    contacts.delete = handed_over  # type: ignore[method-assign] # the race, made certain
    world.execution().run()
    assert theirs in contacts.items
    assert "c1" not in {item["id"] for item in contacts.items}


def test_what_keeps_coming_back_is_shown_to_the_dpo_as_left_over() -> None:
    world = make_world()
    world.ask_for("erasure")
    original = world.stores["surveys"].anonymise

    def undone(records, guard):  # type: ignore[no-untyped-def] # the connector's own signature
        results = original(records, guard)
        world.stores["surveys"].put({"id": "v1", "email": ADA, "note": "again"})
        return results

    world.stores["surveys"].anonymise = undone  # type: ignore[method-assign] # somebody writes it anew each time
    run = world.execution().run()
    assert run.state == "Wait for the DPO to resolve what failed"
    row = world.table.get("REQUEST#r1", "STORE#surveys")
    assert row is not None
    assert (row["left"], row["anonymised"]) == (1, 0)
    assert world.stores["surveys"].calls.count("anonymise") == 2, "erased, retried once, then only read"


def test_what_the_store_locks_is_reported_as_blocked_until() -> None:
    world = make_world()
    world.ask_for("erasure")
    store = world.stores["accounts"]
    until = world.clock().replace(year=2030)
    store.blocked[store.key_of({"id": "a1"})] = until
    world.execution().run()
    assert world.request()["status"] == "completed"
    row = world.table.get("REQUEST#r1", "STORE#accounts")
    assert row is not None
    assert (row["deleted"], row["blocked"], row["blocked_until"]) == (0, 1, "2030-11-02T09:00:00Z")


@pytest.mark.parametrize("kind", ["access", "erasure"])
def test_nothing_is_done_for_a_request_that_was_not_verified(kind: str) -> None:
    world = make_world()
    world.ask_for(kind)
    world.table.update("REQUEST#r1", "REQUEST", {"status": "awaiting_verification"}, remove=["verified_at"])
    before = world.contents()
    steps: list[Callable[[], object]] = [
        lambda: discovering.step(world.deps, "r1", forever),
        lambda: planning.step(world.deps, "r1"),
        lambda: exporting.step(world.deps, "r1", "accounts", forever),
        lambda: erasing.step(world.deps, "r1", "accounts", forever),
    ]
    for step in steps:
        with pytest.raises(NeedsAttention, match="never verified"):
            step()
    assert world.contents() == before
    assert not any(store.calls for store in world.stores.values())


def test_erasing_needs_the_plan_to_be_released() -> None:
    world = make_world()
    world.ask_for("erasure")
    discovering.step(world.deps, "r1", forever)
    with pytest.raises(NeedsAttention, match="not released"):
        erasing.step(world.deps, "r1", "accounts", forever)
    assert len(world.stores["accounts"].items) == 2


def test_a_request_withdrawn_while_it_is_exported_ends_without_a_package() -> None:
    world = make_world()
    world.ask_for("access")
    run = world.execution()
    original = run.lambdas["ExportFunctionArn"]

    def withdrawn(event: dict[str, str]) -> object:
        if world.request()["status"] == "in_progress":
            requests.transition(world.deps, "r1", "withdrawn", what="You withdrew the request")
        return original(event)

    run.lambdas = {**run.lambdas, "ExportFunctionArn": withdrawn}
    run.run()
    assert run.ended
    assert "Pack the download" not in run.history
    assert not world.files.objects
    assert [mail.key for mail in world.mailer.sent] == ["r1:withdrawn:1"]


def test_a_person_nobody_knows_gets_an_honest_empty_answer() -> None:
    for kind in ("access", "erasure"):
        world = make_world()
        world.ask_for(kind, email="nobody@example.org")
        before = world.contents()
        world.execution().run()
        assert world.request()["status"] == "completed"
        assert world.contents() == before
        sent: list[Mail] = world.mailer.sent
        assert [mail.to for mail in sent] == ["nobody@example.org"]
