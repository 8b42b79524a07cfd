"""What the stack keeps, says and lets in."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from functions.api.app import BODY_LIMIT, app
from infra.local.deploy import parameters
from infra.packaging.target import GLIBC, RUNTIMES
from rightful import __version__, errors
from rightful.api.problems import BUSY_SECONDS, MEDIA_TYPE, TITLES
from rightful.service import digest
from rightful.service.sweep import reporting, splitting
from tests.template.loading import ROOT, functions, resources, template
from tests.template.measured import written

WORKFLOWS = sorted(f"infra/workflows/{path.name}" for path in (ROOT / "infra/workflows").iterdir())
MACHINES = sorted(resources("AWS::Serverless::StateMachine"))
OF_AWS = re.compile(r"(States|Lambda|Sandbox)\.\w+")


def test_outputs_of_the_contract_exist() -> None:
    assert set(template()["Outputs"]) == {
        "ApiUrl",
        "PrivacyRequestArn",
        "RequestsTable",
        "ExportsBucket",
        "DpoDeskArn",
        "DpoAccessPolicyArn",
        "RetentionSweepArn",
        "PolicyNoticeArn",
        "ReportsBucket",
        "EvidenceBucket",
        "DashboardName",
        "MayContactArn",
    }


def test_every_parameter_has_a_default_and_says_what_it_is() -> None:
    for name, parameter in template()["Parameters"].items():
        assert "Default" in parameter, name
        assert parameter["Description"].strip(), name


def test_a_guided_deployment_asks_of_no_route_whether_it_may_be_open() -> None:
    """Its default answer would end the deployment. `samcli.commands.deploy.auth_utils` looks at `Auth` of the API."""
    (api,) = resources("AWS::Serverless::Api").values()
    assert api["Auth"] == {"AddDefaultAuthorizerToCorsPreflight": False}


def test_what_api_gateway_answers_by_itself_is_a_problem_too() -> None:
    answers = resources("AWS::Serverless::Api")["RestApi"]["GatewayResponses"]
    said = {}
    for kind, answer in answers.items():
        assert answer["ResponseParameters"]["Headers"]["Content-Type"] == f"'{MEDIA_TYPE}'", kind
        (text,) = answer["ResponseTemplates"].values()
        assert "$" not in text, "API Gateway's own words may quote what was sent"
        body = json.loads(text)
        assert set(body) - {"status"} == {"type", "title", "detail"}
        assert body.get("status") == answer.get("StatusCode"), kind
        said[kind] = (body.get("status"), body["title"])
    assert said == {
        "MISSING_AUTHENTICATION_TOKEN": (404, TITLES[404]),
        "REQUEST_TOO_LARGE": (413, TITLES[413]),
        "THROTTLED": (429, TITLES[503]),
        "DEFAULT_4XX": (None, TITLES[400]),
        "DEFAULT_5XX": (None, TITLES[500]),
    }
    assert answers["THROTTLED"]["ResponseParameters"]["Headers"]["Retry-After"] == f"'{BUSY_SECONDS}'"
    assert str(BODY_LIMIT) in str(answers["REQUEST_TOO_LARGE"])


def test_what_is_worth_it_is_compressed_on_its_way() -> None:
    """By API Gateway, for whoever takes it: functions answer with text."""
    (api,) = resources("AWS::Serverless::Api").values()
    assert 0 < api["MinimumCompressionSize"] <= 2048


def test_an_account_that_lets_api_gateway_write_logs_can_keep_its_role() -> None:
    """The role is one for the account and region: the stack's would replace it, and must outlive the stack."""
    for name in ("ApiGatewayAccount", "ApiGatewayLogWriter"):
        resource = template()["Resources"][name]
        assert resource["Condition"] == "NamesApiGatewayLogRole"
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
    waits_for = resources("AWS::Serverless::Api")["RestApi"]["Variables"]["log_role"]["Fn::If"]
    assert waits_for[:2] == ["NamesApiGatewayLogRole", {"Ref": "ApiGatewayAccount"}]
    assert template()["Conditions"]["NamesApiGatewayLogRole"] == {"Fn::Equals": [{"Ref": "ApiGatewayLogRole"}, "yes"]}


def test_the_packer_knows_every_runtime() -> None:
    assert tuple(template()["Parameters"]["Runtime"]["AllowedValues"]) == RUNTIMES
    assert set(GLIBC) <= set(RUNTIMES)


