"""What each function was granted on the running stack, held against what it really asked of IAM, both ways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local import mishaps
from infra.local.emulator import REGION
from infra.local.stack import Stack
from infra.sample.keys import table_name
from tests.e2e.canary import Played
from tests.e2e.sweeping import Swept

FUNCTIONS = (
    *("Api", "Discover", "Plan", "Ask", "Export", "Erase", "Notify", "Package", "Complete", "Decide", "MailEvents"),
    *("Split", "Sweep", "Weigh", "Brake", "Report", "Announce"),
    "MayContact",
)
OF_THE_DESK = ("Publish", "Order", "Look", "Hold", "Submit", "Reschedule", "Overview", "Deadlines")
"""Played here in part only: nothing may be refused to them, but not all they are granted is asked for. That they are
granted what their code reaches and no more is in tests/template/test_permissions.py."""
OF_AWS = "arn:aws:iam::aws:policy/"
"""AWS's own policies let the runtime write logs and traces; none of our code calls what they grant."""

DENIED_BY_TESTS = {
    ("Export", "dynamodb:Query"),
    ("Erase", "s3:DeleteObjectVersion"),
    ("Erase", "s3:AbortMultipartUpload"),
    ("Erase", "dynamodb:DeleteItem"),
}
AFTER_A_KILL = "clears away what a step that was killed left; tests/faults kills them everywhere"
MUCH = "progress of more than one item is saved in several; tests/functional/workflow has 50,000 records"
PACKED = "what is withdrawn here had no package begun; tests/functional/workflow/test_leftovers.py has"
NO_KEY = "a run of which no segment had anything to hide has no key yet; here the first page of the preview makes one"
TO_SAY_GONE = "no call of ours: S3 asks for it to say 404 of what is gone"
YOUNG = "no file of the sample is due; tests/contract/test_sweepers_s3.py has versions, locks and unfinished uploads"
HALF = "opens what was counted of a segment that failed; tests/functional/sweep has such"
AFTER_A_HOLD = "no hold is placed here; tests/functional/workflow/test_after_a_hold.py has what follows one"
REFUSED = "a refusal that waits for no workflow is told at once; tests/functional/desk has it"
NO_CURSOR = "the sample's accounts are one page; tests/functional/announcing has many"
BOUNCED = "a mail that bounces is noted in the ledger; tests/functional has it"
NOT_PLAYED: dict[tuple[str, str, str], str] = {
    ("Announce", "dynamodb:GetItem", "KeysTable"): NO_CURSOR,
    ("Announce", "dynamodb:PutItem", "KeysTable"): NO_CURSOR,
    ("Announce", "kms:Decrypt", "key/"): NO_CURSOR,
    ("Announce", "kms:GenerateDataKey", "key/"): NO_CURSOR,
    ("Api", "dynamodb:DeleteItem", "RequestsTable"): "of two right codes that race, one gives its token back",
    ("Api", "kms:Decrypt", "key/"): "a container remembers the data keys it made; only another one has to open them",
    ("Ask", "states:SendTaskSuccess", "PrivacyRequest"): "a request may end while its question is on the way",
    ("Brake", "dynamodb:PutItem", "KeysTable"): NO_KEY,
    ("Brake", "kms:GenerateDataKey", "key/"): NO_KEY,
    ("Brake", "states:SendTaskSuccess", "RetentionSweep"): "a question tried again may have been answered meanwhile",
    ("Complete", "dynamodb:BatchGetItem", "RequestsTable"): AFTER_A_HOLD,
    ("Complete", "dynamodb:PutItem", "KeysTable"): AFTER_A_HOLD,
    ("Complete", "kms:GenerateDataKey", "key/"): AFTER_A_HOLD,
    ("Complete", "s3:AbortMultipartUpload", "exportsbucket"): PACKED,
    ("Complete", "s3:DeleteObject", "/packages/*"): PACKED,
    ("Complete", "s3:GetObject", "/requests/*"): "a step that was killed wrote the evidence; the next one looks at it",
    (
        "Complete",
        "s3:PutObjectRetention",
        "/requests/*",
    ): "S3 asks for it where a write names a lock; the emulator does not",
    ("Complete", "states:StartExecution", "PrivacyRequest"): AFTER_A_HOLD,
    ("Decide", "events:PutEvents", "event-bus/default"): REFUSED,
    ("Decide", "ses:SendEmail", ""): REFUSED,
    ("Discover", "dynamodb:GetItem", "RequestsTable"): AFTER_A_HOLD,
    ("Discover", "dynamodb:PutItem", "RequestsTable"): MUCH,
    ("Erase", "dynamodb:PutItem", "RequestsTable"): AFTER_A_HOLD,
    ("Export", "dynamodb:Query", "RequestsTable"): MUCH,
    ("Export", "s3:AbortMultipartUpload", "/work/*"): AFTER_A_KILL,
    ("Export", "s3:DeleteObject", "/work/*"): AFTER_A_KILL,
    ("Export", "s3:ListBucketMultipartUploads", "exportsbucket"): AFTER_A_KILL,
    ("Export", "s3:ListBucket", "exportsbucket"): AFTER_A_KILL,
    (
        "MailEvents",
        "events:PutEvents",
        "event-bus/default",
    ): "says what a process killed right after a change left unsaid",
    ("MailEvents", "dynamodb:PutItem", "RequestsTable"): BOUNCED,
    ("MailEvents", "dynamodb:Query", "RequestsTable"): BOUNCED,
    ("MailEvents", "sqs:SendMessage", "Failures"): "Lambda calls it in the function's name, after a third failure",
    ("Notify", "dynamodb:GetItem", "RequestsTable"): "looks at a mail that a killed step may have sent",
    ("Package", "dynamodb:PutItem", "RequestsTable"): MUCH,
    ("Package", "s3:AbortMultipartUpload", "/work/*"): AFTER_A_KILL,
    ("Package", "s3:ListBucket", "salescookie-uploads"): TO_SAY_GONE,
    ("Report", "s3:AbortMultipartUpload", "/work/*"): AFTER_A_KILL,
    ("Split", "states:DescribeExecution", "RetentionSweep"): "asked of a run that was stopped, or still has a store",
    ("Sweep", "dynamodb:DeleteItem", "salescookie-"): "for a guard that PartiQL cannot compare; the sample has none",
    ("Sweep", "s3:ListBucket", "reportsbucket"): TO_SAY_GONE,
    ("Sweep", "s3:AbortMultipartUpload", "salescookie-"): YOUNG,
    ("Sweep", "s3:DeleteObjectVersion", "salescookie-uploads"): YOUNG,
    ("Sweep", "s3:GetObjectLegalHold", "salescookie-"): YOUNG,
    ("Sweep", "s3:GetObjectRetention", "salescookie-"): YOUNG,
    ("Weigh", "dynamodb:GetItem", "KeysTable"): HALF,
    ("Weigh", "kms:Decrypt", "key/"): HALF,
    (
        "Plan",
        "ses:SendEmail",
        "",
    ): "said where an approval or a grace period is awaited; the sample's map has neither",
}
"""(function, action, part of the resource) -> why no test here gets to call it."""


