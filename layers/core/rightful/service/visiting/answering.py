"""The page as it is sent: HTML and its headers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from rightful.centre import assets, words
from rightful.centre.rendering import render
from rightful.errors import Refused, RightfulError
from rightful.lifecycle import TERMINAL
from rightful.service import policies
from rightful.service.deps import Deps
from rightful.service.visiting import acting, leaving, showing
from rightful.service.visiting.visits import Page, Saved, Visit

HTML: Final = "text/html; charset=utf-8"
GUARDED: Final[Mapping[str, str]] = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=63072000",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
}
PERSONAL: Final = "no-store"
FORM: Final = "private, no-cache"
"""Of a page that holds the key of a form: nobody else's, and asked for again; Back may show it as it was left."""
PLAIN: Final = "public, max-age=300"
"""Of the cards, which hold nothing of anybody."""
FOREVER: Final = "public, max-age=31536000, immutable"


Versions = dict[str, Any]


class Answer(NamedTuple):
    status: int
    body: str
    headers: dict[str, str]
    error: RightfulError | None = None
    """What a page tells of, for the log."""


def get(deps: Deps, visit: Visit) -> Answer:
    page = showing.shown(deps, visit)
    return _answer(deps, visit, page, _policies(deps), posted=False, kept=PLAIN if page.state == "start" else FORM)


def post(deps: Deps, visit: Visit) -> Answer:
    done = acting.acted(deps, visit)
    if isinstance(done, Saved):
        headers = {"Content-Type": done.content_type, "Content-Disposition": f'attachment; filename="{done.name}"'}
        return Answer(200, done.content, {**GUARDED, **headers, "Cache-Control": PERSONAL})
    return _answer(deps, visit, done, _policies(deps), posted=True, kept=PERSONAL)


def unsubscribe(deps: Deps, visit: Visit, token: str, *, posted: bool) -> Answer:
    """The page behind a mail's link: it runs nothing, and is read in another language at the same address."""
    page = (leaving.left if posted else leaving.asked)(deps, visit, token)
    return _answer(deps, visit, page, _policies(deps), posted=False, kept=PERSONAL)


def broken(deps: Deps, visit: Visit, error: Exception) -> Answer:
    """A fault of ours that nobody foresaw: the person may send the same again. It is told without another look at what
    may be broken."""
    page = acting.lost(visit, acting.status_of(error), acting.trouble_of(error))
    return _answer(deps, visit, page, _mapped_policy(deps), posted=True, kept=PERSONAL)


def asset(name: str) -> Answer | None:
    """The script or the icon; None for a name that is neither."""
    found = assets.find(name)
    if found is None:
        return None
    headers = {"Content-Type": found.content_type, "Cache-Control": FOREVER, **GUARDED}
    return Answer(200, found.content, headers)


def _answer(deps: Deps, visit: Visit, page: Page, versions: Versions, *, posted: bool, kept: str) -> Answer:
    voice, controller = visit.voice, deps.datamap.controller
    frame: dict[str, Any] = {
        "base": visit.base,
        "at": "" if page.state == "unsubscribe" else visit.base,
        "controller": controller,
        "policies": versions,
        "gpc": visit.gpc,
        "posted": posted,
        "opened": visit.field("show") if visit.field("show") in showing.SHOWN else "",
        "chose": f"?lang={voice.language}" if visit.field("lang") else "",
        "session": page.session,
        "here": page.here,
        "trouble": page.trouble,
        "typed": visit.field,
        "again": lambda sentence: words.again(voice, sentence),
        "law": lambda provision: words.law(voice, provision),
        "types": words.TYPES,
        "statuses": words.STATUSES,
        "grounds": words.GROUNDS,
        "refusals": words.REFUSALS,
        "kinds": words.KINDS,
        "ended": {status.value for status in TERMINAL},
    }
    body = render(page.state, voice, lambda text: deps.datamap.said(text, voice.language), **{**frame, **page.facts})
    headers = {
        **GUARDED,
        "Content-Type": HTML,
        "Content-Language": voice.tag,
        "Content-Security-Policy": assets.policy(runs=page.state != "unsubscribe"),
        "Cache-Control": kept,
        "Vary": "Accept-Language, Sec-GPC",
    }
    if isinstance(page.error, Refused) and page.error.retry_after is not None:
        headers["Retry-After"] = str(page.error.retry_after)
    return Answer(page.status, body, headers, page.error)


def _policies(deps: Deps) -> Versions:
    """The versions of the policy, current and upcoming, with dates for texts. No page fails because of them."""

    def dated(version: dict[str, Any]) -> dict[str, Any]:
        day = version["effective_from"]
        return {**version, "day": date.fromisoformat(day) if day else None}

    try:
        listed = policies.listing(deps)
    except RightfulError:
        return _mapped_policy(deps)
    return {"current": dated(listed["current"]), "upcoming": [dated(version) for version in listed["upcoming"]]}


def _mapped_policy(deps: Deps) -> Versions:
    return {"current": {"url": deps.datamap.controller.policy_url, "day": None}, "upcoming": []}
