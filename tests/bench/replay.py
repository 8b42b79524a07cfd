"""The AWS calls of a run, made once more with botocore alone: the floor under everything that makes those calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from rightful import wiring
from rightful.aws.clients import SERVICES


class _Body:
    """What AWSResponse reads from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content

    def read(self, amount: int | None = None) -> bytes:
        content, self._content = self._content[:amount], b"" if amount is None else self._content[amount:]
        return content


class Replay:
    """Answers that were streamed are left out of the replay: reading them is not part of the call."""

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[..., Any], dict[str, Any]]] = []
        self._answers: list[tuple[int, Any, bytes]] = []
        self._next = 0

    @contextmanager
    def recording(self) -> Iterator[Replay]:
        clients = {service: wiring.clients().get(service) for service in SERVICES}
        methods = {service: {made: name for name, made in _methods(client)} for service, client in clients.items()}
        hooks = []
        for service, client in clients.items():

            def asked(
                params: dict[str, Any], model: Any, context: dict[str, Any], _of: str = service, **_: Any
            ) -> None:
                if context.get("is_presign_request"):
                    return
                method = getattr(clients[_of], methods[_of][model.name])
                self._calls.append((method, deepcopy(params)))

            def answered(http_response: AWSResponse, model: Any, **_: Any) -> None:
                content = b"" if model.has_streaming_output else http_response.content
                self._answers.append((http_response.status_code, http_response.headers, content))

            client.meta.events.register("provide-client-params", asked)
            client.meta.events.register("after-call", answered)
            hooks.append((client.meta.events, asked, answered))
        yield self
        for events, asked, answered in hooks:
            events.unregister("provide-client-params", asked)
            events.unregister("after-call", answered)
        if len(self._calls) != len(self._answers):
            raise RuntimeError("a call was left without its answer, or sent again")

    def cpu(self) -> float:
        """CPU seconds of all calls, answered from memory."""
        all_events = [wiring.clients().get(service).meta.events for service in SERVICES]
        for events in all_events:
            events.register_first("before-send", self._answer)
        self._next = 0
        begun = time.process_time()
        for method, params in self._calls:
            with suppress(ClientError):
                method(**params)
        spent = time.process_time() - begun
        for events in all_events:
            events.unregister("before-send", self._answer)
        return spent

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        status, headers, content = self._answers[self._next]
        self._next += 1
        return AWSResponse(request.url, status, headers, _Body(content))


def _methods(client: Any) -> Iterator[tuple[str, str]]:
    mapping: dict[str, str] = client.meta.method_to_api_mapping
    yield from mapping.items()