@dataclass(frozen=True, order=True)
class Grant:
    function: str
    action: str
    resource: str
    """ARN, perhaps with wildcards; of an asked-for one, none."""


@pytest.fixture(scope="module")
def roles(stack: Stack) -> dict[str, str]:
    """Role -> function (logical ids without their last word)."""
    return {mishaps.physical(stack, f"{function}FunctionRole"): function for function in (*FUNCTIONS, *OF_THE_DESK)}


@pytest.fixture(scope="module")
def granted(stack: Stack, roles: dict[str, str]) -> set[Grant]:
    """Everything that the roles' policies allow, as deployed."""
    return {
        Grant(function, action, resource)
        for role, function in roles.items()
        for statement in _statements(stack, role)
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    }


def test_nothing_is_granted_that_is_never_asked_for(
    stack: Stack, played: Played, swept: Swept, roles: dict[str, str], granted: set[Grant]
) -> None:
    asked = {grant for grant, _ in _decisions(stack, roles)}

    unused = {grant for grant in granted if not any(_covers(grant, each) for each in asked)}

    assert sorted(grant for grant in unused if grant.function in FUNCTIONS and not _excused(grant)) == []
    assert {excuse for excuse in NOT_PLAYED if not any(_matches(excuse, grant) for grant in granted)} == set()


def _excused(grant: Grant) -> bool:
    return any(_matches(excuse, grant) for excuse in NOT_PLAYED)


def _matches(excuse: tuple[str, str, str], grant: Grant) -> bool:
    function, action, resource = excuse
    return (grant.function, grant.action) == (function, action) and resource in grant.resource


