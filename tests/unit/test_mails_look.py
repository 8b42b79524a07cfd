"""The mails can be read: by day and by night, by people and by what reads to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from rightful.mails import KINDS, render
from tests.unit.mail_facts import CENTRE, facts

VOID = {"meta", "br"}
LEAST = 4.5
"""Contrast of text, WCAG 2.2 criterion 1.4.3 (AA)."""
_RULE = re.compile(r"([^{}]+){([^{}]*)}")


def style(text: str) -> dict[str, str]:
    pairs = (part.split(":", 1) for part in text.split(";") if ":" in part)
    return {name.strip(): value.replace("!important", "").strip() for name, value in pairs}


def by_night(page: str) -> dict[str, dict[str, str]]:
    """Class, or tag, or `class tag` -> what the style sheet says of it in the dark."""
    inside = page.split("@media (prefers-color-scheme: dark) {")[1].split("</style>")[0]
    rules: dict[str, dict[str, str]] = {}
    for names, declared in _RULE.findall(inside):
        for name in names.split(","):
            rules.setdefault(name.strip().removeprefix("."), {}).update(style(declared))
    return rules


class Painted(HTMLParser):
    """Each text with its colour on its ground, and the levels of the headings."""

    def __init__(self, page: str, night: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__()
        self.texts: list[tuple[str, str, str]] = []
        self.levels: list[int] = []
        self.tables: list[str | None] = []
        self._night = night
        self._stack: list[tuple[str, str, bool, str]] = [("", "", False, "")]
        self.feed(page[page.index("<body") : page.index("</html>")])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        given = {name: value or "" for name, value in attrs}
        own, classes = style(given.get("style", "")), given.get("class", "").split()
        for name in [tag, *classes, *(f"{outer} {tag}" for outer in self._stack[-1][3].split())]:
            own |= self._night.get(name, {})
        colour, ground, hidden, _ = self._stack[-1]
        hidden = hidden or own.get("display") == "none"
        colour, ground = own.get("color", colour), own.get("background", ground)
        self._stack.append((colour, ground, hidden, given.get("class", "")))
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "table":
            self.tables.append(given.get("role"))

    def handle_endtag(self, tag: str) -> None:
        self._stack.pop()

    def handle_data(self, data: str) -> None:
        colour, ground, hidden, _ = self._stack[-1]
        if data.strip("\xa0 \n") and not hidden:
            self.texts.append((data.strip(), colour, ground))


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance of `#rrggbb`."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_every_word_can_be_read_by_day_and_by_night(kind: str) -> None:
    page = render(kind, "en", centre=CENTRE, **facts(kind)).html
    day, night = Painted(page, {}), Painted(page, by_night(page))
    assert day.texts
    assert [text for text in (*day.texts, *night.texts) if contrast(*text[1:]) < LEAST] == []
    unchanged = {colour for _, colour, _ in day.texts} & {colour for _, colour, _ in night.texts}
    assert unchanged == set(), "a colour of the day is forgotten at night"


@pytest.mark.parametrize("kind", KINDS)
def test_one_heading_leads_the_others_and_tables_are_only_for_the_looks(kind: str) -> None:
    page = Painted(render(kind, "en", centre=CENTRE, **facts(kind)).html, {})
    assert page.levels[0] == 1
    assert page.levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(page.levels))
    assert set(page.tables) == {"presentation"}


def test_no_line_breaks_within_a_date_or_before_a_sign() -> None:
    page = render("rejected", "fr", **facts("rejected")).html
    assert "Motif\u00a0: Les données" in page
    assert "Motif : Les données" in render("rejected", "fr", **facts("rejected")).text
    assert "1\u00a0March\u00a02027" in render("extended", "en", **facts("extended")).html


@pytest.mark.parametrize("kind", KINDS)
def test_the_plain_part_ends_as_letters_do(kind: str) -> None:
    body, footer = render(kind, "en", **facts(kind)).text.split("\n-- \n")
    assert "\n\n\n" not in body
    assert "" not in footer.strip().split("\n")


@pytest.mark.parametrize("kind", KINDS)
def test_a_preview_says_more_than_the_subject(kind: str) -> None:
    """What a mailbox shows beside the subject. No code: a locked screen shows it too."""
    mail = render(kind, "en", **facts(kind))
    preview = re.search(r'<div class="preview"[^>]*>([^<]+)</div>', mail.html)
    assert preview
    assert preview[1].strip() not in ("", mail.subject)
    assert not re.search(r"\d{8}", preview[1])
