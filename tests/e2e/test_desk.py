"""The DPO's desk on the running stack, used with the permissions of a DPO and no others."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local import mishaps
from infra.local.dpo import Dpo
from infra.local.person import Person
from infra.local.stack import Stack
from infra.sample.keys import table_name
from tests.e2e import driving


@pytest.fixture(scope="module")
def dpo(stack: Stack) -> Dpo:
    return Dpo.of(stack)


def test_the_desk_answers_a_dpo(dpo: Dpo) -> None:
    answer = dpo.ask("open")
    assert answer["ok"]
    assert isinstance(answer["requests"], list)


@pytest.mark.parametrize("order", [{}, [], "hello", {"action": "burn"}, {"action": "approve"}])
def test_a_mistake_ends_in_an_answer_and_not_in_a_failure(dpo: Dpo, order: Any) -> None:
    answer = dpo.answer(dpo.start(order))
    assert answer["ok"] is False
    assert answer["example"]


FORBIDDEN: dict[str, Callable[[Dpo], Any]] = {
    "start a request's workflow": lambda dpo: dpo.client("stepfunctions").start_execution(
        stateMachineArn=dpo.stack.outputs["PrivacyRequestArn"], input='{"request_id": "r1"}'
    ),
    "start a sweep": lambda dpo: dpo.client("stepfunctions").start_execution(
        stateMachineArn=dpo.stack.outputs["RetentionSweepArn"], input='{"mode": "apply"}'
    ),
    "stop the desk": lambda dpo: dpo.client("stepfunctions").stop_execution(executionArn=dpo.start({"action": "open"})),
    "change the desk": lambda dpo: dpo.client("stepfunctions").update_state_machine(
        stateMachineArn=dpo.stack.outputs["DpoDeskArn"], definition="{}"
    ),
    "answer a waiting state": lambda dpo: dpo.client("stepfunctions").send_task_success(
        taskToken="t" * 64, output="{}"
    ),
    "call a function": lambda dpo: dpo.client("lambda").invoke(
        FunctionName=mishaps.physical(dpo.stack, "DecideFunction"), Payload=b"{}"
    ),
    "read the requests": lambda dpo: dpo.client("dynamodb").scan(TableName=dpo.stack.outputs["RequestsTable"]),
    "read a store": lambda dpo: dpo.client("dynamodb").scan(TableName=table_name("accounts")),
    "delete from a store": lambda dpo: dpo.client("dynamodb").delete_item(
        TableName=table_name("accounts"), Key={"account_id": {"S": "acct-1"}}
    ),
    "read an export": lambda dpo: dpo.client("s3").get_object(
        Bucket=dpo.stack.outputs["ExportsBucket"], Key="packages/x.zip"
    ),
    "change a report": lambda dpo: dpo.client("s3").put_object(
        Bucket=dpo.stack.outputs["ReportsBucket"], Key="overview/x.html", Body=b""
    ),
    "give itself more": lambda dpo: dpo.client("iam").attach_user_policy(
        UserName="dpo", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    ),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_dpo_may_start_the_desk_and_nothing_else(dpo: Dpo, what: str) -> None:
    with pytest.raises(ClientError) as refused:
        FORBIDDEN[what](dpo)
    assert refused.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}


def test_a_dpo_reads_the_executions_of_all_machines(dpo: Dpo, stack: Stack, person: Callable[[str], Person]) -> None:
    nobody = person("nobody.at.the.desk@example.net")
    request_id = nobody.ask("access")
    nobody.wait(request_id)
    arn = driving.execution_arn(stack, "access", request_id)
    machine = dpo.client("stepfunctions")
    assert machine.describe_execution(executionArn=arn)["name"] == f"access-{request_id}"
    assert machine.get_execution_history(executionArn=arn)["events"]
    listed = machine.list_executions(stateMachineArn=stack.outputs["PrivacyRequestArn"])["executions"]
    assert arn in {each["executionArn"] for each in listed}


def test_an_address_stands_in_the_desks_history_as_its_input_and_nowhere_else(dpo: Dpo, stack: Stack) -> None:
    email = "quince.of.the.desk@example.net"
    arn = dpo.start({"action": "hold", "email": email, "ground": "contract", "reason": "Quince Lane 7"})
    hold_id = dpo.answer(arn)["hold_id"]
    dpo.answer(dpo.start({"action": "release", "hold_id": hold_id}))
    events = driving.history(stack, arn)
    holding = [event["type"] for event in events if "uince" in json.dumps(event, default=str)]
    inputs = {"ExecutionStarted", "TaskStateEntered", "LambdaFunctionScheduled", "TaskScheduled"}
    assert set(holding) <= inputs
    after_the_first_state = [
        event for event in events if "What does the DPO ask for?" in json.dumps(event, default=str)
    ]
    later = [event for event in events if event["id"] >= after_the_first_state[0]["id"]]
    assert "uince" not in json.dumps(later, default=str)


def test_a_letter_is_confirmed_by_the_form_and_answered(dpo: Dpo, person: Callable[[str], Person]) -> None:
    writer = person("letter.writer@example.net")
    received = (datetime.now(UTC) - timedelta(days=3)).date().isoformat()
    taken = dpo.ask("submit", type="access", email=writer.email, received_at=received, source="letter")
    form = writer.ask("access")
    assert form != taken["request_id"]
    ended = writer.wait(taken["request_id"])
    assert ended["received_at"].startswith(received)
    assert ended["status"] == "completed"
    assert dpo.ask("show", request_id=taken["request_id"])["source"] == "letter"


def test_an_answer_is_extended_and_then_the_plan_approved(dpo: Dpo, person: Callable[[str], Person]) -> None:
    """The sample's map asks the DPO about whatever came by letter."""
    writer = person("patient.writer@example.net")
    received = datetime.now(UTC).date().isoformat()
    request_id = dpo.ask("submit", type="erasure", email=writer.email, received_at=received, source="letter")[
        "request_id"
    ]
    writer.ask("erasure")
    driving.wait_for(writer, request_id, "awaiting_approval")

    extended = dpo.ask("extend", request_id=request_id, reason="Two archives must be compared by hand.")
    approved = dpo.ask("approve", request_id=request_id)

    assert (extended["ok"], approved["ok"]) == (True, True)
    ended = writer.wait(request_id)
    assert ended["status"] == "completed"
    assert ended["extended_until"] == ended["due_at"]


def test_a_report_is_written_where_the_dpo_can_read_it(dpo: Dpo, stack: Stack) -> None:
    answer = dpo.ask("report")
    bucket, _, key = answer["report"].removeprefix("s3://").partition("/")
    assert bucket == stack.outputs["ReportsBucket"]
    assert dpo.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().startswith(b"<!")


def test_the_daily_round_counts_what_is_open(stack: Stack) -> None:
    name = mishaps.physical(stack, "DeadlinesFunction")
    event = Path("events/deadlines_daily.json").read_bytes()
    answer = stack.client("lambda").invoke(FunctionName=name, Payload=event)
    counts = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, counts
    assert counts["overdue"] == 0
