"""The page over the sample company's words and a small company's stores, in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from functions.api import app as api
from tests.fakes.world import World, make_world
from tests.functional.centre.reader import Reader
from tests.web.served import sample_map


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = make_world(sample_map())
    monkeypatch.setattr(api, "deps", lambda: made.deps)
    return made


@pytest.fixture
def reader(world: World) -> Reader:
    return Reader(world)


@pytest.fixture
def another(world: World) -> Callable[..., Reader]:
    """Somebody else, or the same person in another language."""
    return lambda **what: Reader(world, **what)
