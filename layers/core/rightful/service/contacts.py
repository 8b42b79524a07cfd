"""Where a person is reached. Personal data: kept sealed, under the key of a request or of a verification."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rightful.identities import checked_email
from rightful.service.deps import Deps

IDENTITY: Final = "email"
"""Name in the data map of the identity by which a person is known and reached."""
Identities = tuple[tuple[str, str], ...]
"""(identity name, value) pairs."""


@dataclass(frozen=True, slots=True)
class Contact:
    email: str
    """Normal form: mails go here, and the person is known by it."""
    typed: str
    locale: str = "en"
    proven: Identities = ()
    """Others of the person's identities that were proven with it: a request's search starts from them too."""

    @classmethod
    def of(cls, typed: str, locale: str) -> Contact:
        """Raises Invalid when it is no address that can be mailed."""
        return cls(checked_email(typed), typed, locale)


def person(deps: Deps, contact: Contact) -> str:
    """The keyed hash by which this person is known."""
    return deps.vault.digest("person", contact.email)


def seal(deps: Deps, owner: str, contact: Contact, until: datetime, **more: str) -> bytes:
    """As JSON `{email, typed, locale, proven?, ...}` under the key of a request or verification; one made now lapses at
    `until`."""
    facts: dict[str, Any] = {"email": contact.email, "typed": contact.typed, "locale": contact.locale, **more}
    if contact.proven:
        facts["proven"] = contact.proven
    return deps.vault.seal(owner, json.dumps(facts).encode(), until)


def widened(deps: Deps, request: Mapping[str, Any], proven: Identities) -> bytes:
    """The sealed contact of a request with more identities that were proven. Raises NotFound when its key lapsed."""
    facts = json.loads(deps.vault.open(request["request_id"], bytes(request["contact"])))
    known = _pairs(facts)
    facts["proven"] = [*known, *(pair for pair in proven if pair not in known)]
    return deps.vault.seal(request["request_id"], json.dumps(facts).encode())


def moved(deps: Deps, request: Mapping[str, Any], owner: str) -> bytes:
    """The sealed contact of a request, details and all, under the key of another one. Raises NotFound when the key of
    the first lapsed."""
    return deps.vault.seal(owner, deps.vault.open(request["request_id"], bytes(request["contact"])))


def opened(deps: Deps, owner: str, sealed: bytes) -> Contact:
    """What `seal` was given. Raises NotFound when the owner's key lapsed."""
    facts = json.loads(deps.vault.open(owner, sealed))
    return Contact(facts["email"], facts["typed"], facts["locale"], _pairs(facts))


def of_request(deps: Deps, request: Mapping[str, Any]) -> Contact:
    """Whoever made the request, from its item. Raises NotFound when its key lapsed."""
    return opened(deps, request["request_id"], bytes(request["contact"]))


def _pairs(facts: Mapping[str, Any]) -> Identities:
    """JSON has lists for pairs."""
    return tuple((name, value) for name, value in facts.get("proven", ()))
