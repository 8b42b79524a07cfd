"""Plays the data protection officer: starts the desk with a small JSON, as in the console, and reads its answer.

Signs with credentials of a user who has the stack's policy for the DPO and no other permission.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

import boto3

from infra.local.person import Letter, Unexpected, mailbox, until
from infra.local.stack import Stack

USER = "dpo"
_KNOWN: dict[str, boto3.Session] = {}
"""Endpoint of a stack -> the DPO's session, since a user may have two keys."""


@dataclass(frozen=True, slots=True)
class Dpo:
    stack: Stack
    session: boto3.Session
    """With the DPO's own credentials."""

    @classmethod
    def of(cls, stack: Stack) -> Self:
        """A user with the managed policy `DpoAccess`, made when first asked for."""
        if stack.endpoint_url not in _KNOWN:
            iam = stack.client("iam")
            with suppress(iam.exceptions.EntityAlreadyExistsException):
                iam.create_user(UserName=USER)
            iam.attach_user_policy(UserName=USER, PolicyArn=stack.outputs["DpoAccessPolicyArn"])
            key = iam.create_access_key(UserName=USER)["AccessKey"]
            _KNOWN[stack.endpoint_url] = boto3.Session(
                key["AccessKeyId"], key["SecretAccessKey"], region_name=stack.region
            )
        return cls(stack, _KNOWN[stack.endpoint_url])

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.stack.endpoint_url)  # type: ignore[call-overload]  # any service name

    def start(self, order: Any) -> str:
        """Starts the desk; the execution's ARN."""
        begun = self.client("stepfunctions").start_execution(
            stateMachineArn=self.stack.outputs["DpoDeskArn"], input=json.dumps(order)
        )
        return str(begun["executionArn"])

    def ask(self, action: str, **order: Any) -> dict[str, Any]:
        """What the desk answers to `{"action": action, ...}`. Raises Unexpected when its execution fails."""
        return self.answer(self.start({"action": action, **order}))

    def answer(self, arn: str, seconds: float = 120) -> dict[str, Any]:
        """The output of an execution of the desk, once it ended."""
        client = self.client("stepfunctions")
        for _ in until(seconds, every=0.2):
            now = client.describe_execution(executionArn=arn)
            if now["status"] == "SUCCEEDED":
                output: dict[str, Any] = json.loads(now["output"])
                return output
            if now["status"] != "RUNNING":
                raise Unexpected(f"the desk ended as {now['status']}: {now.get('error')} {now.get('cause')}")
        raise Unexpected("the desk did not answer in time")

    def letters(self) -> list[Letter]:
        """The DPO's mailbox, oldest first."""
        return [letter for letter in mailbox(self.stack.mailbox_url) if letter.to == "privacy@salescookie.com"]
