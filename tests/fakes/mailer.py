"""A mailbox in memory."""

from __future__ import annotations

import math
from dataclasses import replace

from rightful.errors import Undeliverable
from rightful.ports import Mail, Quota
from tests.fakes.recording import Fault, Recorder, no_fault


class MemoryMailer(Recorder):
    """`sent` holds every mail handed over, in order; like the real provider it sends a key twice if asked twice.
    `refused`: addresses it takes no mail for. `rates`: what it was told to keep to."""

    port = "mailer"

    def __init__(self, fault: Fault = no_fault) -> None:
        super().__init__(fault)
        self.sent: list[Mail] = []
        self.refused: set[str] = set()
        self.allowed = Quota(rate=14, day=math.inf, sent=0)
        self.rates: list[float] = []

    def send(self, mail: Mail) -> str:
        with self.operation("send", mail.key):
            if mail.to in self.refused:
                raise Undeliverable("the provider refuses this mail")
            self.sent.append(mail)
            return f"message-{len(self.sent)}"

    def quota(self) -> Quota:
        """`allowed`, where `sent` counts those handed over since as well."""
        with self.operation("quota"):
            return replace(self.allowed, sent=self.allowed.sent + len(self.sent))

    def at_most(self, rate: float) -> None:
        with self.operation("at_most", rate):
            self.rates.append(rate)

    def to(self, address: str) -> list[Mail]:
        """What lies in one person's mailbox, oldest first."""
        with self.lock:
            return [mail for mail in self.sent if mail.to == address]