def test_tables_expire_and_only_requests_are_backed_up() -> None:
    tables = resources("AWS::DynamoDB::Table")
    assert set(tables) == {"RequestsTable", "KeysTable"}
    for name, table in tables.items():
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["SSESpecification"]["SSEType"] == "KMS"
        assert table["DeletionProtectionEnabled"] == {"Fn::If": ["Protected", True, False]}
        backed_up = table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
        assert backed_up is (name == "RequestsTable"), "a backup of keys would undo a shredding"


def test_request_indexes() -> None:
    indexes = resources("AWS::DynamoDB::Table")["RequestsTable"]["GlobalSecondaryIndexes"]
    keys = {index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]] for index in indexes}
    assert keys == {"by_person": ["person", "received_at"], "by_due": ["open", "due_at"]}


def test_exports_are_private_encrypted_and_short_lived() -> None:
    bucket = resources("AWS::S3::Bucket")["ExportsBucket"]
    assert "VersioningConfiguration" not in bucket
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    rule = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
    assert rule["SSEAlgorithm"] == "aws:kms"
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert (rules["DownloadsEnd"]["Prefix"], rules["DownloadsEnd"]["ExpirationInDays"]) == ("packages/", 7)
    assert rules["AbandonedWorkEnds"]["ExpirationInDays"] > 92, "an answer may take three months"
    assert rules["UnfinishedUploadsEnd"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] <= 2


