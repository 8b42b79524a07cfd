"""What the wire looks like: problems, headers, CORS, and the events that API Gateway sends."""

from __future__ import annotations

import base64
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from functions.api import app as api
from rightful.errors import NeedsAttention, TryAgain
from tests.fakes.company import ADA
from tests.fakes.world import World
from tests.functional.api.bridge import EVENTS, Answer, call, event_of, send
from tests.functional.api.conftest import ORIGIN, Person

RECORDED = sorted(EVENTS.glob("api_*.json"))
EXPECTED = {
    "api_health": 200,
    "api_openapi": 200,
    "api_start_verification": 202,
    "api_check_verification": 410,
    "api_submit_request": 202,
    "api_report_issue": 201,
    "api_list_requests": 401,
    "api_show_request": 401,
    "api_show_receipt": 401,
    "api_keys": 200,
    "api_policy": 200,
    "api_centre": 200,
    "api_centre_step": 200,
    "api_asset": 404,
    "api_withdraw_request": 401,
    "api_download": 401,
    "api_preflight": 204,
    "api_show_preferences": 401,
    "api_change_preferences": 401,
    "api_show_unsubscribe": 404,
    "api_unsubscribe": 404,
}


def test_every_event_is_expected() -> None:
    assert [path.stem for path in RECORDED] == sorted(EXPECTED)


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_events(world: World, path: Path) -> None:
    answer = send(json.loads(path.read_text()))
    assert answer.status == EXPECTED[path.stem]
    if answer.status >= 400 and not path.stem.endswith("unsubscribe"):  # which answers with pages
        assert_problem(answer, answer.status)


def test_events_cover_every_route() -> None:
    contexts = [json.loads(path.read_text())["requestContext"] for path in RECORDED]
    covered = {(context["resourcePath"], context["httpMethod"]) for context in contexts}
    routes = {(path, method) for path, methods in api.app.routes.items() for method in methods if method != "OPTIONS"}
    assert covered - {("/requests", "OPTIONS")} == routes


def assert_problem(answer: Answer, status: int) -> Any:
    problem = answer.json
    assert answer.status == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(problem) <= {"type", "title", "status", "detail", "errors"}
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["detail"].endswith((".", "`."))
    return problem


@pytest.mark.parametrize(
    ("path", "body", "field", "hint"),
    [
        ("/requests", {}, "type", "needed"),
        ("/requests", {"type": "access"}, "email", "code"),
        ("/requests", {"type": "wipe", "email": ADA}, "type", "'access' or 'erasure'"),
        ("/requests", {"type": 1, "email": ADA}, "type", "'access' or 'erasure'"),
        ("/requests", {"type": "access", "email": 7}, "email", "text"),
        ("/requests", {"type": "access", "email": [ADA]}, "email", "text"),
        ("/requests", {"type": "access", "email": ADA, "regime": "hipaa"}, "regime", "gdpr"),
        ("/requests", {"type": "access", "email": ADA, "locale": "../etc"}, "locale", "language tag"),
        ("/requests", {"type": "access", "email": ADA, "verified": True}, "verified", "leave it out"),
        ("/requests", {"type": "access", "email": ADA, "details": "x" * 4001}, "details", "4000"),
        ("/requests", {"type": "access", "email": "ada"}, "email", "name@example.com"),
        ("/verifications", {"email": "ada@example.org\r\nBcc: eve@example.org"}, "email", "Write one address"),
        ("/verifications", {"Email": ADA}, "email", "needed"),
        ("/verifications", ["email"], "body", "JSON object"),
        ("/verifications/" + "A" * 32, {"code": 12345678}, "code", "text"),
        ("/verifications/" + "A" * 32, {"code": ""}, "code", "empty"),
    ],
)
def test_a_wrong_field_is_named_with_its_cure(world: World, path: str, body: Any, field: str, hint: str) -> None:
    problem = assert_problem(call("POST", path, body), 422)
    messages = {error["field"]: error["message"] for error in problem["errors"]}
    assert hint in messages[field]
    assert "eve@" not in str(problem)
    assert world.table.items == {}


