"""Looks into a running stack, and gets in its way, as an operator can."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import urllib3

from infra.local.dpo import Dpo
from infra.local.person import Person, Unexpected, call, until
from infra.local.stack import STACK, Stack


def physical(stack: Stack, logical_id: str) -> str:
    """The name that a resource of the template got."""
    found = stack.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=logical_id)
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def execution_arn(stack: Stack, kind: str, request_id: str) -> str:
    return f"{stack.outputs['PrivacyRequestArn'].replace(':stateMachine:', ':execution:')}:{kind}-{request_id}"


def history(stack: Stack, arn: str) -> list[dict[str, Any]]:
    """All events of an execution, inputs and outputs included."""
    pages = stack.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


def ended_in(stack: Stack, arn: str, seconds: float = 120) -> str:
    """The last state of an execution, once it succeeded. Raises Unexpected after `seconds`, or when it failed."""
    client = stack.client("stepfunctions")
    for _ in until(seconds):
        status = client.describe_execution(executionArn=arn)["status"]
        if status == "SUCCEEDED":
            entered = [event for event in history(stack, arn) if "stateEnteredEventDetails" in event]
            return str(entered[-1]["stateEnteredEventDetails"]["name"])
        if status != "RUNNING":
            break
    raise Unexpected(f"the execution is {status}")


def wait_for(person: Person, request_id: str, status: str, seconds: float = 120) -> dict[str, Any]:
    """The request once it has this status. Raises Unexpected after `seconds`."""
    for _ in until(seconds):
        found = person.status(request_id)
        if found["status"] == status:
            return found
    raise Unexpected(f"the request is {found['status']}, not {status}, after {seconds:.0f} s")


def fetch(stack: Stack, person: Person, request_id: str) -> bytes:
    """The download, with the proof of identity that the person still has."""
    link = call("POST", f"{stack.api_url}/requests/{request_id}/download", {}, person.token)
    answer = urllib3.request("GET", link["url"], retries=False)
    if answer.status != 200:
        raise Unexpected(f"the download answered {answer.status}")
    return answer.data


def decide(stack: Stack, request_id: str, decision: str, **facts: str) -> dict[str, Any]:
    """The DPO's decision, given at the desk."""
    return Dpo.of(stack).ask(decision, request_id=request_id, **facts)


@contextmanager
def refusing(stack: Stack, function: str, resource: str, *actions: str) -> Iterator[None]:
    """Meanwhile, the function (its logical id) is denied these actions on the resource."""
    iam, role, name = stack.client("iam"), physical(stack, f"{function}Role"), "refuse"
    statement = {"Effect": "Deny", "Action": actions, "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName=name)


@contextmanager
def forbidding(stack: Stack, bucket: str, *actions: str) -> Iterator[None]:
    """Meanwhile, the bucket's own policy forbids these actions on its objects. The refusal quotes the object's key."""
    s3 = stack.client("s3")
    statement = {"Effect": "Deny", "Principal": "*", "Action": actions, "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    try:
        yield
    finally:
        s3.delete_bucket_policy(Bucket=bucket)


@contextmanager
def time_budget(stack: Stack, seconds: float, *functions: str) -> Iterator[None]:
    """Meanwhile, these functions (logical ids) stop after `seconds`, as by the parameter TimeBudgetSeconds."""
    client = stack.client("lambda")
    names = [physical(stack, function) for function in functions]
    before = {name: client.get_function_configuration(FunctionName=name)["Environment"] for name in names}
    try:
        for name, environment in before.items():
            changed = {"Variables": {**environment["Variables"], "TIME_BUDGET_SECONDS": str(seconds)}}
            client.update_function_configuration(FunctionName=name, Environment=changed)
        yield
    finally:
        for name, environment in before.items():
            client.update_function_configuration(FunctionName=name, Environment=environment)
