"""Every page of the privacy centre, and the way of a visitor to it: for whatever must hold on all of them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from playwright.sync_api import expect

from rightful.model import RequestPolicy
from rightful.service import deciding, unsubscribing
from rightful.service.unsubscribing import Link
from tests.web.visiting import Visitor

Way = Callable[[Visitor, str], object]
"""Leads a visitor to a page, in a language."""
OURS: Final = "2026-11-02T09:00:00Z"


def request_id(name: str) -> str:
    """An id that looks like one, the same each time."""
    return base64.urlsafe_b64encode(hashlib.sha256(name.encode()).digest()[:24]).decode()


def seeded(visitor: Visitor, kind: str, name: str, **facts: Any) -> str:
    """Makes a verified request of the visitor; its id."""
    made = request_id(name)
    visitor.world.ask_for(kind, made, visitor.email, **facts)
    return made


def opened(visitor: Visitor, lang: str, made: str) -> Visitor:
    """The page of the visitor's request."""
    visitor.sign_in("requests", lang)
    button = visitor.page.locator(f"main form:has(input[name=request_id][value='{made}']) button")
    button.click()
    return visitor.at("request")


def _worked(visitor: Visitor, kind: str) -> str:
    made = seeded(visitor, kind, f"{kind}-worked")
    visitor.world.execution(made).run()
    return made


def _refused(visitor: Visitor) -> str:
    deps = visitor.world.deps
    policy = {**deps.datamap.requests, "erasure": RequestPolicy(approval="dpo")}
    visitor.world.deps = replace(deps, datamap=replace(deps.datamap, requests=policy))
    made = seeded(visitor, "erasure", "refused")
    run = visitor.world.execution(made).run()
    reason = "A court case about your invoices is open; we must keep what proves them until it is decided."
    deciding.decide(visitor.world.deps, made, "reject", ground="17(3)(e)", reason=reason)
    run.resume()
    return made


def _wrongly_asked(visitor: Visitor, lang: str) -> None:
    visitor.open("delete", lang).at("delete")
    visitor.field("email").fill("ada@example")
    visitor.field("confirm").check()
    visitor.press()
    visitor.told().wait_for()


def _wrong_code(visitor: Visitor, lang: str) -> None:
    visitor.ask("erasure", lang)
    visitor.field("code").fill("00000000" if visitor.code() != "00000000" else "00000001")
    visitor.press()
    visitor.told().wait_for()


def _signed_out(visitor: Visitor, lang: str) -> None:
    opened(visitor, lang, seeded(visitor, "access", "working"))
    visitor.world.clock.advance(31 * 60)
    visitor.press("refresh").at("sign_in")


def _empty_issue(visitor: Visitor, lang: str) -> None:
    """Sent by a browser that does not check what is required."""
    visitor.open("issue", lang)
    visitor.page.locator("form#ask").evaluate("(form) => { form.noValidate = true; }")
    visitor.press()
    visitor.told().wait_for()


def _reported(visitor: Visitor, lang: str) -> None:
    visitor.open("issue", lang)
    visitor.choose("kind", "suspected_breach")
    visitor.field("message").fill("Somebody has my address, and I gave it to you alone.")
    visitor.press().at("thanks")


def _saved(visitor: Visitor, lang: str) -> None:
    visitor.sign_in("preferences", lang)
    visitor.field("topic.newsletter").check()
    visitor.press()
    visitor.page.locator("#saved").wait_for()


def _vanished(visitor: Visitor, lang: str) -> None:
    made = seeded(visitor, "access", "vanished")
    opened(visitor, lang, made)
    visitor.world.table.delete(f"REQUEST#{made}", "REQUEST")
    visitor.press("refresh").at("trouble")


def _announced(visitor: Visitor, lang: str) -> None:
    """To a browser that sends Global Privacy Control, with a new version of the privacy policy ahead."""
    policy = {"version": "2027-02", "url": "https://salescookie.com/privacy/2027-02", "effective_from": "2027-02-01"}
    assert visitor.world.ask_desk("publish_policy", **policy, material=True)["ok"]
    visitor.page.set_extra_http_headers({"Sec-GPC": "1"})
    visitor.open("", lang)
    expect(visitor.page.locator("footer")).to_contain_text("2027-02")
    expect(visitor.page.locator("footer")).to_contain_text("Global Privacy Control")


def _ready(visitor: Visitor, lang: str) -> None:
    opened(visitor, lang, _worked(visitor, "access")).press("fetch").at("ready")


def _unsubscribing(visitor: Visitor, lang: str, topic: str = "newsletter") -> Visitor:
    """By the link in a mail about the topic."""
    deps = visitor.world.deps
    link = Link(deps.vault.digest("person", visitor.email), topic)
    visitor.page.goto(f"{visitor.url}unsubscribe/{unsubscribing.token(deps, link) if topic else 'cut'}?lang={lang}")
    return visitor.at("unsubscribe")


def _unsubscribed(visitor: Visitor, lang: str, topic: str = "newsletter") -> None:
    _unsubscribing(visitor, lang, topic)
    visitor.page.locator("main form button").click()
    visitor.page.locator("main form[action]" if topic == "newsletter" else "main:not(:has(form))").wait_for()


WAYS: Final[dict[str, Way]] = {
    "start": lambda visitor, lang: visitor.open("", lang).at("start"),
    "start, with news": _announced,
    "download": lambda visitor, lang: visitor.open("download", lang).at("download"),
    "delete": lambda visitor, lang: visitor.open("delete", lang).at("delete"),
    "delete, refused": _wrongly_asked,
    "sign in": lambda visitor, lang: visitor.open("requests", lang).at("sign_in"),
    "code": lambda visitor, lang: visitor.ask("access", lang),
    "code, wrong": _wrong_code,
    "signed out": _signed_out,
    "no requests": lambda visitor, lang: visitor.sign_in("requests", lang),
    "request at work": lambda visitor, lang: opened(visitor, lang, seeded(visitor, "access", "working")),
    "request scheduled": lambda visitor, lang: opened(
        visitor, lang, seeded(visitor, "erasure", "scheduled", status="scheduled")
    ),
    "request paused": lambda visitor, lang: opened(
        visitor, lang, seeded(visitor, "access", "paused", status="paused", paused_since=OURS)
    ),
    "request fulfilled": lambda visitor, lang: opened(visitor, lang, _worked(visitor, "access")),
    "erasure done": lambda visitor, lang: opened(visitor, lang, _worked(visitor, "erasure")),
    "request refused": lambda visitor, lang: opened(visitor, lang, _refused(visitor)),
    "download ready": _ready,
    "preferences": lambda visitor, lang: visitor.sign_in("preferences", lang),
    "preferences, saved": _saved,
    "issue": lambda visitor, lang: visitor.open("issue", lang),
    "issue, refused": _empty_issue,
    "issue, reported": _reported,
    "not found": _vanished,
    "unsubscribe": _unsubscribing,
    "unsubscribe, cut off": lambda visitor, lang: _unsubscribing(visitor, lang, ""),
    "unsubscribed": _unsubscribed,
    "unsubscribed, a contact": lambda visitor, lang: _unsubscribed(visitor, lang, "rewards"),
}
"""What is shown -> the way to it."""
