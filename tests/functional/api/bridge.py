"""Calls the API in-process with the events that API Gateway would send."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from functions.api import app as api

EVENTS = Path(__file__).parents[3] / "events"
BASE: dict[str, Any] = json.loads((EVENTS / "api_health.json").read_text())


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def send(event: dict[str, Any]) -> Answer:
    answer = api.app(event, None)
    return Answer(answer["statusCode"], {k.lower(): v for k, v in answer["headers"].items()}, answer["body"])


def event_of(
    method: str,
    path: str,
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
    source: str = "192.0.2.1",
    query: str = "",
) -> dict[str, Any]:
    """The proxy event for a call; the route is found as API Gateway finds it. KeyError when there is none."""
    asked = parse_qs(query, keep_blank_values=True)
    resource, parameters = _matched(path)
    event = deepcopy(BASE)
    event |= {"resource": resource, "path": path, "httpMethod": method, "body": body, "headers": dict(headers or {})}
    event |= {"pathParameters": parameters or None, "multiValueQueryStringParameters": asked or None}
    event |= {"queryStringParameters": {name: values[-1] for name, values in asked.items()} or None}
    event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
    event["requestContext"] |= {"resourcePath": resource, "httpMethod": method}
    event["requestContext"]["identity"]["sourceIp"] = source
    return event


def call(
    method: str,
    path: str,
    body: object = None,
    *,
    token: str = "",
    source: str = "192.0.2.1",
    **headers: str,
) -> Answer:
    """`headers`: `Idempotency_Key="..."`."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["Authorization"] = f"Bearer {token}"
    text = body if isinstance(body, str) else None
    if body is not None and text is None:
        text = json.dumps(body)
    if text is not None:
        sent.setdefault("Content-Type", "application/json")
    path, _, query = path.partition("?")
    return send(event_of(method, path, text, sent, source, query))


def _matched(path: str) -> tuple[str, dict[str, str]]:
    for resource in api.app.routes:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", resource)
        if match := re.fullmatch(pattern, path):
            return resource, {name: unquote(value) for name, value in match.groupdict().items()}
    raise KeyError(path)
