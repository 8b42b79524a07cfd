"""The page is light: drawn after one round trip, small, and of use on a slow line."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.web.visiting import Visitor

MOST = 60_000
"""Bytes of the page and all that it loads, uncompressed."""
PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length > 0"


def slow(page: Page) -> None:
    """A line with 400 ms from here to there and back."""
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    limits = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 25_000}
    network.send("Network.emulateNetworkConditions", limits)


def test_it_is_painted_before_anything_else_has_come(visitor: Visitor) -> None:
    held: list[Route] = []
    visitor.page.route("**/assets/**", lambda route: held.append(route))
    visitor.page.goto(visitor.url, wait_until="commit")
    visitor.page.wait_for_function(PAINTED)
    expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
    for route in held:
        route.continue_()


def test_page_and_all_that_it_loads_weigh_little(visitor: Visitor) -> None:
    sizes: dict[str, int] = {}
    visitor.page.on("response", lambda answer: sizes.__setitem__(answer.url, len(answer.body())))
    visitor.page.goto(visitor.url, wait_until="networkidle")
    assert len(sizes) == 3, "the page, its script, its icon"
    assert sum(sizes.values()) < MOST, sizes


def test_on_a_slow_line_it_is_of_use_and_says_that_it_works(visitor: Visitor) -> None:
    slow(visitor.page)
    visitor.ask("access").prove().at("request")
