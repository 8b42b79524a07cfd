"""Sealed values of a request: identities found, cursors. Bytes of any size, kept as encrypted chunks in the table."""

from __future__ import annotations

import hashlib
from typing import Any

from rightful.service import requests
from rightful.service.deps import Deps

CHUNK = 300_000
"""Bytes per item; DynamoDB allows 400 KB with names and the rest."""


def save(deps: Deps, request_id: str, name: str, plain: bytes) -> None:
    """Replace the value `name`. A reader sees the old value or the new one, never a mix: chunks are written under
    a digest of what was sealed, and the head that names them is written last."""
    sealed = deps.vault.seal(request_id, plain)
    pk = requests.pk(request_id)
    version = hashlib.sha256(sealed).hexdigest()[:32]
    chunks = [sealed[i : i + CHUNK] for i in range(0, len(sealed), CHUNK)]
    for number, chunk in enumerate(chunks[1:], start=1):
        deps.table.put_new(pk, f"SEALED#{name}#{version}#{number:05}", {"chunk": chunk})
    deps.table.update(pk, head_key(name), {"first": chunks[0], "more": len(chunks) - 1, "version": version})


def load(deps: Deps, request_id: str, name: str) -> bytes | None:
    """The value, or None when it was never saved. Raises NotFound when the request's key was shredded."""
    head = deps.table.get(requests.pk(request_id), head_key(name))
    return None if head is None else opened(deps, request_id, head)


def head_key(name: str) -> str:
    """Sort key of the value's head, for who reads it together with other items."""
    return f"SEALED#{name}"


def opened(deps: Deps, request_id: str, head: dict[str, Any]) -> bytes:
    """The value whose head was read."""
    sealed = bytes(head["first"])
    if head["more"]:
        chunks = deps.table.query(head["pk"], f"{head['sk']}#{head['version']}#")
        sealed += b"".join(bytes(item["chunk"]) for item in chunks)
    return deps.vault.open(request_id, sealed)
