"""Proof of identity: a code sent to an address, a token for whoever read it.

Rules of this module, each with its test in tests/functional/api:
codes and tokens come from `secrets` and only hashes of them are stored; a try is counted before it is compared, by a
condition, so that no number of parallel guesses gets more than five; a code works once; a token is bound to one
person and one purpose; nothing here reads whether a person is known.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from rightful.clocks import moment, stamp
from rightful.errors import Gone, NotFound, TooMany, Unauthorised
from rightful.ports import Mail
from rightful.service import admitting, contacts
from rightful.service.contacts import Contact
from rightful.service.deps import Deps

CODE_DIGITS: Final = 8
SPENT: Final = "Too many wrong codes. Ask for a new code."
CODE_LIFE: Final = timedelta(minutes=15)
MAX_TRIES: Final = 5
CODES_PER_HOUR: Final = 3
TOKEN_LIFE: Final = timedelta(minutes=30)
SIGN_IN: Final = "sign_in"
"""Purpose of a code that was not asked for by a request: its token is good for all that a person may do."""

NOT_PROVEN: Final = (
    "Send a valid token as `Authorization: Bearer <token>`. POST /verifications mails you a code for one."
)

_HOUR: Final = 3600
_BEARER: Final = re.compile(r"[Bb]earer ([A-Za-z0-9_-]{43})")
_SIGNED: Final = re.compile(r"[Bb]earer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)")
"""The shape of a JWS (RFC 7515, section 7.1), which none of our own tokens has."""
_ID: Final = re.compile(r"[A-Za-z0-9_-]{20,64}")


@dataclass(frozen=True, slots=True)
class Verification:
    """A code that is on its way."""

    verification_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """Shown once, to whoever sent the right code."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """What a valid token proves: this person read a code sent to their address at `verified_at`, or signed in with the
    company, whose token came with this call."""

    person: str
    purpose: str
    """`sign_in` or the request type the code was asked for."""
    verification_id: str
    """Empty for a sign-in with the company."""
    verified_at: datetime
    """When the code was typed, or when the company's token came; see `recent`."""
    contact: bytes | Contact
    """Sealed under `verification_id`, or open as it came with the call: what the company's token says is kept by
    nobody."""
    signed_in_at: datetime | None = None
    """When the person signed in with the company, if its token says so."""

    def opened(self, deps: Deps) -> Contact:
        if isinstance(self.contact, Contact):
            return self.contact
        return contacts.opened(deps, self.verification_id, self.contact)

    def recent(self, now: datetime, within: timedelta) -> bool:
        """Whether the person themself did something for it in that time: typed the code, or signed in. A token that was
        merely issued anew does not count."""
        at = self.signed_in_at if isinstance(self.contact, Contact) else self.verified_at
        return at is not None and now - at <= within


def new_id() -> str:
    """192 random bits, URL-safe."""
    return secrets.token_urlsafe(24)


def is_id(text: str) -> bool:
    """Whether the text could be an id that `new_id` made; anything else is not worth a look-up."""
    return _ID.fullmatch(text) is not None


def start(deps: Deps, email: str, locale: str, source: str) -> Verification:
    """Mail a sign-in code. Raises Invalid, or TooMany (per source address and per e-mail address)."""
    contact = Contact.of(email, locale)
    limit_source(deps, "verifications", source)
    person = contacts.person(deps, contact)
    limit_codes(deps, person)
    return send_code(deps, new_id(), contact, person, SIGN_IN)


def limit_source(deps: Deps, what: str, source: str) -> None:
    """Count one use of a route by a source address. Raises TooMany."""
    wait = deps.limits.take(what, deps.vault.digest("source", source), deps.settings.source_limit_per_hour, _HOUR)
    if wait:
        raise TooMany("Too many requests came from your network; try again later.", retry_after=wait)


def limit_codes(deps: Deps, person: str) -> None:
    """Count one code sent to a person. Raises TooMany. Codes that were used count too: what is bounded is how many
    mails an address gets. Whoever wants several things needs no more codes: a token is good for half an hour."""
    wait = deps.limits.take("codes", person, CODES_PER_HOUR, _HOUR)
    if wait:
        raise TooMany("Too many codes were asked for this address; try again later.", retry_after=wait)


def find(deps: Deps, verification_id: str) -> dict[str, Any] | None:
    """The verification's item while it lasts."""
    return deps.table.get(_pk(verification_id), "VERIFICATION")


def send_code(
    deps: Deps, verification_id: str, contact: Contact, person: str, purpose: str, request_id: str = ""
) -> Verification:
    """Make the verification and mail its code. Called again with the same id it mails nothing if the first mail went
    out, and otherwise a new code in the place of the one that nobody can know any more."""
    expires = deps.clock() + CODE_LIFE
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
    code_hash = _code_hash(deps, verification_id, code)
    facts: dict[str, Any] = {
        "person": person,
        "purpose": purpose,
        "contact": contacts.seal(deps, verification_id, contact, expires + TOKEN_LIFE),
        "code_hash": code_hash,
        "tries": 0,
        "until": stamp(expires),
        "expires_at": int(expires.timestamp()),
    }
    if request_id:
        facts["request_id"] = request_id
    if not deps.table.put_new(_pk(verification_id), "VERIFICATION", facts):
        unsent = {"mailed_at": None, "token_hash": None}
        item = deps.table.update(_pk(verification_id), "VERIFICATION", {"code_hash": code_hash}, expect=unsent)
        if item is None:
            item = find(deps, verification_id) or facts
            return Verification(verification_id, moment(item["until"]))
        expires = moment(item["until"])
    _mail_code(deps, verification_id, contact, purpose, code)
    deps.table.update(
        _pk(verification_id), "VERIFICATION", {"mailed_at": stamp(deps.clock())}, expect={"code_hash": code_hash}
    )
    return Verification(verification_id, expires)


