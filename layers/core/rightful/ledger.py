"""The ledger of a request: numbered entries, each of which holds the hash of the one before. Pure.

An entry is plain JSON: {"request_id", "n", "at", "what", "status", "key", "facts", "previous", "hash"}. `hash` is the
SHA-256, in hex, of the canonical JSON (sorted keys, no spaces, UTF-8) of all the rest; `previous` is the hash of entry
n - 1, and empty in the first. So nobody can change, drop, add or reorder an entry without changing every hash that
follows, and the last of them, the *head*, stands in the signed receipt.

Entries hold no personal data: sentences of ours, statuses, counts, ids and keyed hashes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from rightful.errors import Invalid

Entry = dict[str, Any]
NOTHING: Mapping[str, Any] = {}


def entry(
    request_id: str,
    n: int,
    previous: str,
    *,
    at: str,
    what: str,
    status: str,
    key: str = "",
    facts: Mapping[str, Any] = NOTHING,
) -> Entry:
    """The n-th entry, from 1. `what`: the sentence that the person reads; `status`: of the request, from then on;
    `key`: names what may be noted once only; `facts`: JSON values without floats."""
    made = {
        "request_id": request_id,
        "n": n,
        "at": at,
        "what": what,
        "status": status,
        "key": key,
        "facts": dict(facts),
        "previous": previous,
    }
    return {**made, "hash": digest(made)}


def digest(made: Mapping[str, Any]) -> str:
    """What `hash` of this entry must be."""
    rest = {name: value for name, value in made.items() if name != "hash"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def head(request_id: str, entries: Sequence[Mapping[str, Any]]) -> str:
    """The hash of the last entry of a whole ledger. Raises Invalid, naming the first entry that is not as it was
    written."""
    previous = ""
    for n, each in enumerate(entries, start=1):
        if (each.get("request_id"), each.get("n"), each.get("previous")) != (request_id, n, previous):
            raise Invalid(f"entry {n} of the ledger does not follow the one before")
        if each.get("hash") != digest(each):
            raise Invalid(f"entry {n} of the ledger was changed")
        previous = str(each["hash"])
    if not previous:
        raise Invalid("the ledger is empty")
    return previous
