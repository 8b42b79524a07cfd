"""Holds what a request did against the ground truth: the person's records as promised, everyone else's byte for
byte."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from infra.sample.keys import row_key
from infra.sample.truth import ANONYMISED, Truth

NOT_COVERED = "not covered yet"
Snapshot = Mapping[str, Mapping[str, str]]
"""Store -> record key -> SHA-256 of the record."""


@dataclass(slots=True)
class Outcome:
    """One store's row in the table at the end. `problems` is empty when everything held."""

    store: str
    found: int = 0
    exported: int = 0
    erased: int = 0
    anonymised: int = 0
    kept: int = 0
    why: str = ""
    left: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Swept:
    """One store's row in the table of a sweep."""

    store: str
    scanned: int = 0
    due: int = 0
    deleted: int = 0
    anonymised: int = 0
    kept: str = ""
    braked: bool = False
    problems: list[str] = field(default_factory=list)


def bystanders(truth: Truth, before: Snapshot, after: Snapshot, emails: list[str]) -> list[str]:
    """Stores in which a record that belongs to none of `emails` was added, changed or lost."""
    owned: dict[str, set[str]] = {}
    for email in emails:
        for store, share in truth.person(email).items():
            owned.setdefault(store, set()).update(share["keys"])
    return [
        f"{store}: a record of someone else was touched"
        for store, records in before.items()
        if _without(records, owned.get(store, set())) != _without(after.get(store, {}), owned.get(store, set()))
    ]


def erasure(truth: Truth, email: str, before: Snapshot, after: Snapshot, told: Mapping[str, Any]) -> list[Outcome]:
    """Per store, what the erasure of `email` left, against the truth and against what the person is told (`told`: the
    request's result, store -> facts)."""
    rows = []
    for store, share in truth.person(email).items():
        said = told.get(store, {})
        if not said.get("covered", False):
            rows.append(Outcome(store, found=share["records"], why=NOT_COVERED))
            continue
        gone_before = sum(key not in before[store] for key in share["keys"])  # a contact of two people, say
        found = share["records"] - gone_before
        row = Outcome(store, found=found, erased=said["deleted"], anonymised=said["anonymised"])
        row.kept, row.left = said["kept"], said["left"]
        row.why = ", ".join(f"{ground} until {until[:4] or '?'}" for ground, until in said["kept_by"].items())
        for key in share["keys"]:
            row.problems += _fate(key, share["after_erasure"].get(key, "gone"), before[store], after[store])
        if row.erased + row.anonymised + row.kept + said["blocked"] != row.found:
            row.problems.append(
                f"the person is told of {row.erased + row.anonymised + row.kept} of {row.found} records"
            )
        rows.append(row)
    return rows


def access(truth: Truth, email: str, before: Snapshot, after: Snapshot, package: IO[bytes]) -> list[Outcome]:
    """Per store, whether the package holds exactly the records of `email`, undamaged, and nobody else's address."""
    strangers = set(truth.people()) - {email}
    rows = []
    with zipfile.ZipFile(package) as archive:
        damaged = archive.testzip()
        for store, share in truth.person(email).items():
            row = Outcome(store, found=share["records"])
            rows.append(row)
            if before[store] != after[store]:
                row.problems.append("an access changed the store")
            if f"data/{store}.json" not in archive.namelist():
                row.why = NOT_COVERED
                continue
            text = archive.read(f"data/{store}.json").decode()
            records = json.loads(text)
            row.exported = len(records)
            if row.exported != row.found:
                row.problems.append(f"{row.exported} of {row.found} records are in the package")
            if not _same_records(store, records, share["keys"]):
                row.problems.append("the package holds other records than the person's")
            if strangers & set(re.findall(r"[\w.+-]+@[\w.-]+\w", text.lower())):
                row.problems.append("the package shows somebody else's address")
            if damaged:
                row.problems.append(f"{damaged} is damaged")
    return rows


def retention(
    truth: Truth,
    before: Snapshot,
    after: Snapshot,
    said: Mapping[str, Any],
    *,
    applied: bool,
    erased: Collection[str] = (),
) -> list[Swept]:
    """Per store, what a sweep did as of the day of the truth: all that was past its retention, and nothing else.
    `said`: the output. `erased`: people whose erasure was played before."""
    gone_before = {key for email in erased for share in truth.person(email).values() for key in share["keys"]}
    rows = []
    for store, records in before.items():
        if store not in said["stores"]:
            rows.append(Swept(store, problems=[f"left out: {said['left_out'].get(store, 'nobody says why')}"]))
            continue
        told = said["stores"][store]
        kept = ", ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in told["kept"].items())
        row = Swept(store, told["scanned"], told["due"], told["deleted"], told["anonymised"], kept, told["braked"])
        rows.append(row)
        past = {key for key in truth.past_retention(store) if key in records}
        if store in ANONYMISED:
            past -= gone_before
        for key in past if applied else ():
            row.problems += _fate(key, "anonymised" if store in ANONYMISED else "gone", records, after[store])
        rest = past if applied else set()
        if _without(records, rest) != _without(after[store], rest):
            row.problems.append("a record was touched that should not be")
        if not applied and told["deleted"] + told["anonymised"]:
            row.problems.append("a preview says that it changed something")
    return rows


def _same_records(store: str, records: list[dict[str, Any]], keys: list[str]) -> bool:
    """By key, where the key is not masked (a shared contact's key is somebody else's address)."""
    if store == "shared_contacts":
        return True
    if store == "uploads":
        return {record["key"] for record in records} == {key.removeprefix("unfinished:") for key in keys}
    return {row_key(store, record) for record in records} == set(keys)


def _fate(key: str, expected: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    if expected == "gone":
        return ["a record is still there"] if key in after else []
    if key not in after:
        return [f"a record that should be {expected} is gone"]
    same = before[key] == after[key]
    if expected == "anonymised":
        return ["a record was not anonymised"] if same else []
    return [] if same else [f"a record that should be {expected} was changed"]


def _without(records: Mapping[str, str], keys: set[str]) -> dict[str, str]:
    return {key: digest for key, digest in records.items() if key not in keys}
