"""What was true when a step read must still be true when it writes: each condition, broken in between."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rightful import periods
from rightful.errors import Conflict, Gone, NeedsAttention, NotFound, TooMany, TryAgain, Unauthorised
from rightful.model import Erasure, RequestPolicy, Result, Strategy
from rightful.service import (
    admitting,
    deciding,
    discovering,
    erasing,
    exporting,
    mailing,
    planning,
    progress,
    requests,
    verifying,
)
from tests.fakes.company import ADA, BOB, by, small_map, small_stores, store
from tests.fakes.memory_store import MemoryStore
from tests.fakes.recording import Moment
from tests.fakes.world import World, forever, make_world

REQUEST = ("REQUEST#r1", "REQUEST")


class Meanwhile:
    """Right before the next write of this kind, somebody else changes something; once."""

    def __init__(self, world: World, change: Callable[[], object], name: str = "table.update") -> None:
        self._name = name
        self._change: Callable[[], object] | None = change
        world.table.fault = self

    def __call__(self, name: str, moment: Moment) -> None:
        if (name, moment) == (self._name, "before") and self._change:
            change, self._change = self._change, None
            change()


def tampered(world: World, **facts: Any) -> Callable[[], object]:
    """The request with other facts; None takes one away."""

    def change() -> None:
        item = {**world.table.items[REQUEST], **facts}
        world.table.items[REQUEST] = {name: value for name, value in item.items() if value is not None}

    return change


def released(datamap: Any = None, stores: Any = None) -> World:
    """An erasure whose plan was released and of which nothing is erased yet."""
    world = make_world(datamap, stores)
    world.ask_for("erasure")
    discovering.step(world.deps, "r1", forever)
    planning.step(world.deps, "r1")
    return world


@pytest.mark.parametrize(
    "facts",
    [
        {"verified_at": None},
        {"erasing_since": None},
        {"status": "withdrawn"},
        {"status": "rejected"},
        {"status": "awaiting_verification"},
    ],
    ids=str,
)
def test_nothing_is_erased_for_a_request_that_is_not_proven_open_and_released(facts: dict[str, Any]) -> None:
    world = released()
    before = world.contents()
    tampered(world, **facts)()
    with pytest.raises((progress.Ended, NeedsAttention)):
        erasing.step(world.deps, "r1", "accounts", forever)
    assert world.contents() == before


@pytest.mark.parametrize(
    "facts", [{"verified_at": None}, {"status": "withdrawn"}, {"plan_hash": "other"}, {"erasing_since": None}], ids=str
)
def test_nothing_is_erased_when_that_changes_after_it_was_read(facts: dict[str, Any]) -> None:
    """Proof, status, release and plan are conditions of a write before the first record goes."""
    world = released()
    before = world.contents()
    Meanwhile(world, tampered(world, **facts))
    with pytest.raises(progress.Ended):
        erasing.step(world.deps, "r1", "accounts", forever)
    assert world.contents() == before


@pytest.mark.parametrize("to", ["completed", "scheduled", "needs_attention", "withdrawn"])
def test_no_status_follows_for_a_request_that_lost_its_proof(to: str) -> None:
    world = make_world()
    world.ask_for("erasure")
    Meanwhile(world, tampered(world, verified_at=None))
    with pytest.raises(Conflict):
        requests.transition(world.deps, "r1", to, what="Waved through")
    assert world.request()["status"] == "in_progress"


def test_erasing_does_not_begin_for_a_request_that_lost_its_proof() -> None:
    world = make_world()
    world.ask_for("erasure")
    Meanwhile(world, tampered(world, verified_at=None))
    with pytest.raises(Conflict):
        requests.begin_erasing(world.deps, "r1")
    assert "erasing_since" not in world.request()


@pytest.mark.parametrize("policy", [RequestPolicy(), RequestPolicy(approval="dpo"), RequestPolicy(grace_period="P7D")])
@pytest.mark.parametrize("facts", [{"status": "withdrawn"}, {"verified_at": None}], ids=str)
def test_no_plan_is_released_for_a_request_that_ended_while_it_was_written(
    facts: dict[str, Any], policy: RequestPolicy
) -> None:
    world = make_world(small_map(erasure=policy))
    world.ask_for("erasure")
    discovering.step(world.deps, "r1", forever)
    Meanwhile(world, tampered(world, **facts))
    assert planning.step(world.deps, "r1")["decision"] == "stop"
    assert not {"plan_hash", "erasing_since", "scheduled_for"} & world.request().keys()
    assert not world.mailer.sent


class Racing(MemoryStore):
    """Right before it writes, once, the application puts these items."""

    racing: Sequence[Mapping[str, Any]] = ()

    def delete(self, *arguments: Any) -> list[Result]:
        self._race()
        return super().delete(*arguments)

    def anonymise(self, *arguments: Any) -> list[Result]:
        self._race()
        return super().anonymise(*arguments)

    def _race(self) -> None:
        for item in self.racing:
            self.put(item)
        self.racing = ()


def test_a_record_that_must_be_kept_by_the_date_it_just_got_is_kept() -> None:
    stores = small_stores()
    old = {"id": "i2", "customer_id": "cus-2", "email": "books@example.org", "issued_at": "2012-02-29"}
    corrected = {**old, "issued_at": "2026-02-28"}
    invoices = Racing([old])
    invoices.racing = [corrected]
    stores["invoices"] = invoices
    world = make_world(stores=stores)
    world.ask_for("erasure")
    world.execution().run()
    assert invoices.items == [corrected]
    row = world.table.get("REQUEST#r1", "STORE#invoices")
    assert row is not None
    assert (row["kept"], row["left"]) == (1, 0)


def test_a_record_that_just_became_somebody_elses_is_not_anonymised() -> None:
    datamap = small_map()
    rule = Erasure(action="anonymise", fields={"note": Strategy(strategy="null")})
    datamap = replace(
        datamap, stores={**datamap.stores, "surveys": store("Surveys", rule, by("account_id"), by("email"))}
    )
    theirs = {"id": "v1", "account_id": "acct-10", "note": "handed over to Bob"}
    surveys = Racing([{**theirs, "account_id": "acct-1"}])
    surveys.racing = [theirs]
    world = make_world(datamap, {**small_stores(), "surveys": surveys})
    world.ask_for("erasure")
    world.execution().run()
    assert surveys.items == [theirs]


def test_a_mark_stands_for_a_record_of_one_store() -> None:
    world = released()
    late = {"id": "a1", "email": ADA, "note": "came after the plan, under a key that was planned in another store"}
    world.stores["contacts"].put(late)
    erasing.step(world.deps, "r1", "contacts", forever)
    assert late in world.stores["contacts"].items


def test_a_mark_stands_for_what_was_to_be_done() -> None:
    world = released()
    surveys = replace(world.deps.datamap.stores["surveys"], erasure=Erasure(action="delete"))
    changed = replace(world.deps.datamap, stores={**world.deps.datamap.stores, "surveys": surveys})
    before = world.contents()
    with pytest.raises(NeedsAttention, match="data map"):
        erasing.step(replace(world.deps, datamap=changed), "r1", "surveys", forever)
    assert world.contents() == before, "planned to be anonymised, so not to be deleted"


# Codes


def started(world: World, monkeypatch: pytest.MonkeyPatch, code: int, email: str = ADA) -> str:
    """A verification whose code is this number; its id."""
    monkeypatch.setattr("rightful.service.verifying.secrets.randbelow", lambda _: code)
    return verifying.start(world.deps, email, "en", "192.0.2.1").verification_id


def test_a_code_that_was_just_replaced_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    verification = started(world, monkeypatch, 12345678)
    item = world.table.items[f"VERIFICATION#{verification}", "VERIFICATION"]
    Meanwhile(world, lambda: item.update(code_hash="another"))
    with pytest.raises((TooMany, Unauthorised, Gone)):
        verifying.check(world.deps, verification, "12345678")
    assert not [key for key in world.table.items if key[1] == "TOKEN"]


def test_equal_codes_of_two_verifications_look_different_where_they_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    for email in (ADA, BOB):
        started(world, monkeypatch, 12345678, email)
    hashes = [item["code_hash"] for key, item in world.table.items.items() if key[1] == "VERIFICATION"]
    assert len(set(hashes)) == 2


def test_a_wrong_code_is_wrong_however_alike_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    verification = started(world, monkeypatch, 0)
    item = world.table.items[f"VERIFICATION#{verification}", "VERIFICATION"]
    alike = (
        code
        for code in (f"{number:08}" for number in range(1, 100_000))
        if world.vault.digest("code", f"{verification}:{code}")[0] == item["code_hash"][0]
    )
    with pytest.raises(Unauthorised):
        verifying.check(world.deps, verification, next(alike))


def test_who_loses_the_race_for_a_code_leaves_no_token_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    verification = started(world, monkeypatch, 12345678)
    Meanwhile(world, lambda: verifying.check(world.deps, verification, "12345678"), "table.put_new")
    with pytest.raises(Gone):
        verifying.check(world.deps, verification, "12345678")
    assert len([key for key in world.table.items if key[1] == "TOKEN"]) == 1


# Progress


def test_what_was_half_exported_is_begun_anew_when_there_is_more_to_look_for() -> None:
    world = make_world()
    world.ask_for("access")
    discovering.step(world.deps, "r1", forever)
    planning.step(world.deps, "r1")
    assert not exporting.step(world.deps, "r1", "accounts", lambda: 0.0)["done"]
    world.stores["accounts"].put({"id": "a9", "email": ADA, "account_id": "acct-9"})
    discovering.step(world.deps, "r1", forever)

    assert exporting.step(world.deps, "r1", "accounts", forever)["done"]
    parts = [body for key, body in world.files.objects.items() if key.startswith("work/r1/accounts/")]
    assert sorted(re.findall(rb'"id": ?"(a\d+)"', b"".join(parts))) == [b"a1", b"a9"]


def test_what_was_half_erased_is_begun_anew_when_there_is_more_to_look_for() -> None:
    world = released()
    progress.save(world.deps, "r1", "accounts", {"number": erasing.LAST_PASS}, lookups="fewer")
    assert erasing.step(world.deps, "r1", "accounts", forever) == {"store": "accounts", "done": True, "left": 0}
    assert [item["id"] for item in world.stores["accounts"].items] == ["a2"]


def test_a_store_that_fails_is_given_up_with_all_that_was_to_be_looked_up_in_it() -> None:
    world = make_world()
    world.ask_for("erasure")
    world.stores["invoices"].fail("find", NeedsAttention("no access"), after=1)
    assert discovering.step(world.deps, "r1", forever) == {"done": True}
    assert world.stores["invoices"].calls == ["find", "find"]
    planning.step(world.deps, "r1")
    (written,) = world.table.query("REQUEST#r1", "PLAN#")
    plan = json.loads(written["plan"])["stores"]
    assert (plan["invoices"]["failed"], plan["invoices"]["delete"], plan["invoices"]["keep"]) == ("no access", 0, 0)
    assert plan["contacts"]["delete"] == 2


class Returning(MemoryStore):
    """What is deleted comes back, until that is mended."""

    returning = True

    def delete(self, *arguments: Any) -> list[Result]:
        before = self.items
        results = super().delete(*arguments)
        if self.returning:
            for item in before:
                self.put(item)
        return results


def test_what_was_left_is_erased_when_the_dpo_says_retry() -> None:
    accounts = Returning([{"id": "a1", "email": ADA, "account_id": "acct-1"}])
    world = make_world(stores={**small_stores(), "accounts": accounts})
    world.ask_for("erasure")
    run = world.execution().run()
    assert world.request()["status"] == "needs_attention"
    accounts.returning = False
    deciding.decide(world.deps, "r1", "retry")
    run.resume()
    assert run.ended
    assert not accounts.items
    row = world.table.get("REQUEST#r1", "STORE#accounts")
    assert row is not None
    assert (row["deleted"], row["left"]) == (1, 0)


def test_what_is_locked_is_not_counted_among_what_is_left() -> None:
    accounts = Returning([{"id": name, "email": ADA, "account_id": "acct-1"} for name in ("a1", "a3")])
    accounts.blocked[accounts.key_of({"id": "a1"})] = None
    world = make_world(stores={**small_stores(), "accounts": accounts})
    world.ask_for("erasure")
    world.execution().run()
    row = world.table.get("REQUEST#r1", "STORE#accounts")
    assert row is not None
    assert (row["deleted"], row["blocked"], row["left"]) == (0, 1, 1)


# Mails


def test_a_mail_that_somebody_else_just_sent_is_not_sent_again() -> None:
    world = make_world()
    world.ask_for("access")
    world.table.put_new("REQUEST#r1", "MAIL#withdrawn", {"claimed_at": "2026-11-01T09:00:00Z"})
    item = world.table.items["REQUEST#r1", "MAIL#withdrawn"]
    Meanwhile(world, lambda: item.update(claimed_at="2026-11-02T09:00:00Z", sent_at="2026-11-02T09:00:00Z"))
    facts: dict[str, Any] = {"request": world.request(), "controller": world.deps.datamap.controller}
    with pytest.raises(TryAgain):
        mailing.send_once(world.deps, "r1", "withdrawn", ADA, "en", **facts)
    assert not world.mailer.sent


# The end


@pytest.mark.parametrize("kind", ["access", "erasure"])
def test_what_was_found_goes_at_the_end_and_whose_it_was_when_the_records_need_no_longer_be_kept(kind: str) -> None:
    world = make_world()
    world.ask_for(kind)
    world.execution().run()
    assert not world.table.query("REQUEST#r1", "SEALED#")
    contact = world.request()["contact"]
    kept = periods.parse(world.deps.datamap.controller.records_kept)
    world.clock.set(periods.add(world.clock(), kept) - timedelta(seconds=1))
    assert ADA.encode() in world.vault.open("r1", contact)
    world.clock.advance(1)
    with pytest.raises(NotFound):
        world.vault.open("r1", contact)


# Admission


def test_of_two_requests_that_take_the_place_of_an_ended_one_the_second_joins_the_first() -> None:
    world = make_world()
    for request_id in ("ended", "first", "second"):
        world.ask_for("erasure", request_id)
    world.table.items["REQUEST#ended", "REQUEST"]["status"] = "completed"
    second = world.table.items["REQUEST#second", "REQUEST"]
    second["status"] = "awaiting_verification"
    del second["verified_at"]
    world.table.put_new("PERSON#ada", "OPEN#erasure", {"request_id": "ended"})
    note = world.table.items["PERSON#ada", "OPEN#erasure"]
    Meanwhile(world, lambda: note.update(request_id="first"))

    standing = admitting.admit(world.deps, "second", "ada", world.clock())
    assert standing["request_id"] == "first"
    assert world.request("second")["status"] == "awaiting_verification"
    assert list(world.executions.started) == ["erasure-first"]
