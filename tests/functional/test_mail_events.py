"""What the provider says of a mail is noted, and a mail that did not arrive shows in the request's timeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rightful.model import Controller, DataMap
from rightful.service import mail_events, requests
from rightful.service.deps import Deps
from tests.fakes.clock import MovableClock
from tests.fakes.events import MemoryEvents
from tests.fakes.evidence import MemoryEvidence
from tests.fakes.executions import MemoryExecutions
from tests.fakes.files import MemoryFiles
from tests.fakes.limits import MemoryLimits
from tests.fakes.mailer import MemoryMailer
from tests.fakes.provider import MemoryProvider
from tests.fakes.signer import MemorySigner
from tests.fakes.table import MemoryTable
from tests.fakes.vault import MemoryVault
from tests.fakes.webhooks import MemoryWebhooks

EVENTS = Path(__file__).parents[2] / "events"
REQUEST = "q3Zr8m0uT5yVfKx1aBcDeg"
VERIFICATION = "v9Zr8m0uT5yVfKx1aBcDeg"
MAIL = (f"REQUEST#{REQUEST}", "MAIL#completed_erasure")
CODE = (f"VERIFICATION#{VERIFICATION}", "VERIFICATION")


def event(name: str) -> dict[str, Any]:
    """One of the real events in events/, as the rule's input transformer hands it on: without addresses."""
    whole = json.loads((EVENTS / f"ses_{name}.json").read_text())
    mail = whole["detail"]["mail"]
    return {
        "source": whole["source"],
        "time": whole["time"],
        "detail": {
            "eventType": whole["detail"]["eventType"],
            "mail": {"messageId": mail["messageId"], "tags": mail["tags"]},
        },
    }


@pytest.fixture
def deps() -> Deps:
    clock = MovableClock()
    deps = Deps(
        clock=clock,
        table=MemoryTable(clock),
        vault=MemoryVault(),
        mailer=MemoryMailer(),
        webhooks=MemoryWebhooks(),
        provider=MemoryProvider(),
        files=MemoryFiles(),
        reports=MemoryFiles(),
        evidence=MemoryEvidence(),
        signer=MemorySigner(),
        executions=MemoryExecutions(),
        events=MemoryEvents(),
        limits=MemoryLimits(clock),
        connectors={},
        sweepers={},
        datamap=DataMap(
            version="1",
            controller=Controller(name="Example", contact="dpo@example.com", policy_url="-", complaint="-"),
            identities={},
            stores={},
        ),
    )
    request = {
        "request_id": REQUEST,
        "type": "access",
        "regime": "gdpr",
        "status": "in_progress",
        "received_at": "2026",
    }
    deps.table.put_new(f"REQUEST#{REQUEST}", "REQUEST", requests.begun(request))
    requests.append(deps, REQUEST, "Work goes on", key="work")
    deps.table.put_new(*MAIL, {"claimed_at": "2026-11-02T09:00:00Z"})
    deps.table.put_new(*CODE, {"request_id": REQUEST})
    return deps


def timeline(deps: Deps) -> list[str]:
    """After the first entry, that the request came in."""
    return [entry["what"] for entry in requests.timeline(deps, requests.load(deps, REQUEST))][1:]


@pytest.mark.parametrize("name", ["send", "delivery"])
def test_a_mail_that_was_taken_settles_its_claim(deps: Deps, name: str) -> None:
    answer = mail_events.note(deps, event(name))
    assert answer == {"request_id": REQUEST, "status": "accepted", "why": "completed_erasure"}
    assert (deps.table.get(*MAIL) or {})["accepted_at"] == "2026-11-02T09:00:00Z"
    assert timeline(deps) == ["Work goes on"]


def test_the_event_as_the_provider_sends_it_is_understood(deps: Deps) -> None:
    whole = json.loads((EVENTS / "ses_send.json").read_text())
    assert mail_events.note(deps, whole)["status"] == "accepted"


@pytest.mark.parametrize("name", ["bounce", "reject"])
def test_a_code_that_did_not_arrive_shows_in_the_timeline_once(deps: Deps, name: str) -> None:
    mail_events.note(deps, event(name))
    requests.append(deps, REQUEST, "Later", key="later")
    mail_events.note(deps, event(name))
    assert timeline(deps) == ["Work goes on", "The mail with your code could not be delivered", "Later"]
    assert "bounced_at" in (deps.table.get(*CODE) or {})


def test_a_mail_that_bounced_shows_in_the_timeline(deps: Deps) -> None:
    bounce = event("bounce")
    bounce["detail"]["mail"]["tags"] = event("send")["detail"]["mail"]["tags"]
    mail_events.note(deps, bounce)
    assert timeline(deps) == ["Work goes on", "A mail to you could not be delivered"]


def test_a_mail_to_the_dpo_is_none_of_the_persons_business(deps: Deps) -> None:
    deps.table.put_new(f"REQUEST#{REQUEST}", "MAIL#dpo_approval#2", {})
    bounce = event("bounce")
    bounce["detail"]["mail"]["tags"] = {"subject": [REQUEST], "kind": ["dpo_approval"], "number": ["2"]}
    assert mail_events.note(deps, bounce)["status"] == "bounced"
    assert timeline(deps) == ["Work goes on"]
    assert "bounced_at" in (deps.table.get(f"REQUEST#{REQUEST}", "MAIL#dpo_approval#2") or {})


def test_a_sign_in_code_belongs_to_no_request(deps: Deps) -> None:
    deps.table.update(*CODE, {}, remove=("request_id",))
    assert mail_events.note(deps, event("bounce"))["status"] == "bounced"
    assert timeline(deps) == ["Work goes on"]


def test_a_complaint_is_noted(deps: Deps) -> None:
    assert mail_events.note(deps, event("complaint"))["status"] == "complained"
    assert "complained_at" in (deps.table.get(*MAIL) or {})


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"subject": [REQUEST]},
        {"subject": [], "kind": ["code"]},
        {"subject": ["unknown"], "kind": ["withdrawn"]},
        {"subject": [REQUEST], "kind": ["withdrawn"], "number": ["x"]},
    ],
)
def test_a_mail_that_is_not_ours_is_ignored(deps: Deps, tags: dict[str, list[str]]) -> None:
    before = dict(deps.table.items)  # type: ignore[attr-defined]  # the table is the one in memory
    stranger = event("bounce")
    stranger["detail"]["mail"]["tags"] = tags
    assert mail_events.note(deps, stranger)["status"] == "ignored"
    assert deps.table.items == before  # type: ignore[attr-defined]


def test_an_event_that_tells_nothing_is_ignored(deps: Deps) -> None:
    opened = event("send")
    opened["detail"]["eventType"] = "Open"
    assert mail_events.note(deps, opened)["status"] == "ignored"
