"""Each role grants exactly the actions that its function's code can reach, and each function has exactly the
variables for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.template.loading import functions, in_words
from tests.template.reach import ports_reached

Grant = tuple[str, str]
"""(action, resource as written)."""

TABLE, INDEX, KEYS = "RequestsTable.Arn", "${RequestsTable.Arn}/index/by_person", "KeysTable.Arn"
DUE = "${RequestsTable.Arn}/index/by_due"
BUCKET, WORK, PACKAGES = "ExportsBucket.Arn", "${ExportsBucket.Arn}/work/*", "${ExportsBucket.Arn}/packages/*"
ARN = "arn:${AWS::Partition}:%s:${AWS::Region}:${AWS::AccountId}:%s"
SES = (ARN % ("ses", "identity/*"), ARN % ("ses", "configuration-set/${MailConfiguration}"))
READ = {("dynamodb:GetItem", TABLE)}
UPDATE = {("dynamodb:UpdateItem", TABLE)}
NEW = {("dynamodb:PutItem", TABLE)}
UNSEAL = {("dynamodb:GetItem", KEYS), ("kms:Decrypt", "DataKey.Arn")}
NEW_KEY = {("dynamodb:PutItem", KEYS), ("kms:GenerateDataKey", "DataKey.Arn")}

MACHINES = {"brake": ["RetentionSweep"], "decide": ["PrivacyRequest", "RetentionSweep"]}
"""Whose waiting states a function answers; every other's are those of requests."""
REPORTS, RUN = "ReportsBucket.Arn", "${ReportsBucket.Arn}/work/*"
PAGES, PREVIEWS = "${ReportsBucket.Arn}/retention/*", "${ReportsBucket.Arn}/previews/*"
OVERVIEWS, CALENDAR = "${ReportsBucket.Arn}/overview/*", "${ReportsBucket.Arn}/calendar/*"
WRITES = {
    "split": [RUN],
    "brake": [PAGES],
    "report": [PAGES, PREVIEWS],
    "overview": [OVERVIEWS],
    "deadlines": [CALENDAR],
}
"""Where in the reports bucket."""
READS = {"overview": PAGES}
"""Where in the reports bucket, when it is not what a run keeps there."""

SIGNING = "ReceiptSigningKey or ReceiptKey.Arn"
EVIDENCE = "${EvidenceBucket.Arn}/requests/*"

TAILS = f"{PACKAGES}.zip.tail-*"
"""What a pause left beside the download."""

NEEDED: dict[str, set[Grant]] = {
    "table.get": READ,
    "table.get_many": {("dynamodb:BatchGetItem", TABLE)},
    "table.put_new": NEW,
    "table.update": UPDATE,
    "table.query": {("dynamodb:Query", TABLE)},
    "table.open_requests": {("dynamodb:Query", DUE), ("dynamodb:BatchGetItem", TABLE)},
    "table.by_person": {("dynamodb:Query", INDEX)},
    "table.delete": {("dynamodb:DeleteItem", TABLE)},
    "limits.take": READ | UPDATE | NEW,
    "vault.open": UNSEAL,
    "vault.seal": UNSEAL,
    "vault.prolong": {("dynamodb:UpdateItem", KEYS)},
    "vault.lapse": {("dynamodb:UpdateItem", KEYS)},
    "vault.digest": {("kms:GenerateMac", "HashKey.Arn")},
    "provider.keys": set(),  # HTTPS, without AWS
    "webhooks.post": set(),  # the secrets that the data map names: see tests/unit/datamap/test_access.py
    "mailer.send": {("ses:SendEmail", resource) for resource in SES},
    "mailer.quota": {("ses:GetAccount", "*")},
    "mailer.at_most": set(),
    "events.publish": {("events:PutEvents", ARN % ("events", "event-bus/default"))},
    "executions.start": {("states:StartExecution", "PrivacyRequest")},
    "executions.sweep": {("states:StartExecution", "RetentionSweep")},
    "executions.announce": {("states:StartExecution", "PolicyNotice")},
    "executions.running": {("states:DescribeExecution", "RetentionSweep:*")},
    "executions.answer": set(),  # see MACHINES
    "reports.put": set(),  # see WRITES
    "reports.read": {("s3:ListBucket", REPORTS)},  # without it, 403 instead of 404; see READS
    "reports.list": {("s3:ListBucket", REPORTS)},
    "reports.uri": set(),
    "reports.delete": {
        ("s3:ListBucket", REPORTS),
        ("s3:ListBucketMultipartUploads", REPORTS),
        ("s3:DeleteObject", RUN),
        ("s3:AbortMultipartUpload", RUN),
    },
    "signer.key": {("kms:GetPublicKey", SIGNING)},
    "signer.sign": {("kms:Sign", SIGNING)},
    "evidence.keep": {(f"s3:{action}", EVIDENCE) for action in ("PutObject", "PutObjectRetention", "GetObject")},
    "files.link": {("s3:GetObject", PACKAGES)},
    "files.read": {("s3:GetObject", WORK)},
    "files.put": {("s3:PutObject", WORK)},
    "files.list": {("s3:ListBucket", BUCKET)},
    "files.delete": {("s3:ListBucket", BUCKET), ("s3:ListBucketMultipartUploads", BUCKET)},  # and see DELETES
    "files.upload": {("s3:PutObject", PACKAGES), ("s3:GetObject", PACKAGES), ("s3:DeleteObject", TAILS)},
}
MAKES_KEYS = {"announce", "api", "sweep", "brake", "order", "submit", "hold", "complete", "deadlines"}
"""Where verifications, requests (those that follow the release of a hold, too), runs of the sweep, notices and orders
of the DPO begin to be sealed. For all others a missing key means that it was destroyed, and they must not be able to
make a new one."""

