"""One call of the page, and what it is answered with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rightful.centre.voices import Voice
from rightful.errors import RightfulError, Unauthorised
from rightful.service import verifying
from rightful.service.deps import Deps
from rightful.service.verifying import Proof

THEN: Final = "then."
"""Begins the names of fields that are carried through a sign-in: what the person was about to do."""
RESUMED: Final = frozenset({"start", "requests", "request", "withdraw", "fetch", "receipt", "preferences", "save"})
"""Steps that a sign-in may lead to, because they need one. To ask for a deletion is none of them, it has a code of its
own: so whoever only meant to sign in is led into none by a form that somebody else filled in."""
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{20,64}")


class SignedOut(Unauthorised):
    """The step needs a token, and there is none, or none that is good for it (any more)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One call. `fields` are those of the form (POST) or the query (GET), the last of each name."""

    voice: Voice
    source: str
    """Network of the caller, as calls are counted."""
    base: str = "./"
    """Where the links of the page begin."""
    gpc: bool = False
    """Whether the browser sent Global Privacy Control (`Sec-GPC: 1`)."""
    fields: Mapping[str, str] = field(default_factory=dict)

    def field(self, name: str) -> str:
        return self.fields.get(name, "")

    @property
    def key(self) -> str | None:
        """The idempotency key that the form was rendered with; one that was tampered with counts as none."""
        key = self.field("key")
        return key if _KEY.fullmatch(key) else None

    def carried(self) -> dict[str, str]:
        """What was to be done before the sign-in came between; empty when that is nothing it may lead to."""
        then = {name.removeprefix(THEN): value for name, value in self.fields.items() if name.startswith(THEN)}
        return then if then.get("step") in RESUMED else {}

    def with_fields(self, **fields: str) -> Visit:
        return replace(self, fields={**self.fields, **fields})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a form is shown again."""

    message: str
    """In English; said again in the reader's language where it is a sentence that is known (rightful.centre.words)."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Field -> what is wrong with it."""
    minutes: int = 0
    """When another try makes sense, in minutes; 0: at once."""
    keeps_key: bool = False
    """Whether the same may be sent again under the same key, because it was not answered."""


@dataclass(slots=True, kw_only=True)
class Page:
    """What is shown."""

    state: str
    """One of rightful.centre.rendering.STATES."""
    facts: dict[str, Any] = field(default_factory=dict)
    here: dict[str, str] = field(default_factory=dict)
    """Fields that lead to this page again: to read it in another language, to see what has changed."""
    status: int = 200
    trouble: Trouble | None = None
    session: dict[str, str] = field(default_factory=dict)
    """Of a person who is signed in: `token` and `who`, the address."""
    error: RightfulError | None = None
    """What the page tells of, for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A file for the person to keep, in place of a page."""

    name: str
    content_type: str
    content: str


def proven(deps: Deps, visit: Visit) -> Proof:
    """Raises SignedOut."""
    try:
        return verifying.authenticate(deps, f"Bearer {visit.field('token')}")
    except Unauthorised as refusal:
        raise SignedOut(refusal.detail) from None


def session(visit: Visit) -> dict[str, str]:
    """The fields that keep somebody signed in from page to page."""
    return {name: visit.field(name) for name in ("token", "who")} if visit.field("token") else {}
