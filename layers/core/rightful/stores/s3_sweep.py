"""Goes through a bucket for the retention sweep: every version, delete marker and unfinished upload is a record.

Three ways lead through it. Where keys hold their date, only the years and months that may be due are listed. Where the
data map names an S3 Inventory, its newest report is read, and what it says of a version is looked at again before that
is deleted. Else the bucket is listed, in parts where many keys differ in a letter. Unfinished uploads are in no
inventory and are always listed.

A delete marker goes after the versions that it hides: while one of them stays, deleting the marker would show it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, Final, Self

from rightful import retention
from rightful.aws.errors import translated
from rightful.errors import NeedsAttention, RightfulError, TryAgain
from rightful.model import Done, Record, Result, Store
from rightful.ports import Clock, SweepPage, Wanted, Written
from rightful.stores import s3_sweep_map
from rightful.stores.s3_objects import S3Objects
from rightful.stores.s3_objects_entries import Entry, listed, record_of
from rightful.stores.s3_objects_map import DELIMITER, Settings
from rightful.stores.s3_versions import after_all, just_before, of_keys
from rightful.stores.sessions import Session, client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from rightful.stores.s3_inventory import Reports

KEYS: Final = "keys"
UPLOADS: Final = "uploads"
REPORT: Final = "report"
"""Kinds of segments, which are JSON lists: ["keys", prefix, from, until], ["uploads", prefix] and ["report", folder,
first file, last file]. Of a key they hold what the data map says, the date, or what very many keys begin with."""
FEW: Final = 8
"""Keys of a part of the bucket differ in at least so many letters, else it is not parted there: what they have in
common must not be one person's."""
LONGEST_STEM: Final = 16
"""Characters beyond the data map's own words in which many keys may begin alike."""
HELD_BACK: Final = 50
"""Delete markers of one key that wait in a cursor until the last version of the key was read."""

COUNTED: Final = 10
"""Pages of a listing, of 1,000 each, that are counted to tell a bucket's size."""


