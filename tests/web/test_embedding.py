"""The form that the README shows, as it stands there, on a site of its own: what the browser lets it do."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from rightful.service.deps import Settings
from tests.fakes.company import ADA
from tests.fakes.world import World, make_world
from tests.functional.api.conftest import Person
from tests.web.served import Served, served

README = Path(__file__).parents[2] / "README.md"
PLACE = "https://YOUR-API/prod"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing of the calls that it answers."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The origin of another site, which shows what lies in `tmp_path`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def centre(site: str) -> Iterator[Served]:
    """The API, which lets that site post."""
    world = make_world()
    world.deps = replace(world.deps, settings=Settings(form_origins=(site,)))
    with served(world) as serving:
        yield serving


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Without routes: where Playwright intercepts calls, it answers preflights itself."""
    made = browser.new_context()
    yield made
    made.close()


@pytest.fixture
def form(page: Page, site: str, centre: Served, tmp_path: Path) -> Page:
    """The page that the README shows, open."""
    (shown,) = re.findall(r"```html\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert shown.count(PLACE) == 1
    (tmp_path / "index.html").write_text(shown.replace(PLACE, centre.url.rstrip("/")), "utf-8")
    page.goto(site)
    page.get_by_label("E-mail").fill(ADA)
    return page


@pytest.mark.parametrize(
    ("button", "kind"), [("Send me my data", "access"), ("Delete my data", "erasure")], ids=["access", "erasure"]
)
def test_the_form_of_another_site_makes_a_request_and_proves_it(
    form: Page, world: World, button: str, kind: str
) -> None:
    form.get_by_role("button", name=button).click()
    expect(form.get_by_role("status")).to_have_text("Look into your mailbox: we sent you a code.")
    form.get_by_label("The code we mailed you").fill(Person(world).code())
    form.get_by_role("button", name="Confirm").click()
    expect(form.get_by_role("status")).to_have_text("Confirmed. You will hear from us by e-mail.")
    expect(form.get_by_role("button", name="Confirm")).to_be_hidden()
    [started] = world.executions.started
    assert started.startswith(f"{kind}-")


def test_what_is_wrong_is_told_and_can_be_mended(form: Page, world: World) -> None:
    form.get_by_label("E-mail").fill("ada@example")
    form.get_by_role("button", name="Delete my data").click()
    expect(form.get_by_role("status")).to_contain_text("After the @, write a full domain name")
    form.get_by_label("E-mail").fill(ADA)
    form.get_by_role("button", name="Delete my data").click()
    form.get_by_label("The code we mailed you").fill("12345678")
    form.get_by_role("button", name="Confirm").click()
    expect(form.get_by_role("status")).to_contain_text("The code is wrong.")
    form.get_by_label("The code we mailed you").fill(Person(world).code())
    form.get_by_role("button", name="Confirm").click()
    expect(form.get_by_role("status")).to_contain_text("Confirmed.")


def test_a_site_that_was_not_allowed_is_stopped_by_the_browser(form: Page, world: World, centre: Served) -> None:
    world.deps = replace(world.deps, settings=Settings(form_origins=("https://www.example.org",)))
    with form.expect_event("requestfailed"):
        form.get_by_role("button", name="Delete my data").click()
    expect(form.get_by_role("status")).to_have_text("That did not work. Please try again later.")
    assert centre.calls == [("OPTIONS", "/prod/requests")]
    assert world.mailer.sent == []