@pytest.mark.parametrize("kind", ["S3::Bucket", "SQS::Queue"])
def test_tls_only(kind: str) -> None:
    policies = resources(f"AWS::{kind}Policy").values()
    assert len(policies) == len(resources(f"AWS::{kind}")) > 0
    for policy in policies:
        statements = {statement["Sid"]: statement for statement in policy["PolicyDocument"]["Statement"]}
        assert statements["TlsOnly"]["Effect"] == "Deny"
        assert statements["TlsOnly"]["Principal"] == "*"
        assert statements["TlsOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_access_log_leads_to_nobody() -> None:
    said = resources("AWS::Serverless::Api")["RestApi"]["AccessLogSetting"]["Format"]
    assert set(re.findall(r"\$context\.([\w.]+)", said)) == {
        "requestId",
        "requestTime",
        "httpMethod",
        "resourcePath",
        "status",
        "responseLatency",
        "xrayTraceId",
    }
    json.loads(said)


@pytest.mark.parametrize("name", MACHINES)
def test_a_workflow_is_logged_without_data_and_traced(name: str) -> None:
    machine = resources("AWS::Serverless::StateMachine")[name]
    assert machine["Logging"]["IncludeExecutionData"] is False
    assert machine["Tracing"] == {"Enabled": True}
    assert machine["Type"] == "STANDARD"


@pytest.mark.parametrize("name", MACHINES)
def test_a_workflow_calls_the_functions_it_is_given(name: str) -> None:
    machine = resources("AWS::Serverless::StateMachine")[name]
    given = dict(machine["DefinitionSubstitutions"])
    assert set(re.findall(r"\$\{(\w+)\}", definition(name))) == set(given)
    waits = "waitForTaskToken" in definition(name)
    assert given.pop("Partition", None) == ({"Ref": "AWS::Partition"} if waits else None)
    assert given == {f"{name}Arn": {"Fn::GetAtt": f"{name}.Arn"} for name in (key[:-3] for key in given)}
    allowed = machine["Policies"][0]["Statement"][0]
    assert allowed["Action"] == "lambda:InvokeFunction"
    assert sorted(map(str, allowed["Resource"])) == sorted(map(str, given.values()))


def definition(machine: str) -> str:
    """Text of its state machine."""
    return (ROOT / str(resources("AWS::Serverless::StateMachine")[machine]["DefinitionUri"])).read_text()


@pytest.mark.parametrize("name", ["RetentionSweep", "PolicyNotice"])
def test_a_machine_may_run_its_segments_as_executions_of_its_own_and_no_others(name: str) -> None:
    """Source: "IAM policies for using Distributed Map states", Step Functions developer guide."""
    machine = resources("AWS::Serverless::StateMachine")[name]
    allowed = {
        action: statement["Resource"]["Fn::Sub"].rpartition("${AWS::AccountId}:")[2]
        for statement in machine["Policies"][0]["Statement"]
        for action in listed(statement["Action"])
        if action.startswith("states:")
    }
    assert machine["Name"] == {"Fn::Sub": f"${{AWS::StackName}}-{name}"}
    assert allowed == {
        "states:StartExecution": f"stateMachine:${{AWS::StackName}}-{name}",
        "states:DescribeExecution": f"execution:${{AWS::StackName}}-{name}:*",
        "states:StopExecution": f"execution:${{AWS::StackName}}-{name}:*",
    }


def test_the_schedule_previews_until_it_is_told_to_apply_and_names_its_run() -> None:
    daily = resources("AWS::Serverless::StateMachine")["RetentionSweep"]["Events"]["Daily"]["Properties"]
    given = daily["Input"]["Fn::Sub"]
    moment = given.replace("<aws.scheduler.scheduled-time>", "2027-01-31T03:00:00Z").replace(
        "${RetentionMode}", "apply"
    )
    assert template()["Parameters"]["RetentionMode"]["Default"] == "preview"
    assert json.loads(moment) == {"mode": "apply", "run_id": "2027-01-31T03:00:00Z"}
    assert set(json.loads(moment)) <= set(splitting.FIELDS)
    assert daily["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "Failures.Arn"}}
    assert daily["RetryPolicy"]["MaximumEventAgeInSeconds"] < 24 * 3600
    assert daily["State"] == {"Ref": "RetentionScheduleState"}
    assert parameters()["RetentionScheduleState"] == "DISABLED", "on this machine a sweep begins when it is asked for"


def test_the_daily_round_is_started_in_the_same_way() -> None:
    daily = functions()["deadlines"]["Events"]["Daily"]["Properties"]
    given = json.loads(daily["Input"].replace("<aws.scheduler.scheduled-time>", "2027-01-31T06:00:00Z"))
    assert given == json.loads((ROOT / "events/deadlines_daily.json").read_text())
    assert daily["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "Failures.Arn"}}
    assert daily["RetryPolicy"]["MaximumEventAgeInSeconds"] < 24 * 3600
    assert daily["ScheduleExpressionTimezone"] == {"Ref": "RetentionTimeZone"}
    assert daily["State"] == {"Ref": "DeadlinesScheduleState"}
    assert parameters()["DeadlinesScheduleState"] == "DISABLED"


def test_signing_in_with_ones_own_accounts_is_off_until_both_its_parameters_are_set() -> None:
    issuer, audience = (template()["Parameters"][name] for name in ("OidcIssuer", "OidcAudience"))
    assert (issuer["Default"], audience["Default"]) == ("", "")
    for good in ("", "https://login.example.org", "https://login.example.org/realms/one/", "https://a.example:8443"):
        assert re.fullmatch(issuer["AllowedPattern"], good)
    for bad in ("http://login.example.org", "login.example.org", "https://", "https://a b", "https://a.example?x"):
        assert not re.fullmatch(issuer["AllowedPattern"], bad)
    both = [{"Fn::Equals": [{"Ref": name}, ""]} for name in ("OidcIssuer", "OidcAudience")]
    (rule,) = template()["Rules"]["SignInIsWhole"]["Assertions"]
    assert rule["Assert"] == {"Fn::Or": [{"Fn::And": both}, {"Fn::And": [{"Fn::Not": [each]} for each in both]}]}
    variables = functions()["api"]["Environment"]["Variables"]
    assert variables["OIDC_ISSUER"] == {"Ref": "OidcIssuer"}
    assert variables["OIDC_AUDIENCE"] == {"Ref": "OidcAudience"}


def test_reports_are_private_encrypted_and_kept_three_years() -> None:
    bucket = resources("AWS::S3::Bucket")["ReportsBucket"]
    assert "VersioningConfiguration" not in bucket
    assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4
    rule = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
    assert rule["SSEAlgorithm"] == "aws:kms"
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules.values() if "ExpirationInDays" in rule}
    assert days[f"{reporting.FOLDERS['apply']}/"] == 1096
    assert days[f"{digest.CALENDAR.split('/')[0]}/"] == 2, "what was not written anew yesterday is out of date"
    assert days[f"{reporting.FOLDERS['preview']}/"] <= 14, "it shows some records' keys"
    assert rules["AbandonedWorkEnds"]["ExpirationInDays"] > 366, "a run may wait for the DPO for a year"
    assert rules["UnfinishedUploadsEnd"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1


def test_evidence_is_private_encrypted_and_locked() -> None:
    """Each object names its own term, so the bucket has none; and no rule of it deletes."""
    bucket = resources("AWS::S3::Bucket")["EvidenceBucket"]
    assert bucket["ObjectLockEnabled"] is True
    assert "ObjectLockConfiguration" not in bucket
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert "LifecycleConfiguration" not in bucket
    assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4
    rule = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
    assert rule["SSEAlgorithm"] == "aws:kms"
    mode = template()["Parameters"]["EvidenceLockMode"]
    assert (mode["Default"], mode["AllowedValues"]) == ("COMPLIANCE", ["COMPLIANCE", "GOVERNANCE"])
    assert parameters()["EvidenceLockMode"] == "GOVERNANCE", "on this machine nothing is for good"


def test_receipts_are_signed_by_a_key_that_can_be_replaced() -> None:
    key = resources("AWS::KMS::Key")["ReceiptKey"]
    assert (key["KeySpec"], key["KeyUsage"]) == ("ECC_NIST_P256", "SIGN_VERIFY")
    named = {"Fn::If": ["NamesSigningKey", {"Ref": "ReceiptSigningKey"}, {"Fn::GetAtt": "ReceiptKey.Arn"}]}
    for folder in ("api", "complete"):
        assert functions()[folder]["Environment"]["Variables"]["RECEIPT_KEY_ID"] == named
    assert template()["Conditions"]["NamesSigningKey"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "ReceiptSigningKey"}, ""]}]
    }


