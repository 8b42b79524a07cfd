"""Tokens of the company's own sign-in: what one must say, and who must have signed it. Pure.

A token is read, checked and verified, in that order, so that the provider is asked for no key of a token that is not
for us; it counts for nothing before all three.
Sources: OpenID Connect Core 1.0 section 3.1.3.7 (ID tokens), RFC 9068 (access tokens), RFC 8725 (what goes wrong with
JWTs), RFC 7515 (JWS), RFC 7517 (keys).
The time is the caller's, and types are taken as the specifications have them, which a general library cannot know; the
signature is PyJWT's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from rightful.errors import Invalid
from rightful.jws import decoded, parse

MOST: Final = 8 * 1024
"""Characters of a token that is looked at."""
LEEWAY: Final = timedelta(seconds=30)
"""How far the provider's clock may be from ours."""
LONGEST: Final = 255
"""Characters of a text that names something: a `kid`, a `sub` (OpenID Connect Core, section 2), an identity."""
ALGORITHMS: Final[Mapping[str, Mapping[str, str]]] = {
    "RS256": {"kty": "RSA"},
    "PS256": {"kty": "RSA"},
    "ES256": {"kty": "EC", "crv": "P-256"},
    "EdDSA": {"kty": "OKP", "crv": "Ed25519"},
}
"""Those accepted, and the one kind of key that each goes with. All are asymmetric: a symmetric one would take the
public key, which everybody can read, for a secret."""
TYPES: Final = ("", "jwt", "at+jwt")
_PUBLIC: Final = {"RSA": ("n", "e"), "EC": ("x", "y"), "OKP": ("x",)}
"""Members of a public key beside `kty` and `crv`; no others are handed on (RFC 7518, section 6)."""
_LARGEST: Final = 1366
"""Characters of a member: 8192 bits. A larger key is an attack on our time."""


class Fault(StrEnum):
    """Why a token is refused. These words go into the log, and nothing else of a token does."""

    too_long = "too_long"
    malformed = "malformed"
    type = "type"
    algorithm = "algorithm"
    critical = "critical"
    claims = "claims"
    issuer = "issuer"
    audience = "audience"
    expired = "expired"
    not_yet = "not_yet"
    bound = "bound"
    key = "key"
    signature = "signature"
    unconfirmed = "unconfirmed"


class Untrusted(Exception):
    """The token is refused, for `fault`."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it was read. Nothing in it is true yet."""

    text: str
    algorithm: str
    kid: str
    """Empty when it names no key."""
    kind: str
    """Its `typ`, in small letters: one of TYPES."""
    claims: Mapping[str, Any]


def read(text: str) -> Token:
    """Raises Untrusted for what is no token of a kind that could be accepted. Keys that travel along (`jwk`, `jku`,
    `x5u`, `x5c`) are never looked at."""
    if len(text) > MOST:
        raise Untrusted(Fault.too_long)
    parts = text.split(".")
    if len(parts) != 3:
        raise Untrusted(Fault.malformed)
    try:
        header, claims = (parse(decoded(part, "part"), "part") for part in parts[:2])
        decoded(parts[2], "signature")
    except Invalid:
        raise Untrusted(Fault.malformed) from None
    if "crit" in header or "b64" in header:
        raise Untrusted(Fault.critical)
    algorithm, kid, kind = header.get("alg"), header.get("kid", ""), header.get("typ", "")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Untrusted(Fault.algorithm)
    if not isinstance(kind, str) or (kind := kind.lower().removeprefix("application/")) not in TYPES:
        raise Untrusted(Fault.type)
    if not isinstance(kid, str) or len(kid) > LONGEST or not kid.isprintable():
        raise Untrusted(Fault.malformed)
    return Token(text, algorithm, kid, kind, claims)


