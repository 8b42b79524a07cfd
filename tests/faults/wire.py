"""Counts the AWS calls of a run, and breaks one of them.

Hangs on botocore's own events, so that everything but the network is real: signing, retries, parsing, and the errors
that the adapters translate. A *call* is one method of a client; the SDK may send it several times.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from botocore import endpoint
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, ReadTimeoutError
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber

from tests.fakes.state_machine import Killed


class Fault(StrEnum):
    """What happens to one call."""

    killed_before = "killed before"
    """The process vanishes before the call is sent."""
    killed_after = "killed after"
    """The call took effect; the process vanishes before it sees the answer."""
    refused = "refused"
    """AWS throttles every try of this call, and when the step is run again, no try of it gets through at all."""
    answer_lost = "answer lost"
    """The call took effect, the connection closed, and the SDK sends it again."""
    silent = "silent"
    """Every try of this call takes effect, and no answer ever comes."""

    @property
    def needs_effect(self) -> bool:
        """Whether the call is done before it goes wrong: on one that only reads, nothing would be different."""
        return self in (Fault.killed_after, Fault.answer_lost, Fault.silent)


class Call(NamedTuple):
    service: str
    operation: str


@dataclass
class Wire:
    """`calls` are those since `begin`; the call of number `at` (from 0) suffers the fault, once."""

    calls: list[Call] = field(default_factory=list)
    at: int = -1
    fault: Fault | None = None
    accepted: Callable[[Call, dict[str, Any], dict[str, Any]], None] = lambda call, body, answer: None
    """Told of every call to SES and EventBridge that took effect, with the bodies of request and response."""
    _tries: int = 0
    _again: bool = False
    """The next call of the same operation is the one of the step that is run again."""
    _unreachable: bool = False

    def begin(self, at: int = -1, fault: Fault | None = None) -> None:
        self.calls, self.at, self.fault, self._again = [], at, fault, False

    def watch(self, client: Any) -> None:
        """Stands between this client and moto."""
        client.meta.events.register("before-call", self._entered)
        client.meta.events.unregister("before-send", botocore_stubber)
        client.meta.events.register("before-send", self._sent)

    def _entered(self, event_name: str, **_: Any) -> None:
        _event, service, operation = event_name.split(".", 2)
        self.calls.append(Call(service, operation))
        self._tries = 0
        self._unreachable = self._again and self.calls[-1] == self.calls[self.at]
        self._again = self._again and not self._unreachable

    def _sent(self, event_name: str, request: Any, **_: Any) -> Any:
        self._tries += 1
        fault = self.fault if len(self.calls) - 1 == self.at else None
        if fault is Fault.killed_before:
            raise Killed(event_name)
        if fault is Fault.refused:
            self._again = True
            return throttled(request)
        if self._unreachable:
            raise ConnectTimeoutError(endpoint_url=request.url)
        response = self._commit(event_name, request)
        if fault is Fault.killed_after:
            raise Killed(event_name)
        if fault is Fault.answer_lost and self._tries == 1:
            raise ConnectionClosedError(endpoint_url=request.url)
        if fault is Fault.silent:
            raise ReadTimeoutError(endpoint_url=request.url)
        return response

    def _commit(self, event_name: str, request: Any) -> Any:
        response = botocore_stubber(event_name, request)
        assert response is not None, "moto answers every call"
        if self.calls[-1].service in ("sesv2", "eventbridge") and response.status_code == 200:
            self.accepted(self.calls[-1], json.loads(request.body), json.loads(response.content))
        return response


def throttled(request: Any) -> AWSResponse:
    """As each protocol says it: JSON for most, XML for S3."""
    body = b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'
    headers: Any = {"content-type": "application/x-amz-json-1.0", "x-amzn-errortype": "ThrottlingException"}
    status = 400
    if ".s3." in request.url or "//s3." in request.url:
        body = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
        headers, status = {"content-type": "application/xml"}, 503
    return AWSResponse(request.url, status, headers, MockRawResponse(body))


@contextmanager
def no_waiting() -> Iterator[None]:
    """The SDK's pauses between its tries take no time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(endpoint, "time", SimpleNamespace(sleep=lambda seconds: None))
        yield
