"""The document tells the truth: it names the routes that exist, and Schemathesis finds no answer it does not name."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from rightful import __version__
from rightful.api.openapi import document

from functions.api import app as api
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


@schema.parametrize()
@settings(
    max_examples=50,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_only_documented_answers(world: World, case: schemathesis.Case) -> None:
    case.call_and_validate()
