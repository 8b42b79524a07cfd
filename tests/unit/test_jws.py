"""A signed text verifies as it is, and in no other way."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from rightful import jws
from rightful.errors import Invalid
from tests.fakes.signer import MemorySigner

TYP = "test+jws"
SIGNER = MemorySigner()
JWK = dict(SIGNER.key())
KID, KEYS = JWK["kid"], {"keys": [JWK]}
PAYLOAD = {"text": "día \U0001f600", "n": 7, "list": [{"a": None}, True], "empty": ""}
ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def made(header: str | None = None, payload: str | None = None) -> str:
    """Properly signed, whatever the header and the payload are."""
    head = header if header is not None else json.dumps({"alg": "ES256", "kid": KID, "typ": TYP})
    body = payload if payload is not None else json.dumps(PAYLOAD)
    signed = f"{b64(head.encode())}.{b64(body.encode())}".encode()
    return jws.compact(signed, SIGNER.sign(signed))


def with_header(**changed: Any) -> str:
    return made(json.dumps({"alg": "ES256", "kid": KID, "typ": TYP} | changed))


def signed() -> str:
    text = jws.signing_input(PAYLOAD, KID, TYP)
    return jws.compact(text, SIGNER.sign(text))


TEXT = signed()


def refused(text: str | bytes, keys: Any = KEYS) -> str:
    """Why."""
    with pytest.raises(Invalid) as error:
        jws.verify(text, keys, TYP)
    return error.value.detail


def test_it_verifies_as_text_as_bytes_and_as_a_file_of_one_line() -> None:
    for text in (TEXT, TEXT.encode(), TEXT + "\n", TEXT.encode() + b"\n", made()):
        assert jws.verify(text, KEYS, TYP) == PAYLOAD


def test_any_flipped_bit_fails() -> None:
    raw = (TEXT + "\n").encode()
    for place in range(len(raw)):
        for bit in range(8):
            flipped = bytearray(raw)
            flipped[place] ^= 1 << bit
            refused(bytes(flipped))


def test_any_other_byte_in_any_place_fails() -> None:
    """Every character of the alphabet (where a lenient reader would see the same bits), and some beside it."""
    raw = (TEXT + "\n").encode()
    ending = {len(raw) - n for n in range(1, 5)}
    for place in range(len(raw)):
        others = ALPHABET if place in ending else ALPHABET[place % 5 :: 5]
        for other in {*others, *b"=+/. \n\r\t\0~", 0x80, 0xFF} - {raw[place]}:
            changed = bytearray(raw)
            changed[place] = other
            refused(bytes(changed))


def test_any_byte_that_is_dropped_doubled_or_added_fails() -> None:
    raw = TEXT.encode()
    for place in range(len(raw) + 1):
        for added in (b"A", b"\n", b" ", b"=", raw[place : place + 1] or b"."):
            refused(raw[:place] + added + raw[place:] + (b"\n" if added == b"\n" else b""))
        if place < len(raw):
            refused(raw[:place] + raw[place + 1 :])
            refused(raw[:place])


@given(st.text(max_size=40) | st.binary(max_size=40))
def test_whatever_else_is_sent_is_refused(text: str | bytes) -> None:
    refused(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (TEXT + "\n\n", "base64url"),
        ("\n" + TEXT, "base64url"),
        (TEXT + "\r\n", "base64url"),
        (TEXT + "==", "base64url"),
        (TEXT + ".", "three parts"),
        (TEXT.rpartition(".")[0], "three parts"),
        (TEXT.rpartition(".")[0] + ".", "0 bytes"),
        ("", "three parts"),
        ("A" * 1_000_001, "longer"),
        (TEXT.replace("e", "é", 1), "characters"),
        (with_header(alg="none"), "`alg`"),
        (with_header(alg="HS256"), "`alg`"),
        (with_header(alg="es256"), "`alg`"),
        (with_header(alg=["ES256"]), "`alg`"),
        (with_header(typ="JWT"), "`typ`"),
        (with_header(crit=["exp"]), "`crit`"),
        (with_header(crit=[]), "`crit`"),
        (with_header(jwk=JWK), "nothing else"),
        (with_header(jku="https://evil.example"), "nothing else"),
        (with_header(kid=7), "thumbprint"),
        (with_header(kid="A" * 43), "no key"),
        (with_header(kid="\x1b[2J" + "A" * 39), r"no key '\\x1b"),
        (made(json.dumps({"alg": "ES256", "typ": TYP})), "thumbprint"),
        (made("[]"), "header is not a JSON object"),
        (made("{"), "header is not JSON"),
        (made("[" * 100_000), "header is not JSON"),
        (made('{"alg": "none", "alg": "ES256", "kid": "%s", "typ": "%s"}' % (KID, TYP)), "header .* twice"),  # noqa: UP031
        (made(payload='{"a": 1, "a": 1}'), "payload .* twice"),
        (made(payload='{"a": {"b": 1, "b": 2}}'), "payload .* twice"),
        (made(payload='{"a": NaN}'), "payload is not JSON"),
        (made(payload="7"), "payload is not a JSON object"),
    ],
)
def test_each_thing_that_is_wrong_is_named(text: str, why: str) -> None:
    assert re.search(why, refused(text))


def test_a_signature_of_numbers_out_of_range_is_refused() -> None:
    body = TEXT.rpartition(".")[0].encode()
    raw = base64.urlsafe_b64decode(TEXT.rpartition(".")[2] + "==")
    r, s = raw[:32], raw[32:]
    for bad in (bytes(32), ORDER.to_bytes(32), (ORDER + 1).to_bytes(32), b"\xff" * 32):
        assert "out of range" in refused(jws.compact(body, bad + s))
        assert "out of range" in refused(jws.compact(body, r + bad))
    assert "does not fit" in refused(jws.compact(body, s + r))
    for raw in (b"", r + s + b"\0", r):
        assert "bytes" in refused(body.decode() + "." + b64(raw))
        with pytest.raises(ValueError, match="64 bytes"):
            jws.compact(body, raw)


def other_curve() -> dict[str, str]:
    point = ec.generate_private_key(ec.SECP256K1()).public_key()
    return jws.public_jwk(point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def padded(name: str) -> dict[str, str]:
    """The same key in another spelling."""
    return {**JWK, name: JWK[name] + "="}


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({}, "no list"),
        ({"keys": {}}, "no list"),
        ({"keys": []}, "no key"),
        ({"keys": ["x", None, {}]}, "no key"),
        ({"keys": [dict(MemorySigner().key())]}, "no key"),
        ({"keys": [{**MemorySigner().key(), "kid": KID}]}, "not the one"),
        ({"keys": [{**JWK, "x": JWK["y"], "y": JWK["x"]}]}, "not the one"),
        ({"keys": [{**JWK, "kty": "oct"}]}, "not one for ES256"),
        ({"keys": [{**JWK, "crv": "P-384"}]}, "not one for ES256"),
        ({"keys": [{**JWK, "use": "enc"}]}, "not one for ES256"),
        ({"keys": [{**JWK, "alg": "ES384"}]}, "not one for ES256"),
        ({"keys": [{name: JWK[name] for name in ("kid", "kty", "crv", "x")}]}, "not the one|base64url"),
        ({"keys": [padded("x")]}, "base64url"),
        ({"keys": [padded("y")]}, "base64url"),
        ({"keys": [{**JWK, "x": 7}]}, "not the one|base64url"),
    ],
)
def test_a_key_set_without_the_right_key_verifies_nothing(keys: Any, why: str) -> None:
    assert re.search(why, refused(TEXT, keys))


def test_a_key_that_is_no_point_of_the_curve_is_refused() -> None:
    jwk = other_curve()
    text = made(json.dumps({"alg": "ES256", "kid": jwk["kid"], "typ": TYP}))
    assert "no point of P-256" in refused(text, {"keys": [jwk]})


def test_a_key_without_use_and_alg_is_one_all_the_same() -> None:
    bare = {name: JWK[name] for name in ("kid", "kty", "crv", "x", "y")}
    assert jws.verify(TEXT, {"keys": [bare]}, TYP) == PAYLOAD


def test_the_thumbprint_is_that_of_the_standard() -> None:
    """The P-256 key of RFC 7517, appendix A.1; its thumbprint was computed with another library."""
    key = {
        "kty": "EC",
        "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
        "use": "enc",
        "kid": "1",
    }
    assert jws.thumbprint(key) == "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"


def test_an_example_of_the_standard_verifies_but_for_its_header() -> None:
    """RFC 7515, appendix A.3: the same signature, under a header that is not one of ours."""
    text = (
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290"
        "Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )
    assert "`typ`" in refused(text)


def test_only_an_uncompressed_point_makes_a_key() -> None:
    for point in (b"", b"\x02" + bytes(32), b"\x04" + bytes(63), b"\x05" + bytes(64)):
        with pytest.raises(ValueError, match="uncompressed"):
            jws.public_jwk(point)


def test_what_cannot_be_written_plainly_is_not_signed() -> None:
    with pytest.raises(ValueError, match="JSON"):
        jws.signing_input({"n": float("nan")}, KID, TYP)
