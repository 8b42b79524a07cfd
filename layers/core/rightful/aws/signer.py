"""Signing receipts with a KMS key of the spec ECC_NIST_P256. The private key never leaves KMS."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rightful import jws
from rightful.aws.errors import translated
from rightful.errors import NeedsAttention

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class KmsSigner:
    """`key_id` names the key; its public half is fetched once per process."""

    def __init__(self, client: KMSClient, key_id: str) -> None:
        self._client = client
        self._key_id = key_id
        self._key: dict[str, str] | None = None

    def key(self) -> Mapping[str, str]:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        if self._key is None:
            with translated():
                answer = self._client.get_public_key(KeyId=self._key_id)
            public = serialization.load_der_public_key(answer["PublicKey"])
            if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
                raise NeedsAttention("the key that shall sign receipts is not of the spec ECC_NIST_P256")
            point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
            self._key = jws.public_jwk(point)
        return self._key

    def sign(self, data: bytes) -> bytes:
        """KMS is given the digest: it takes no more than 4,096 bytes of a message (API reference, `Sign`), and answers
        with the two numbers in DER."""
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        with translated():
            answer = self._client.sign(
                KeyId=self._key_id,
                Message=hashlib.sha256(data).digest(),
                MessageType="DIGEST",
                SigningAlgorithm="ECDSA_SHA_256",
            )
        r, s = decode_dss_signature(answer["Signature"])
        return r.to_bytes(32) + s.to_bytes(32)
