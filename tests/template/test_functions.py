"""Each Lambda is one folder, and has a role, a log group and tracing of its own."""

from __future__ import annotations

import pytest

from tests.template.loading import ROOT, functions, in_words, logical_id, resources, template

FOLDERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
SECRETIVE = ("SECRET", "PASSWORD", "TOKEN", "PRIVATE")


def test_folders_and_resources_are_the_same() -> None:
    assert sorted(functions()) == FOLDERS
    assert {logical_id(folder) for folder in FOLDERS} == set(resources("AWS::Serverless::Function"))


def test_all_are_traced_and_follow_the_runtime_parameters() -> None:
    shared = template()["Globals"]["Function"]
    assert shared["Tracing"] == "Active"
    assert (shared["Runtime"], shared["Architectures"]) == ({"Ref": "Runtime"}, [{"Ref": "Architecture"}])
    assert shared["Environment"]["Variables"]["POWERTOOLS_LOGGER_LOG_EVENT"] == "false"


@pytest.mark.parametrize("folder", FOLDERS)
def test_has_its_own_role_and_log_group(folder: str) -> None:
    properties = functions()[folder]
    assert "Role" not in properties, "a shared role would give it what others need"
    assert properties["Policies"]
    group = properties["LoggingConfig"]["LogGroup"]["Ref"]
    assert group == logical_id(folder).replace("Function", "Log")
    assert resources("AWS::Logs::LogGroup")[group]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_has_what_lambda_allows(folder: str) -> None:
    properties = functions()[folder]
    assert len(properties["Layers"]) <= 5
    assert properties["Handler" if "Handler" in properties else "CodeUri"]
    assert properties["Timeout"] <= (29 if folder == "api" else 900)
    assert not [name for name in properties["Environment"]["Variables"] if any(word in name for word in SECRETIVE)]


def test_what_is_called_asynchronously_has_a_failure_destination() -> None:
    called = {
        folder: properties
        for folder, properties in functions().items()
        if {event["Type"] for event in properties.get("Events", {}).values()} - {"Api"}
    }
    assert "mail_events" in called
    for folder, properties in called.items():
        assert in_words(properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]), folder


def test_mail_events_are_stripped_of_their_recipient() -> None:
    transformer = functions()["mail_events"]["Events"]["Mails"]["Properties"]["InputTransformer"]
    assert sorted(transformer["InputPathsMap"].values()) == [
        "$.detail.eventType",
        "$.detail.mail.messageId",
        "$.detail.mail.tags",
        "$.time",
    ]
