"""A person whose every value is a marker, and the search for those markers in what must hold none."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from infra.local.stack import Stack
from infra.sample.generate import generate
from infra.sample.keys import bucket_name, table_name

Text = tuple[str, str]
"""Where it stands, and what stands there."""
DATE = re.compile(r"\d{4}-\d\d-\d\dT")


@dataclass
class Markers:
    """Makes a marker for each value, the same for equal values, and finds them again.

    Every marker holds one word that occurs nowhere else, so that a part of a value is found as well."""

    word: str = field(default_factory=lambda: f"zq{secrets.token_hex(4)}")
    made: dict[Any, Any] = field(default_factory=dict)
    numbers: set[str] = field(default_factory=set)

    def mark(self, value: Any) -> Any:
        """The value with every text, number and byte string replaced. Names of attributes, dates (they decide what an
        erasure keeps) and truth values stay."""
        if isinstance(value, Mapping):
            return {name: self._attribute(name, inner) for name, inner in value.items()}
        if isinstance(value, list | set):
            return type(value)(self.mark(inner) for inner in value)
        if isinstance(value, str) and value.startswith("ACCOUNT#"):
            return f"ACCOUNT#{self.mark(value.removeprefix('ACCOUNT#'))}"
        if value is None or isinstance(value, bool) or (isinstance(value, str) and DATE.match(value)):
            return value
        if value not in self.made:
            self.made[value] = self._new(value)
        return self.made[value]

    def found_in(self, texts: Iterable[Text]) -> Iterator[str]:
        """`where: what` for each marker in one of the texts, in any spelling that still gives it away."""
        for where, text in texts:
            for needle in self._needles():
                at = text.lower().find(needle.lower()) if needle.isalnum() else text.find(needle)
                if at >= 0:
                    yield f"{where}: {text[max(at - 60, 0) : at + 60]}"

    def _attribute(self, name: str, value: Any) -> Any:
        marked = self.mark(value)
        return marked.lower() if name.endswith("_lower") else marked

    def _new(self, value: Any) -> Any:
        number = len(self.made)
        if isinstance(value, bytes):
            return f"{self.word}{number:04}".encode()
        if isinstance(value, int | Decimal):
            marker = Decimal(9_100_000_000_000 + secrets.randbelow(10**11))
            self.numbers.add(str(marker))
            return marker
        if "@" in value:
            return f"{self.word.capitalize()}.{number:04}@{self.word}.example"
        return f"{self.word}{number:04}"

    def _needles(self) -> set[str]:
        emails = {marker.lower() for marker in self.made.values() if isinstance(marker, str) and "@" in marker}
        hashes = {hashlib.sha256(email.encode()).hexdigest() for email in emails}
        return {self.word, self.word.encode().hex(), *self.numbers, *hashes, *_base64(self.word)}


def _base64(word: str) -> set[str]:
    """The characters that stand for the word inside base64, wherever in a text it begins."""
    found = set()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + word.encode()).decode().rstrip("=")
        whole = encoded[(offset * 8 + 5) // 6 : (offset + len(word)) * 8 // 6]
        found |= {whole, whole.replace("+", "-").replace("/", "_")}
    return found


def settle(stack: Stack, markers: Markers) -> str:
    """Puts into every store what the sample's person of many traits holds, as markers; the address as it was typed."""
    serialise, dynamodb = TypeSerializer().serialize, stack.client("dynamodb")
    holding = next(iter(generate(1, seed=99))).holding
    for row in holding.rows:
        item = {**markers.mark(row.item), "unknown_to_the_map": markers.mark("unknown")}
        dynamodb.put_item(
            TableName=table_name(row.store), Item={name: serialise(value) for name, value in item.items()}
        )
    account, s3 = markers.mark(holding.account_ids[0]), stack.client("s3")
    bucket = bucket_name("uploads", stack.client("sts").get_caller_identity()["Account"])
    for name in ("first", "second", "second"):
        s3.put_object(
            Bucket=bucket,
            Key=f"accounts/{account}/{markers.mark(name)}.txt",
            Body=f"{markers.mark('body')}\n".encode(),
            Metadata={"owner": markers.mark("metadata")},
            Tagging=f"project={markers.mark('tag')}",
        )
    s3.create_multipart_upload(Bucket=bucket, Key=f"accounts/{account}/{markers.mark('unfinished')}")
    return str(markers.mark(holding.person.email))
