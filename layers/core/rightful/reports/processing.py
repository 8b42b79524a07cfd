"""The records of processing activities (Article 30(1) GDPR), as far as the data map tells them. Pure.

One activity for each store. What the map does not say, it does not make up: who the people are is told by the
identities that find them, and the measures of Article 32 are those of this software alone. The comments name the
letters of 30(1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rightful import cells
from rightful.model import DataMap, Erasure, Retention, Store, Unless
from rightful.reports import words

MEASURES: Final = (
    "Encryption at rest under keys of the controller's own; what names a person in a request lies under a data key of "
    "its own, which is destroyed when the record-keeping period ends.",
    "Encryption in transit: connections without TLS are refused.",
    "Access by need: each function has a role of its own; its permissions on the stores listed here are generated from "
    "the data map.",
    "Pseudonymisation: logs, histories and reports hold identifiers, counts and keyed hashes only.",
    "Proof of identity before anything is read or erased; single-use codes, stored hashed, with few tries.",
    "Erasures follow a plan that is fixed beforehand and are read back afterwards; failed steps are resumed, or put to "
    "the data protection officer.",
    "Retention is enforced daily, with a brake on unusually large deletions; legal holds are honoured.",
)
"""Article 30(1)(g), in general terms, as that letter asks."""
_SPECIAL: Final = (
    "user.biometric",
    "user.health_and_medical",
    "user.demographic.political_opinion",
    "user.demographic.race_ethnicity",
    "user.demographic.religious_belief",
    "user.demographic.sexual_orientation",
)
"""fideslang categories of which Article 9 speaks."""
_CRIMINAL: Final = "user.criminal_history"
"""Article 10."""
COLUMNS: Final = {
    "controller": "Controller",
    "contact": "Contact (data protection officer)",
    "store": "Store",
    "title": "Processing activity",
    "purpose": "Purposes",
    "lawful_basis": "Lawful basis",
    "subjects": "Categories of data subjects",
    "data": "Categories of personal data",
    "categories": "Categories (fideslang)",
    "special": "Special categories",
    "source": "Source",
    "recipients": "Categories of recipients",
    "transfers": "Transfers to third countries, safeguards",
    "kept": "Time limits for erasure",
    "on_request": "On a request for erasure",
    "covered": "Reached by requests",
    "swept": "Retention enforced",
    "measures": "Security measures",
    "map_version": "Data map",
}


def record(datamap: DataMap) -> dict[str, Any]:
    """{"transfers", "measures", "activities"}: what the page shows beside the controller."""
    return {
        "transfers": datamap.controller.transfers,  # (e)
        "measures": list(MEASURES),  # (g)
        "activities": activities(datamap),
    }


def activities(datamap: DataMap) -> list[dict[str, Any]]:
    """[{"store", "title", "purpose", "lawful_basis", "subjects", "data": [words], "categories": [fideslang], "special",
    "source", "recipients": [title], "kept", "on_request", "covered", "swept"}]"""
    return [
        {
            "store": name,
            "title": store.title,
            "purpose": store.purpose,  # (b)
            "lawful_basis": store.lawful_basis,
            "subjects": _subjects(store),  # (c)
            "data": data_in_words(field.category for field in store.fields.values()),
            "categories": sorted({field.category for field in store.fields.values()}),
            "special": _special({field.category for field in store.fields.values()}),
            "source": "The people themselves" if store.source == "you" else store.source,
            "recipients": recipients(datamap, store),  # (d)
            "kept": kept_in_words(store.retention),  # (f)
            "on_request": _on_request(store.erasure),
            "covered": store.covered,
            "swept": store.swept,
        }
        for name, store in datamap.stores.items()
    ]


def recipients(datamap: DataMap, store: Store) -> list[str]:
    """What a store's recipients are called. Those that the data map describes by name go by their title."""
    described: Mapping[str, Any] = getattr(datamap, "recipients", {})
    return [described[name].title if name in described else name for name in store.recipients]


def as_csv(datamap: DataMap, rows: Iterable[Mapping[str, Any]]) -> bytes:
    """One row for each of `activities`; each stands for itself, with the controller, transfers and measures."""
    controller = datamap.controller
    shared = {
        "controller": controller.name,  # (a)
        "contact": controller.contact,
        "transfers": controller.transfers,  # (e)
        "measures": " ".join(MEASURES),  # (g)
        "map_version": datamap.version,
    }
    lines = [cells.row(map(cells.cell, COLUMNS.values()))]
    for each in rows:
        whole = {**shared, **each}
        lines.append(cells.row(cells.cell(_flat(whole[name])) for name in COLUMNS))
    return (cells.MARK + "".join(lines)).encode()


def data_in_words(categories: Iterable[str]) -> list[str]:
    """`user.contact.email`, `user.contact.address.city` -> `Contact (address, city; email)`; `user` -> `User`."""
    groups: dict[str, set[str]] = {}
    for category in categories:
        area, *parts = category.split(".")
        head, *rest = parts or [area]
        group = groups.setdefault(words.label(head if area == "user" else area), set())
        detail = rest if area == "user" else parts
        group |= {", ".join(part.replace("_", " ") for part in detail)} if detail else set()
    return [f"{name} ({'; '.join(sorted(details))})" if details else name for name, details in sorted(groups.items())]


def kept_in_words(rule: Retention) -> str:
    """`1 year after \u201clast_used_at\u201d, then deleted; longer: ...`."""
    text = f"{words.period(rule.period)} after {_since(rule.since)}, then {words.LABELS[rule.action]}"
    return "; ".join([text, *map(_longer, rule.unless)])


def _longer(unless: Unless) -> str:
    text = f"longer: {words.label(unless.ground).lower()}"
    if unless.attribute:
        text += f", while “{unless.attribute}” is {' or '.join(unless.equals)}"
    if unless.period:
        text += f", until {words.period(unless.period)} after {_since(unless.since)}"
    return text


def _since(since: str) -> str:
    kind, _, rest = since.partition(":")
    if since in ("object_age", "last_modified"):
        return "the object was last changed"
    if kind == "tag":
        return f"the date in its tag “{rest}”"
    return "the date in its key" if kind == "key_date" else f"“{since}”"


def _on_request(rule: Erasure) -> str:
    if rule.action != "keep":
        return words.label(words.LABELS[rule.action])
    kept = f"Kept for {words.period(rule.period)} after {_since(rule.since)}, then deleted"
    return f"{kept}. Ground: {words.label(rule.ground).lower()}. {rule.law}"


def _subjects(store: Store) -> str:
    """By which identity the map finds them, and whether its fields speak of others as well."""
    names = list(dict.fromkeys(locator.by for locator in store.locate))
    found = f"People known by their {' or '.join(name.replace('_', ' ') for name in names)}" if names else "Users"
    others = any(field.about != "person" or field.free_text for field in store.fields.values())
    return f"{found}, and others named in its records" if others else found


def _special(categories: Iterable[str]) -> str:
    among = list(categories)
    found = ["Article 9"] if any(_is_or_under(one, each) for one in among for each in _SPECIAL) else []
    found += ["Article 10"] if any(_is_or_under(one, _CRIMINAL) for one in among) else []
    return ", ".join(found)


def _is_or_under(category: str, parent: str) -> bool:
    return category == parent or category.startswith(f"{parent}.")


def _flat(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "; ".join(value) if isinstance(value, list) else str(value)
