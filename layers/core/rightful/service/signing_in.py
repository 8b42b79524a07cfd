"""Signing in with the company's own account: what a token of its OpenID provider proves.

The token is read, used for this call, and kept nowhere. The person is known by the confirmed e-mail address that it
names, as by a code sent there; the data map says which other claims name an identity (`Identity.claim`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from rightful import oidc
from rightful.errors import Invalid, NeedsAttention, Unauthorised
from rightful.oidc import Fault, Untrusted
from rightful.searching import NOBODY
from rightful.service import contacts, verifying
from rightful.service.contacts import Contact, Identities
from rightful.service.deps import Deps
from rightful.service.verifying import Proof

UNCONFIRMED: Final = (
    "Your account has no confirmed e-mail address. Confirm it there and sign in again, or have a code mailed by "
    "POST /verifications."
)
"""Only ever said to who holds a valid token of that very account."""


def proof(deps: Deps, text: str) -> Proof:
    """Raises Unauthorised, in the words for any bad token; TryAgain when the provider cannot be asked for its keys,
    NeedsAttention when it or the data map is not set up for it."""
    now = deps.clock()
    try:
        token = oidc.read(text)
        oidc.check(token, deps.settings.oidc_issuer, deps.settings.oidc_audience, now)
        oidc.verify(token, deps.provider.keys(token.kid))
        others = _others(deps, token.claims)
        signed_in = oidc.signed_in(token)
    except Untrusted as untrusted:
        raise Unauthorised(verifying.NOT_PROVEN, reason=untrusted.fault.value) from None
    contact = replace(_confirmed(deps, token.claims), proven=others)
    return Proof(
        person=contacts.person(deps, contact),
        purpose=verifying.SIGN_IN,
        verification_id="",
        verified_at=now,
        contact=contact,
        signed_in_at=None if signed_in is None else datetime.fromtimestamp(signed_in, UTC),
    )


def _confirmed(deps: Deps, claims: Mapping[str, Any]) -> Contact:
    """Whom the address names that the provider confirmed. `email_verified` must be JSON's true: OpenID Connect Core
    (section 5.1) says boolean, and a provider that writes text there may as well write "false"."""
    identity = deps.datamap.identities.get(contacts.IDENTITY)
    if identity is None or not identity.claim:
        raise NeedsAttention("the data map names no claim for the e-mail address")
    typed = claims.get(identity.claim)
    if not isinstance(typed, str) or claims.get("email_verified") is not True:
        raise Unauthorised(UNCONFIRMED, reason=Fault.unconfirmed.value)
    try:
        return Contact.of(typed, "en")
    except Invalid:
        raise Unauthorised(UNCONFIRMED, reason=Fault.unconfirmed.value) from None


def _others(deps: Deps, claims: Mapping[str, Any]) -> Identities:
    """The other identities that the token proves. A claim that is not there proves nothing; one that holds something
    else than a name is not what the data map takes it for."""
    found: list[tuple[str, str]] = []
    for name, identity in deps.datamap.identities.items():
        if name == contacts.IDENTITY or not identity.claim or identity.claim not in claims:
            continue
        value = claims[identity.claim]
        if not oidc.is_name(value):
            raise Untrusted(Fault.claims)
        if value.strip().casefold() not in NOBODY:
            found.append((name, value))
    return tuple(found)
