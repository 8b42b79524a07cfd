"""Stores that lie encrypted under a KMS key of the operator's own: the leave to use that key through the store.

DynamoDB asks KMS, in the caller's name, to decrypt the table's key when a table is read or written; everything below
that key it keeps itself (DynamoDB Developer Guide, "Encryption at rest: how it works"). S3 asks for a decryption when
the content of an object is read; listing, tags, metadata and deleting need none (S3 User Guide, "Using server-side
encryption with AWS KMS keys"). So no verb needs to make data keys: none writes a new object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rightful.model import Permission, Store

_KEY = re.compile(
    r"arn:(aws[a-z-]*|\$\{AWS::Partition\}):kms:([a-z]{2}(-[a-z]+)+-\d|\$\{AWS::Region\})"
    r":(\d{12}|\$\{AWS::AccountId\}):key/[\w-]+",
    re.ASCII,
)


def check(kms_key: str) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a store's `settings.kms_key`; IAM takes no alias where a key is meant."""
    if kms_key and not _KEY.fullmatch(kms_key):
        example = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-..."
        yield "settings.kms_key", "is not the ARN of a key", f"write it whole, with its id and no alias: `{example}`"


def decrypting(store: Store, service: str) -> list[Permission]:
    """Leave to have `service` decrypt with the store's key; nothing for a store that names none."""
    key = store.settings.get("kms_key")
    if not key:
        return []
    via = f"{service}.{store.region or '${AWS::Region}'}.${{AWS::URLSuffix}}"
    return [{"actions": ["kms:Decrypt"], "resources": [key], "via": via}]