def check(token: Token, issuer: str, audience: str, now: datetime) -> None:
    """Whether it says what it must. Raises Untrusted."""
    claims = token.claims
    if claims.get("iss") != issuer:
        raise Untrusted(Fault.issuer)
    _check_audience(token, audience)
    if not is_name(claims.get("sub")):
        raise Untrusted(Fault.claims)
    if "cnf" in claims:  # good only with a key that its holder proves to have (RFC 7800), and nobody asks for that here
        raise Untrusted(Fault.bound)
    if "events" in claims:  # news of something, such as a sign-out (RFC 8417), not a sign-in
        raise Untrusted(Fault.type)
    at = now.timestamp()
    leeway = LEEWAY.total_seconds()
    expires, issued = _seconds(claims, "exp"), _seconds(claims, "iat")
    if expires is None or issued is None:
        raise Untrusted(Fault.claims)
    if at >= expires + leeway:
        raise Untrusted(Fault.expired)
    begins = (issued, _seconds(claims, "nbf"), signed_in(token))
    if any(moment is not None and moment > at + leeway for moment in begins):
        raise Untrusted(Fault.not_yet)


def verify(token: Token, keys: Sequence[Mapping[str, Any]]) -> None:
    """Whether one of the provider's keys signed it: the one that it names, or, where it names none, the only one there
    is. Raises Untrusted."""
    import jwt  # 80 ms, for those who bring such a token

    jwk = _key(token, keys)
    jws = jwt.PyJWS(options={"enforce_minimum_key_length": True})
    try:
        key = jwt.PyJWK(jwk, token.algorithm)
        jws.decode_complete(token.text, key, algorithms=[token.algorithm])
    except jwt.InvalidSignatureError:
        raise Untrusted(Fault.signature) from None
    except (jwt.PyJWTError, ValueError):
        raise Untrusted(Fault.key) from None


def signed_in(token: Token) -> float | None:
    """When the person signed in (`auth_time`), in seconds since 1970, if the token says so."""
    return _seconds(token.claims, "auth_time")


def is_name(value: Any) -> bool:
    """Whether it is a text that can name somebody: not blank, printable, not too long."""
    return isinstance(value, str) and bool(value.strip()) and value.isprintable() and len(value) <= LONGEST


def _check_audience(token: Token, audience: str) -> None:
    """It was issued for us, and no other taker of it could pass it on: one that several take must have been issued to
    us (`azp`), and so must an ID token in any case. An access token's `azp` is the application that asked for it."""
    aud, azp = token.claims.get("aud"), token.claims.get("azp", audience)
    takers = aud if isinstance(aud, list) else [aud]
    if not all(isinstance(each, str) for each in (*takers, azp)):
        raise Untrusted(Fault.claims)
    issued_to_us = azp == audience and (len(takers) == 1 or "azp" in token.claims)
    if audience not in takers or not (issued_to_us or (token.kind == "at+jwt" and len(takers) == 1)):
        raise Untrusted(Fault.audience)


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate (RFC 7519, section 2), if there is one."""
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise Untrusted(Fault.claims)
    return float(value)


def _key(token: Token, keys: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The public members of the one key that may have signed the token."""
    needed = ALGORITHMS[token.algorithm]
    named = [key for key in keys if key.get("use", "sig") == "sig" and (not token.kid or key.get("kid") == token.kid)]
    if not token.kid and len(named) != 1:
        raise Untrusted(Fault.key)
    fitting = [
        key
        for key in named
        if needed.items() <= {name: key.get(name) for name in ("kty", "crv")}.items()
        and key.get("alg", token.algorithm) == token.algorithm
    ]
    if len(fitting) != 1:
        raise Untrusted(Fault.key)
    members = {name: fitting[0].get(name) for name in _PUBLIC[needed["kty"]]}
    if not all(isinstance(value, str) and len(value) <= _LARGEST for value in members.values()):
        raise Untrusted(Fault.key)
    return {**needed, **{name: str(value) for name, value in members.items()}}
