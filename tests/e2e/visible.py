"""Everything of a stack that people other than the person may read, and that must hold no personal data."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.local import mishaps
from infra.local.person import mailbox
from infra.local.stack import Stack
from rightful.datamap.check import load_file
from rightful.stores.registry import CONNECTORS, SWEEPERS
from tests.e2e import driving
from tests.e2e.marked import Text

DATAMAP = load_file(Path(__file__).parents[2] / "infra" / "datamap.yaml", CONNECTORS, SWEEPERS)
RECIPIENTS = {recipient.mail: name for name, recipient in DATAMAP.recipients.items() if recipient.mail}
"""Address -> recipient of the data map."""


def texts(stack: Stack, person: str) -> Iterator[Text]:
    """(where, text) of all of it. `person`: the address whose own mails may hold their data, subjects excepted. What
    goes to the recipients of an erasure is looked at by itself (`to_recipients`)."""
    yield from _executions(stack)
    yield from _logs(stack)
    yield from _metrics(stack)
    yield from _queues(stack)
    yield from _exports(stack)
    yield from _evidence(stack)
    yield from _mails(stack, person)
    yield from _table(stack, "requests table", stack.outputs["RequestsTable"])
    yield from _table(stack, "keys table", mishaps.physical(stack, "KeysTable"))


@contextmanager
def captured_events(stack: Stack) -> Iterator[None]:
    """Meanwhile, every event on the bus goes to a queue, where `texts` finds it."""
    sqs, events = stack.client("sqs"), stack.client("events")
    url = sqs.create_queue(QueueName="captured-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**allow, "Resource": arn}]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_rule(Name="capture-all", EventPattern=json.dumps({"account": [arn.split(":")[4]]}))
    events.put_targets(Rule="capture-all", Targets=[{"Id": "queue", "Arn": arn}])
    try:
        yield
    finally:
        events.remove_targets(Rule="capture-all", Ids=["queue"])
        events.delete_rule(Name="capture-all")
        sqs.delete_queue(QueueUrl=url)


def _executions(stack: Stack) -> Iterator[Text]:
    client = stack.client("stepfunctions")
    for machine in ("PrivacyRequestArn", "RetentionSweepArn"):
        pages = client.get_paginator("list_executions").paginate(stateMachineArn=stack.outputs[machine])
        for execution in (found for page in pages for found in page["executions"]):
            arn = execution["executionArn"]
            yield "execution", _plain(client.describe_execution(executionArn=arn))
            yield "history", _plain(driving.history(stack, arn))
            for run in client.list_map_runs(executionArn=arn)["mapRuns"]:
                for child in client.list_executions(mapRunArn=run["mapRunArn"])["executions"]:
                    yield "execution", _plain(client.describe_execution(executionArn=child["executionArn"]))


def _logs(stack: Stack) -> Iterator[Text]:
    client = stack.client("logs")
    for page in client.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for events in client.get_paginator("filter_log_events").paginate(logGroupName=name):
                yield f"log {name}", "\n".join(event["message"] for event in events["events"])


def _metrics(stack: Stack) -> Iterator[Text]:
    for page in stack.client("cloudwatch").get_paginator("list_metrics").paginate():
        yield "metrics", _plain(page["Metrics"])


def _queues(stack: Stack) -> Iterator[Text]:
    client = stack.client("sqs")
    for url in client.list_queues().get("QueueUrls", []):
        while True:  # what was received stays out of sight for a minute, so this comes to an end
            received = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60)
            if not received.get("Messages"):
                break
            yield f"queue {url.rpartition('/')[2]}", "\n".join(message["Body"] for message in received["Messages"])


def _exports(stack: Stack) -> Iterator[Text]:
    client, bucket = stack.client("s3"), stack.outputs["ExportsBucket"]
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            head = client.head_object(Bucket=bucket, Key=entry["Key"])
            yield "exports bucket", _plain([entry["Key"], head["Metadata"], head["ResponseMetadata"]["HTTPHeaders"]])


def _evidence(stack: Stack) -> Iterator[Text]:
    """Whole, and what a receipt says in plain text besides."""
    client, bucket = stack.client("s3"), stack.outputs["EvidenceBucket"]
    for version in client.list_object_versions(Bucket=bucket).get("Versions", []):
        body = client.get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
        claims = base64.urlsafe_b64decode(body.split(b".")[1] + b"==") if version["Key"].endswith(".jws") else b""
        yield "evidence bucket", "\n".join([version["Key"], body.decode(), claims.decode()])


def _mails(stack: Stack, person: str) -> Iterator[Text]:
    for letter in mailbox(stack.mailbox_url):
        yield "mail subject", letter.subject
        if letter.to.lower() != person.lower() and letter.to not in RECIPIENTS:
            yield "mail to others", f"{letter.to}\n{letter.text}\n{letter.html}"


def to_recipients(stack: Stack) -> Iterator[Text]:
    """(recipient, what it was mailed), without the values of the identities that it knows."""
    for letter in mailbox(stack.mailbox_url):
        if name := RECIPIENTS.get(letter.to):
            text = f"{letter.text}\n{letter.html}"
            for identity in DATAMAP.recipients[name].knows:
                (listed,) = re.findall(rf"(?m)^\* {identity}\n((?: {{4}}.+\n)+)", letter.text) or [""]
                for value in listed.split():
                    text = text.replace(value, "")
            yield name, text


def _table(stack: Stack, where: str, name: str) -> Iterator[Text]:
    """What stands in the clear: sealed attributes are binary."""
    for page in stack.client("dynamodb").get_paginator("scan").paginate(TableName=name):
        yield where, _plain(_without_binary(page["Items"]))


def _without_binary(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_binary(inner) for name, inner in value.items() if not isinstance(inner, bytes)}
    return [_without_binary(inner) for inner in value] if isinstance(value, list) else value


def _plain(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
