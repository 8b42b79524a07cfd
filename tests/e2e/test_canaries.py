"""A person made of markers goes through the whole job; afterwards no marker may stand anywhere but where data belongs:
the company's stores, the download, and the person's own mails."""

from __future__ import annotations

import io
import json
import re
import secrets
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from infra.local.person import Person, call
from infra.local.stack import Stack
from infra.sample.keys import bucket_name
from tests.e2e import driving, visible
from tests.e2e.marked import Markers, Text, settle


@dataclass
class Played:
    """What the whole job left behind."""

    markers: Markers
    person: Person
    package: bytes
    link: str
    secrets: list[str]
    """Codes and tokens."""
    seen: list[Text]
    """Everything that others may read."""


@pytest.fixture(scope="module")
def played(stack: Stack, person: Callable[[str], Person]) -> Iterator[Played]:
    """An access, and an erasure in which one store fails with an error that quotes a marked object key."""
    markers = Markers()
    canary = person(settle(stack, markers))
    with visible.captured_events(stack):
        access = canary.ask("access", details=f"I am {markers.word}, {canary.email}")
        tokens = [canary.token]
        canary.wait(access)
        package = canary.download(access)
        tokens.append(canary.token)
        link = call("POST", f"{stack.api_url}/requests/{access}/download", {}, canary.token)["url"]
        _blunder(stack, markers, canary)
        objects = f"arn:aws:s3:::{bucket_name('uploads', '*')}/*"
        with driving.refusing(stack, "EraseFunction", objects, "s3:DeleteObjectVersion", "s3:AbortMultipartUpload"):
            erasure = canary.ask("erasure", details=f"Forget {markers.word}")
            driving.wait_for(canary, erasure, "needs_attention")
        tokens.append(canary.token)
        assert driving.decide(stack, erasure, "retry")["ok"]
        assert canary.wait(erasure)["status"] == "completed"
        codes = [code for letter in canary.letters() for code in re.findall(r"(?m)^\s*(\d{8})\s*$", letter.text)]
        seen = list(visible.texts(stack, canary.email))
        yield Played(markers, canary, package, link, [*tokens, *codes], seen)


def _blunder(stack: Stack, markers: Markers, canary: Person) -> None:
    """Calls in which personal data stands where it should not, and which are refused."""
    url, word = stack.api_url, markers.word
    call("GET", f"{url}/requests/{word}{'x' * 20}?email={canary.email}", token=canary.token, expect=(404,))
    call("GET", f"{url}/{word}", expect=(403, 404))
    call("POST", f"{url}/requests", {"type": "access", "email": f"{word}@"}, expect=(422,))
    call("POST", f"{url}/requests", {"type": word, "email": canary.email, word: word}, expect=(422,))
    call("POST", f"{url}/verifications/{word}{'x' * 20}", {"code": "12345678"}, expect=(410,))
    call("GET", f"{url}/requests", token=f"{word}{'x' * (43 - len(word))}", expect=(401,))


def test_every_store_held_the_markers_and_the_package_has_them(played: Played) -> None:
    with zipfile.ZipFile(io.BytesIO(played.package)) as archive:
        holding = [name for name in archive.namelist() if played.markers.word.encode() in archive.read(name)]

    stores = {name.removeprefix("data/").removesuffix(".json") for name in holding if name.endswith(".json")}
    assert stores >= {
        "accounts",
        "subscriptions",
        "invoices",
        "tickets",
        "form_submissions",
        "survey_responses",
        "job_applications",
        "uploads",
    }


def test_nothing_that_others_may_read_holds_a_marker(played: Played) -> None:
    places = {where.partition(" ")[0] for where, _ in played.seen}

    assert {"execution", "history", "log", "queue", "exports", "mail", "requests", "keys"} <= places
    assert list(played.markers.found_in(played.seen)) == []


def test_no_url_and_no_execution_output_names_the_person(played: Played) -> None:
    assert list(played.markers.found_in([("download link", played.link)])) == []


def test_no_code_and_no_token_is_written_down(played: Played) -> None:
    assert len(played.secrets) >= 5
    for secret in played.secrets:
        pattern = re.compile(rf"(?<![A-Za-z0-9_-]){re.escape(secret)}(?![A-Za-z0-9_-])")
        assert [where for where, text in played.seen if pattern.search(text)] == []


def test_every_status_change_was_published(played: Played) -> None:
    published = [text for where, text in played.seen if where == "queue captured-events"]

    statuses = {json.loads(line)["detail"].get("status") for text in published for line in text.splitlines()}
    assert {"in_progress", "needs_attention", "completed"} <= statuses


def test_the_search_sees_a_marker_in_each_place(stack: Stack, played: Played) -> None:
    """Plants one in each, so that an empty search means something."""
    planted = Markers()
    account = stack.client("sts").get_caller_identity()["Account"]
    _plant(stack, planted.word)

    found = {line.partition(":")[0] for line in planted.found_in(visible.texts(stack, f"nobody@{account}.example"))}

    assert {where.partition(" ")[0] if where.startswith(("log", "queue")) else where for where in found} == {
        "execution",
        "history",
        "log",
        "metrics",
        "queue",
        "exports bucket",
        "mail subject",
        "mail to others",
        "requests table",
        "keys table",
    }


def _plant(stack: Stack, word: str) -> None:
    group = stack.client("logs").describe_log_groups()["logGroups"][0]["logGroupName"]
    stack.client("logs").create_log_stream(logGroupName=group, logStreamName=secrets.token_hex(4))
    stream = stack.client("logs").describe_log_streams(logGroupName=group)["logStreams"][-1]["logStreamName"]
    now = int(datetime.now(UTC).timestamp() * 1000)
    stack.client("logs").put_log_events(
        logGroupName=group, logStreamName=stream, logEvents=[{"timestamp": now, "message": f"of {word}"}]
    )
    stack.client("stepfunctions").start_execution(
        stateMachineArn=stack.outputs["PrivacyRequestArn"], input=json.dumps({"request_id": word})
    )
    metric = {"MetricName": "Planted", "Dimensions": [{"Name": "Who", "Value": word}], "Value": 1.0}
    stack.client("cloudwatch").put_metric_data(Namespace="Rightful", MetricData=[metric])
    sqs = stack.client("sqs")
    sqs.send_message(QueueUrl=sqs.list_queues()["QueueUrls"][0], MessageBody=json.dumps({"detail": {"who": word}}))
    stack.client("s3").put_object(Bucket=stack.outputs["ExportsBucket"], Key=f"work/{word}", Body=b"")
    stack.client("dynamodb").put_item(
        TableName=stack.outputs["RequestsTable"], Item={"pk": {"S": word}, "sk": {"S": "PLANTED"}}
    )
    stack.client("dynamodb").put_item(TableName=driving.physical(stack, "KeysTable"), Item={"id": {"S": word}})
    stack.client("sesv2").send_email(
        FromEmailAddress="privacy@salescookie.example",
        Destination={"ToAddresses": ["someone@example.org"]},
        Content={"Simple": {"Subject": {"Data": f"For {word}"}, "Body": {"Text": {"Data": f"Dear {word}"}}}},
    )