def test_alarms_look_at_metrics_that_are_written() -> None:
    alarms = resources("AWS::CloudWatch::Alarm")
    ours = {name: alarm for name, alarm in alarms.items() if alarm["Namespace"] == "Rightful"}
    watched = {(alarm["MetricName"], *sorted(each["Name"] for each in alarm["Dimensions"])) for alarm in ours.values()}
    assert set(ours) == {
        *("SweepsBraked", "SegmentsFailed", "SweepsMissing"),
        *("RequestsOverdue", "RequestsDueSoon", "BreachesOverdue", "DeadlinesMissing"),
    }
    assert watched <= written()
    assert template()["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"] == "Rightful"


def test_what_is_overdue_or_due_soon_keeps_its_alarm_until_a_round_says_otherwise() -> None:
    """A round says so once a day, and the day's other minutes have nothing to say."""
    alarms = {"RequestsOverdue": "Overdue", "RequestsDueSoon": "DueWithin2Days", "BreachesOverdue": "BreachesOverdue"}
    for name, metric in alarms.items():
        alarm = resources("AWS::CloudWatch::Alarm")[name]
        assert (alarm["MetricName"], alarm["Statistic"], alarm["TreatMissingData"]) == (metric, "Maximum", "ignore")
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


@pytest.mark.parametrize("name", ["SweepsMissing", "DeadlinesMissing"])
def test_a_day_without_a_run_is_noticed(name: str) -> None:
    """A period of an hour or more may be looked at for seven days (PutMetricAlarm, EvaluationPeriods)."""
    alarm = resources("AWS::CloudWatch::Alarm")[name]
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 26 * 3600
    assert alarm["Period"] >= 3600


@pytest.mark.parametrize("path", ["template.yaml", "infra/store_access.yaml", *WORKFLOWS])
def test_no_partition_of_aws_is_taken_for_granted(path: str) -> None:
    assert "arn:aws:" not in (ROOT / path).read_text()


@pytest.mark.parametrize("name", MACHINES)
def test_errors_named_in_a_workflow_exist(name: str) -> None:
    names = set(_values(json.loads(definition(name)), "ErrorEquals"))
    ours = {name for name in names if not OF_AWS.fullmatch(name)}
    assert ours
    assert all(issubclass(getattr(errors, name), errors.RightfulError) for name in ours)
    assert errors.TryAgain.__name__ in ours


def test_the_documentation_knows_the_alarms_there_are() -> None:
    alarms = resources("AWS::CloudWatch::Alarm")
    chapter = (ROOT / "docs/architecture.md").read_text().partition("## Alarms")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", chapter, re.MULTILINE)) == set(alarms)
    mailed = ["HasAlarmEmail", [{"Ref": "Alarms"}]]
    assert all(alarm["AlarmActions"]["Fn::If"][:2] == mailed for alarm in alarms.values())


def test_routes_of_template_app_and_openapi_are_the_same() -> None:
    from rightful.api.openapi import document

    events = functions()["api"]["Events"].values()
    declared = {(event["Properties"]["Path"], event["Properties"]["Method"].upper()) for event in events}
    routed = {(path, method) for path, methods in app.routes.items() for method in methods}
    paths = document(__version__)["paths"]
    described = {(path, method.upper()) for path, methods in paths.items() for method in methods}
    assert declared == routed
    assert {route for route in declared if route[1] != "OPTIONS"} == described


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _values(node: Any, key: str) -> list[str]:
    if isinstance(node, list):
        return [value for item in node for value in _values(item, key)]
    if isinstance(node, dict):
        here = node.get(key, [])
        return [*here, *(value for item in node.values() for value in _values(item, key))]
    return []
