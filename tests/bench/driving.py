"""Whole requests through the real handlers and the real workflow, in one process.

The workflow definition runs in memory; each function has a warm container of its own, and so has each branch of a Map,
as it happens in Lambda at full width: nothing that one container remembers helps another.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO
from unittest.mock import patch

from infra.packaging.build import build_layer
from rightful import entry, wiring
from rightful.model import RequestType
from rightful.service.deps import Deps
from tests.bench.meter import Meter
from tests.bench.packages import NATIVE
from tests.fakes.clock import MovableClock
from tests.fakes.executions import MemoryExecutions
from tests.fakes.state_machine import Execution, load

FUNCTIONS: Final = ("discover", "plan", "ask", "export", "erase", "notify", "package", "complete")
"""Those that the workflow invokes."""


@contextmanager
def deployed(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """This process as the Lambdas are set up: data map and environment; what they log goes to a file in `folder`."""
    build_layer("datamap", folder / "datamap", NATIVE)
    sys.modules.pop("rightful_datamap", None)
    wiring.clients.cache_clear()
    with (
        patch.object(sys, "path", [str(folder / "datamap/python"), *sys.path]),
        patch.dict(os.environ, environment),
        (folder / "functions.log").open("w") as log,
        _logging_to(log),
    ):
        yield


@contextmanager
def _logging_to(file: TextIO) -> Iterator[None]:
    """The functions' log writes to standard output: what it writes here is not ours to read. The stream is put in its
    place as it is: `setStream` would flush the old one, which a test that is over may have closed."""
    entry.logger()
    handlers = [
        handler for handler in logging.getLogger("rightful").handlers if isinstance(handler, logging.StreamHandler)
    ]
    kept = [handler.stream for handler in handlers]
    try:
        for handler in handlers:
            handler.stream = file
        yield
    finally:
        for handler, stream in zip(handlers, kept, strict=True):
            handler.stream = stream


class Context:
    """Lambda's context, as far as we look at it."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 300_000


class Company:
    """The deployed functions of one account, warm after their first request."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._containers: dict[str, Deps] = {}
        self._handlers = {name: importlib.import_module(f"functions.{name}.app") for name in (*FUNCTIONS, "api")}

    def answer(self, kind: RequestType, email: str) -> Execution:
        """One request from the web form to its end, and what the person does then: look, and download."""
        asked = self._call("POST", "/requests", {"type": kind, "email": email})
        proof = self._call("POST", f"/verifications/{asked['verification_id']}", {"code": self._meter.code})
        request_id, token = asked["request_id"], proof["token"]
        execution = self._execution(request_id).run()
        status = self._call("GET", f"/requests/{request_id}", token=token)
        if status["status"] != "completed":
            raise RuntimeError(f"the request is {status['status']}")
        if kind == "access":
            self._call("POST", f"/requests/{request_id}/download", token=token)
        return execution

    def _execution(self, request_id: str) -> Execution:
        lambdas = {f"{name.title()}FunctionArn": self._invoker(name) for name in FUNCTIONS}
        definition = load("privacy_request")
        return Execution(lambdas, MovableClock(), MemoryExecutions(), definition, {"request_id": request_id})

    def _invoker(self, name: str) -> Any:
        def invoke(event: dict[str, Any]) -> Any:
            with self._container(f"{name}/{event.get('store', '')}"), self._meter.measured(name):
                return self._handlers[name].handler(event, Context())

        return invoke

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None, token: str = "") -> Any:
        from tests.functional.api.bridge import event_of

        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        event = event_of(method, path, json.dumps(body) if body else None, headers)
        api = self._handlers["api"]
        with self._container("api") as deps, patch.object(api, "deps", lambda: deps), self._meter.measured("api"):
            answer = api.app(event, Context())
        if answer["statusCode"] >= 300:
            raise RuntimeError(f"{method} {path} answered {answer['statusCode']}: {answer['body']}")
        return json.loads(answer["body"])

    @contextmanager
    def _container(self, name: str) -> Iterator[Deps]:
        if name not in self._containers:
            self._containers[name] = wiring.build.__wrapped__()
        deps = self._containers[name]
        with patch.object(wiring, "build", lambda: deps):
            yield deps