DELETES = {"complete": [WORK, PACKAGES], "deadlines": [PACKAGES]}
"""Where in the exports bucket; every other function deletes work only. An access that ended otherwise leaves no package
either."""

VARIABLES = {
    "table": {"REQUESTS_TABLE"},
    "limits": {"REQUESTS_TABLE"},
    "vault": {"KEYS_TABLE"},
    "mailer": {"MAIL_FROM", "MAIL_CONFIGURATION_SET"},
    "files": {"EXPORTS_BUCKET"},
    "reports": {"REPORTS_BUCKET"},
    "evidence": {"EVIDENCE_BUCKET", "EVIDENCE_LOCK_MODE"},
    "signer": {"RECEIPT_KEY_ID"},
    "executions.start": {"STATE_MACHINE_ARN"},
    "executions.sweep": {"RETENTION_SWEEP_ARN"},
    "executions.announce": {"POLICY_NOTICE_ARN"},
    "vault.digest": {"HMAC_KEY_ID"},
    "vault.open": {"DATA_KEY_ID"},
    "vault.seal": {"DATA_KEY_ID"},
    "settings.public_url": {"PUBLIC_URL"},
    "settings.oidc_issuer": {"OIDC_ISSUER"},
    "settings.oidc_audience": {"OIDC_AUDIENCE"},
    "settings.desk_url": {"DPO_DESK_ARN"},
    "settings.retention_mode": {"RETENTION_MODE"},
    "settings.form_origins": {"FORM_ORIGINS"},
    "settings.source_limit_per_hour": {"SOURCE_LIMIT_PER_HOUR"},
}


def granted(properties: dict[str, Any]) -> Iterator[Grant]:
    for policy in properties["Policies"]:
        for statement in policy["Statement"]:
            actions, on = statement["Action"], statement["Resource"]
            for action in actions if isinstance(actions, list) else [actions]:
                for resource in on if isinstance(on, list) else [on]:
                    name = in_words(resource)
                    yield action, re.sub(r".*:\$\{AWS::StackName\}-", "", name)


@pytest.mark.parametrize("folder", sorted(functions()))
def test_grants_what_the_code_reaches_and_no_more(folder: str) -> None:
    reached = ports_reached(folder)
    wanted = {grant for port in reached for grant in NEEDED.get(port, set())}
    if folder in MAKES_KEYS:
        assert "vault.seal" in reached
        wanted |= NEW_KEY
    if "executions.answer" in reached:
        wanted |= {("states:SendTaskSuccess", machine) for machine in MACHINES.get(folder, ["PrivacyRequest"])}
    if "reports.read" in reached:
        wanted.add(("s3:GetObject", READS.get(folder, RUN)))
    if "reports.put" in reached:
        wanted |= {("s3:PutObject", place) for place in WRITES[folder]}
    if "files.delete" in reached:
        actions = ("s3:DeleteObject", "s3:AbortMultipartUpload")
        wanted |= {(action, place) for place in DELETES.get(folder, [WORK]) for action in actions}
    given = set(granted(functions()[folder])) - {("sqs:SendMessage", "Failures.Arn")}  # Lambda's own, on failure
    assert given == wanted


@pytest.mark.parametrize("folder", sorted(functions()))
def test_has_the_variables_of_the_ports_it_reaches(folder: str) -> None:
    reached = ports_reached(folder)
    names = reached | {port.split(".")[0] for port in reached}
    wanted = {variable for name in names for variable in VARIABLES.get(name, set())}
    if folder == "api":
        wanted.add("FORM_ORIGINS")  # read from `deps().settings` in its app.py
    assert set(functions()[folder]["Environment"]["Variables"]) == wanted


def test_every_port_is_known_here() -> None:
    ports = {port for folder in functions() for port in ports_reached(folder)}
    unknown = {
        port for port in ports if port.split(".")[0] not in {"datamap", "settings", "connectors", "sweepers"}
    } - set(NEEDED)
    assert not unknown
