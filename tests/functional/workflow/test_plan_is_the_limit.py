"""An erasure acts on the records that its plan counted, and on no others."""

from __future__ import annotations

from typing import Any

import pytest

from rightful.errors import NeedsAttention
from rightful.service import deciding
from tests.fakes.company import ADA
from tests.fakes.world import make_world


def test_a_person_who_came_back_while_an_erasure_waited_keeps_the_new_account() -> None:
    world = make_world()
    world.ask_for("erasure")
    world.stores["surveys"].fail("anonymise", NeedsAttention("no access"), times=None)
    run = world.execution().run()
    assert world.request()["status"] == "needs_attention"
    world.clock.advance(days=60)
    new = {
        "accounts": {"id": "a9", "email": ADA, "account_id": "acct-9", "note": "back again"},
        "subscriptions": {"id": "s9", "account_id": "acct-9", "customer_id": "cus-9"},
        "surveys": {"id": "v9", "email": ADA, "note": "new"},
    }
    for name, item in new.items():
        world.stores[name].put(item)

    world.stores["surveys"].mend()
    deciding.decide(world.deps, "r1", "retry")
    run.resume()

    assert world.request()["status"] == "completed"
    assert all(item in world.stores[name].items for name, item in new.items())
    rows = {row["sk"].removeprefix("STORE#"): row for row in world.table.query("REQUEST#r1", "STORE#")}
    assert (rows["surveys"]["anonymised"], rows["surveys"]["later"], rows["surveys"]["left"]) == (1, 1, 0)
    assert rows["accounts"]["deleted"] == 1


def test_a_record_that_came_right_after_the_plan_is_left_and_counted() -> None:
    world = make_world()
    world.ask_for("erasure")
    run = world.execution()
    erase = run.lambdas["EraseFunctionArn"]
    late = {"id": "a5", "email": ADA, "account_id": "acct-1", "note": "late"}

    def late_record(event: dict[str, Any]) -> object:
        world.stores["accounts"].put(late)
        return erase(event)

    run.lambdas = {**run.lambdas, "EraseFunctionArn": late_record}
    run.run()
    row = world.table.get("REQUEST#r1", "STORE#accounts")
    assert row is not None
    assert (row["deleted"], row["later"], row["left"]) == (1, 1, 0)
    assert late in world.stores["accounts"].items


@pytest.mark.parametrize("pages", [0, 1, 2])
def test_what_a_store_erased_before_it_failed_is_counted_when_it_is_taken_up_with_more_to_look_for(pages: int) -> None:
    """Subscriptions, which cannot be searched at first, lead to one more invoice."""
    world = make_world()
    for n in range(250):
        world.stores["invoices"].put({"id": f"x{n}", "email": ADA, "issued_at": "2012-02-29"})
    world.ask_for("erasure")
    world.stores["subscriptions"].fail("find", NeedsAttention("no access"), times=None)
    world.stores["invoices"].fail("delete", NeedsAttention("no access"), times=None, after=pages)
    run = world.execution().run()

    for name in ("subscriptions", "invoices"):
        world.stores[name].mend()
    deciding.decide(world.deps, "r1", "retry")
    run.resume()

    row = world.table.get("REQUEST#r1", "STORE#invoices")
    assert row is not None
    assert (row["deleted"], row["left"]) == (251, 0)
    assert {item["id"] for item in world.stores["invoices"].items} == {"i1", "i3", "i4"}


@pytest.mark.parametrize("nobody", ["unknown", "N/A", " ", "0", "null"])
def test_a_word_that_stands_for_nobody_joins_no_strangers(nobody: str) -> None:
    world = make_world()
    world.stores["accounts"].put({"id": "a1", "email": ADA, "account_id": nobody})
    theirs = {"id": "c7", "account_id": nobody, "email": "eve@example.org"}
    world.stores["contacts"].put(theirs)
    world.ask_for("erasure")
    world.execution().run()
    assert theirs in world.stores["contacts"].items
