"""What a sweep counted in a store, added up segment by segment. Pure.

The counts add up: `scanned` is `due` plus everything `kept` plus `malformed`; in a sweep that applies, `due` is what
was `deleted`, `anonymised`, `held`, `changed_meanwhile`, `blocked` and `failed`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(slots=True)
class Tally:
    """Records, but for `capacity` (in the store's own unit) and `seconds` (of the functions, one beside the other)."""

    scanned: int = 0
    due: int = 0
    deleted: int = 0
    anonymised: int = 0
    held: int = 0
    """Due, but a legal hold or an open request protects it."""
    changed_meanwhile: int = 0
    """Due when it was read, and touched or gone when it was to be written: left alone."""
    blocked: int = 0
    """Due, but the store refuses until a date (S3 Object Lock, or a delete marker that hides such a version)."""
    failed: int = 0
    """Due, but the store refuses this record for good."""
    resurrected: int = 0
    """Among the due: came back after its person's erasure."""
    malformed: int = 0
    """Kept because a date that decides is missing or cannot be read."""
    capacity: float = 0.0
    seconds: float = 0.0
    kept: dict[str, int] = field(default_factory=dict)
    """Ground, `in_use` or `anonymised` -> records."""

    def keep(self, reason: str, records: int = 1) -> None:
        if records:
            self.kept[reason] = self.kept.get(reason, 0) + records

    def add(self, other: Tally) -> None:
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for reason, records in other.kept.items():
            self.keep(reason, records)

    def as_json(self) -> dict[str, Any]:
        rounded = {name: round(getattr(self, name), 1) for name in ("capacity", "seconds")}
        return {**asdict(self), **rounded, "kept": dict(sorted(self.kept.items()))}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Self:
        return cls(**raw)

    @classmethod
    def sum(cls, tallies: Iterable[Tally]) -> Self:
        whole = cls()
        for tally in tallies:
            whole.add(tally)
        return whole


NUMBERS = tuple(name for name in Tally.__dataclass_fields__ if name != "kept")
