"""One running stack for all end-to-end tests: the emulator with IAM enforced, the real template, sixty people.

Each test takes people of its own, so that the tests share the stack and nothing else. Under pytest-xdist with
`--dist loadgroup` one worker runs them all (tests/conftest.py).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from infra.local.person import Person
from infra.local.stack import Stack, running_stack
from infra.sample.truth import Truth
from tests.e2e import canary, sweeping, visible

PEOPLE = 60
WAIT_SCALE = 0.1
"""Share of their time that retry intervals really take."""


LAST = ("test_policy", "test_retention", "test_least_privilege")
"""The notice of a new policy is a letter more in everybody's mailbox, and the sweep takes from everybody: so they come
after the tests that need people as they were. What functions asked for is compared when all has been played."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs this folder's tests in an order in which they can share the stack; leaves all others where they are."""
    items.sort(key=lambda item: LAST.index(item.path.stem) + 1 if item.path.stem in LAST else 0)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    directory = tmp_path_factory.mktemp("stack")
    with running_stack(_free_port(), people=PEOPLE, directory=directory, wait_scale=WAIT_SCALE) as running:
        yield running


@pytest.fixture(scope="session")
def truth(stack: Stack) -> Truth:
    return Truth.load(stack.truth)


@pytest.fixture(scope="session")
def person(stack: Stack) -> Callable[[str], Person]:
    """Makes someone who uses the API, from their address."""
    return lambda email: Person(email, stack.api_url, stack.mailbox_url)


@pytest.fixture(scope="session")
def played(stack: Stack, person: Callable[[str], Person]) -> Iterator[canary.Played]:
    """The whole job by a person made of markers, with every event on the bus caught in a queue."""
    with visible.captured_events(stack):
        yield canary.play(stack, person)


@pytest.fixture(scope="session")
def swept(stack: Stack, truth: Truth) -> sweeping.Swept:
    """The retention sweep, played."""
    return sweeping.play(stack, truth)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
