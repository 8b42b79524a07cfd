"""The long ways round: an approval, a grace period, a store that only a person can help with, and work that the time
guard cuts after every page. The process dies after each call that has an effect (before the next one, that is the
same), or a store refuses a call; whatever happens, the end is that of the undisturbed run.

In memory, so that every call of every way can be tried; `test_crash_everywhere` does the straight way over the real
adapters.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from rightful.errors import Conflict, NeedsAttention, TryAgain
from rightful.model import Page, RequestPolicy, RequestType, Result
from rightful.service import deciding, mail_events
from tests.fakes.company import ADA, small_map, small_stores
from tests.fakes.memory_store import MemoryStore
from tests.fakes.recording import Fault, Moment, no_fault
from tests.fakes.state_machine import Execution, Killed
from tests.fakes.world import World, make_world

PORTS = ("table", "vault", "mailer", "webhooks", "files", "executions", "events")
WITHOUT_EFFECT = frozenset(
    {
        *("table.get", "table.get_many", "table.query", "vault.open", "vault.digest", "store.find", "store.open"),
        *("files.list", "files.read", "files.resume", "files.write"),
    }
)
"""After these the world is as it was before. (`files.write` fills a buffer in the process.)"""
LATER = 61
"""Seconds the clock moves when something breaks: a mail that was on its way has arrived or is lost."""
TRIES = 5
OF_ONE_RUN = frozenset({"answered", "expires_at", "jws", "sent_at", "message_id"})
"""Times of day in seconds, signatures, and what a process that died right after it sent something cannot note: of a
mail (`accepted_at` stands for it), and of an answer (`decision` does)."""
BYSTANDERS = {"accounts": {"a2"}, "subscriptions": {"s3"}, "invoices": {"i4"}, "surveys": {"v2"}, "contacts": {"c3"}}
WORDS = (
    (re.compile(r"T\d\d:\d\d:\d\d(\.\d+)?Z|\d\d:\d\d UTC"), "<time of day>"),
    (re.compile(r"\b[0-9a-f]{64}\b|(?<![\w-])[\w-]{43}(?![\w-])"), "<hash>"),
)


class Watched(MemoryStore):
    """A store whose calls can be broken like those of a port."""

    fault: Fault = staticmethod(no_fault)

    def find(self, *arguments: Any) -> Page:
        with self._watched("find"):
            return super().find(*arguments)

    def delete(self, *arguments: Any) -> list[Result]:
        with self._watched("delete"):
            return super().delete(*arguments)

    def anonymise(self, *arguments: Any) -> list[Result]:
        with self._watched("anonymise"):
            return super().anonymise(*arguments)

    def open(self, *arguments: Any) -> Iterator[bytes]:
        with self._watched("open"):
            chunks = list(super().open(*arguments))
        return iter(chunks)

    @contextmanager
    def _watched(self, method: str) -> Iterator[None]:
        self.fault(f"store.{method}", "before")
        yield
        self.fault(f"store.{method}", "after")


class Way(NamedTuple):
    kind: RequestType
    policy: RequestPolicy
    failing: tuple[str, str] | None = None
    """A store and the method of it that fails for good, until the DPO was asked."""
    resolved_by: deciding.Decision = "retry"
    passes: tuple[str, ...] = ()
    """States that prove that the way was taken."""


APPROVAL, ATTENTION = "Wait for the DPO's approval", "Wait for the DPO to resolve what failed"
GRACE = "Wait for the grace period to end"
WAYS = {
    "an erasure approved, with a grace period": Way(
        "erasure", RequestPolicy(approval="dpo", grace_period="P7D"), passes=(APPROVAL, GRACE)
    ),
    "an erasure whose search failed in one store, retried": Way(
        "erasure", RequestPolicy(), ("subscriptions", "find"), passes=(ATTENTION,)
    ),
    "an erasure that failed in one store, retried": Way(
        "erasure", RequestPolicy(), ("subscriptions", "delete"), passes=(ATTENTION,)
    ),
    "an erasure with one store left out": Way(
        "erasure", RequestPolicy(), ("surveys", "anonymise"), "skip", passes=(ATTENTION,)
    ),
    "an access approved, failed in one store, retried, packed in rounds": Way(
        "access", RequestPolicy(approval="dpo"), ("subscriptions", "find"), passes=(APPROVAL, ATTENTION)
    ),
}


class Break(NamedTuple):
    moment: Moment
    error: BaseException


BREAKS = {"killed": Break("after", Killed()), "refused": Break("before", TryAgain("a passing fault"))}


class Line:
    """Stands between the process and everything else. Call number `at` breaks, once."""

    def __init__(self, world: World, at: int = -1, broken: Break | None = None) -> None:
        self._world = world
        self._at = at
        self._broken = broken
        self._listening = True
        self.calls: list[str] = []
        for port in PORTS:
            getattr(world, port).fault = self
        for store in world.stores.values():
            assert isinstance(store, Watched)
            store.fault = self

    def __call__(self, name: str, moment: Moment) -> None:
        if not self._listening:
            return
        if moment == "before":
            self.calls.append(name)
        if (name, moment) == ("mailer.send", "after"):
            self._deliver_event()
        if self._broken and len(self.calls) - 1 == self._at and moment == self._broken.moment:
            self._at = -1
            self._world.clock.advance(LATER)
            raise self._broken.error

    def _deliver_event(self) -> None:
        """The provider tells `mail_events`, in another container, what it took."""
        mail = self._world.mailer.sent[-1]
        subject, kind, number = mail.key.split(":")
        tags = {"subject": [subject], "kind": [kind], "number": [number]}
        told = {"detail": {"eventType": "Send", "mail": {"messageId": "message-0", "tags": tags}}}
        with self.aside():
            mail_events.note(self._world.deps, told)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What another process does meanwhile breaks nowhere."""
        self._listening = False
        yield
        self._listening = True


