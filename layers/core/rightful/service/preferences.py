"""What a person chose to be mailed about, read and changed by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rightful.contacting import SALE_OR_SHARING
from rightful.errors import Invalid
from rightful.model import DataMap
from rightful.service import consents
from rightful.service.consents import Choices
from rightful.service.deps import Deps
from rightful.service.verifying import Proof

SIGNAL: Final = "Sec-GPC: 1"

Preferences = dict[str, Any]


def view(deps: Deps, proof: Proof, *, gpc: bool) -> Preferences:
    """`{"topics": {name: bool}, "mandatory": [name, ...], "gpc": {"signal", "sale_or_sharing"}}`. `topics` are those
    that this person may choose: the optional ones, False unless they agreed, and mails to contacts that they refused.
    `gpc` is whether this very call carries `Sec-GPC: 1`; it counts at once, and `honour` or `change` keep it."""
    return _shown(deps.datamap, consents.load(deps, proof.person), gpc=gpc)


def change(
    deps: Deps, proof: Proof, topics: Mapping[str, bool], *, how: str, shown: Mapping[str, str], gpc: bool
) -> Preferences:
    """Sets the topics that are named and leaves all others; the preferences as they are then. `how`: where it was done
    (`api`, `page`). `shown`: topic -> the text that the person saw. With `gpc`, the opt-out of sale and sharing is kept
    too. Raises Invalid, naming each wrong topic and the cure, before anything is written."""
    _check(deps.datamap, consents.load(deps, proof.person), topics)

    def chosen(choices: Choices) -> dict[str, consents.Word]:
        return {topic: on for topic, on in topics.items() if bool(choices.word(topic)) is not on}

    choices = consents.change(deps, proof.person, chosen, how=how, shown=shown)
    if gpc:
        choices = honour(deps, proof)
    return _shown(deps.datamap, choices, gpc=gpc)


def honour(deps: Deps, proof: Proof) -> Choices:
    """The browser of a person who proved who they are sends `Sec-GPC: 1`: their opt-out of sale and sharing, kept once
    and for all browsers (11 CCR section 7025(c)(1))."""
    shown = {SALE_OR_SHARING: SIGNAL}
    return consents.change(deps, proof.person, lambda _: {SALE_OR_SHARING: False}, how="gpc", shown=shown)


def texts(datamap: DataMap, language: str) -> dict[str, str]:
    """Topic -> what a person agrees to, in that language."""
    return {name: datamap.said(topic.text, language) for name, topic in datamap.topics.items()}


def choosable(datamap: DataMap, choices: Choices) -> list[str]:
    """What this person may choose, in the order of the map."""
    return [
        name
        for name, topic in datamap.topics.items()
        if topic.kind == "optional" or (topic.contacts_in and choices.word(name) is not None)
    ]


def _shown(datamap: DataMap, choices: Choices, *, gpc: bool) -> Preferences:
    topics = {name: bool(choices.word(name)) for name in choosable(datamap, choices)}
    return {
        "topics": topics,
        "mandatory": [name for name in datamap.topics if name not in topics],
        "gpc": {"signal": gpc, "sale_or_sharing": not gpc and choices.word(SALE_OR_SHARING) is not False},
    }


def _check(datamap: DataMap, choices: Choices, topics: Mapping[str, bool]) -> None:
    known = choosable(datamap, choices)
    cure = f"Topics: {', '.join(known)}." if known else "There are none to choose."
    errors = []
    for name in topics:
        if name == SALE_OR_SHARING:
            errors.append((name, f"Leave it out, and send the header `{SIGNAL}` to opt out of sale and sharing."))
        elif name in datamap.topics and name not in known:
            errors.append((name, f"These mails come with the service or by law; leave it out. {cure}"))
        elif name not in known:
            errors.append((name, f"There is no such topic; leave it out. {cure}"))
    if errors:
        named = [(f"topics.{name}"[:100], message) for name, message in errors]
        raise Invalid("The preferences cannot be saved.", errors=named)
