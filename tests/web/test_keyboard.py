"""The keyboard alone does everything, one always sees where one is, and a screen reader hears what changed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.fakes.company import ADA
from tests.web.states import WAYS, opened, seeded
from tests.web.visiting import Visitor

FOCUSED = """() => {
    const here = document.activeElement;
    const drawn = [here, ...["::before", "::after"].map((part) => [here, part])]
        .map((each) => Array.isArray(each) ? getComputedStyle(...each) : getComputedStyle(each));
    const box = here.getBoundingClientRect();
    return {
        place: [...document.querySelectorAll("*")].indexOf(here),
        name: here.getAttribute("name") ?? "",
        what: here.outerHTML.slice(0, 100),
        text: (here.innerText ?? "").trim(),
        marked: drawn.some((style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2),
        inside: box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight,
        body: here === document.body,
    };
}"""
MOVING = """() => document.getAnimations().length + [...document.querySelectorAll("*")].filter((each) =>
    getComputedStyle(each).transitionDuration.split(",").some((time) => parseFloat(time) > 0)
    || getComputedStyle(each).animationName !== "none").length"""


def stops(page: Page) -> list[dict[str, Any]]:
    """Where Tab leads, one after the other, until it comes round. The page itself is none."""
    found: list[dict[str, Any]] = []
    for _ in range(100):
        page.keyboard.press("Tab")
        here = page.evaluate(FOCUSED)
        if found and here["place"] == found[0]["place"]:
            return found
        if not here["body"]:
            found.append(here)
    raise AssertionError("Tab never comes round")


def tab_to(page: Page, name: str = "", text: str = "") -> None:
    """Presses Tab until the field or button is reached."""
    for _ in range(60):
        page.keyboard.press("Tab")
        here = page.evaluate(FOCUSED)
        if (name and here["name"] == name) or (text and here["text"] == text):
            return
    raise AssertionError(f"Tab does not lead to {name or text}")


@pytest.mark.parametrize("name", WAYS)
def test_on_every_page_one_sees_where_one_is(name: str, visitor: Visitor) -> None:
    WAYS[name](visitor, "en")
    visitor.page.evaluate("document.activeElement.blur()")
    found = stops(visitor.page)
    assert len(found) >= 6
    assert [stop["what"] for stop in found if not (stop["marked"] and stop["inside"])] == []


def test_the_first_stop_leads_past_the_head_of_the_page(visitor: Visitor) -> None:
    visitor.open()
    visitor.page.keyboard.press("Tab")
    expect(visitor.page.locator(".skip")).to_be_focused()
    visitor.page.keyboard.press("Enter")
    visitor.page.keyboard.press("Tab")
    assert visitor.page.evaluate(FOCUSED)["text"] == "Download my data"


def test_a_deletion_by_keyboard_alone(visitor: Visitor) -> None:
    page = visitor.open().page
    tab_to(page, text="Delete my account and data")
    page.keyboard.press("Enter")
    visitor.at("delete")
    tab_to(page, name="email")
    page.keyboard.type(ADA)
    tab_to(page, name="confirm")
    page.keyboard.press("Space")
    tab_to(page, text="Send me a code")
    page.keyboard.press("Space")
    visitor.at("code")
    tab_to(page, name="code")
    page.keyboard.type(visitor.code())
    page.keyboard.press("Enter")
    visitor.at("request")
    assert len(visitor.world.executions.started) == 1


def test_after_each_step_the_reader_is_at_its_heading_and_hears_it(visitor: Visitor) -> None:
    visitor.ask("access")
    expect(visitor.page.locator("h1")).to_be_focused()
    expect(visitor.page.locator("#announce")).to_have_text(visitor.page.title())
    visitor.prove().at("request")
    expect(visitor.page.locator("h1")).to_be_focused()
    expect(visitor.page.locator("#announce")).to_have_text(visitor.page.title())


def test_what_is_wrong_gets_the_focus_and_leads_to_its_field(visitor: Visitor) -> None:
    visitor.open("delete")
    visitor.field("email").fill("ada@example")
    visitor.field("confirm").check()
    visitor.press()
    expect(visitor.told()).to_be_focused()
    visitor.told().get_by_role("link").press("Enter")
    expect(visitor.field("email")).to_be_focused()
    expect(visitor.field("email")).to_have_attribute("aria-invalid", "true")
    expect(visitor.field("email")).to_have_accessible_description(re.compile("After the @, write a full domain name"))


def test_a_request_that_moves_on_is_shown_and_heard_without_a_reload(visitor: Visitor) -> None:
    visitor.page.clock.install()
    made = seeded(visitor, "erasure", "moving")
    opened(visitor, "en", made)
    visitor.world.execution(made).run()
    visitor.page.clock.run_for(5_000)
    expect(visitor.page.locator("main")).to_have_attribute("data-status", "completed")
    expect(visitor.page.locator("#announce")).not_to_be_empty()


@pytest.mark.parametrize("name", ["start", "request at work"])
def test_nothing_moves_for_whoever_asks_for_that(name: str, visitor: Visitor) -> None:
    WAYS[name](visitor, "en")
    assert visitor.page.evaluate(MOVING) > 0
    visitor.page.emulate_media(reduced_motion="reduce")
    assert visitor.page.evaluate(MOVING) == 0
