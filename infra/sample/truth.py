"""The ground truth of a sample, one JSON file, written and read a person at a time.

{"format": 1, "seed": 7, "people": 1000, "as_of": "2026-11-01T00:00:00Z",
 "anonymised": {store: {"gone": [attribute], "changed": [attribute], "same": [attribute]}},
 "persons": {
   email in small letters: {"trait", "email" (as typed), "name", "account_ids": [], "customer_ids": [],
     "stores": {store: {"keys": [record key], "records": n, "past_retention": [record key],
                        "after_erasure": {record key: "kept" | "anonymised" | "blocked"}}}}},
 "totals": {store: records}}

A record that an erasure of the person must remove is in `keys` and not in `after_erasure`. `keys` are those of
`infra.sample.digest`. `records` counts object versions, delete markers and unfinished uploads one by one; elsewhere
it equals the number of keys. A shared contact is under its owner and, if they are in the sample, under the contact;
`totals` counts each once.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.sample.holding import After, Holding
from infra.sample.keys import STORES

ANONYMISED = {
    "survey_responses": {
        "gone": ["email", "email_lower", "phone"],
        "changed": ["name", "device_id", "ip_address", "postcode", "answers"],
        "same": ["response_id", "country", "score", "topics", "answered_at"],
    }
}
"""What becomes of the attributes of an anonymised record (attributes that anonymising adds are not listed)."""


@dataclass(slots=True)
class Share:
    """One person's part of one store."""

    keys: list[str] = field(default_factory=list)
    records: int = 0
    after_erasure: dict[str, str] = field(default_factory=dict)
    past_retention: list[str] = field(default_factory=list)

    def add(self, key: str, *, after: After = "gone", past: bool = False, records: int = 1) -> None:
        self.keys.append(key)
        self.records += records
        if after != "gone":
            self.after_erasure[key] = after
        if past:
            self.past_retention.append(key)


class Writer:
    """Writes the file as the people come; it is there whole once the `with` block ended well."""

    def __init__(self, path: Path, *, people: int, seed: int, as_of: datetime) -> None:
        self._path, self._part = path, path.with_suffix(".part")
        self._head = {
            "format": 1,
            "seed": seed,
            "people": people,
            "as_of": as_of.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "anonymised": ANONYMISED,
        }
        self._totals: Counter[str] = Counter()
        self._comma = ""

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._part.open("w", encoding="utf-8")
        self._file.write(_json(self._head)[:-1] + ',\n"persons": {')
        return self

    def add(self, holding: Holding, shares: Mapping[str, Share]) -> None:
        person = holding.person
        entry = {
            "trait": person.trait,
            "email": person.email,
            "name": person.name,
            "account_ids": holding.account_ids,
            "customer_ids": holding.customer_ids,
            "stores": {store: _plain(shares[store]) for store in STORES if store in shares},
        }
        self._file.write(f"{self._comma}\n{_json(person.email_lower)}: {_json(entry)}")
        self._comma = ","
        for row in holding.rows:
            self._totals[row.store] += 1
        self._totals["uploads"] += sum(len(stored.versions) + stored.unfinished for stored in holding.files)
        self._totals["usage_events"] += len(holding.events)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        totals = {store: self._totals[store] for store in STORES}
        self._file.write(f'\n}},\n"totals": {_json(totals)}}}\n')
        self._file.close()
        if kind is None:
            self._part.replace(self._path)
        else:
            self._part.unlink()


@dataclass(frozen=True, slots=True)
class Truth:
    """A ground truth that was read back."""

    content: dict[str, Any]

    @classmethod
    def load(cls, path: Path | str) -> Truth:
        return cls(json.loads(Path(path).read_text("utf-8")))

    def person(self, email: str) -> dict[str, dict[str, Any]]:
        """Store -> share, for every store; empty shares where nothing is held. `email` in small letters.
        Raises KeyError for an address that is not in the sample."""
        stores = self.content["persons"][email]["stores"]
        return {store: stores.get(store) or _plain(Share()) for store in STORES}

    def people(self, trait: str = "") -> Iterator[str]:
        """Addresses in small letters, of everyone or of those with this trait."""
        return (email for email, entry in self.content["persons"].items() if trait in ("", entry["trait"]))

    def past_retention(self, store: str) -> set[str]:
        """Keys of all records of the store whose retention has run out as of `as_of`."""
        people = self.content["persons"].values()
        return {key for entry in people for key in entry["stores"].get(store, _plain(Share()))["past_retention"]}

    @property
    def totals(self) -> dict[str, int]:
        """Store -> records of people in it."""
        return dict(self.content["totals"])


def _plain(share: Share) -> dict[str, Any]:
    return {
        "keys": share.keys,
        "records": share.records,
        "after_erasure": share.after_erasure,
        "past_retention": share.past_retention,
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
