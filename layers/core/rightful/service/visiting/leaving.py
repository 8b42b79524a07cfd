"""The page behind the link by which a mail is refused (RFC 8058): it asks first, and a POST acts at once."""

from __future__ import annotations

from typing import Any

from rightful.errors import NotFound, RightfulError
from rightful.service import consents, unsubscribing
from rightful.service.deps import Deps
from rightful.service.unsubscribing import ALL, Link
from rightful.service.visiting.acting import status_of, trouble_of
from rightful.service.visiting.visits import Page, Visit


def asked(deps: Deps, _: Visit, token: str) -> Page:
    """Which mails the link is about, and the button; a reader who has refused them sees that."""
    try:
        link = unsubscribing.opened(deps, token)
    except NotFound as error:
        return _missing(error)
    choices = consents.load(deps, link.person)
    return _page(deps, link, done=all(choices.word(topic) is False for topic in unsubscribing.topics(deps, link)))


def left(deps: Deps, visit: Visit, token: str) -> Page:
    """Refuses, whatever the body says: it may come from a mail provider, in one click and without a reader."""
    try:
        link = unsubscribing.opened(deps, token)
    except NotFound as error:
        return _missing(error)
    try:
        unsubscribing.refuse(deps, link, visit.voice.language)
    except RightfulError as error:
        page = _page(deps, link, done=False)
        page.status, page.trouble, page.error = status_of(error), trouble_of(error), error
        return page
    return _page(deps, link, done=True)


def _page(deps: Deps, link: Link, *, done: bool) -> Page:
    topics = [deps.datamap.topics[name] for name in unsubscribing.topics(deps, link) if name in deps.datamap.topics]
    more = link.topic != ALL and any(topic.kind == "optional" for topic in topics)
    every = unsubscribing.token(deps, Link(link.person, ALL)) if more else ""
    return _shown({"topics": topics, "done": done, "missing": False, "all": every})


def _missing(error: NotFound) -> Page:
    page = _shown({"topics": [], "done": False, "missing": True, "all": ""})
    page.status, page.error = error.status, error
    return page


def _shown(facts: dict[str, Any]) -> Page:
    return Page(state="unsubscribe", facts=facts)
