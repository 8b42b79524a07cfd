"""The document tells the truth: it names the routes that exist, and Schemathesis finds no answer it does not name."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import positive_data_acceptance

from functions.api import app as api
from rightful import __version__
from rightful.api import bodies
from rightful.api.openapi import document
from rightful.service import requests
from tests.fakes.world import World
from tests.functional.api.bridge import call, event_of, send
from tests.functional.api.conftest import Person

_SOURCES = itertools.count()


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The API as Schemathesis can call it. Every call comes from a source of its own."""
    headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    if environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = environ["CONTENT_TYPE"]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode("utf-8", "replace")
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    try:
        event = event_of(environ["REQUEST_METHOD"], path, body or None, headers, f"2001:db8::{next(_SOURCES):x}")
    except KeyError:  # no such address: API Gateway answers this itself
        start_response("404 Not Found", [("Content-Type", "application/problem+json")])
        return [b'{"type": "about:blank", "title": "Not found", "status": 404, "detail": "There is no such address."}']
    answer = send(event)
    status = f"{answer.status} {HTTPStatus(answer.status).phrase}"
    start_response(status, list(answer.headers.items()))
    return [answer.text.encode()]


schema = schemathesis.openapi.from_wsgi("/openapi.json", wsgi)


UNGUESSABLE = [positive_data_acceptance]
"""Not asked for: no schema tells which address can be mailed and which id exists."""
bounded = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@schema.parametrize()
@bounded
def test_a_stranger_gets_only_documented_answers(world: World, case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(excluded_checks=UNGUESSABLE)


@schema.parametrize()
@bounded
def test_a_person_gets_only_documented_answers(world: World, ada: Person, case: schemathesis.Case[Any]) -> None:
    """Signed in, with requests of their own in every state that a call can reach."""
    world.clock.advance(3600)
    request_id, token = ada.begun("access")
    signed_in = {"Authorization": f"Bearer {token}"}
    case.call_and_validate(headers=signed_in, excluded_checks=UNGUESSABLE)
    if "request_id" in case.path_parameters:
        case.path_parameters["request_id"] = request_id
        case.call_and_validate(headers=signed_in, excluded_checks=UNGUESSABLE)


def test_the_document_names_every_route_and_no_other(world: World) -> None:
    shown = call("GET", "/openapi.json").json
    documented = {(path, method.upper()) for path, methods in shown["paths"].items() for method in methods}
    routes = {(path, method) for path, methods in api.app.routes.items() for method in methods if method != "OPTIONS"}
    assert documented == routes
    assert shown["info"]["version"] == __version__
    assert shown["openapi"] == "3.1.0"


def test_every_reference_of_the_document_resolves() -> None:
    shown = document(__version__)
    text = json.dumps(shown)
    for name in set(re.findall(r'"#/components/schemas/(\w+)"', text)):
        assert name in shown["components"]["schemas"]
    assert text.count("$defs") == 0


def test_answers_have_the_documented_shape(world: World, ada: Person) -> None:
    """The models validate what the API says, with nothing more in it."""
    request_id, token = ada.begun("access")
    requests.transition(world.deps, request_id, "completed", what="Done")
    for method, path, model in (
        ("GET", "/health", bodies.Health),
        ("GET", "/requests", bodies.RequestList),
        ("GET", "/policy", bodies.Policies),
        ("GET", f"/requests/{request_id}", bodies.RequestView),
        ("POST", f"/requests/{request_id}/download", bodies.Download),
        ("GET", "/preferences", bodies.Preferences),
    ):
        answer = call(method, path, token=token).json
        assert model.model_validate(answer).model_dump(mode="json", exclude_unset=True) == answer
