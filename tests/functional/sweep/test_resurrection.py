"""What was erased and came back from a copy taken before is recognised and erased again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rightful.clocks import stamp
from rightful.errors import NeedsAttention
from rightful.service import erased
from tests.fakes.company import ADA
from tests.fakes.recording import Moment
from tests.fakes.state_machine import Failed
from tests.fakes.world import World
from tests.functional.sweep.company import company, left

USED = "2026-10-20T00:00:00Z"
"""Not due for a year."""


@pytest.fixture
def world() -> World:
    return company(
        accounts=[
            {"id": "a1", "used_at": USED, "email": ADA, "account_id": "acct-1"},
            {"id": "a2", "used_at": USED, "email": "bob@example.org", "account_id": "acct-2"},
        ],
        events=[
            {"id": "e1", "used_at": USED, "account_id": "acct-1"},
            {"id": "e2", "used_at": USED, "account_id": "acct-2"},
        ],
        invoices=[{"id": "i1", "used_at": USED, "issued_at": USED, "email": ADA}],
        answers=[{"id": "v1", "used_at": USED, "email": ADA, "note": "mine"}],
    )


def erase_and_restore(world: World) -> dict[str, list[dict[str, Any]]]:
    """Ada's erasure runs to its end; then every table is put back from a copy taken before. What was in them after the
    erasure."""
    copy = world.contents()
    world.ask_for("erasure")
    world.execution().run()
    assert world.request()["status"] == "completed"
    after = world.contents()
    for name, items in copy.items():
        for item in items:
            world.stores[name].put(item)
    world.clock.advance(days=1)
    return after


def test_what_came_back_is_erased_again_and_reported(world: World) -> None:
    after = erase_and_restore(world)
    stores = world.sweep("apply").run().value["stores"]
    assert {name: counts["resurrected"] for name, counts in stores.items()} == {
        "accounts": 1,
        "events": 1,
        "invoices": 0,
        "answers": 1,
    }
    again = world.contents()
    for contents in (after, again):
        contents["answers"][0].pop("rightful_anonymised_at")
    assert again == after


def test_what_was_erased_is_remembered_though_the_last_mail_is_refused(world: World) -> None:
    def refuse(name: str, moment: Moment) -> None:
        raise NeedsAttention("SendEmail answered MessageRejected")

    world.mailer.fault = refuse
    with pytest.raises(Failed):
        erase_and_restore(world)
    assert world.request()["status"] == "completed"
    assert len(world.table.query("ERASED")) == 2


def test_a_person_who_came_back_is_left_alone(world: World) -> None:
    erase_and_restore(world)
    world.stores["accounts"].put({"id": "a9", "used_at": "2026-11-03T09:00:00Z", "email": ADA, "account_id": "acct-9"})
    world.stores["events"].put({"id": "e9", "used_at": "2026-11-03T09:00:00Z", "account_id": "acct-9"})
    world.sweep("apply").run()
    assert left(world, "accounts") == ["a2", "a9"]
    assert left(world, "events") == ["e2", "e9"]


def test_who_comes_back_at_once_through_a_machine_whose_clock_is_slow_is_left_alone(world: World) -> None:
    """A minute after the erasure, on a clock that is five minutes behind ours."""
    began = world.clock()
    world.ask_for("erasure")
    world.execution().run()
    used = stamp(began + timedelta(minutes=1) - timedelta(minutes=5))
    world.stores["accounts"].put({"id": "a9", "used_at": used, "email": ADA, "account_id": "acct-9"})
    assert world.sweep("apply").run().value["stores"]["accounts"]["resurrected"] == 0
    assert left(world, "accounts") == ["a2", "a9"]


def test_what_an_erasure_kept_is_kept_again(world: World) -> None:
    erase_and_restore(world)
    assert world.sweep("apply").run().value["stores"]["invoices"]["kept"] == {"in_use": 1}
    assert left(world, "invoices") == ["i1"]


def test_a_record_without_a_readable_date_is_reported_and_not_guessed_about(world: World) -> None:
    erase_and_restore(world)
    world.stores["events"].put({"id": "e1", "account_id": "acct-1"})
    world.sweep("apply").run()
    assert left(world, "events") == ["e1", "e2"]


def test_a_preview_tells_what_came_back(world: World) -> None:
    erase_and_restore(world)
    before = world.contents()
    assert world.sweep("preview").run().value["stores"]["accounts"]["resurrected"] == 1
    assert world.contents() == before


def test_of_two_erasures_the_later_one_stands_though_the_earlier_ends_last(world: World) -> None:
    later = world.clock()
    who = {"email": [ADA]}
    erased.note(world.deps, who, later, [])
    erased.note(world.deps, who, later - timedelta(days=30), ["accounts"])
    erased.snapshot(world.deps, "run")
    ledger = erased.load(world.deps, "run")
    assert ledger.came_back("accounts", erased.digests(world.deps, who), later - timedelta(days=1))


def test_the_ledger_holds_nobodys_identity(world: World) -> None:
    erase_and_restore(world)
    ledger = [item for (pk, _), item in world.table.items.items() if pk == "ERASED"]
    assert len(ledger) == 2  # the address and the account
    assert not any(word in str(ledger) for word in ("ada", "acct", "example"))


def test_the_copy_of_the_ledger_goes_with_the_run(world: World) -> None:
    erase_and_restore(world)
    world.sweep("apply").run()
    assert [key for key in world.reports.list("") if key.startswith("work/")] == []
