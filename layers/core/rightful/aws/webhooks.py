"""Signed webhooks, posted over HTTPS to hosts that the data map names; their secrets are in AWS Secrets Manager.

Signed as standardwebhooks.com says (specification 1.0, "Signature scheme"). What may be reached, see `aws.outbound`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from rightful.aws.errors import translated
from rightful.aws.outbound import Https
from rightful.errors import NeedsAttention, TryAgain
from rightful.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

REMEMBERED: Final = 300.0
"""Seconds for which a secret is used before it is fetched again."""
PREFIX: Final = "whsec_"
PASSING: Final = (408, 425, 429)
"""Statuses below 500 after which the same message may be taken."""
WAY: Final = Https("the webhook")


class HttpsWebhooks:
    """`client_of` gives the Secrets Manager client of a region."""

    def __init__(self, client_of: Callable[[str], SecretsManagerClient], clock: Clock, https: Https = WAY) -> None:
        self._client_of = client_of
        self._clock = clock
        self._https = https
        self._keys: dict[str, tuple[float, bytes]] = {}

    def post(self, url: str, secret_arn: str, body: bytes, message_id: str) -> None:
        key = self._key(secret_arn)
        timestamp = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "rightful",
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": sign(key, message_id, timestamp, body),
        }
        status = self._https.post(url, headers, body)
        if status in PASSING or status >= 500:
            raise TryAgain(f"the webhook answered {status}")
        if not 200 <= status < 300:
            raise NeedsAttention(f"the webhook answered {status}")

    def _key(self, arn: str) -> bytes:
        until, key = self._keys.get(arn, (0.0, b""))
        if time.monotonic() < until:
            return key
        with translated():
            answer = self._client_of(arn.split(":")[3]).get_secret_value(SecretId=arn)
        key = key_of(answer.get("SecretString", ""))
        self._keys[arn] = (time.monotonic() + REMEMBERED, key)
        return key


def sign(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """The header `webhook-signature`. `timestamp`: seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def key_of(secret: str) -> bytes:
    """The 24 to 64 bytes of a secret as the specification writes them. Raises NeedsAttention."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.strip().startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise NeedsAttention(f"the webhook's secret is not {PREFIX} and the base64 of 24 to 64 bytes")
    return key
