"""A mailbox in memory."""

from __future__ import annotations

from rightful.ports import Mail
from tests.fakes.recording import Fault, Recorder, no_fault


class MemoryMailer(Recorder):
    """`sent` holds every mail handed over, in order; like the real provider it sends a key twice if asked twice."""

    port = "mailer"

    def __init__(self, fault: Fault = no_fault) -> None:
        super().__init__(fault)
        self.sent: list[Mail] = []

    def send(self, mail: Mail) -> str:
        with self.operation("send", mail.key):
            self.sent.append(mail)
            return f"message-{len(self.sent)}"

    def to(self, address: str) -> list[Mail]:
        """What lies in one person's mailbox, oldest first."""
        with self.lock:
            return [mail for mail in self.sent if mail.to == address]