def travel(way: Way, at: int = -1, broken: Break | None = None) -> tuple[dict[str, Any], list[str]]:
    """One request in a fresh world: how it ended, and the calls that were made."""
    world = world_of(way)
    before = bystanders(world)
    line = Line(world, at, broken)
    run = world.execution().run()
    while not run.ended:
        decide(world, run, way)
        run.resume()
    assert set(way.passes) <= set(run.history)
    assert bystanders(world) == before, "somebody else's data"
    return outcome(world), line.calls


def world_of(way: Way) -> World:
    stores: dict[str, MemoryStore] = {name: Watched(store.items) for name, store in small_stores().items()}
    account = stores["accounts"]
    account.files[account.key_of({"id": "a1"})] = b"Ada's portrait"
    world = make_world(small_map(**{way.kind: way.policy}), stores, time_left=lambda: lambda: 0.0)
    for store in stores.values():
        store.clock = world.clock
    if way.failing:
        name, method = way.failing
        stores[name].fail(method, NeedsAttention("no access"), times=None)
    world.ask_for(way.kind)
    return world


def decide(world: World, run: Execution, way: Way) -> None:
    """The DPO answers what is asked, and does it again when the answer to that is an error."""
    item = world.table.items["REQUEST#r1", "REQUEST"]
    for _ in range(TRIES):
        try:
            if run.state == APPROVAL:
                deciding.decide(world.deps, "r1", "approve", plan_hash=item["plan_hash"])
            else:
                assert way.failing
                name, _method = way.failing
                if way.resolved_by == "retry":
                    world.stores[name].mend()
                deciding.decide(world.deps, "r1", way.resolved_by, store=name, reason="the table was dropped")
        except (Killed, TryAgain, Conflict):
            pass
        if run.token in world.executions.answers:
            return
    raise AssertionError("the DPO's answer never arrived")


def bystanders(world: World) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [item for item in items if item["id"] in BYSTANDERS[name]] for name, items in world.contents().items()
    }


def outcome(world: World) -> dict[str, Any]:
    """What two runs must agree on; the time of day, and what is random, replaced by words."""
    state = {
        "people's data": world.contents(),
        "the table": [item for _, item in sorted(world.table.items.items(), key=lambda entry: neutral(entry[0]))],
        "webhooks": list({message_id: body for _, message_id, body in world.webhooks.received}.values()),
        "mails": [[mail.key, mail.to, mail.subject, mail.text] for mail in world.mailer.sent],
        "files": {key: unzipped(body) for key, body in world.files.objects.items()},
        "events": sorted({detail["status"] for _, detail in world.events.published}),
    }
    return {name: neutral(value) for name, value in state.items()}


def unzipped(body: bytes) -> dict[str, str]:
    archive = zipfile.ZipFile(io.BytesIO(body))
    return {name: archive.read(name).decode() for name in archive.namelist()}


def neutral(value: Any) -> Any:
    if isinstance(value, dict):
        return {neutral(key): neutral(each) for key, each in value.items() if key not in OF_ONE_RUN}
    if isinstance(value, list | tuple):
        return [neutral(each) for each in value]
    if isinstance(value, bytes):
        return "<sealed>"
    if isinstance(value, str):
        for pattern, word in WORDS:
            value = pattern.sub(word, value)
    return value


def tried(name: str, broken: Break) -> bool:
    """Whether it makes a difference if this call breaks so."""
    return name not in WITHOUT_EFFECT if broken.moment == "after" else name.startswith("store.")


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_wherever_a_detour_breaks_the_end_is_the_same(way: Way, broken: Break) -> None:
    undisturbed, calls = travel(way)
    assert [mail[0] for mail in undisturbed["mails"] if mail[1] == ADA][-1] == f"r1:completed_{way.kind}:1"
    differences = []
    for at, name in enumerate(calls):
        if not tried(name, broken):
            continue
        disturbed, _ = travel(way, at, broken)
        parts = [part for part in undisturbed if disturbed[part] != undisturbed[part]]
        differences += [f"call {at} of {len(calls)}, {name}: {', '.join(parts)} differ"] * bool(parts)
    assert not differences, "\n".join(differences)
