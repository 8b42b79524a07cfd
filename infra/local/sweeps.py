"""Plays the operator and the DPO at the retention sweep: starts a run in Step Functions, answers a brake, reads what it
says."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.local.dpo import Dpo
from infra.local.person import Unexpected, mailbox, until
from infra.local.stack import Stack

BRAKE = "Wait for the DPO to release the brake"
Each = Callable[[str], None]
"""Called with the execution's ARN at each look at it."""


def _nothing(_: str) -> None:
    """Nobody watches."""


@dataclass(slots=True)
class Sweep:
    """One execution of RetentionSweep."""

    stack: Stack
    arn: str
    answers: int = 0

    @property
    def run_id(self) -> str:
        return self.arn.rpartition(":")[2]

    @classmethod
    def start(cls, stack: Stack, mode: str, **more: Any) -> Sweep:
        """`more`: `stores`, `as_of`."""
        begun = stack.client("stepfunctions").start_execution(
            stateMachineArn=stack.outputs["RetentionSweepArn"],
            name=f"{mode}-{uuid.uuid4().hex[:12]}",
            input=json.dumps({"mode": mode, **more}),
        )
        return cls(stack, begun["executionArn"])

    def wait(self, seconds: float = 300, each: Each = _nothing) -> dict[str, Any] | None:
        """The output when the run ended; None when it waits for the DPO. Raises Unexpected when it failed."""
        client = self.stack.client("stepfunctions")
        for _ in until(seconds):
            each(self.arn)
            now = client.describe_execution(executionArn=self.arn)
            if now["status"] == "SUCCEEDED":
                output: dict[str, Any] = json.loads(now["output"])
                return output
            if now["status"] != "RUNNING":
                raise Unexpected(f"the sweep ended as {now['status']}: {now.get('error')} {now.get('cause')}")
            if self._asked():
                return None
        raise Unexpected("the sweep did not end in time")

    def answer(self, action: str, reason: str, stores: list[str] | None = None) -> dict[str, Any]:
        """The DPO's answer, given at the desk."""
        self.answers += 1
        named = {"stores": stores} if stores else {}
        return Dpo.of(self.stack).ask(action, run_id=self.run_id, reason=reason, **named)

    def report(self, output: dict[str, Any], ending: str = "html") -> bytes:
        """The page (or `json`) that the output names."""
        bucket, _, key = output["report"].removeprefix("s3://").partition("/")
        body: bytes = (
            self.stack.client("s3").get_object(Bucket=bucket, Key=f"{key.rpartition('.')[0]}.{ending}")["Body"].read()
        )
        return body

    def _asked(self) -> bool:
        """Whether the DPO was asked something that is not answered, and has the mail."""
        pages = self.stack.client("stepfunctions").get_paginator("get_execution_history")
        events = [event for page in pages.paginate(executionArn=self.arn) for event in page["events"]]
        entered = [each["stateEnteredEventDetails"]["name"] for each in events if "stateEnteredEventDetails" in each]
        if entered.count(BRAKE) <= self.answers:
            return False
        return any(self.run_id in letter.text for letter in mailbox(self.stack.mailbox_url))
