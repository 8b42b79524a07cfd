"""Somebody at the privacy centre: what they press and type, whatever language the page speaks."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final, Self

from playwright.sync_api import Locator, Page, expect

from tests.fakes.world import World

CARD: Final = {"access": "download", "erasure": "delete"}
"""Type of a request -> the card that asks for it."""


@dataclass
class Guest(ABC):
    """A person with a mailbox, at one page of a browser. Methods return when the page that follows is shown, where they
    know which one that is."""

    page: Page
    url: str
    """Of the centre, with a slash at its end."""
    email: str

    @abstractmethod
    def code(self) -> str:
        """The newest in the mailbox."""

    def open(self, card: str = "", lang: str = "en") -> Self:
        """By the address of a card."""
        show = f"show={card}&" if card else ""
        self.page.goto(f"{self.url}?{show}lang={lang}")
        return self.at(card or "start") if card not in ("requests", "preferences") else self.at("sign_in")

    def at(self, state: str) -> Self:
        """Waits until this page is shown."""
        expect(self.page.locator("main")).to_have_attribute("data-state", state)
        return self

    def field(self, name: str) -> Locator:
        """What is typed, chosen or ticked, by its name in the form of the page."""
        return self.page.locator(f"main form :is(input:not([type=hidden]), textarea, select)[name='{name}']")

    def choose(self, name: str, value: str) -> None:
        """One of several."""
        self.page.locator(f"main form input[type=radio][name='{name}'][value='{value}']").check()

    def press(self, form: str = "ask") -> Self:
        """The button of a form."""
        self.page.locator(f"form#{form} button:not([type=button])").last.click()
        return self

    def told(self) -> Locator:
        """What the page says is wrong."""
        return self.page.locator("main [role=alert]")

    def ask(self, kind: str, lang: str = "en") -> Self:
        """From the card to the page that takes the code."""
        self.open(CARD[kind], lang)
        self.field("email").fill(self.email)
        if kind == "erasure":
            self.field("confirm").check()
        return self.press().at("code")

    def prove(self) -> Self:
        """Types in the code from the mailbox."""
        self.field("code").fill(self.code())
        return self.press()

    def sign_in(self, card: str = "requests", lang: str = "en") -> Self:
        """To what is their own: `requests` or `preferences`."""
        self.open(card, lang)
        self.field("email").fill(self.email)
        self.press().at("code")
        return self.prove().at(card)


@dataclass
class Visitor(Guest):
    """Of the centre over the world in memory."""

    world: World

    def code(self) -> str:
        mails = [mail for mail in self.world.mailer.to(self.email) if mail.key.endswith(":code")]
        (code,) = re.findall(r"(?m)^\s*(\d{8})\s*$", mails[-1].text)
        return str(code)

    def worked(self) -> str:
        """Lets the workflow of the one request that was started come to its end; the request's id."""
        (name,) = self.world.executions.started
        request_id = name.partition("-")[2]
        self.world.execution(request_id).run()
        return str(request_id)