def _covers(grant: Grant, asked: Grant) -> bool:
    return (grant.function, grant.action) == (asked.function, asked.action) and fnmatchcase(
        asked.resource, grant.resource
    )


def _decisions(stack: Stack, roles: dict[str, str]) -> Iterator[tuple[Grant, str]]:
    """What the functions asked of IAM, and whether it was allowed; the emulator writes it down."""
    for line in (stack.directory / "iam.jsonl").read_text("utf-8").splitlines():
        said = json.loads(line)
        if said["role"] in roles:
            yield Grant(roles[said["role"]], said["action"], said["resource"]), said["decision"]


def _statements(stack: Stack, role: str) -> Iterator[dict[str, Any]]:
    iam = stack.client("iam")
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        yield from iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"]
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        if not arn.startswith(OF_AWS):
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
            yield from document["Statement"]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_no_function_is_refused_what_it_asks_for(
    stack: Stack, played: Played, swept: Swept, roles: dict[str, str], granted: set[Grant]
) -> None:
    """But for what the tests themselves denied."""
    refused = {(grant.function, grant.action) for grant, decision in _decisions(stack, roles) if decision != "allowed"}
    asked = {grant for grant, decision in _decisions(stack, roles) if decision == "allowed"}

    assert refused <= DENIED_BY_TESTS
    assert sorted(each for each in asked if not any(_covers(grant, each) for grant in granted)) == []
    assert {each.function for each in asked} == {*FUNCTIONS, *OF_THE_DESK}


@pytest.mark.parametrize(
    ("function", "operation", "arguments"),
    [
        ("Export", "delete_item", {"Key": {"account_id": {"S": "acct-1"}}}),
        ("Discover", "delete_item", {"Key": {"account_id": {"S": "acct-1"}}}),
        ("Plan", "get_item", {"Key": {"account_id": {"S": "acct-1"}}}),
        ("Api", "get_item", {"Key": {"account_id": {"S": "acct-1"}}}),
        ("Package", "scan", {}),
        ("Erase", "scan", {}),
        ("Erase", "put_item", {"Item": {"account_id": {"S": "acct-1"}}}),
        ("Complete", "get_item", {"Key": {"account_id": {"S": "acct-1"}}}),
        ("Split", "scan", {}),
        ("Split", "delete_item", {"Key": {"account_id": {"S": "acct-1"}}}),
        ("Sweep", "put_item", {"Item": {"account_id": {"S": "acct-1"}}}),
        ("Weigh", "scan", {}),
        ("Brake", "get_item", {"Key": {"account_id": {"S": "acct-1"}}}),
        ("Report", "scan", {}),
        ("MayContact", "scan", {}),
        ("MayContact", "delete_item", {"Key": {"account_id": {"S": "acct-1"}}}),
    ],
)
def test_a_function_cannot_do_what_is_not_its_work(
    stack: Stack, function: str, operation: str, arguments: dict[str, Any]
) -> None:
    with in_the_role_of(stack, function, "dynamodb") as dynamodb, pytest.raises(ClientError) as refusal:
        getattr(dynamodb, operation)(TableName=table_name("accounts"), **arguments)

    assert refusal.value.response["Error"]["Code"] == "AccessDeniedException"


def test_in_its_role_a_function_can_do_its_work(stack: Stack) -> None:
    """So that the refusals above are about what was asked, not about who asked."""
    with in_the_role_of(stack, "Erase", "dynamodb") as dynamodb:
        dynamodb.delete_item(TableName=table_name("accounts"), Key={"account_id": {"S": "nobody's"}})


@contextmanager
def in_the_role_of(stack: Stack, function: str, service: str) -> Iterator[Any]:
    """A client with the function's own permissions; meanwhile the account may take its role."""
    iam, role = stack.client("iam"), mishaps.physical(stack, f"{function}FunctionRole")
    found = iam.get_role(RoleName=role)["Role"]
    trust = found["AssumeRolePolicyDocument"]
    account = found["Arn"].split(":")[4]
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    opened = {"Version": "2012-10-17", "Statement": [*trust["Statement"], statement]}
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(opened))
    try:
        taken = stack.client("sts").assume_role(RoleArn=found["Arn"], RoleSessionName="test")["Credentials"]
        session = boto3.Session(taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"], REGION)
        yield session.client(service, endpoint_url=stack.endpoint_url)  # type: ignore[call-overload]  # any service name
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
