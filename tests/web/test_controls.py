"""The four controls that the policy promises, each from its card to its end: in four languages, with script and
without."""

from __future__ import annotations

import re
import zipfile

import pytest
from playwright.sync_api import expect

from rightful.centre import voices, words
from tests.fakes.company import ADA
from tests.web.visiting import Visitor

LANGUAGES = ("en", "fr", "de", "es")


@pytest.fixture(params=LANGUAGES)
def lang(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[True, False], ids=["script", "plain"])
def scripted(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def spoken(visitor: Visitor, lang: str, heading: str) -> None:
    """The page is in that language, and says so. `heading` is the English one."""
    said = voices.chosen("", lang).said(heading)
    assert (said == heading) == (lang == "en")
    expect(visitor.page.locator("html")).to_have_attribute("lang", re.compile(f"^{lang}(-|$)"))
    expect(visitor.page.locator("h1")).to_have_text(said)


def test_download(visitor: Visitor, lang: str, scripted: bool) -> None:
    visitor.ask("access", lang).prove().at("request")
    visitor.worked()
    visitor.press("refresh")
    expect(visitor.page.locator("main")).to_have_attribute("data-status", "completed")
    with visitor.page.expect_download() as saved:
        visitor.press("fetch").at("ready")
        if not scripted:
            visitor.page.locator("main a[download]").click()
    with zipfile.ZipFile(saved.value.path()) as package:
        assert "index.html" in package.namelist()
    spoken(visitor, lang, "Your download")


def test_delete(visitor: Visitor, lang: str) -> None:
    visitor.open("delete", lang)
    visitor.field("email").fill(ADA)
    visitor.press().at("delete")
    assert visitor.world.mailer.sent == [], "nothing happens before the box is ticked"
    visitor.field("confirm").check()
    visitor.press().at("code")
    assert visitor.world.executions.started == {}, "nothing happens before the code is typed in"
    visitor.prove().at("request")
    visitor.worked()
    visitor.press("refresh")
    expect(visitor.page.locator("main")).to_have_attribute("data-status", "completed")
    assert visitor.world.stores["accounts"].items == []
    assert len(visitor.world.stores["invoices"].items) == 3, "what the law asks for stays"
    expect(visitor.page.locator("main")).to_contain_text("2033")
    spoken(visitor, lang, words.TYPES["erasure"])


def test_choose_e_mails(visitor: Visitor, lang: str) -> None:
    visitor.sign_in("preferences", lang)
    expect(visitor.field("topic.newsletter")).not_to_be_checked()
    visitor.field("topic.newsletter").check()
    visitor.press()
    expect(visitor.page.locator("#saved")).to_be_visible()
    expect(visitor.field("topic.newsletter")).to_be_checked()
    spoken(visitor, lang, "Choose my e-mails")
    visitor.sign_in("preferences", lang)
    expect(visitor.field("topic.newsletter")).to_be_checked()
    expect(visitor.field("topic.announcements")).not_to_be_checked()


def test_report_an_issue(visitor: Visitor, lang: str) -> None:
    visitor.open("issue", lang)
    visitor.choose("kind", "suspected_breach")
    visitor.field("message").fill("Somebody has my address.\nFrom you!")
    visitor.field("email").fill(ADA)
    visitor.press().at("thanks")
    expect(visitor.page.locator("main .reference")).to_be_visible()
    (mail,) = visitor.world.mailer.to(visitor.world.deps.datamap.controller.contact)
    assert re.search(r"Somebody has my address\.\n[>\s]*From you!", mail.text)
    spoken(visitor, lang, "Thank you")
