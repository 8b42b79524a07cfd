"""One person's way through the API, from the first call to the download."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rightful.service import requests
from tests.fakes.world import World
from tests.functional.api.bridge import call
from tests.functional.api.conftest import Person


@pytest.mark.parametrize("kind", ["access", "erasure"])
def test_a_request_by_code(world: World, ada: Person, kind: str) -> None:
    asked = ada.ask(kind)
    assert asked.status == 202
    assert set(asked.json) == {"request_id", "status", "verification_id", "due_at"}
    assert asked.json["status"] == "awaiting_verification"
    assert world.executions.started == {}

    token = ada.verify(asked.json["verification_id"])
    request_id = asked.json["request_id"]
    assert world.executions.started == {f"{kind}-{request_id}": {"request_id": request_id}}

    shown = call("GET", f"/requests/{request_id}", token=token).json
    assert shown == {
        "request_id": request_id,
        "type": kind,
        "status": "in_progress",
        "received_at": "2026-11-02T09:00:00Z",
        "due_at": "2026-12-02T23:59:59Z",
        "withdrawable": True,
        "reported": False,
        "stores": {"total": 5, "done": 0},
        "events": [
            {"at": "2026-11-02T09:00:00Z", "what": "We received your request"},
            {"at": "2026-11-02T09:00:00Z", "what": "You confirmed that it is you; work on your request began"},
        ],
    }
    assert call("GET", "/requests", token=token).json == {
        "requests": [{name: shown[name] for name in ("request_id", "type", "status", "received_at", "due_at")}]
    }
    assert ("PrivacyRequestStatusChanged", {"request_id": request_id, "type": kind, "status": "in_progress"}) in (
        world.events.published
    )


def test_a_request_with_a_token_starts_at_once(world: World, ada: Person) -> None:
    token = ada.sign_in()
    asked = call("POST", "/requests", {"type": "erasure"}, token=token)
    assert (asked.status, asked.json["status"]) == (202, "in_progress")
    assert "verification_id" not in asked.json
    assert list(world.executions.started) == [f"erasure-{asked.json['request_id']}"]
    assert ada.codes() == 1


def test_withdraw_until_erasing_begins(world: World, ada: Person) -> None:
    request_id, token = ada.begun("erasure")
    withdrawn = call("DELETE", f"/requests/{request_id}", token=token)
    assert (withdrawn.status, withdrawn.json["status"]) == (200, "withdrawn")
    assert call("DELETE", f"/requests/{request_id}", token=token).json["status"] == "withdrawn"
    assert "open" not in world.request(request_id)

    request_id, token = ada.begun("erasure")
    requests.begin_erasing(world.deps, request_id)
    refused = call("DELETE", f"/requests/{request_id}", token=token)
    assert refused.status == 409
    assert refused.json["detail"] == "Erasing has begun: the request can no longer be withdrawn."
    assert world.request(request_id)["status"] == "in_progress"


def test_withdrawing_wakes_a_workflow_that_waits_for_the_dpo(world: World, ada: Person) -> None:
    request_id, token = ada.begun("erasure")
    world.executions.waiting.add("task")
    sealed = world.vault.seal(request_id, b"task")
    requests.transition(world.deps, request_id, "awaiting_approval", what="Waiting", task_token=sealed)
    assert call("DELETE", f"/requests/{request_id}", token=token).status == 200
    assert world.executions.answers == {"task": {"decision": "stop"}}


def test_download(world: World, ada: Person) -> None:
    request_id, token = ada.begun("access")
    path = f"/requests/{request_id}/download"
    assert call("POST", path, token=token).status == 409
    requests.transition(world.deps, request_id, "completed", what="Your data is ready")
    got = call("POST", path, token=token)
    assert got.status == 200
    assert got.json["expires_at"] == "2026-11-02T09:05:00Z"
    assert world.files.links == [(f"packages/{request_id}.zip", "my-data.zip", 300)]
    shown = call("GET", f"/requests/{request_id}", token=token).json
    assert shown["result"]["download_until"] == "2026-11-09T09:00:00Z"
    assert shown["result"]["stores"]["usage"] == {"title": "Usage", "covered": False}

    world.clock.advance(days=7, seconds=-30)
    token = ada.sign_in()
    assert call("POST", path, token=token).json["expires_at"] == "2026-11-09T09:00:00Z"
    world.clock.advance(30)
    assert call("POST", path, token=token).status == 410


def test_an_erasure_has_nothing_to_download(world: World, ada: Person) -> None:
    request_id, token = ada.begun("erasure")
    requests.transition(world.deps, request_id, "completed", what="Done")
    assert call("POST", f"/requests/{request_id}/download", token=token).status == 409
    assert world.files.links == []


def test_a_refusal_says_why_and_where_to_complain(world: World, ada: Person) -> None:
    request_id, token = ada.begun("access")
    refusal = {"ground": "excessive", "law": "Article 12(5) GDPR", "reason": "Asked daily."}
    requests.transition(world.deps, request_id, "rejected", what="Refused", refusal=refusal)
    shown = call("GET", f"/requests/{request_id}", token=token).json
    assert shown["refusal"] == {**refusal, "complaint": "CNIL, Paris"}


def test_progress_extension_and_pause_are_shown(world: World, ada: Person) -> None:
    request_id, token = ada.begun("access")
    world.table.put_new(f"REQUEST#{request_id}", "STORE#accounts", {"done": True})
    world.table.put_new(f"REQUEST#{request_id}", "STORE#surveys", {"done": True, "left": 2})
    world.table.put_new(f"REQUEST#{request_id}", "STORE#contacts", {"done": False, "skipped": True})
    paused: dict[str, Any] = {"paused_since": "2026-11-02T10:00:00Z", "extended_until": "2027-02-02T23:59:59Z"}
    requests.transition(world.deps, request_id, "paused", what="Paused", **paused)
    shown = call("GET", f"/requests/{request_id}", token=token).json
    assert shown["stores"] == {"total": 5, "done": 2}
    assert paused.items() <= shown.items()
    requests.transition(world.deps, request_id, "in_progress", what="Going on")
    assert "paused_since" not in call("GET", f"/requests/{request_id}", token=token).json
    assert [event["what"] for event in requests.timeline(world.deps, world.request(request_id))][-2:] == [
        "Paused",
        "Going on",
    ]


def test_the_regime_sets_the_clock(world: World, ada: Person) -> None:
    asked = call("POST", "/requests", {"type": "access", "email": ada.email, "regime": "ccpa", "locale": "fr-CA"})
    assert asked.json["due_at"] == "2026-12-17T23:59:59Z"
    assert world.mailer.sent[-1].subject.startswith("Votre code")


def test_the_clock_runs_at_the_controllers_seat(world: World, ada: Person) -> None:
    datamap = world.deps.datamap
    mapped = replace(datamap, controller=replace(datamap.controller, time_zone="America/New_York"))
    world.deps = replace(world.deps, datamap=mapped)
    world.clock.set(datetime(2026, 12, 1, 1, 30, tzinfo=UTC))  # in New York, the evening of 30 November
    asked = call("POST", "/requests", {"type": "access", "email": ada.email})
    assert asked.json["due_at"] == "2026-12-31T04:59:59Z"