class S3Sweeper:
    name = S3Objects.name
    Due = s3_sweep_map.Due
    check = staticmethod(s3_sweep_map.check)
    permissions = staticmethod(s3_sweep_map.permissions)
    page_size = 1000
    """Records looked at a page."""

    def __init__(self, client: S3Client, store: Store, clock: Clock) -> None:
        self._client = client
        self._store = store
        self._bucket = Settings(**store.settings).bucket
        self._prefix = Settings(**store.settings).prefix
        tags, metadata = s3_sweep_map.sees_tags(store), s3_sweep_map.sees_metadata(store)
        self._objects = S3Objects(
            client, Settings(**store.settings), clock, locate=store.locate, tags=tags, metadata=metadata
        )
        self._reports = _reports(client, store)
        self._requests = 0
        client.meta.events.register("request-created.s3", self._count)

    @classmethod
    def from_store(cls, store: Store, session: Session, clock: Clock = lambda: datetime.now(UTC)) -> Self:
        return cls(client(store, session, "s3"), store, clock)

    # Splitting

    def segments(self, most: int, as_of: datetime) -> list[str]:
        with translated():
            if self._reports:
                parts, uploads = self._by_report(self._reports, max(most - 1, 1)), self._prefix
            elif dated := s3_sweep_map.dated(self._store):
                parts, uploads = self._by_date(dated, max(most - 1, 1), as_of), dated.head
            else:
                parts, uploads = self._by_letter(max(most - 1, 1)), self._prefix
        return [json.dumps(part) for part in (*parts, [UPLOADS, uploads])]

    def size(self) -> int:
        """Versions and delete markers with dated keys, as far as a few calls count them: where there are more, what is
        due is taken for a larger share than it is. 0 where the segments hold all of them."""
        dated = None if self._reports else s3_sweep_map.dated(self._store)
        if dated is None:
            return 0
        with translated():
            pages = self._client.get_paginator("list_object_versions")
            some = islice(pages.paginate(Bucket=self._bucket, Prefix=dated.head), COUNTED)
            return sum(len(listed(page)) for page in some)

    def _by_report(self, reports: Reports, most: int) -> list[list[Any]]:
        folder = reports.newest()
        files = len(reports.manifest(folder).files)
        parts = min(files, most)
        return [[REPORT, folder, files * n // parts, files * (n + 1) // parts] for n in range(parts)]

    def _by_date(self, dated: s3_sweep_map.Dated, most: int, as_of: datetime) -> list[list[Any]]:
        """Years and months of which there are keys. Whole years where the months would be too many."""
        until = retention.due_after(self._store.retention, as_of)
        years = range(retention.EARLIEST.year, until.year + 1)
        there = [year for year in years if self._first(dated.year(year))]
        prefixes: list[str] = []
        for year in there:
            if dated.between is None or (12 * len(there) > most and year < until.year):
                prefixes.append(dated.year(year))
            else:
                prefixes += [month for month in dated.months(year, until) if self._first(month)]
        return [[KEYS, prefix, "", ""] for prefix in prefixes]

    def _by_letter(self, most: int) -> list[list[Any]]:
        """The whole bucket, parted where very many keys begin alike and then differ."""
        bounds = sorted({bound for stem in s3_sweep_map.stems(self._store) for bound in self._letters(stem)})
        step = -(-(len(bounds) + 1) // most)
        edges = ["", *bounds[step - 1 :: step], ""]
        return [[KEYS, self._prefix, *edge] for edge in pairwise(edges)]

    def _letters(self, stem: str) -> list[str]:
        """What all keys that begin with `stem` begin with, and one of the letters after that; nothing for few keys."""
        answer = self._client.list_object_versions(Bucket=self._bucket, Prefix=stem)
        if not answer["IsTruncated"]:
            return []
        letters = self._letters_after(stem)
        for _ in range(LONGEST_STEM):
            if len(letters) != 1 or letters[0] == DELIMITER:
                break
            stem += letters[0]
            letters = self._letters_after(stem)
        return [stem + letter for letter in letters] if len(letters) >= FEW else []

    def _letters_after(self, stem: str) -> list[str]:
        """Characters that follow on `stem` in some key."""
        letters: list[str] = []
        key = self._first(stem, marker=stem)
        while key:
            letters.append(key[len(stem)])
            key = self._first(stem, marker=after_all(stem + letters[-1]))
        return letters

    def _first(self, prefix: str, marker: str = "") -> str | None:
        """The first key with this beginning that comes after the marker."""
        question: dict[str, Any] = {"KeyMarker": marker} if marker else {}
        answer = self._client.list_object_versions(Bucket=self._bucket, Prefix=prefix, MaxKeys=1, **question)
        return next((entry["key"] for entry in listed(answer)), None)

    # Reading

    def page(self, segment: str, wanted: Wanted, cursor: str | None) -> SweepPage:
        kind, *named = json.loads(segment)
        at = json.loads(cursor) if cursor else []
        before = self._requests
        with translated():
            if kind == REPORT:
                entries, scanned, at = self._of_report(named, at, wanted)
            elif kind == KEYS:
                entries, scanned, at = self._of_keys(named, at, wanted)
            else:
                found, at = self._objects.unfinished(named[0], at, self.page_size)
                entries, scanned = self._seen(found, wanted), len(found)
        records = tuple(map(record_of, entries))
        return SweepPage(records, scanned, json.dumps(at) if at else None, float(self._requests - before))

    def _of_keys(self, named: list[str], at: list[Any], wanted: Wanted) -> tuple[list[Entry], int, list[Any] | None]:
        """A page of a listing. A cursor is S3's markers and the delete markers whose versions are not all read."""
        prefix, begin, end = named
        held, *markers = at or [[], *([just_before(begin)] if begin else [])]
        question: dict[str, Any] = dict(zip(("KeyMarker", "VersionIdMarker"), markers, strict=False))
        answer = self._client.list_object_versions(
            Bucket=self._bucket, Prefix=prefix, MaxKeys=self.page_size, **question
        )
        found = [entry for entry in listed(answer) if begin <= entry["key"] and (not end or entry["key"] < end)]
        entries = held + self._seen(found, wanted)
        reached = answer["NextKeyMarker"] if answer["IsTruncated"] else None
        if reached is None or (end and reached >= end):
            return _markers_last(entries), len(found) + len(held), None
        waiting = [each for each in entries if each["kind"] == "delete_marker" and each["key"] == reached][:HELD_BACK]
        entries = [entry for entry in entries if entry not in waiting]
        scanned = len(found) + len(held) - len(waiting)
        return _markers_last(entries), scanned, [waiting, reached, answer["NextVersionIdMarker"]]

    def _of_report(self, named: list[Any], at: list[int], wanted: Wanted) -> tuple[list[Entry], int, list[int] | None]:
        """Some rows of a report. A cursor is the file's number and the row's."""
        if self._reports is None:
            raise NeedsAttention("the data map lost the inventory that this run of the sweep began with")
        folder, first, last = named
        number, row = at or (first, 0)
        found, following = self._reports.rows(folder, number, row, self.page_size)
        found = [entry for entry in found if entry["key"].startswith(self._prefix)]
        entries = _markers_last(self._seen(found, wanted))
        if following is not None:
            return entries, len(found), [number, following]
        return entries, len(found), [number + 1, 0] if number + 1 < last else None

    def _seen(self, entries: Sequence[Entry], wanted: Wanted) -> list[Entry]:
        """Without those that are surely in use, and with all that the rest are known by."""
        since = self._store.retention.since
        due = [entry for entry in entries if not s3_sweep_map.in_use(since, entry, wanted)]
        return [entry if entry["kind"] == "upload" else self._objects.detailed(entry) for entry in due]

    def identities(self, record: Record) -> set[tuple[str, str]]:
        return self._objects.identities(record)

    # Writing

    def delete(self, records: Sequence[Record], guard: Sequence[str]) -> Written:
        before = self._requests
        if self._reports:
            # A report is of yesterday: a version `null` may be another by now, whatever the rule goes by.
            guard = (*guard, "last_modified")
        outcomes: dict[str, Result | RightfulError] = {}
        with translated():
            if self._reports:
                outcomes |= self._gone(records)
            left = [record for record in records if record.key not in outcomes]
            markers = [record for record in left if record.data["kind"] == "delete_marker"]
            others = [record for record in left if record.data["kind"] != "delete_marker"]
            outcomes |= _by_key(others, self._objects.outcomes(others, guard))
            outcomes |= self._hiding(markers)
            markers = [record for record in markers if record.key not in outcomes]
            outcomes |= _by_key(markers, self._objects.outcomes(markers, guard))
        return Written([_result(outcomes[record.key]) for record in records], float(self._requests - before))

    def anonymise(self, records: Sequence[tuple[Record, Mapping[str, Any]]], guard: Sequence[str]) -> Written:
        return Written(self._objects.anonymise(records, guard))

    def _gone(self, records: Sequence[Record]) -> dict[str, Result]:
        """Versions and markers of a report that are no longer there. S3 itself would say that it deleted them."""
        named = [record for record in records if record.data["kind"] != "upload"]
        keys = {record.data["key"] for record in named}
        there = {(entry["key"], entry["version_id"]) for entry in of_keys(self._client, self._bucket, keys)}
        lost = [record for record in named if (record.data["key"], record.data["version_id"]) not in there]
        return {record.key: Result(Done.gone) for record in lost}

    def _hiding(self, markers: Sequence[Record]) -> dict[str, Result]:
        """Delete markers under which a version stays."""
        of: dict[str, list[Record]] = {}
        for marker in markers:
            of.setdefault(marker.data["key"], []).append(marker)
        blocked: dict[str, Result] = {}
        for entry in of_keys(self._client, self._bucket, of):
            if entry["kind"] == "version" and not entry["is_latest"]:
                hiding = (each for each in of[entry["key"]] if each.data["last_modified"] >= entry["last_modified"])
                blocked |= {marker.key: Result(Done.blocked) for marker in hiding}
        return blocked

    def _count(self, **_: Any) -> None:
        self._requests += 1


def _reports(client: S3Client, store: Store) -> Reports | None:
    """What is read of a bucket that is too large to list; its module is loaded for such a bucket only."""
    place = s3_sweep_map.inventory(store)
    if place is None:
        return None
    from rightful.stores.s3_inventory import Reports

    return Reports(client, place, Settings(**store.settings).bucket)


def _markers_last(entries: list[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: bool(entry["kind"] == "delete_marker"))


def _by_key(records: Sequence[Record], outcomes: Sequence[Result | RightfulError]) -> dict[str, Result | RightfulError]:
    return {record.key: outcome for record, outcome in zip(records, outcomes, strict=True)}


def _result(outcome: Result | RightfulError) -> Result:
    if isinstance(outcome, TryAgain):
        raise outcome
    return Result(Done.failed) if isinstance(outcome, RightfulError) else outcome
