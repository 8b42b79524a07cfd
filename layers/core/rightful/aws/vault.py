"""Sealing with AES-256-GCM under a data key per request, wrapped by KMS.

The wrapped key lies in a table of its own that is not backed up. Deleting it makes everything sealed under it
unreadable, in backups too. A process remembers an unwrapped key for a few minutes at most, so another process can read
on for that long after a shredding. Source of the format: NIST SP 800-38D (96-bit random nonce, 128-bit tag).
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from rightful.aws.errors import error_code, translated
from rightful.errors import NeedsAttention, NotFound
from rightful.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

REMEMBERED: Final = timedelta(minutes=3)
MOST_REMEMBERED: Final = 100
FORMAT: Final = b"\x01"
"""First byte of everything sealed; the nonce and the ciphertext with its tag follow."""
NONCE: Final = 12


_NEVER: Final = {"N": str(2**53)}


class KmsVault:
    """`data_key` and `mac_key` name a symmetric and an HMAC_256 key of KMS; `keys_table` has the text key `id`."""

    def __init__(
        self, kms: KMSClient, dynamodb: DynamoDBClient, keys_table: str, data_key: str, mac_key: str, clock: Clock
    ) -> None:
        self._kms = kms
        self._dynamodb = dynamodb
        self._keys_table = keys_table
        self._data_key = data_key
        self._mac_key = mac_key
        self._clock = clock
        self._keys: OrderedDict[str, tuple[datetime, bytes]] = OrderedDict()
        self._peppers: dict[str, bytes] = {}

    def seal(self, request_id: str, plain: bytes, until: datetime | None = None) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._remembered(request_id) or self._stored(request_id) or self._made(request_id, until)
        nonce = secrets.token_bytes(NONCE)
        return FORMAT + nonce + AESGCM(key).encrypt(nonce, plain, request_id.encode())

    def open(self, request_id: str, sealed: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._remembered(request_id) or self._stored(request_id)
        if key is None:
            raise NotFound("The key of this request was destroyed.")
        if sealed[:1] != FORMAT or len(sealed) <= NONCE:
            raise NeedsAttention("sealed bytes have an unknown format")
        try:
            nonce, hidden = sealed[1 : NONCE + 1], sealed[NONCE + 1 :]
            return AESGCM(key).decrypt(nonce, hidden, request_id.encode())
        except InvalidTag:
            raise NeedsAttention("sealed bytes were altered, or belong to another request") from None

    def lapse(self, request_id: str, at: datetime) -> None:
        """By the table's TTL, which deletes the wrapped key for good within days; until then it is not used."""
        try:
            with translated():
                self._expire(request_id, at)
        finally:
            self._keys.pop(request_id, None)

    def _expire(self, request_id: str, at: datetime) -> None:
        try:
            self._dynamodb.update_item(
                TableName=self._keys_table,
                Key={"id": {"S": request_id}},
                UpdateExpression="SET expires_at = :at",
                ConditionExpression="attribute_exists(id)",
                ExpressionAttributeValues={":at": {"N": str(int(at.timestamp()))}},
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise

    def prolong(self, request_id: str, by: datetime) -> None:
        with translated():
            try:
                self._dynamodb.update_item(
                    TableName=self._keys_table,
                    Key={"id": {"S": request_id}},
                    UpdateExpression="REMOVE expires_at",
                    ConditionExpression="expires_at > :now AND expires_at <= :by",
                    ExpressionAttributeValues={
                        ":now": {"N": str(int(self._clock().timestamp()))},
                        ":by": {"N": str(int(by.timestamp()))},
                    },
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                response: Mapping[str, Any] = error.response
                self._check_life(response.get("Item"))

    def digest(self, purpose: str, value: str) -> str:
        """HMAC-SHA256 under a key that KMS derives from `purpose`: one call per purpose and process."""
        pepper = self._peppers.get(purpose)
        if pepper is None:
            with translated():
                answer = self._kms.generate_mac(
                    KeyId=self._mac_key, MacAlgorithm="HMAC_SHA_256", Message=f"rightful/{purpose}".encode()
                )
            pepper = self._peppers[purpose] = answer["Mac"]
        return base64.urlsafe_b64encode(hmac.digest(pepper, value.encode(), "sha256")).decode().rstrip("=")

    def _remembered(self, request_id: str) -> bytes | None:
        made, key = self._keys.get(request_id, (None, None))
        if made is None or self._clock() - made >= REMEMBERED:
            self._keys.pop(request_id, None)
            return None
        return key

    def _stored(self, request_id: str) -> bytes | None:
        with translated():
            answer = self._dynamodb.get_item(
                TableName=self._keys_table, Key={"id": {"S": request_id}}, ConsistentRead=True
            )
        return self._unwrapped(request_id, answer["Item"]) if "Item" in answer else None

    def _made(self, request_id: str, until: datetime | None) -> bytes:
        """A new key, or the one that another process stored first."""
        with translated():
            new = self._kms.generate_data_key(
                KeyId=self._data_key, KeySpec="AES_256", EncryptionContext={"request_id": request_id}
            )
            try:
                self._dynamodb.put_item(
                    TableName=self._keys_table,
                    Item={
                        "id": {"S": request_id},
                        "wrapped": {"B": new["CiphertextBlob"]},
                        **({"expires_at": {"N": str(int(until.timestamp()))}} if until else {}),
                    },
                    ConditionExpression="attribute_not_exists(id)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                response: Mapping[str, Any] = error.response
                return self._unwrapped(request_id, response["Item"])
        return self._remember(request_id, new["Plaintext"])

    def _check_life(self, item: Mapping[str, Any] | None) -> None:
        """Raises NotFound when there is no key, or it has lapsed and only waits to be deleted."""
        if item is None or int(item.get("expires_at", _NEVER)["N"]) <= self._clock().timestamp():
            raise NotFound("The key of this request was destroyed.")

    def _unwrapped(self, request_id: str, item: Mapping[str, Any]) -> bytes:
        self._check_life(item)
        with translated():
            answer = self._kms.decrypt(
                KeyId=self._data_key,
                CiphertextBlob=bytes(item["wrapped"]["B"]),
                EncryptionContext={"request_id": request_id},
            )
        return self._remember(request_id, answer["Plaintext"])

    def _remember(self, request_id: str, key: bytes) -> bytes:
        self._keys[request_id] = (self._clock(), key)
        while len(self._keys) > MOST_REMEMBERED:
            self._keys.popitem(last=False)
        return key
