"""A material change of the policy, published by a DPO on the running stack: everyone with an account gets one mail."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.dpo import Dpo
from infra.local.person import Letter, call, mailbox, until
from infra.local.stack import Stack
from infra.sample.keys import table_name
from rightful.errors import Invalid
from rightful.identities import checked_email
from rightful.mails import render
from rightful.model import Controller

VERSION = "2099.1"


@pytest.fixture(scope="module")
def order() -> dict[str, Any]:
    day = (datetime.now(UTC) + timedelta(days=45)).date().isoformat()
    return {
        "version": VERSION,
        "url": "https://salescookie.com/privacy/2099-1",
        "effective_from": day,
        "material": True,
    }


def test_everyone_with_an_account_gets_one_mail_in_their_language(stack: Stack, order: dict[str, Any]) -> None:
    dpo, before = Dpo.of(stack), len(letters(stack))
    expected, skipped = addresses(stack)

    answer = dpo.ask("publish_policy", **order)
    assert "Everyone with an account is being told" in answer["message"]
    came = ended(stack, dpo)

    assert came["told"] == len(expected)
    assert sum(came["skipped"].values()) == skipped
    new = letters(stack)[before:]
    got = Counter(letter.to for letter in new)
    assert {to: got[to] for to in expected} == dict.fromkeys(expected, 1)
    subjects = {letter.to: letter.subject for letter in new}
    assert {to: subjects[to] for to in expected} == {to: subject(language) for to, language in expected.items()}
    assert [letter.subject for letter in new if letter.to == "privacy@salescookie.com"]


def test_published_again_nobody_is_told_again_and_the_api_announces_it(stack: Stack, order: dict[str, Any]) -> None:
    before = len(letters(stack))
    assert "was told of it before" in Dpo.of(stack).ask("publish_policy", **order)["message"]
    assert len(letters(stack)) == before
    shown = call("GET", f"{stack.api_url}/policy")
    assert {name: order[name] for name in ("version", "effective_from", "url")} in shown["upcoming"]


def addresses(stack: Stack) -> tuple[dict[str, str], int]:
    """Address -> language of those who can be mailed, and how many accounts get no mail of their own."""
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=table_name("accounts"))
    found: dict[str, str] = {}
    skipped = 0
    for item in (item for page in pages for item in page["Items"]):
        try:
            address = checked_email(item.get("email", {}).get("S", ""))
        except Invalid:
            skipped += 1
            continue
        skipped += address in found
        found.setdefault(address, item["settings"]["M"].get("language", {}).get("S", "en"))
    return found, skipped


def subject(language: str) -> str:
    controller = Controller(name="SalesCookie", contact="", policy_url="", complaint="")
    mail = render(
        "policy_notice", language, controller=controller, version=VERSION, effective_from="2099-01-01", url=""
    )
    return mail.subject


def letters(stack: Stack) -> list[Letter]:
    return list(mailbox(stack.mailbox_url))


def ended(stack: Stack, dpo: Dpo) -> dict[str, Any]:
    """What the execution answered, read as a DPO may."""
    client = dpo.client("stepfunctions")
    for _ in until(180):
        for execution in client.list_executions(stateMachineArn=stack.outputs["PolicyNoticeArn"])["executions"]:
            if execution["name"].startswith("policy-2099-1-") and execution["status"] != "RUNNING":
                described = client.describe_execution(executionArn=execution["executionArn"])
                answer: dict[str, Any] = json.loads(described["output"])
                return answer
    raise AssertionError("the notice did not end in time")
