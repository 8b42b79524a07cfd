"""An OpenID provider in memory, and the tokens that it signs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from rightful.errors import TryAgain
from rightful.ports import Clock
from tests.fakes.recording import Fault, Recorder, no_fault

ISSUER, AUDIENCE = "https://login.example.org", "privacy-centre"
NONE: Mapping[str, Any] = {}
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Pair:
    """A key that signs, and what is published of it."""

    kid: str
    algorithm: str
    private: PrivateKey
    published: Mapping[str, Any]


def pair(kid: str, algorithm: str = "ES256") -> Pair:
    """A new key for RS256, PS256, ES256 or EdDSA."""
    private: PrivateKey
    if algorithm == "EdDSA":
        private = ed25519.Ed25519PrivateKey.generate()
        jwk = OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
    elif algorithm == "ES256":
        private = ec.generate_private_key(ec.SECP256R1())
        jwk = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    else:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        jwk = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return Pair(kid, algorithm, private, {**jwk, "kid": kid, "use": "sig", "alg": algorithm})


@dataclass
class Signs:
    """Issues tokens as the company's sign-in would, for a person with a confirmed address, right now."""

    clock: Clock
    key: Pair = field(default_factory=lambda: pair("k1"))
    issuer: str = ISSUER

    def claims(self, email: str, account: str, /, **more: Any) -> dict[str, Any]:
        """`more`: other claims, and None for those that shall not be there."""
        now = int(self.clock().timestamp())
        usual = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": account,
            "email": email,
            "email_verified": True,
            "iat": now,
            "exp": now + 3600,
            "auth_time": now,
        }
        return {name: value for name, value in {**usual, **more}.items() if value is not None}

    def token(self, email: str, account: str, /, headers: Mapping[str, Any] = NONE, **more: Any) -> str:
        """`headers`: beside `alg`, `kid` and `typ`, or in their place; `more` as in `claims`."""
        return self.signed(self.claims(email, account, **more), **headers)

    def signed(self, claims: Any, **headers: Any) -> str:
        """Whatever JSON the claims are."""
        said = {"kid": self.key.kid, "typ": "JWT", **headers}
        payload = json.dumps(claims).encode()
        return jwt.PyJWS().encode(payload, self.key.private, self.key.algorithm, headers=said)


class MemoryProvider(Recorder):
    """`published` holds the keys that it shows now. While it is `down` it cannot be asked, and of what it showed last
    nothing is remembered."""

    port = "provider"

    def __init__(self, fault: Fault = no_fault) -> None:
        super().__init__(fault)
        self.published: list[Mapping[str, Any]] = []
        self.down = False

    def keys(self, kid: str) -> Sequence[Mapping[str, Any]]:
        with self.operation("keys", kid):
            if self.down:
                raise TryAgain("the sign-in provider cannot be reached")
            return list(self.published)
