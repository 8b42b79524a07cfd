"""What every signer of receipts does: in memory, and with KMS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from moto import mock_aws
from moto.kms.utils import ECDSAPrivateKey

from rightful import jws
from rightful.aws.signer import KmsSigner
from rightful.errors import Invalid, NeedsAttention
from rightful.ports import Signer
from tests.fakes.kms_repairs import sign_digest
from tests.fakes.signer import MemorySigner

TYP = "test+jws"


class SignerContract:
    """Needs the fixtures `signer` and `other`, which has another key."""

    def signed(self, signer: Signer, payload: dict[str, Any], kid: str = "") -> str:
        made = jws.signing_input(payload, kid or signer.key()["kid"], TYP)
        return jws.compact(made, signer.sign(made))

    def test_what_it_signs_verifies_with_its_key(self, signer: Signer) -> None:
        keys = {"keys": [dict(signer.key())]}
        payload = {"n": 1, "text": "día" * 2000}
        assert jws.verify(self.signed(signer, payload), keys, TYP) == payload

    def test_its_key_is_a_public_one_named_by_its_thumbprint(self, signer: Signer) -> None:
        key = signer.key()
        assert set(key) == {"kty", "crv", "x", "y", "use", "alg", "kid"}
        assert key["kid"] == jws.thumbprint(key)
        assert signer.key() == key

    def test_anothers_signature_is_not_its(self, signer: Signer, other: Signer) -> None:
        forged = self.signed(other, {"n": 1}, kid=signer.key()["kid"])
        with pytest.raises(Invalid, match="does not fit"):
            jws.verify(forged, {"keys": [dict(signer.key()), dict(other.key())]}, TYP)


class TestMemorySigner(SignerContract):
    @pytest.fixture
    def signer(self) -> MemorySigner:
        return MemorySigner()

    @pytest.fixture
    def other(self) -> MemorySigner:
        return MemorySigner()


class TestKmsSigner(SignerContract):
    @pytest.fixture
    def kms(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        monkeypatch.setattr(ECDSAPrivateKey, "sign", sign_digest)
        with mock_aws():
            yield boto3.client("kms", "eu-west-1")

    def made(self, kms: Any, spec: str = "ECC_NIST_P256") -> KmsSigner:
        return KmsSigner(kms, kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec=spec)["KeyMetadata"]["Arn"])

    @pytest.fixture
    def signer(self, kms: Any) -> KmsSigner:
        return self.made(kms)

    @pytest.fixture
    def other(self, kms: Any) -> KmsSigner:
        return self.made(kms)

    def test_kms_is_sent_the_digest_and_asked_for_the_key_once(self, kms: Any, signer: KmsSigner) -> None:
        sent: list[dict[str, Any]] = []
        asked: list[str] = []
        kms.meta.events.register("provide-client-params.kms.Sign", lambda params, **_: sent.append(params))
        kms.meta.events.register("before-call.kms.GetPublicKey", lambda **_: asked.append("key"))
        self.signed(signer, {"n": 1})
        self.signed(signer, {"n": 2})
        assert [(each["MessageType"], each["SigningAlgorithm"]) for each in sent] == [("DIGEST", "ECDSA_SHA_256")] * 2
        assert asked == ["key"]

    def test_small_numbers_take_32_bytes_too(self, kms: Any, signer: KmsSigner) -> None:
        stub = Stubber(kms)
        stub.add_response("sign", {"Signature": encode_dss_signature(1, 2)})
        with stub:
            assert signer.sign(b"data") == bytes(31) + b"\x01" + bytes(31) + b"\x02"

    @pytest.mark.parametrize("spec", ["ECC_NIST_P384", "ECC_SECG_P256K1", "RSA_2048"])
    def test_a_key_of_another_kind_needs_attention(self, kms: Any, spec: str) -> None:
        with pytest.raises(NeedsAttention, match="ECC_NIST_P256"):
            self.made(kms, spec).key()

    def test_a_key_that_is_not_there_needs_attention(self, kms: Any) -> None:
        gone = KmsSigner(kms, "00000000-0000-0000-0000-000000000000")
        with pytest.raises(NeedsAttention, match="GetPublicKey"):
            gone.key()
        with pytest.raises(NeedsAttention, match="Sign"):
            gone.sign(b"data")
