"""What the sample's stores hold of a person: rows, files, events, and the truth beside each of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from infra.sample.people import Person

After = Literal["gone", "kept", "anonymised", "blocked"]
"""What an erasure leaves of a record; `blocked`: there until its lock ends."""


@dataclass(frozen=True, slots=True)
class Row:
    """One item of a table."""

    store: str
    item: dict[str, Any]
    after: After = "gone"
    past: bool = False
    """Whether its retention has run out."""
    of: tuple[str, ...] = ()
    """E-mail addresses (small letters) of the people it belongs to."""


@dataclass(frozen=True, slots=True)
class Version:
    body: bytes | None
    """None for a delete marker."""
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """One key of the uploads bucket with all its versions, oldest first, and its unfinished uploads."""

    key: str
    versions: tuple[Version, ...] = ()
    unfinished: int = 0
    after: After = "gone"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the usage events."""

    day: str
    """ISO date; one file each."""
    line: dict[str, Any]
    past: bool


@dataclass(slots=True)
class Holding:
    """All that is stored of one person as the owner of it."""

    person: Person
    account_ids: list[str] = field(default_factory=list)
    customer_ids: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    files: list[Stored] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
