"""The privacy centre on a real port, over a company in memory whose requests are carried out when a test says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

from functions.api import app as api
from rightful.datamap.check import check
from rightful.model import DataMap
from rightful.stores.registry import CONNECTORS, SWEEPERS
from tests.fakes.company import ADA, small_map
from tests.fakes.state_machine import Execution
from tests.fakes.world import World, make_world
from tests.web.gateway import gateway

SAMPLE = Path(__file__).parents[2] / "infra/datamap.yaml"
ALIKE = {"surveys": "survey_responses", "contacts": "shared_contacts", "usage": "usage_events"}
"""Stores in memory -> what they are called in the sample map."""


def sample_map() -> DataMap:
    """What people read in the sample company's map, over the stores in memory."""
    sample = check(SAMPLE.read_text("utf-8"), CONNECTORS, SWEEPERS).datamap
    assert sample is not None
    small = small_map()
    stores = {
        name: replace(
            store,
            title=sample.stores[ALIKE.get(name, name)].title,
            recipients=sample.stores[ALIKE.get(name, name)].recipients,
            erasure=replace(store.erasure, law=sample.stores[ALIKE.get(name, name)].erasure.law),
        )
        for name, store in small.stores.items()
    }
    recipients = {name: replace(each, webhook="", mail=each.mail) for name, each in sample.recipients.items()}
    return replace(sample, identities=small.identities, stores=stores, recipients=recipients, accounts=small.accounts)


@dataclass
class Served:
    """Where it is reached, with a slash at the end, and what goes on behind it."""

    url: str
    world: World
    calls: list[tuple[str, str]]
    """Method and path of each call that was taken."""
    runs: dict[str, Execution] = field(default_factory=dict)

    def code(self, email: str = ADA) -> str:
        """The newest code in somebody's mailbox."""
        mails = [mail for mail in self.world.mailer.to(email) if mail.key.endswith(":code")]
        [code] = re.findall(r"\b\d{8}\b", mails[-1].text)
        return str(code)

    def carry_on(self) -> None:
        """Runs the workflow of each request that was started, until it ends or waits."""
        for name in list(self.world.executions.started):
            if name not in self.runs:
                self.runs[name] = self.world.execution(name.partition("-")[2])
                self.runs[name].run()


@contextmanager
def served(world: World | None = None, under: str = "/prod") -> Iterator[Served]:
    """For as long as the block lasts. Without a world, it is the sample company's."""
    world = world or make_world(sample_map())
    with patch.object(api, "deps", lambda: world.deps), gateway(under) as open_at:
        yield Served(f"{open_at.url}/", world, open_at.calls)
