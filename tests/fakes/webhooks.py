"""Receivers of webhooks, in memory."""

from __future__ import annotations

import json
from typing import Any

from rightful.aws.webhooks import PASSING
from rightful.errors import NeedsAttention, TryAgain
from tests.fakes.recording import Fault, Recorder, no_fault


class MemoryWebhooks(Recorder):
    """`received` holds (url, message id, body) of every message that a receiver took, in order; like the real ones it
    takes an id twice if it comes twice. `answers`: url -> the status it answers, 200 where none is said."""

    port = "webhooks"

    def __init__(self, fault: Fault = no_fault) -> None:
        super().__init__(fault)
        self.received: list[tuple[str, str, dict[str, Any]]] = []
        self.answers: dict[str, int] = {}

    def post(self, url: str, secret_arn: str, body: bytes, message_id: str) -> None:
        with self.operation("post", message_id):
            status = self.answers.get(url, 200)
            if status in PASSING or status >= 500:
                raise TryAgain(f"the webhook answered {status}")
            if not 200 <= status < 300:
                raise NeedsAttention(f"the webhook answered {status}")
            self.received.append((url, message_id, json.loads(body)))
