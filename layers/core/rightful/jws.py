"""Signed JSON as one line of text: compact JWS (RFC 7515) under ES256 (RFC 7518, section 3.4). Pure.

One algorithm, one kind of text and three header members: whatever a general library would have to accept beyond that
(`none`, `crit`, keys that travel along, JSON that says a thing twice, base64 with bits that mean nothing) is refused,
so that a text that differs in one bit from the one that was signed is never taken for it.
A key is a JWK of the curve P-256 (RFC 7517); its `kid` is its thumbprint (RFC 7638).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from rightful.errors import Invalid

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

SIGNATURE: Final = 64
"""Bytes: r and s, 32 each, big-endian."""
MOST: Final = 1_000_000
"""Bytes of a text that is looked at."""
_COORDINATE: Final = 32
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256's base point (NIST SP 800-186, section 3.2.1.3): r and s lie between 1 and it."""


def public_jwk(point: bytes) -> dict[str, str]:
    """The key set's entry for a public key, given as its uncompressed point (65 bytes: 0x04, x, y)."""
    if len(point) != 1 + 2 * _COORDINATE or point[0] != 4:
        raise ValueError("not an uncompressed point of P-256")
    jwk = {"kty": "EC", "crv": "P-256", "x": _encoded(point[1:33]), "y": _encoded(point[33:])}
    return {**jwk, "use": "sig", "alg": "ES256", "kid": thumbprint(jwk)}


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """43 URL-safe characters (RFC 7638, section 3)."""
    needed = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return _encoded(hashlib.sha256(canonical(needed)).digest())


def signing_input(payload: Mapping[str, Any], kid: str, typ: str) -> bytes:
    """What is to be signed. `payload`: JSON values without floats."""
    header = {"alg": "ES256", "kid": kid, "typ": typ}
    return f"{_encoded(canonical(header))}.{_encoded(canonical(payload))}".encode()


def compact(signed: bytes, signature: bytes) -> str:
    """The text. `signed`: the signing input; `signature`: r and s."""
    if len(signature) != SIGNATURE:
        raise ValueError("an ES256 signature has 64 bytes")
    return f"{signed.decode()}.{_encoded(signature)}"


def verify(text: str | bytes, jwks: Mapping[str, Any], typ: str) -> dict[str, Any]:
    """The payload of a text that a key of the set signed. One newline may end the text, as files have it.
    `jwks`: `{"keys": [...]}`. Raises Invalid, saying what is wrong."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    parts = _plain(text).split(".")
    if len(parts) != 3:
        raise Invalid("it is not three parts joined by two dots")
    header, payload, signature = (
        decoded(part, what) for part, what in zip(parts, ("header", "payload", "signature"), strict=True)
    )
    key = _public_key(_kid(parse(header, "header"), typ), jwks)
    if len(signature) != SIGNATURE:
        raise Invalid(f"the signature has {len(signature)} bytes instead of 64")
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if not (0 < r < _ORDER and 0 < s < _ORDER):
        raise Invalid("the signature's numbers are out of range")
    try:
        signed = f"{parts[0]}.{parts[1]}".encode()
        key.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise Invalid("the signature does not fit: the text was changed, or another key signed it") from None
    return parse(payload, "payload")


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces, in UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def parse(text: bytes, what: str) -> dict[str, Any]:
    """A JSON object in UTF-8 that names no member twice. Raises Invalid, which calls it `what`."""
    try:
        value = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Invalid(f"the {what} is not JSON, or names a member twice") from None
    if not isinstance(value, dict):
        raise Invalid(f"the {what} is not a JSON object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object, unless a member comes twice."""
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError
    return found


def _refuse(constant: str) -> None:
    """Python reads NaN and Infinity, which are no JSON."""
    raise ValueError(constant)


def _plain(text: str | bytes) -> str:
    try:
        plain = text.decode("ascii") if isinstance(text, bytes) else text.encode("ascii").decode()
    except UnicodeError:
        raise Invalid("it holds characters that have no place in it") from None
    if len(plain) > MOST:
        raise Invalid(f"it is longer than {MOST} bytes")
    return plain.removesuffix("\n")


def _kid(header: Mapping[str, Any], typ: str) -> str:
    if "crit" in header:
        raise Invalid("the header asks for extensions (`crit`), and there are none")
    if header.get("alg") != "ES256":
        raise Invalid("the header's `alg` is not ES256")
    if header.get("typ") != typ:
        raise Invalid(f"the header's `typ` is not {typ}")
    kid = header.get("kid")
    if len(header) != 3 or not isinstance(kid, str) or len(kid) != 43:
        raise Invalid("the header must hold `alg`, `typ` and `kid` (a thumbprint), and nothing else")
    return kid


def _public_key(kid: str, jwks: Mapping[str, Any]) -> EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.asymmetric import ec

    keys = jwks.get("keys")
    if not isinstance(keys, list):
        raise Invalid("the key set has no list `keys`")
    jwk = next((each for each in keys if isinstance(each, dict) and each.get("kid") == kid), None)
    if jwk is None:
        raise Invalid(f"the key set has no key {kid!a}: get it anew, from GET /keys")
    kind = {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256"}
    if any(jwk.get(name, wanted if name in ("use", "alg") else None) != wanted for name, wanted in kind.items()):
        raise Invalid(f"the key {kid!a} is not one for ES256 signatures")
    x, y = (decoded(str(jwk.get(name)), f"key's `{name}`") for name in ("x", "y"))
    if len(x) != _COORDINATE or len(y) != _COORDINATE or thumbprint(jwk) != kid:
        raise Invalid(f"the key {kid!a} is not the one that its `kid` names")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + y)
    except ValueError:
        raise Invalid(f"the key {kid!a} is no point of P-256") from None


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(part: str, what: str) -> bytes:
    """base64url as `_encoded` writes it and no other spelling of the same bytes. Raises Invalid, which calls it
    `what`."""
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raw = b""
    if _encoded(raw) != part:
        raise Invalid(f"the {what} is not base64url as it must be written")
    return raw