def test_all_wrong_fields_are_named_at_once(world: World) -> None:
    problem = assert_problem(call("POST", "/requests", {"email": 1, "regime": 2, "x": 3}), 422)
    assert {error["field"] for error in problem["errors"]} == {"type", "email", "regime", "x"}


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_only_json_is_read(world: World, media_type: str) -> None:
    assert_problem(call("POST", "/requests", "{}", Content_Type=media_type), 415)


def test_json_may_name_its_charset_and_come_in_base64(world: World) -> None:
    body = json.dumps({"type": "access", "email": ADA})
    assert call("POST", "/requests", body, Content_Type="application/json; charset=utf-8").status == 202
    event = event_of("POST", "/requests", base64.b64encode(body.encode()).decode())
    event["isBase64Encoded"] = True
    assert send(event).status == 202
    event["body"] = "not base64!"
    assert_problem(send(event), 400)
    event["body"] = base64.b64encode(b"x" * (32 * 1024 + 3)).decode()
    assert_problem(send(event), 413)


def test_unknown_addresses_and_methods(world: World) -> None:
    answer = call("PUT", "/requests/" + "A" * 32)
    assert_problem(answer, 405)
    assert answer.headers["allow"] == "DELETE, GET, OPTIONS"
    event = event_of("GET", "/health")
    event["requestContext"]["resourcePath"] = event["resource"] = "/admin"
    routes = dict(api.app.routes)
    assert_problem(send(event), 404)
    assert api.app.routes == routes
    del event["requestContext"]["resourcePath"]
    assert_problem(send(event), 404)


def test_an_event_without_headers(world: World) -> None:
    event = event_of("GET", "/requests")
    event["headers"] = event["multiValueHeaders"] = None
    assert_problem(send(event), 401)


@pytest.mark.parametrize(
    ("error", "status"),
    [(TryAgain("throttled in eu-west-1"), 503), (NeedsAttention("role denied"), 500), (KeyError(ADA), 500)],
)
def test_our_own_faults_say_nothing_of_themselves(
    world: World, error: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise error

    world.table.fault = fail
    problem = assert_problem(call("POST", "/requests", {"type": "access", "email": ADA}), status)
    assert str(error) not in str(problem)
    assert "Traceback" not in caplog.text + str(problem)
    assert ADA not in caplog.text


def test_logs_hold_no_personal_data(world: World, ada: Person, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        request_id, token = ada.begun("access")
        code = ada.code()
        call("GET", f"/requests/{request_id}", token=token)
        call("POST", "/requests", {"type": "access", "email": f"{ADA} <b>"}, Idempotency_Key="secret-key-1")
        call("POST", "/verifications/" + "A" * 32, {"code": code})
    logged = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    assert "/verifications/{verification_id}" in logged
    for secret in (ADA, code, token, "192.0.2.1", "secret-key-1"):
        assert secret not in logged


def test_cors_only_for_the_forms_origins(world: World) -> None:
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://evil.example", None), ("null", None), (ORIGIN + ".evil", None)):
        for method, path in (("OPTIONS", "/requests"), ("GET", "/requests"), ("PUT", "/requests"), ("GET", "/health")):
            answer = call(method, path, Origin=origin)
            assert answer.headers.get("access-control-allow-origin") == allowed
            assert answer.headers["vary"] == "Origin"
            assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/verifications", "OPTIONS, POST"),
        ("/verifications/" + "A" * 32, "OPTIONS, POST"),
        ("/requests", "GET, OPTIONS, POST"),
        ("/requests/" + "A" * 32, "DELETE, GET, OPTIONS"),
        ("/requests/" + "A" * 32 + "/download", "OPTIONS, POST"),
        ("/requests/" + "A" * 32 + "/receipt", "GET, OPTIONS"),
        ("/preferences", "GET, OPTIONS, PUT"),
    ],
)
def test_preflight(world: World, path: str, methods: str) -> None:
    answer = call("OPTIONS", path, Origin=ORIGIN, Access_Control_Request_Method="POST")
    assert (answer.status, answer.text) == (204, "")
    assert answer.headers["access-control-allow-methods"] == methods
    assert answer.headers["access-control-allow-headers"] == "Authorization, Content-Type, Idempotency-Key"
