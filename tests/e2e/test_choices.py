"""Choosing, refusing, and being asked about by the company's mailers, on the running stack."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
import urllib3
from botocore.exceptions import ClientError

from infra.local import mishaps
from infra.local.emulator import REGION
from infra.local.person import Person, call
from infra.local.stack import Stack
from infra.sample.keys import table_name
from infra.sample.truth import Truth

Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def mailer(stack: Stack) -> Any:
    """A client of Lambda for a mailer of the company, who may ask and nothing else."""
    iam, arn = stack.client("iam"), stack.outputs["MayContactArn"]
    iam.create_user(UserName="mailer")
    statement = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="mailer", PolicyName="ask", PolicyDocument=document)
    key = iam.create_access_key(UserName="mailer")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)
    return session.client("lambda", endpoint_url=stack.endpoint_url)


@pytest.fixture(scope="module")
def ask(stack: Stack, mailer: Any) -> Ask:
    def asked(*contacts: tuple[str, str]) -> list[dict[str, Any]]:
        payload = json.dumps({"contacts": [{"email": email, "topic": topic} for email, topic in contacts]})
        answer = mailer.invoke(FunctionName=stack.outputs["MayContactArn"], Payload=payload.encode())
        content = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, content
        answers: list[dict[str, Any]] = content["answers"]
        return answers

    return asked


def one_click(stack: Stack, headers: dict[str, str]) -> Any:
    """What a mail provider does with the headers of a mail."""
    token = headers["List-Unsubscribe"].strip("<>").rpartition("/")[2]
    body, media_type = headers["List-Unsubscribe-Post"], "application/x-www-form-urlencoded"
    address = f"{stack.api_url}/unsubscribe/{token}"
    return urllib3.request("POST", address, body=body, headers={"Content-Type": media_type}, redirect=False)


def test_a_reader_agrees_and_unsubscribes_in_one_click(
    stack: Stack, truth: Truth, person: Callable[[str], Person], ask: Ask
) -> None:
    *_, account_holder = (email for email in truth.people("ordinary") if truth.person(email)["accounts"]["keys"])
    reader = person(account_holder)
    [before] = ask((reader.email, "newsletter"))
    reader.sign_in()
    chosen = call("PUT", f"{stack.api_url}/preferences", {"topics": {"newsletter": True}}, reader.token)
    [agreed] = ask((reader.email, "newsletter"))

    clicked = one_click(stack, agreed["headers"])

    assert (before["allowed"], before["reason"]) == (False, "not_consented")
    assert chosen["topics"] == {"newsletter": True, "product_feedback": False, "announcements": False}
    assert (agreed["allowed"], agreed["reason"]) == (True, "consented")
    assert (clicked.status, clicked.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    [after] = ask((reader.email, "newsletter"))
    assert (after["allowed"], after["reason"]) == (False, "unsubscribed")
    shown = call("GET", f"{stack.api_url}/preferences", token=reader.token)
    assert shown["topics"]["newsletter"] is False


def test_an_address_that_another_user_gave_is_for_that_purpose_and_may_object(
    stack: Stack, truth: Truth, ask: Ask
) -> None:
    contact = of_nobody(stack, truth)
    [given, other] = ask((contact, "rewards"), (contact, "service"))
    assert [given["reason"], other["reason"]] == ["given_by_another_user", "given_for_another_purpose"]
    assert one_click(stack, given["headers"]).status == 200
    assert [each["reason"] for each in ask((contact, "rewards"))] == ["objected"]


def test_a_whole_mailing_is_answered_in_one_call(truth: Truth, ask: Ask) -> None:
    """500 different addresses, within the time that the function has."""
    mailable = [email for email in truth.people() if email.isascii()]
    people = [*mailable, *(f"nobody.{number}@example.com" for number in range(500))][:500]
    answers = ask(*((email, "service") for email in people))
    assert len(answers) == 500
    holders = [number for number, email in enumerate(mailable) if truth.person(email)["accounts"]["keys"]]
    assert {answers[number]["reason"] for number in holders} == {"mandatory"}


def of_nobody(stack: Stack, truth: Truth) -> str:
    """The address of a contact who has no account."""
    items = stack.client("dynamodb").scan(TableName=table_name("shared_contacts"))["Items"]
    emails: list[str] = sorted(item["contact_email_lower"]["S"] for item in items)
    known = set(truth.people())
    return next(email for email in emails if email not in known)


def test_a_mistake_fails_the_call_and_says_what_to_mend(stack: Stack, mailer: Any) -> None:
    payload = json.dumps({"contacts": [{"email": "name@example.com", "topic": "nonsense"}]})
    answer = mailer.invoke(FunctionName=stack.outputs["MayContactArn"], Payload=payload.encode())
    told = json.loads(answer["Payload"].read())
    assert answer["FunctionError"]
    assert told["errorType"] == "Invalid"
    assert "contacts[0].topic" in told["errorMessage"]


def test_who_may_ask_may_do_nothing_else(stack: Stack, mailer: Any) -> None:
    for function in ("ApiFunction", "EraseFunction"):
        with pytest.raises(ClientError) as refusal:
            mailer.invoke(FunctionName=mishaps.physical(stack, function), Payload=b"{}")
        assert refusal.value.response["Error"]["Code"] == "AccessDeniedException"
