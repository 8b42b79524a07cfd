"""What the page keeps to itself: nothing in the browser, nothing in addresses, nothing to others."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import BrowserContext

from tests.web.served import Served
from tests.web.states import WAYS
from tests.web.visiting import Visitor
from tests.web.watching import EXPORTS, Watched

SHOWN_IN_ADDRESSES = {"show", "lang"}


@pytest.mark.parametrize("name", WAYS)
def test_no_page_stores_tells_or_breaks_anything(
    name: str, visitor: Visitor, context: BrowserContext, centre: Served
) -> None:
    """No cookie, no storage, no call to another origin, no violation of the page's own security policy; no code, token,
    address or id in an address line, and none in a `Referer`."""
    watched = Watched(visitor.page)
    WAYS[name](visitor, "en")
    assert watched.faults == []
    assert watched.elsewhere(centre.url) == []
    assert context.cookies() == []
    assert watched.stored() == {}
    for request in watched.requests:
        if request.url.startswith(EXPORTS):
            continue  # the download itself
        address = urlsplit(request.url)
        assert {key for key, _ in parse_qsl(address.query)} <= SHOWN_IN_ADDRESSES, request.url
        assert re.fullmatch(r"/prod/(assets/[\w.-]+|unsubscribe/[\w-]+)?", address.path), request.url
        assert request.all_headers().get("referer", "") in ("", centre.url)
    assert urlsplit(visitor.page.url).query in ("", *(f"show={card}&lang=en" for card in CARDS), "lang=en")


CARDS = ("download", "delete", "requests", "preferences", "issue")


def test_a_form_of_another_site_leads_to_the_cards_and_does_nothing(visitor: Visitor) -> None:
    """The browser says where the form stood; without a script it asks nobody before it posts."""
    form = f"<form method=post action={visitor.url}><input name=step value=ask><input name=email value={visitor.email}>"
    visitor.page.set_content(f"{form}<button>You have won</button></form>")
    visitor.page.get_by_role("button").click()
    visitor.at("start")
    assert visitor.world.mailer.sent == []
