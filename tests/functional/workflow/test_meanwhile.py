"""What happens in between: others change records, answers are lost, decisions cross each other."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from rightful.errors import Conflict, NeedsAttention, TryAgain
from rightful.model import Erasure, Field, Locator, RequestPolicy, Result, Strategy
from rightful.service import deciding
from tests.fakes.company import ADA, BOB, by, small_map, small_stores, store
from tests.fakes.memory_store import MemoryStore
from tests.fakes.state_machine import Lambda
from tests.fakes.world import World, make_world


def row(world: World, name: str) -> dict[str, Any]:
    found = world.table.get("REQUEST#r1", f"STORE#{name}")
    assert found is not None
    return found


@pytest.mark.parametrize("kind", ["access", "erasure"])
def test_one_question_has_one_answer(kind: str) -> None:
    world = make_world(small_map(**{kind: RequestPolicy(approval="dpo")}))
    world.ask_for(kind)
    run = world.execution().run()
    deciding.decide(world.deps, "r1", "approve", plan_hash=world.request()["plan_hash"])

    with pytest.raises(Conflict, match="decided already"):
        deciding.decide(world.deps, "r1", "reject", ground="12(6)", reason="too late")
    again = deciding.decide(world.deps, "r1", "approve", plan_hash=world.request()["plan_hash"])

    assert again == {"ok": True, "message": "You gave this answer before. It counts once."}
    run.resume()
    assert world.request()["status"] == "completed"
    assert "refusal" not in world.request()


def test_an_answer_to_a_workflow_that_is_no_more_is_not_called_done() -> None:
    world = make_world(small_map(erasure=RequestPolicy(approval="dpo")))
    world.ask_for("erasure")
    world.execution().run()
    world.executions.waiting.clear()
    with pytest.raises(Conflict, match="no longer waits"):
        deciding.decide(world.deps, "r1", "approve", plan_hash=world.request()["plan_hash"])


def test_a_throttled_hash_counts_no_record_twice() -> None:
    world = make_world()
    world.ask_for("erasure")
    faults = [TryAgain("GenerateMac answered ThrottlingException")]

    def fault(name: str, moment: str) -> None:
        if name == "vault.digest" and faults:
            raise faults.pop()

    world.vault.fault = fault
    world.execution().run()
    assert row(world, "accounts")["deleted"] == 1


def test_what_was_erased_before_a_store_failed_is_in_the_count() -> None:
    world = make_world()
    for number in range(250):
        world.stores["accounts"].put({"id": f"n{number:03}", "email": ADA, "account_id": "acct-1"})
    world.stores["accounts"].fail("delete", NeedsAttention("no access"), after=1)
    world.ask_for("erasure")
    run = world.execution().run()
    assert world.request()["status"] == "needs_attention"

    deciding.decide(world.deps, "r1", "retry")
    run.resume()
    assert row(world, "accounts")["deleted"] == 251


@pytest.mark.parametrize("given", [{"acct-1", "acct-2"}, ["acct-1", "acct-2"]])
def test_every_identity_of_a_set_or_list_is_followed(given: Any) -> None:
    stores = small_stores()
    stores["accounts"].put({"id": "a1", "email": ADA, "account_id": given})
    stores["subscriptions"].put({"id": "s5", "account_id": "acct-2", "customer_id": "cus-5"})
    world = make_world(stores=stores)
    world.ask_for("erasure")
    world.execution().run()
    assert [item["id"] for item in stores["subscriptions"].items] == ["s3"]


class Touched(MemoryStore):
    """Right before it anonymises, the application adds an answer to the record."""

    def anonymise(self, records: Sequence[Any], guard: Sequence[str]) -> list[Result]:
        for record, _ in records:
            if len(record.data["answers"]) == 1:
                self.put({**record.data, "answers": [*record.data["answers"], {"score": 2, "comment": "by Ada too"}]})
        return super().anonymise(records, guard)


def test_a_part_added_meanwhile_is_not_lost_and_anonymised_too() -> None:
    datamap = small_map()
    rule = Erasure(
        action="anonymise",
        fields={"email": Strategy(strategy="null"), "answers[].comment": Strategy(strategy="redact")},
    )
    surveys = store("Surveys", rule, by("email"), fields={"answers": Field(category="user")})
    stores = small_stores()
    stores["surveys"] = Touched([{"id": "v1", "email": ADA, "answers": [{"score": 1, "comment": "by Ada"}]}])
    world = make_world(replace(datamap, stores={**datamap.stores, "surveys": surveys}), stores)
    world.ask_for("erasure")
    world.execution().run()

    (item,) = stores["surveys"].items
    assert item["answers"] == [{"score": 1, "comment": "[redacted]"}, {"score": 2, "comment": "[redacted]"}]
    assert "email" not in item
    assert world.request()["status"] == "completed"


class Guarded(MemoryStore):
    """Writes down under which conditions it deletes."""

    def delete(self, records: Sequence[Any], guard: Sequence[str]) -> list[Result]:
        self.calls.append(f"guard: {' '.join(guard)}")
        return super().delete(records, guard)


@pytest.mark.parametrize(
    ("through", "guard"),
    [
        ({"tag": "owner"}, "tags"),
        ({"metadata": "owner"}, "metadata"),
        ({"key": "a.b", "index": "i", "sort_key": "kind", "sort_prefix": "USER#"}, "a.b kind"),
        ({"attribute": "people[].email", "scan": "allowed"}, "people"),
    ],
)
def test_every_attribute_that_locates_a_record_guards_its_deletion(through: dict[str, Any], guard: str) -> None:
    datamap = small_map()
    # The store in memory looks up by `attribute`; what else is said stands for another connector's way.
    locator = Locator(by="email", through={"attribute": "people[].email", **through})
    contacts = store("Contacts", Erasure(action="delete"), locator)
    stores = small_stores()
    stores["contacts"] = Guarded([{"id": "c1", "people": [{"email": ADA}, {"email": BOB}]}])
    world = make_world(replace(datamap, stores={**datamap.stores, "contacts": contacts}), stores)
    world.ask_for("erasure")
    world.execution().run()
    (seen,) = [call for call in stores["contacts"].calls if call.startswith("guard")]
    assert set(guard.split()) <= set(seen.split())


def json_in(text: str) -> list[dict[str, str]]:
    return [json.loads(block) for block in re.findall(r"^{.*?^}", text, re.DOTALL | re.MULTILINE)]


@pytest.mark.parametrize("why", ["approval", "a store", "packing"])
def test_what_the_mail_says_to_paste_is_what_the_function_takes(why: str) -> None:
    world = make_world(small_map(access=RequestPolicy(approval="dpo" if why == "approval" else "auto")))
    if why == "a store":
        world.stores["subscriptions"].fail("find", NeedsAttention("no access"))
    if why == "packing":
        world.files.fault = Once("files.list", NeedsAttention("ListObjectsV2 answered AccessDenied"))
    world.ask_for("access")
    run = world.execution().run()
    pasted = json_in(world.mailer.to("dpo@example.org")[-1].text)[0]
    assert world.ask_desk(**pasted) == {
        "ok": True,
        "message": deciding.DONE["approve" if why == "approval" else "retry"],
    }
    run.resume()
    assert world.request()["status"] == "completed"


class Once:
    """A fault before one call of a port, the first or, `after` so many, a later one."""

    def __init__(self, name: str, error: Exception, after: int = 0) -> None:
        self._name, self._error, self._calls = name, error, -after

    def __call__(self, name: str, moment: str) -> None:
        if (name, moment) == (self._name, "before"):
            self._calls += 1
            if self._calls == 1:
                raise self._error


@pytest.mark.parametrize("approval", ["auto", "dpo"])
def test_a_mail_that_cannot_go_out_ends_no_workflow(approval: Any) -> None:
    world = make_world(small_map(erasure=RequestPolicy(approval=approval)))
    acknowledged = 1 if approval == "dpo" else 0  # the mail before the DPO's
    world.mailer.fault = Once("mailer.send", NeedsAttention("SendEmail answered MessageRejected"), acknowledged)
    world.ask_for("erasure")
    run = world.execution()
    # Time passes between the tries: a mail whose fate is unknown is sent again only after a while.
    run.lambdas = {name: passing(world, step) for name, step in run.lambdas.items()}
    run.run()
    if approval == "dpo":
        deciding.decide(world.deps, "r1", "approve", plan_hash=world.request()["plan_hash"])
        run.resume()
    assert run.ended
    assert [mail.key for mail in world.mailer.to(ADA)][-1] == "r1:completed_erasure:1"


def passing(world: World, step: Lambda) -> Lambda:
    def run(event: dict[str, Any]) -> Any:
        world.clock.advance(seconds=61)
        return step(event)

    return run


def test_skipping_the_store_that_failed_is_enough_for_those_that_only_waited_for_it() -> None:
    world = make_world()
    world.ask_for("erasure")
    world.stores["subscriptions"].fail("find", NeedsAttention("no access"), times=None)
    run = world.execution().run()
    assert world.request()["failed"] == ["invoices", "subscriptions"]

    decided = deciding.decide(world.deps, "r1", "skip", store="subscriptions", reason="the table was dropped")
    assert decided == {"ok": True, "message": deciding.DONE["skip"]}
    run.resume()
    assert world.request()["status"] == "completed"
    assert "skipped" not in row(world, "invoices")


def test_what_the_application_wrote_into_an_anonymised_record_is_anonymised_too() -> None:
    world = make_world()
    world.ask_for("erasure")
    world.execution().run()
    (first, _) = world.stores["surveys"].items
    world.stores["surveys"].put({**first, "email": ADA, "note": "I am back"})
    world.clock.advance(days=1)

    world.ask_for("erasure", "r2")
    world.execution("r2").run()
    (second, _) = world.stores["surveys"].items
    assert second["email"] != ADA
    assert "note" not in second
    found = world.table.get("REQUEST#r2", "STORE#surveys")
    assert found is not None
    assert found["anonymised"] == 1