def check(deps: Deps, verification_id: str, code: str, *, then: Callable[[Proof], object] | None = None) -> Token:
    """Exchange the right code for a token; starts the request that asked for the code. `then` is what else the right
    code shall set going, by what its token will prove.

    Everything that the code sets going is idempotent and happens before the code is used up, so that a person whose
    connection broke sends it again. Raises Unauthorised (wrong), Gone (unknown, expired or used), TooMany."""
    item = find(deps, verification_id) if is_id(verification_id) else None
    if item is None or "token_hash" in item:
        raise _gone()
    counted = deps.table.update(
        _pk(verification_id),
        "VERIFICATION",
        {},
        add={"tries": 1},
        below={"tries": MAX_TRIES},
        expect={"token_hash": None, "code_hash": item["code_hash"]},
    )
    if counted is None:
        now = find(deps, verification_id)
        if now is None or "token_hash" in now:
            raise _gone()
        raise TooMany(
            SPENT,
            retry_after=max(1, int(now["expires_at"] - deps.clock().timestamp())),
        )
    if not hmac.compare_digest(_code_hash(deps, verification_id, code), item["code_hash"]):
        raise Unauthorised("The code is wrong. Look at the newest mail, or ask for a new code.")
    verified_at = deps.clock()
    if request_id := item.get("request_id"):
        try:
            admitting.admit(deps, request_id, item["person"], verified_at)
        except NotFound:
            raise _gone() from None
    if then:
        then(Proof(item["person"], item["purpose"], verification_id, verified_at, bytes(item["contact"])))
    return _exchange(deps, item, verification_id, verified_at)


def authenticate(deps: Deps, header: str | None) -> Proof:
    """What an `Authorization: Bearer <token>` header proves, with a token of ours or of the company's own sign-in.
    Raises Unauthorised, always in the same words."""
    signed = _SIGNED.fullmatch(header or "")
    if signed and deps.settings.oidc_issuer and deps.settings.oidc_audience:
        from rightful.service import signing_in  # PyJWT: paid for by those who bring such a token

        return signing_in.proof(deps, signed[1])
    match = _BEARER.fullmatch(header or "")
    item = deps.table.get(f"TOKEN#{_sha256(match[1])}", "TOKEN") if match else None
    if item is None:
        raise Unauthorised(NOT_PROVEN)
    return Proof(
        person=item["person"],
        purpose=item["purpose"],
        verification_id=item["verification_id"],
        verified_at=moment(item["verified_at"]),
        contact=bytes(item["contact"]),
    )


def revoke(deps: Deps, token: str) -> None:
    """The token opens nothing any more. Idempotent; what is no token of ours is left alone."""
    if _BEARER.fullmatch(f"Bearer {token}"):
        deps.table.delete(f"TOKEN#{_sha256(token)}", "TOKEN")


def _exchange(deps: Deps, item: dict[str, Any], verification_id: str, verified_at: datetime) -> Token:
    """Store a token, then use up the code: a token that nobody was shown opens nothing, a code that is used up without
    a token would shut the person out. Who loses the race for the code takes the token back."""
    token = secrets.token_urlsafe(32)
    token_hash = _sha256(token)
    expires = verified_at + TOKEN_LIFE
    deps.table.put_new(
        f"TOKEN#{token_hash}",
        "TOKEN",
        {
            "person": item["person"],
            "purpose": item["purpose"],
            "verification_id": verification_id,
            "verified_at": stamp(verified_at),
            "contact": item["contact"],
            "expires_at": int(expires.timestamp()),
        },
    )
    used = {"token_hash": token_hash}
    won = deps.table.update(_pk(verification_id), "VERIFICATION", used, expect={"token_hash": (None, token_hash)})
    if won is None:
        deps.table.delete(f"TOKEN#{token_hash}", "TOKEN")
        raise _gone()
    return Token(token, expires)


def _mail_code(deps: Deps, verification_id: str, contact: Contact, purpose: str, code: str) -> None:
    from rightful import mails  # a template engine, which most calls of the API do without

    mail = mails.render(
        "code",
        contact.locale,
        code=code,
        minutes=int(CODE_LIFE.total_seconds() // 60),
        purpose=purpose,
        controller=deps.datamap.controller,
        centre=deps.settings.public_url,
    )
    deps.mailer.send(
        Mail(to=contact.email, subject=mail.subject, text=mail.text, html=mail.html, key=f"{verification_id}:code")
    )


def _pk(verification_id: str) -> str:
    return f"VERIFICATION#{verification_id}"


def _code_hash(deps: Deps, verification_id: str, code: str) -> str:
    return deps.vault.digest("code", f"{verification_id}:{code}")


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _gone() -> Gone:
    return Gone("This code is no longer valid. Ask for a new code.")
