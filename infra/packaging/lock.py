"""Reads a requirements lock with hashes (the format `uv pip compile --generate-hashes` writes)."""

from __future__ import annotations

import re
from collections.abc import Iterable

ENTRY = re.compile(r"^([a-z0-9][a-z0-9-]*)==(\S+).*(?:\n[ \t].*)*", re.MULTILINE)


def entries(lock: str) -> dict[str, tuple[str, str]]:
    """Name -> (version, the whole entry with its hashes)."""
    return {match[1]: (match[2], match[0]) for match in ENTRY.finditer(lock)}


def pinned(lock: str) -> dict[str, str]:
    """Name -> version."""
    return {name: version for name, (version, _) in entries(lock).items()}


def subset(lock: str, names: Iterable[str]) -> str:
    """The entries of `names` only. Raises KeyError naming one that the lock lacks."""
    known = entries(lock)
    return "".join(f"{known[name][1]}\n" for name in names)
