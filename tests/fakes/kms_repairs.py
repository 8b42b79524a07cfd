"""Where moto's KMS answers otherwise than KMS."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from moto.kms.utils import ECDSAPrivateKey


def sign_digest(self: ECDSAPrivateKey, message: bytes, signing_algorithm: str) -> bytes:
    """For `ECDSAPrivateKey.sign`: moto does not look at `MessageType` and hashes a digest once more. Takes digests of
    SHA-256 only, as our code sends them."""
    assert (len(message), signing_algorithm) == (32, "ECDSA_SHA_256")
    return self.private_key.sign(message, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
