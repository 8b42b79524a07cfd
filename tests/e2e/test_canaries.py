"""A person made of markers goes through the whole job; afterwards no marker may stand anywhere but where data belongs:
the company's stores, the download, and the person's own mails."""

from __future__ import annotations

import io
import json
import re
import secrets
import zipfile
from datetime import UTC, datetime

from infra.local import mishaps
from infra.local.stack import Stack
from tests.e2e import visible
from tests.e2e.canary import Played
from tests.e2e.marked import Markers


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

    assert {"execution", "history", "log", "queue", "exports", "evidence", "mail", "requests", "keys"} <= places
    assert list(played.markers.found_in(played.seen)) == []


def test_a_recipient_reads_only_what_it_knows_the_person_by(stack: Stack, played: Played) -> None:
    sent = list(visible.to_recipients(stack))

    assert {name for name, _ in sent} >= {"payments", "support_desk"}
    assert list(played.markers.found_in(sent)) == []


def test_the_download_link_names_nobody(played: Played) -> None:
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
    _plant(stack, planted.word)

    found = {line.partition(":")[0] for line in planted.found_in(visible.texts(stack, "nobody@example.org"))}

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
    stack.client("dynamodb").put_item(TableName=mishaps.physical(stack, "KeysTable"), Item={"id": {"S": word}})
    stack.client("sesv2").send_email(
        FromEmailAddress="privacy@salescookie.example",
        Destination={"ToAddresses": ["someone@example.org"]},
        Content={"Simple": {"Subject": {"Data": f"For {word}"}, "Body": {"Text": {"Data": f"Dear {word}"}}}},
    )
