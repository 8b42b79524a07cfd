"""The dashboard shows what is measured: no name in it leads nowhere."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.template.loading import resources, template
from tests.template.measured import written

OF_AWS = {
    "AWS/States": {"ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed"},
    "AWS/Lambda": {"Errors", "Throttles"},
    "AWS/ApiGateway": {"Count", "4XXError", "5XXError", "Latency"},
}
"""Source: the pages on metrics in the developer guides of Step Functions, Lambda and API Gateway."""
OF_THIS_STACK = ("<Stage>", "<AWS::StackName>", "<PrivacyRequest>", "<RetentionSweep>", "<PolicyNotice>", "<DpoDesk>")
SEARCH = re.compile(r"SEARCH\('\{([\w/]+),([\w,]+)\} MetricName=\"(\w+)\"([^']*)', '(\w+)', (\d+)\)")


def body() -> dict[str, Any]:
    """As CloudFormation hands it to CloudWatch: what stands in `${}` is put in, `${!X}` is left as `${X}`."""
    (dashboard,) = resources("AWS::CloudWatch::Dashboard").values()
    text = re.sub(r"\$\{([A-Za-z:.]+)\}", r"<\1>", dashboard["DashboardBody"]["Fn::Sub"])
    loaded: dict[str, Any] = json.loads(text.replace("${!", "${"))
    return loaded


def widgets(kind: str) -> list[dict[str, Any]]:
    return [widget["properties"] for widget in body()["widgets"] if widget["type"] == kind]


def shown() -> set[tuple[str, ...]]:
    """(namespace, metric, *names of its dimensions in order)."""
    found = set()
    for properties in widgets("metric"):
        for row in properties["metrics"]:
            if isinstance(row[0], dict):
                match = SEARCH.fullmatch(row[0]["expression"])
                assert match, row
                found.add((match[1], match[3], *sorted(match[2].split(","))))
            else:
                parts = [part for part in row if isinstance(part, str)]
                found.add((parts[0], parts[1], *sorted(parts[2::2])))
    return found


def test_every_metric_is_one_that_is_written_or_one_of_aws() -> None:
    assert {each[1:] for each in shown() if each[0] == "Rightful"} <= written()
    theirs = {(namespace, metric) for namespace, metric, *_ in shown() if namespace != "Rightful"}
    assert theirs == {(namespace, metric) for namespace, metrics in OF_AWS.items() for metric in metrics}


def test_it_shows_what_a_round_and_the_end_of_a_request_measure() -> None:
    said = {metric for namespace, metric, *_ in shown() if namespace == "Rightful"}
    assert {"OpenRequests", "Overdue", "DueWithin2Days", "DueWithin7Days", "Paused", "AwaitingDpo"} <= said
    assert {"ClosedRequests", "DaysToClose", "Due", "Deleted", "Anonymised", "Held"} <= said


def test_it_shows_every_machine_and_every_alarm() -> None:
    machines = {row[3].strip("<>") for each in widgets("metric") for row in each["metrics"] if row[0] == "AWS/States"}
    assert machines == set(resources("AWS::Serverless::StateMachine"))
    (alarms,) = widgets("alarm")
    assert sorted(alarms["alarms"]) == sorted(f"<{name}.Arn>" for name in resources("AWS::CloudWatch::Alarm"))


def test_no_two_parts_lie_on_each_other_and_none_leaves_the_page() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in body()["widgets"]:
        columns = range(widget["x"], widget["x"] + widget["width"])
        rows = range(widget["y"], widget["y"] + widget["height"])
        assert columns.stop <= 24
        cells = {(x, y) for x in columns for y in rows}
        assert not taken & cells
        taken |= cells


def test_all_of_it_is_of_this_stack() -> None:
    """What stands in the body by name alone would be another stack's as well."""
    for properties in widgets("metric"):
        assert properties["region"] == "<AWS::Region>"
        for row in properties["metrics"]:
            text = json.dumps(row)
            assert any(own in text for own in OF_THIS_STACK)
    assert template()["Outputs"]["DashboardName"]["Value"] == {"Ref": "Dashboard"}
