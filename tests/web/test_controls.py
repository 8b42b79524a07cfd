"""The four controls that the policy promises, each from its card to its end: in four languages, with script and
without."""

from __future__ import annotations

import re
import zipfile

import pytest
from playwright.sync_api import expect

from tests.web.visiting import Visitor

LANGUAGES = ("en", "fr", "de", "es")


@pytest.fixture(params=LANGUAGES)
def lang(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[True, False], ids=["script", "plain"])
def scripted(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_a_download(visitor: Visitor, lang: str) -> None:
    visitor.ask("access", lang).prove().at("request")
    visitor.worked()
    visitor.press("refresh")
    expect(visitor.page.locator("main")).to_have_attribute("data-status", "completed")
    visitor.press("fetch").at("ready")
    with visitor.page.expect_download() as saved:
        visitor.page.locator("main a[download]").click()
    with zipfile.ZipFile(saved.value.path()) as package:
        assert "index.html" in package.namelist()
    expect(visitor.page.locator("html")).to_have_attribute("lang", re.compile(f"^{lang}(-|$)"))
