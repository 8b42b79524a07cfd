"""Which tokens of the company's sign-in count, and that no other ever does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from rightful import oidc
from rightful.oidc import Fault, Untrusted
from tests.fakes.clock import MovableClock
from tests.fakes.provider import AUDIENCE, ISSUER, Pair, Signs, pair

CLOCK = MovableClock()
NOW = int(CLOCK().timestamp())
KEYS = {name: pair(name, name) for name in oidc.ALGORITHMS}
SIGNS = Signs(CLOCK, KEYS["ES256"])
OTHERS = pair("ES256")
"""A key of somebody else, under the same name."""


def believed(text: str, *published: Mapping[str, Any]) -> Mapping[str, Any]:
    """The claims of a token that passed all. Raises Untrusted."""
    token = oidc.read(text)
    oidc.check(token, ISSUER, AUDIENCE, CLOCK())
    oidc.verify(token, published or [key.published for key in KEYS.values()])
    return token.claims


def refusal(text: str, *published: Mapping[str, Any]) -> Fault:
    with pytest.raises(Untrusted) as raised:
        believed(text, *published)
    return raised.value.fault


def token(**more: Any) -> str:
    return SIGNS.token("ada@example.org", "acct-1", **more)


def written(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def put_together(header: Any, claims: Any, signature: bytes = b"x" * 64) -> str:
    return ".".join((written(header), written(claims), written(signature)))


@pytest.mark.parametrize("algorithm", oidc.ALGORITHMS)
def test_each_algorithm_that_is_accepted_is(algorithm: str) -> None:
    signs = Signs(CLOCK, KEYS[algorithm])
    assert believed(signs.token("ada@example.org", "acct-1"))["sub"] == "acct-1"


# What signed it


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "", None, 0, [], ["ES256"]])
def test_nothing_goes_unsigned(algorithm: Any) -> None:
    claims = SIGNS.claims("ada@example.org", "acct-1")
    for signature in (b"", b"x"):
        text = put_together({"alg": algorithm, "typ": "JWT", "kid": "ES256"}, claims, signature)
        assert refusal(text) in (Fault.algorithm, Fault.malformed)


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512", "ES256K", "ES512", "RS1", "dir", "A128KW"])
def test_no_other_algorithm_is_accepted(algorithm: str) -> None:
    text = put_together({"alg": algorithm, "typ": "JWT", "kid": "ES256"}, SIGNS.claims("ada@example.org", "acct-1"))
    assert refusal(text) is Fault.algorithm


def secrets_made_of(key: Pair) -> list[bytes]:
    """A public key in all the ways in which one could be taken for a shared secret."""
    public = key.private.public_key()
    formats = serialization.PublicFormat
    pem = public.public_bytes(serialization.Encoding.PEM, formats.SubjectPublicKeyInfo)
    der = public.public_bytes(serialization.Encoding.DER, formats.SubjectPublicKeyInfo)
    return [pem, pem.strip(), der, json.dumps(dict(key.published)).encode(), str(key.published.get("n", "")).encode()]


@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "ES256"])
def test_a_public_key_is_no_secret(algorithm: str) -> None:
    """CVE-2015-9235 and its kin: a signature by HMAC, with the public key as its secret."""
    for key in KEYS.values():
        header = {"alg": algorithm, "typ": "JWT", "kid": key.kid}
        signed = f"{written(header)}.{written(SIGNS.claims('ada@example.org', 'acct-1'))}"
        for secret in secrets_made_of(key):
            signature = hmac.digest(secret, signed.encode(), hashlib.sha256)
            assert refusal(f"{signed}.{written(signature)}") in (Fault.algorithm, Fault.key, Fault.signature)


def test_a_key_of_the_provider_that_is_a_secret_is_never_used() -> None:
    secret = {"kty": "oct", "k": written(b"secret" * 6), "kid": "ES256", "alg": "HS256"}
    assert refusal(token(), secret) is Fault.key


@pytest.mark.parametrize("other", [name for name in oidc.ALGORITHMS if name != "ES256"])
def test_the_algorithm_goes_with_the_kind_of_key(other: str) -> None:
    """The token names a key of another kind, or another algorithm than the key is for."""
    assert refusal(token(headers={"kid": other})) is Fault.key
    assert refusal(token(), {**KEYS[other].published, "kid": "ES256"}) is Fault.key
    assert refusal(token(), {**KEYS["ES256"].published, "alg": other}) is Fault.key


def test_rsa_keys_are_for_the_padding_that_they_say() -> None:
    signs = Signs(CLOCK, KEYS["RS256"])
    text = signs.token("ada@example.org", "acct-1")
    assert refusal(text, {**KEYS["RS256"].published, "alg": "PS256"}) is Fault.key
    without = {name: value for name, value in KEYS["RS256"].published.items() if name != "alg"}
    assert believed(text, without)


def test_only_a_key_of_the_provider_counts() -> None:
    assert refusal(Signs(CLOCK, OTHERS).token("ada@example.org", "acct-1")) is Fault.signature


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_travels_along_is_not_looked_at(name: str) -> None:
    """CVE-2018-0114 and its kin."""
    value = {"jwk": dict(OTHERS.published), "x5c": ["MIIB"]}.get(name, "https://mallory.example/jwks.json")
    forged = Signs(CLOCK, OTHERS).token("ada@example.org", "acct-1", headers={name: value})
    assert refusal(forged) is Fault.signature
    assert believed(token(headers={name: value}))


@pytest.mark.parametrize(
    "kid",
    [
        "../../dev/null",
        "/dev/null",
        "ES256'--",
        "' UNION SELECT 'x",
        "ES256\x00",
        "file:///etc/passwd",
        "es256",
        "ES256 ",
    ],
)
def test_a_key_is_called_exactly_so(kid: str) -> None:
    claims = SIGNS.claims("ada@example.org", "acct-1")
    assert refusal(SIGNS.signed(claims, kid=kid)) in (Fault.key, Fault.malformed)


@pytest.mark.parametrize("kid", [0, None, True, ["ES256"], {"a": 1}, "k" * 256, "\ud800"])
def test_the_name_of_a_key_is_a_short_text(kid: Any) -> None:
    text = put_together({"alg": "ES256", "typ": "JWT", "kid": kid}, SIGNS.claims("ada@example.org", "acct-1"))
    assert refusal(text) is Fault.malformed


def test_only_where_there_is_one_key_need_it_not_be_named() -> None:
    unnamed = token(headers={"kid": ""})
    assert believed(unnamed, KEYS["ES256"].published)
    assert refusal(unnamed) is Fault.key
    assert refusal(unnamed, KEYS["ES256"].published, OTHERS.published) is Fault.key
    assert believed(unnamed, KEYS["ES256"].published, {**OTHERS.published, "use": "enc"})


def test_two_keys_of_one_name_are_none() -> None:
    assert refusal(token(), KEYS["ES256"].published, OTHERS.published) is Fault.key


def test_a_key_for_something_else_is_not_used() -> None:
    assert refusal(token(), {**KEYS["ES256"].published, "use": "enc"}) is Fault.key


def test_neither_short_nor_monstrous_keys_are_used() -> None:
    for bits in (1024, 16384):
        n = (1 << (bits - 1)) + 1
        weak = {"kty": "RSA", "kid": "RS256", "e": "AQAB", "n": written(n.to_bytes(bits // 8))}
        text = Signs(CLOCK, KEYS["RS256"]).token("ada@example.org", "acct-1")
        assert refusal(text, weak) is Fault.key


@pytest.mark.parametrize("member", ["x", "y", "crv", "kty"])
@pytest.mark.parametrize("value", [None, "", "!", "AA", 7, ["x"], "P-384", "A" * 43])
def test_a_broken_key_opens_nothing(member: str, value: Any) -> None:
    assert refusal(token(), {**KEYS["ES256"].published, member: value}) in (Fault.key, Fault.signature)


def test_a_private_key_that_the_provider_shows_is_used_as_its_public_one() -> None:
    private = KEYS["RS256"].private
    assert isinstance(private, rsa.RSAPrivateKey)
    shown = {**KEYS["RS256"].published, "d": written(private.private_numbers().d.to_bytes(256))}
    assert believed(Signs(CLOCK, KEYS["RS256"]).token("ada@example.org", "acct-1"), shown)


# What it is


def test_a_large_token_is_not_looked_at() -> None:
    assert refusal(token(filler="x" * oidc.MOST)) is Fault.too_long
    assert refusal("a" * (oidc.MOST + 1)) is Fault.too_long
    assert believed(token(filler="x" * 4000))


@pytest.mark.parametrize("headers", [{"crit": ["exp"]}, {"crit": []}, {"crit": None}, {"b64": True}, {"b64": False}])
def test_extensions_that_must_be_understood_are_not(headers: dict[str, Any]) -> None:
    claims = SIGNS.claims("ada@example.org", "acct-1")
    text = put_together({"alg": "ES256", "typ": "JWT", "kid": "ES256", **headers}, claims)
    assert refusal(text) is Fault.critical


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", ""])
def test_an_id_token_or_an_access_token_will_do(kind: str) -> None:
    assert believed(token(headers={"typ": kind}))


@pytest.mark.parametrize("kind", ["logout+jwt", "dpop+jwt", "secevent+jwt", "JWE", "JOSE", 7, None, ["JWT"]])
def test_a_token_of_another_kind_will_not(kind: Any) -> None:
    text = put_together({"alg": "ES256", "kid": "ES256", "typ": kind}, SIGNS.claims("ada@example.org", "acct-1"))
    assert refusal(text) is Fault.type


def test_neither_will_news_of_a_sign_out_nor_a_token_that_is_bound_to_a_key() -> None:
    assert refusal(token(events={"http://schemas.openid.net/event/backchannel-logout": {}})) is Fault.type
    assert refusal(token(cnf={"jkt": "x"})) is Fault.bound


@pytest.mark.parametrize("claims", [[], "x", 7, None, True, [{"iss": ISSUER}]])
def test_claims_are_an_object(claims: Any) -> None:
    assert refusal(SIGNS.signed(claims)) is Fault.malformed


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"\xff\xfe", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 5000, b'{"a": 1}}', b"\xef\xbb\xbf{}"],
)
def test_what_is_not_one_json_object_is_refused(raw: bytes) -> None:
    header = {"alg": "ES256", "typ": "JWT", "kid": "ES256"}
    assert refusal(put_together(header, raw)) is Fault.malformed
    assert refusal(put_together(raw, {})) is Fault.malformed


def test_a_claim_that_is_said_twice_is_refused() -> None:
    """Readers differ on which of the two counts."""
    text = json.dumps(SIGNS.claims("ada@example.org", "acct-1"))[:-1] + ', "sub": "acct-10"}'
    header = {"alg": "ES256", "typ": "JWT", "kid": "ES256"}
    assert refusal(put_together(header, text.encode())) is Fault.malformed


def test_a_signature_that_cannot_be_read_is_none() -> None:
    signed = token().rpartition(".")[0]
    for signature in ("A", "AB", "A" * 85):
        assert refusal(f"{signed}.{signature}") is Fault.malformed


def test_truncated_anywhere_it_is_refused() -> None:
    text = token()
    for end in range(0, len(text), 7):
        refusal(text[:end])
    for part in range(3):
        parts = text.split(".")
        parts[part] = ""
        refusal(".".join(parts))


# What it says


@pytest.mark.parametrize("issuer", ["https://login.example.org/", "HTTPS://login.example.org", "", None, [ISSUER], 7])
def test_it_comes_from_our_provider(issuer: Any) -> None:
    assert refusal(token(iss=issuer)) is Fault.issuer


@pytest.mark.parametrize("audience", ["other", "", [], ["other"], "privacy-centre ", "Privacy-Centre"])
def test_it_is_for_us(audience: Any) -> None:
    assert refusal(token(aud=audience)) is Fault.audience


@pytest.mark.parametrize("audience", [None, 7, {"a": 1}, [7], [AUDIENCE, 7]])
def test_an_audience_is_a_text_or_a_list_of_texts(audience: Any) -> None:
    assert refusal(token(aud=audience)) is Fault.claims


def test_for_several_it_must_have_been_issued_to_us() -> None:
    assert believed(token(aud=[AUDIENCE]))
    assert refusal(token(aud=[AUDIENCE, "other"])) is Fault.audience
    assert refusal(token(aud=[AUDIENCE, AUDIENCE])) is Fault.audience
    assert refusal(token(aud=[AUDIENCE, "other"], azp="other")) is Fault.audience
    assert believed(token(aud=[AUDIENCE, "other"], azp=AUDIENCE))
    assert refusal(token(aud=[AUDIENCE, "other"], azp="other", headers={"typ": "at+jwt"})) is Fault.audience
    assert refusal(token(aud=[AUDIENCE, "other"], headers={"typ": "at+jwt"})) is Fault.audience


def test_an_id_token_was_issued_to_us_and_an_access_token_to_any_application() -> None:
    assert refusal(token(azp="other")) is Fault.audience
    assert believed(token(azp=AUDIENCE))
    assert believed(token(azp="other", headers={"typ": "at+jwt"}))
    assert refusal(SIGNS.signed({**SIGNS.claims("ada@example.org", "acct-1"), "azp": None})) is Fault.claims


@pytest.mark.parametrize("subject", [None, "", " ", 7, ["a"], "a" * 256, "a\nb", "\ud800"])
def test_it_names_its_subject(subject: Any) -> None:
    assert refusal(token(sub=subject)) is Fault.claims


LEEWAY = int(oidc.LEEWAY.total_seconds())


@pytest.mark.parametrize(
    ("claim", "good", "bad", "fault"),
    [
        ("exp", NOW - LEEWAY + 1, NOW - LEEWAY, Fault.expired),
        ("nbf", NOW + LEEWAY, NOW + LEEWAY + 1, Fault.not_yet),
        ("iat", NOW + LEEWAY, NOW + LEEWAY + 1, Fault.not_yet),
        ("auth_time", NOW + LEEWAY, NOW + LEEWAY + 1, Fault.not_yet),
    ],
)
def test_its_times_are_held_to_the_second(claim: str, good: int, bad: int, fault: Fault) -> None:
    assert believed(token(**{claim: good}))
    assert refusal(token(**{claim: bad})) is fault


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf", "auth_time"])
@pytest.mark.parametrize("value", ["1", True, [1], {}, -1, 2**53, 1e300, "never"])
def test_a_time_is_a_number_of_seconds(claim: str, value: Any) -> None:
    assert refusal(token(**{claim: value})) is Fault.claims


@pytest.mark.parametrize("claim", ["exp", "iat"])
def test_it_says_until_when_and_since_when(claim: str) -> None:
    assert refusal(token(**{claim: None})) is Fault.claims


def test_a_number_too_large_for_a_number_is_no_time() -> None:
    text = json.dumps(SIGNS.claims("ada@example.org", "acct-1", exp=0)).replace('"exp": 0', '"exp": 1e999')
    header = {"alg": "ES256", "typ": "JWT", "kid": "ES256"}
    assert refusal(put_together(header, text.encode())) is Fault.claims


def test_it_says_when_its_holder_signed_in_or_not() -> None:
    assert oidc.signed_in(oidc.read(token(auth_time=NOW - 5))) == NOW - 5
    assert oidc.signed_in(oidc.read(token(auth_time=None))) is None


def test_replayed_it_is_good_until_it_expires() -> None:
    """A bearer token is whoever's who has it, for as long as it says; RFC 6750."""
    text = token(exp=NOW + 60)
    assert believed(text) == believed(text)
    read = oidc.read(text)
    later = CLOCK() + timedelta(seconds=60) + oidc.LEEWAY
    with pytest.raises(Untrusted, match="expired"):
        oidc.check(read, ISSUER, AUDIENCE, later)
