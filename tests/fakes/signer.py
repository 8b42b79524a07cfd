"""Signing receipts with a key in memory."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from rightful import jws
from tests.fakes.recording import Fault, Recorder, no_fault


class MemorySigner(Recorder):
    """`rotate` makes another key sign from then on."""

    port = "signer"

    def __init__(self, fault: Fault = no_fault) -> None:
        super().__init__(fault)
        self.rotate()

    def rotate(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())

    def key(self) -> Mapping[str, str]:
        with self.operation("key"):
            public = self._private.public_key()
            return jws.public_jwk(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    def sign(self, data: bytes) -> bytes:
        with self.operation("sign"):
            r, s = utils.decode_dss_signature(self._private.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32) + s.to_bytes(32)
