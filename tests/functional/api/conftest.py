"""The API over a small company in memory, and a person who uses it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from functions.api import app as api
from rightful.service.deps import Settings
from tests.fakes.company import ADA
from tests.fakes.provider import AUDIENCE, ISSUER, Signs
from tests.fakes.recording import Recorder
from tests.fakes.world import World, make_world
from tests.functional.api.bridge import Answer, call

ORIGIN = "https://www.example.org"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = make_world()
    made.deps = replace(made.deps, settings=Settings(form_origins=(ORIGIN,), source_limit_per_hour=60))
    monkeypatch.setattr(api, "deps", lambda: made.deps)
    return made


@dataclass
class Person:
    """Somebody with a mailbox and a browser."""

    world: World
    email: str = ADA

    def code(self) -> str:
        """The newest code in the mailbox."""
        mails = [mail for mail in self.world.mailer.to(self.email) if mail.key.endswith(":code")]
        [code] = re.findall(r"\b\d{8}\b", mails[-1].text)
        return str(code)

    def codes(self) -> int:
        """How many code mails came."""
        return sum(mail.key.endswith(":code") for mail in self.world.mailer.to(self.email))

    def sign_in(self) -> str:
        """A token that no request asked for."""
        started = call("POST", "/verifications", {"email": self.email})
        assert started.status == 202
        return self.verify(started.json["verification_id"])

    def verify(self, verification_id: str) -> str:
        checked = call("POST", f"/verifications/{verification_id}", {"code": self.code()})
        assert checked.status == 200, checked.text
        return str(checked.json["token"])

    def ask(self, kind: str, **more: str) -> Answer:
        return call("POST", "/requests", {"type": kind, "email": self.email}, **more)

    def begun(self, kind: str) -> tuple[str, str]:
        """A verified request: its id and the token."""
        asked = self.ask(kind)
        assert asked.status == 202, asked.text
        return asked.json["request_id"], self.verify(asked.json["verification_id"])


@pytest.fixture
def ada(world: World) -> Person:
    return Person(world)


@pytest.fixture
def other(world: World) -> Callable[[str], Person]:
    return lambda email: Person(world, email)


def recorders(world: World) -> list[Recorder]:
    """Every port that can fail."""
    limits = world.deps.limits
    assert isinstance(limits, Recorder)
    return [world.table, world.vault, world.mailer, world.files, world.executions, world.events, limits]


@pytest.fixture
def signs(world: World) -> Signs:
    """The company's sign-in, which the stack knows."""
    named = replace(world.deps.settings, oidc_issuer=ISSUER, oidc_audience=AUDIENCE)
    world.deps = replace(world.deps, settings=named)
    made = Signs(world.clock)
    world.provider.published.append(made.key.published)
    return made
