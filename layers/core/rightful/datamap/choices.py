"""Whether a map says all that choosing needs: the topics, whom others may have given an address for, translations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from rightful.contacting import SALE_OR_SHARING, email_locators
from rightful.datamap.problems import Finding, nearest
from rightful.datamap.references import PLAIN_NAME
from rightful.languages import LANGUAGES
from rightful.model import DataMap


def topics(datamap: DataMap) -> Iterator[Finding]:
    """Each topic has a plain name and its words; those for contacts say where their addresses are."""
    for name, topic in datamap.topics.items():
        loc = ("topics", name)
        if not PLAIN_NAME.fullmatch(name):
            cure = "Use lower-case letters, digits and `_`, a letter first, at most 48 in all."
            yield Finding(loc, f"`{name}` cannot be a name", cure)
        if name == SALE_OR_SHARING:
            cure = "Choose another name: this one stands for the opt-out of sale and sharing."
            yield Finding(loc, f"no topic can be called `{name}`", cure)
        for key in ("title", "text"):
            if not getattr(topic, key).strip():
                yield Finding((*loc, key), f"`{key}` is empty", "Write what the person will read there.")
        if topic.contacts_in and topic.kind == "optional":
            what = f"`{name}` is optional, so that nobody gets it who did not agree, whoever gave their address"
            yield Finding((*loc, "contacts_in"), what, "Write `kind: mandatory`, or remove `contacts_in`.")
        for number, store in enumerate(topic.contacts_in):
            yield from _searched((*loc, "contacts_in", number), store, datamap)


def accounts(datamap: DataMap) -> Iterator[Finding]:
    """Where it stands who has an account, an address can be looked up."""
    if datamap.accounts.store in datamap.stores:
        yield from _searched(("accounts", "store"), datamap.accounts.store, datamap)


def _searched(loc: tuple[str | int, ...], name: str, datamap: DataMap) -> Iterator[Finding]:
    """An address that a code can prove is found in the store."""
    store = datamap.stores.get(name)
    if store is None:
        yield Finding(loc, f"no store is called `{name}`", nearest(name, datamap.stores))
    elif not store.covered:
        cure = "Name a store that people's requests reach."
        yield Finding(loc, f"`{name}` is not covered, so that no address can be looked up there", cure)
    elif not email_locators(datamap, name):
        cure = "Add a locator by an identity that is `proven_by: code` to the store."
        yield Finding(loc, f"`{name}` has no way to find an e-mail address", cure)


def translations(datamap: DataMap) -> Iterator[Finding]:
    """Each is of a text that the map has: one that is misspelt would silently never be shown."""
    known = {
        text for part in fields(datamap) if part.name != "translations" for text in _texts(getattr(datamap, part.name))
    }
    for language, translated in datamap.translations.items():
        loc = ("translations", language)
        if language not in LANGUAGES:
            cure = f"Write one of: {', '.join(LANGUAGES)}."
            yield Finding(loc, f"nobody is written to in the language `{language}`", cure)
        for text, words in translated.items():
            if not text.strip() or text not in known:
                cure = nearest(text, known) if text.strip() else "Write a text of this map."
                yield Finding((*loc, text), f"`{_short(text)}` is no text of this map", cure)
            if not words.strip():
                yield Finding(
                    (*loc, text), f"the translation of `{_short(text)}` is empty", "Write it, or leave it out."
                )


def _texts(value: Any) -> Iterator[str]:
    """All texts in a part of the map."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for part in fields(value):
            yield from _texts(getattr(value, part.name))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
