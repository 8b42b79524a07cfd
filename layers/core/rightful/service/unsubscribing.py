"""Refusing mails by the link that each of them carries (RFC 8058), without signing in.

A token says whose mails and which, and carries a MAC over both under a key of KMS: nothing is stored until somebody
uses it, and it works for as long as the mail lies in a mailbox. It can do one thing only, which is to refuse.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from typing import Final

from rightful import contacting
from rightful.contacting import SALE_OR_SHARING
from rightful.errors import NotFound
from rightful.service import consents
from rightful.service.consents import Choices
from rightful.service.deps import Deps

ALL: Final = "*"
"""In the place of a topic: every optional one."""
ONE_CLICK: Final = "one_click"
"""How a refusal by a link came."""
_DIGEST: Final = 43
"""Characters of a keyed hash."""


@dataclass(frozen=True, slots=True)
class Link:
    """Whose mails a link refuses, and which."""

    person: str
    topic: str


def token(deps: Deps, link: Link) -> str:
    """URL-safe text, the same for the same link."""
    payload = f"{link.person}{link.topic}"
    return _armoured(f"{_mac(deps, payload)}{payload}".encode())


def headers(deps: Deps, link: Link) -> dict[str, str]:
    """What a mail carries, so that its reader's mail program can offer to refuse it in one click."""
    return {
        "List-Unsubscribe": f"<{deps.settings.public_url}/unsubscribe/{token(deps, link)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def opened(deps: Deps, text: str) -> Link:
    """What a token says. Raises NotFound, in the same words whatever is wrong with it."""
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except ValueError:  # no base64, or no ASCII
        plain = ""
    mac, payload = plain[:_DIGEST], plain[_DIGEST:]
    genuine = hmac.compare_digest(_mac(deps, payload), mac)
    link = Link(payload[:_DIGEST], payload[_DIGEST:])
    if not genuine or text != token(deps, link) or not _refusable(deps, link.topic):
        raise NotFound("There is nothing to unsubscribe from at this address.")
    return link


def refuse(deps: Deps, link: Link, language: str) -> None:
    """Refuses what the link says, for good; once, however often it is clicked. `language`: the one that the reader was
    shown. Raises TryAgain."""

    def refused(_: Choices) -> dict[str, consents.Word]:
        return dict.fromkeys(topics(deps, link), False)

    texts = {name: deps.datamap.said(topic.text, language) for name, topic in deps.datamap.topics.items()}
    consents.change(deps, link.person, refused, how=ONE_CLICK, shown=texts)


def topics(deps: Deps, link: Link) -> list[str]:
    """The names of the topics that the link refuses."""
    if link.topic != ALL:
        return [link.topic]
    return [name for name, topic in deps.datamap.topics.items() if topic.kind == "optional"]


def _refusable(deps: Deps, name: str) -> bool:
    """A topic that the map no longer has may be refused all the same: the mail may be old."""
    topic = deps.datamap.topics.get(name)
    return name != SALE_OR_SHARING if topic is None else contacting.refusable(topic)


def _mac(deps: Deps, payload: str) -> str:
    return deps.vault.digest("unsubscribe", payload)


def _armoured(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).decode().rstrip("=")
