"""Every page for everybody: no violation of WCAG 2.2 AA that axe-core knows, at any width, in light and dark; nothing
wider than the narrowest phone; all of it with the keyboard alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web import axe
from tests.web.states import WAYS
from tests.web.visiting import Visitor

NARROW, WIDE = {"width": 320, "height": 640}, {"width": 1280, "height": 800}


def overflowing(page: Page) -> list[str]:
    """What reaches beyond the right edge of the window."""
    found: list[str] = page.evaluate(
        """() => [...document.body.querySelectorAll("*")]
            .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
            .map((each) => each.outerHTML.slice(0, 120))"""
    )
    return found


@pytest.mark.parametrize("name", WAYS)
def test_no_page_breaks_a_rule_in_any_form(name: str, visitor: Visitor) -> None:
    WAYS[name](visitor, "en")
    broken: dict[str, list[str]] = {}
    for width in (NARROW, WIDE):
        visitor.page.set_viewport_size(width)  # type: ignore[arg-type]  # of the shape it asks for
        if over := overflowing(visitor.page):
            broken[f"wider than {width['width']}"] = over
        for scheme in ("light", "dark"):
            visitor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            if found := axe.violations(visitor.page):
                broken[f"{scheme} at {width['width']}"] = found
    assert broken == {}


@pytest.mark.parametrize("name", WAYS)
def test_longer_words_and_larger_letters_need_no_scrolling_sideways(name: str, visitor: Visitor) -> None:
    """WCAG 1.4.10: in a window of 320 pixels; 1.4.4: with text at 200 %. German has the longest words."""
    visitor.page.set_viewport_size(NARROW)  # type: ignore[arg-type]  # of the shape it asks for
    WAYS[name](visitor, "de")
    expect(visitor.page.locator("html")).to_have_attribute("lang", re.compile("^de(-|$)"))
    assert overflowing(visitor.page) == []
    visitor.page.set_viewport_size({"width": 640, "height": 640})
    visitor.page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert overflowing(visitor.page) == []
