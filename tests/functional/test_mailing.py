"""Each mail goes out once, wherever its sender is killed."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import pytest

from rightful.errors import NeedsAttention, TryAgain
from rightful.model import Controller, DataMap
from rightful.service import mail_events, mailing
from rightful.service.deps import Deps
from tests.fakes.clock import MovableClock
from tests.fakes.events import MemoryEvents
from tests.fakes.evidence import MemoryEvidence
from tests.fakes.executions import MemoryExecutions
from tests.fakes.files import MemoryFiles
from tests.fakes.limits import MemoryLimits
from tests.fakes.mailer import MemoryMailer
from tests.fakes.provider import MemoryProvider
from tests.fakes.recording import Fault, Moment, no_fault
from tests.fakes.signer import MemorySigner
from tests.fakes.table import MemoryTable
from tests.fakes.vault import MemoryVault
from tests.fakes.webhooks import MemoryWebhooks

CONTROLLER = Controller(name="Example", contact="dpo@example.com", policy_url="https://example.com", complaint="DPA")
REQUEST = {"request_id": "r1", "type": "access", "due_at": "2027-03-01T23:59:59Z", "status": "withdrawn"}
POINTS = [(call, moment) for call in ("table.put_new", "mailer.send", "table.update") for moment in ("before", "after")]


class Killed(BaseException):
    """The process ended here."""


@dataclass
class Bench:
    clock: MovableClock
    table: MemoryTable
    mailer: MemoryMailer
    deps: Deps

    def send(self, kind: str = "withdrawn", **more: Any) -> None:
        mailing.send_once(
            self.deps, "r1", kind, "ada@example.org", "en", controller=CONTROLLER, request=REQUEST, **more
        )

    def provider_says(self, event_type: str, kind: str = "withdrawn") -> None:
        """The event that the provider publishes for the mail."""
        tags = {"subject": ["r1"], "kind": [kind], "number": ["1"]}
        mail_events.note(self.deps, {"detail": {"eventType": event_type, "mail": {"messageId": "m", "tags": tags}}})


@pytest.fixture
def bench() -> Bench:
    clock = MovableClock()
    table, mailer = MemoryTable(clock), MemoryMailer()
    deps = Deps(
        clock=clock,
        table=table,
        vault=MemoryVault(),
        mailer=mailer,
        webhooks=MemoryWebhooks(),
        provider=MemoryProvider(),
        files=MemoryFiles(),
        reports=MemoryFiles(),
        evidence=MemoryEvidence(),
        signer=MemorySigner(),
        executions=MemoryExecutions(),
        events=MemoryEvents(),
        limits=MemoryLimits(clock),
        connectors={},
        sweepers={},
        datamap=DataMap(version="1", controller=CONTROLLER, identities={}, stores={}),
    )
    return Bench(clock, table, mailer, deps)


def kill(at: str, when: Moment) -> Fault:
    def fault(name: str, moment: Moment) -> None:
        if (name, moment) == (at, when):
            raise Killed

    return fault


def fail(at: str, when: Moment, error: Exception) -> Fault:
    def fault(name: str, moment: Moment) -> None:
        if (name, moment) == (at, when):
            raise error

    return fault


def test_sent_once_when_asked_twice(bench: Bench) -> None:
    bench.send()
    bench.send()
    assert [mail.key for mail in bench.mailer.sent] == ["r1:withdrawn:1"]
    assert bench.table.items["REQUEST#r1", "MAIL#withdrawn"]["message_id"] == "message-1"


def test_a_second_question_is_a_mail_of_its_own(bench: Bench) -> None:
    bench.send(number=1)
    bench.send(number=2)
    bench.send(number=2)
    assert [mail.key for mail in bench.mailer.sent] == ["r1:withdrawn:1", "r1:withdrawn:2"]


@pytest.mark.parametrize(("call", "when"), POINTS)
def test_killed_anywhere_and_run_again_one_mail_goes_out(bench: Bench, call: str, when: Moment) -> None:
    bench.table.fault = bench.mailer.fault = kill(call, when)
    with pytest.raises(Killed):
        bench.send()
    bench.table.fault = bench.mailer.fault = no_fault
    if bench.mailer.sent:
        bench.provider_says("Send")
    for _ in range(3):
        try:
            bench.send()
            break
        except TryAgain:
            bench.clock.advance(30)
    assert len(bench.mailer.sent) == 1
    bench.send()
    assert len(bench.mailer.sent) == 1


def test_while_an_earlier_try_may_succeed_nothing_is_sent(bench: Bench) -> None:
    bench.mailer.fault = fail("mailer.send", "after", TryAgain("the answer was lost"))
    with pytest.raises(TryAgain):
        bench.send()
    bench.mailer.fault = no_fault
    bench.clock.advance(59)
    with pytest.raises(TryAgain):
        bench.send()
    assert len(bench.mailer.sent) == 1
    bench.provider_says("Delivery")
    bench.send()
    assert len(bench.mailer.sent) == 1


def test_a_claim_that_the_provider_never_heard_of_is_sent_after_a_minute(bench: Bench) -> None:
    bench.mailer.fault = fail("mailer.send", "before", TryAgain("throttled"))
    with pytest.raises(TryAgain):
        bench.send()
    bench.mailer.fault = no_fault
    bench.clock.advance(60)
    bench.send()
    assert len(bench.mailer.sent) == 1


def test_a_bounced_mail_is_not_sent_again(bench: Bench) -> None:
    bench.table.fault = kill("table.update", "before")
    with pytest.raises(Killed):
        bench.send()
    bench.table.fault = no_fault
    bench.provider_says("Bounce")
    bench.clock.advance(120)
    bench.send()
    assert len(bench.mailer.sent) == 1


def test_a_lasting_refusal_reaches_the_caller(bench: Bench) -> None:
    bench.mailer.fault = fail("mailer.send", "before", NeedsAttention("SendEmail answered MessageRejected"))
    with pytest.raises(NeedsAttention):
        bench.send()


def test_a_mail_that_cannot_be_rendered_is_not_claimed(bench: Bench) -> None:
    with pytest.raises(Exception, match="is undefined"):
        bench.send("completed_erasure")
    assert bench.table.items == {}


def test_of_many_at_once_one_sends(bench: Bench) -> None:
    started = threading.Barrier(8)

    def one() -> None:
        started.wait()
        try:
            bench.send()
        except TryAgain:
            return

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bench.mailer.sent) == 1
