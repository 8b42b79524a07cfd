"""A browser for all tests of this folder; for each the privacy centre of the sample company, on a port of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from rightful.service.deps import Settings
from tests.fakes.company import ADA
from tests.fakes.world import World
from tests.web import chromium
from tests.web.sample import sample_world
from tests.web.served import Served, served
from tests.web.visiting import Visitor
from tests.web.watching import EXPORTS

TIMEOUT_MS = 15_000
"""How long a test waits for something to show; a loaded machine is slow now and then."""
SAVED = {"Content-Type": "application/zip", "Content-Disposition": 'attachment; filename="my-data.zip"'}
expect.set_options(timeout=TIMEOUT_MS)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium.running() as running:
        yield running


@pytest.fixture
def centre() -> Iterator[Served]:
    """Of the sample company. A test may call more often than one network may."""
    world = sample_world()
    world.deps = replace(world.deps, settings=Settings(source_limit_per_hour=1_000))
    with served(world) as serving:
        yield serving


@pytest.fixture
def scripted() -> bool:
    """Whether pages may run their script."""
    return True


@pytest.fixture
def context(browser: Browser, centre: Served, scripted: bool) -> Iterator[BrowserContext]:
    """What a browser keeps of one visit. Links to downloads lead into the bucket in memory."""
    made = browser.new_context(java_script_enabled=scripted)
    made.set_default_timeout(TIMEOUT_MS)
    made.route(f"{EXPORTS}**", lambda route: route.fulfill(headers=SAVED, body=_exported(centre, route.request.url)))
    yield made
    made.close()


def _exported(centre: Served, url: str) -> bytes:
    return centre.world.files.objects[url.removeprefix(EXPORTS).partition("?")[0]]


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def world(centre: Served) -> World:
    return centre.world


@pytest.fixture
def visitor(page: Page, centre: Served) -> Visitor:
    """Ada, with script."""
    return Visitor(page, centre.url, ADA, centre.world)
