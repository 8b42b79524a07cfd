"""Which plans wait for the DPO, what an approval is bound to, and who must give it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from rightful.model import AskWhen, DataMap, Field, Privileged, RequestPolicy
from rightful.service import requests
from tests.fakes.company import ADA, small_map, small_stores
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World, make_world

APPROVAL = "Wait for the DPO's approval"
DPO, DEPUTY = "dpo@example.org", "deputy@example.org"
NAMES = {DPO: "the data protection officer", DEPUTY: "the deputy"}


def asking(**rules: Any) -> World:
    """An erasure whose plans wait only where a rule says so. Ada's account is an owner's."""
    datamap = small_map(erasure=RequestPolicy(ask_when=AskWhen(**rules)))
    accounts = datamap.stores["accounts"]
    owners = Privileged(attribute="roles", values=["owner", "admin"])
    fields = {**accounts.fields, "roles": Field(category="user.account")}
    stores = {**datamap.stores, "accounts": replace(accounts, privileged=owners, fields=fields)}
    held = small_stores()
    held["accounts"] = MemoryStore(
        [
            {"id": "a1", "email": ADA, "account_id": "acct-1", "roles": ["member", "owner"]},
            {"id": "a2", "email": "bob@example.org", "account_id": "acct-10", "roles": ["owner"]},
        ]
    )
    world = make_world(replace(datamap, stores=stores), held)
    world.ask_for("erasure")
    return world


@pytest.mark.parametrize(
    ("rules", "asks"),
    [
        ({}, []),
        ({"records": 7}, []),
        ({"records": 6}, [{"why": "records", "found": 7, "most": 6}]),
        ({"stores": ["surveys", "contacts"]}, [{"why": "stores", "stores": ["surveys", "contacts"]}]),
        ({"stores": ["invoices"]}, [{"why": "stores", "stores": ["invoices"]}]),
        ({"privileged": True}, [{"why": "privileged", "stores": ["accounts"]}]),
        ({"identities": {"customer_id": 2}}, []),
        (
            {"identities": {"customer_id": 1, "email": 1}},
            [{"why": "identity", "identity": "customer_id", "found": 2, "most": 1}],
        ),
        ({"other_doors": True}, []),
        (
            {"records": 1, "privileged": True},
            [{"why": "records", "found": 7, "most": 1}, {"why": "privileged", "stores": ["accounts"]}],
        ),
    ],
)
def test_a_plan_waits_exactly_where_the_map_says_so(rules: dict[str, Any], asks: list[dict[str, Any]]) -> None:
    world = asking(**rules)
    run = world.execution().run()
    plan = json.loads(world.table.items["REQUEST#r1", f"PLAN#{world.request()['plan_hash']}"]["plan"])
    assert plan.get("asks", []) == asks
    assert (run.state == APPROVAL) is bool(asks)
    if asks:
        assert len(world.stores["accounts"].items) == 2, "nothing was erased"
        approve(world)
        run.resume()
    assert world.request()["status"] == "completed"


def approve(world: World, **more: str) -> dict[str, Any]:
    return world.ask_desk("approve", request_id="r1", plan_hash=world.request()["plan_hash"], **more)


def test_what_came_by_letter_is_in_doubt() -> None:
    world = asking(other_doors=True)
    world.table.update("REQUEST#r1", "REQUEST", {"source": "letter"})
    assert world.execution().run().state == APPROVAL
    assert "the request came by letter" in world.mailer.to(DPO)[-1].text


def test_the_mail_shows_the_plan_its_hash_and_what_to_paste() -> None:
    world = asking(privileged=True)
    world.execution().run()
    (mail,) = world.mailer.to(DPO)
    assert world.request()["plan_hash"] in mail.text
    for part in ("* invoices\n    delete 1\n    keep 2", "an owner or administrator) in: accounts"):
        assert part in mail.text
    first, second = (json.loads(text) for text in re.findall(r"^{.*?^}", mail.text, re.DOTALL | re.MULTILINE))
    assert first == {"action": "approve", "request_id": "r1", "plan_hash": world.request()["plan_hash"]}
    assert second["action"] == "reject"


def test_when_the_records_changed_it_comes_back_with_the_difference() -> None:
    world = asking(privileged=True)
    run = world.execution().run()
    world.stores["surveys"].put({"id": "v9", "email": ADA, "note": "new"})
    first = world.request()["plan_hash"]
    approve(world)
    run.resume()
    assert run.state == APPROVAL
    assert world.request()["plan_hash"] != first
    text = world.mailer.to(DPO)[-1].text
    assert "* surveys\n    anonymise 2 (before: 1)\n" in text.partition("The whole plan")[0]
    assert "accounts" not in text.partition("What is different now:")[2].partition("The whole plan")[0]
    approve(world)
    run.resume()
    assert world.request()["status"] == "completed"


def test_as_many_records_but_others_are_a_difference_too() -> None:
    world = asking(privileged=True)
    run = world.execution().run()
    surveys = world.stores["surveys"]
    gone = surveys.record(surveys.key_of({"id": "v1"}))
    assert gone is not None
    surveys.delete([gone], [])
    world.stores["surveys"].put({"id": "v9", "email": ADA, "note": "new"})
    approve(world)
    run.resume()
    assert run.state == APPROVAL
    assert "* surveys\n    as many records as before, but not the same ones\n" in world.mailer.to(DPO)[-1].text


def test_an_approval_without_a_hash_is_of_the_plan_that_waits() -> None:
    world = asking(privileged=True)
    run = world.execution().run()
    assert world.ask_desk("approve", request_id="r1")["ok"]
    assert world.request()["approved_hash"] == world.request()["plan_hash"]
    run.resume()
    assert world.request()["status"] == "completed"


def two() -> World:
    datamap: DataMap = small_map(erasure=RequestPolicy(approval="dpo", approvers=2))
    world = make_world(replace(datamap, controller=replace(datamap.controller, deputy=DEPUTY)))
    world.ask_for("erasure")
    return world


def code_of(world: World, address: str) -> str:
    return str(
        json.loads(re.findall(r"^{.*?^}", world.mailer.to(address)[-1].text, re.DOTALL | re.MULTILINE)[0])["code"]
    )


@pytest.mark.parametrize("order", [(DPO, DEPUTY), (DEPUTY, DPO)])
def test_two_persons_approve_each_with_their_own_code(order: tuple[str, str]) -> None:
    world = two()
    run = world.execution().run()
    first = approve(world, code=code_of(world, order[0]))
    assert first == {"ok": True, "message": f"Your approval is noted. It takes another one, of {NAMES[order[1]]}."}
    assert world.executions.answers == {}
    assert approve(world, code=code_of(world, order[0])) == first, "the same person twice is one person"
    assert approve(world, code=code_of(world, order[1]))["message"].startswith("Approved.")
    run.resume()
    assert world.request()["status"] == "completed"
    said = [entry["what"] for entry in requests.entries(world.deps, world.request())]
    assert said.count("One of 2 approvals of what is to be done was given") == 2


@pytest.mark.parametrize("code", ["", "made up"])
def test_nobody_approves_without_a_code_of_their_own(code: str) -> None:
    world = two()
    world.execution().run()
    refused = approve(world, **({"code": code} if code else {}))
    assert refused["ok"] is False
    assert "code" in refused["errors"]
    assert world.executions.answers == {}


def test_an_approval_of_an_older_plan_counts_for_no_newer_one() -> None:
    world = two()
    run = world.execution().run()
    old = {who: code_of(world, who) for who in (DPO, DEPUTY)}
    approve(world, code=old[DPO])
    approve(world, code=old[DEPUTY])
    world.stores["surveys"].put({"id": "v9", "email": ADA, "note": "new"})
    run.resume()
    assert run.state == APPROVAL
    assert approve(world, code=old[DPO])["ok"] is False
    approve(world, code=code_of(world, DPO))
    assert world.executions.answers.keys() == {next(iter(world.executions.answers))}, "one approval is not two"
    approve(world, code=code_of(world, DEPUTY))
    run.resume()
    assert world.request()["status"] == "completed"
