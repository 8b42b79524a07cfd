"""Reports of S3 Inventory: the newest whole one, and its files row by row, as entries of a listing.

A report is a folder named by its date, with `manifest.json` and, written last, `manifest.checksum`. Its files are
copied to a temporary folder and compared with the manifest's MD5 before a row of them is believed; from there they are
read row by row, so that memory does not grow with them. Source: S3 User Guide, "Amazon S3 Inventory list" and
"Locating your inventory list".
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from rightful.aws.errors import error_code
from rightful.clocks import stamp
from rightful.errors import NeedsAttention, TryAgain
from rightful.periods import instant
from rightful.stores.s3_objects_entries import Entry
from rightful.stores.s3_sweep_map import Inventory

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_FOLDER: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}Z/", re.ASCII)
_LOOKED_AT: Final = 10
"""Folders, the newest first, among which there must be a whole report."""
_CHUNK: Final = 1024 * 1024
_COLUMNS: Final = {
    "bucket": "bucket",
    "key": "key",
    "versionid": "version_id",
    "islatest": "is_latest",
    "isdeletemarker": "is_delete_marker",
    "lastmodifieddate": "last_modified",
    "size": "size",
    "etag": "etag",
}
"""Columns of a report, in small letters without `_` (the formats write them differently) -> their name here."""
_NEEDED: Final = frozenset({"bucket", "key", "version_id", "is_latest", "is_delete_marker", "last_modified"})
_BUFFER: Final = "256MB"
"""What DuckDB may hold of a Parquet file."""
_UNREADABLE: Final = "a file of the inventory report cannot be read"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a report consists of."""

    format: str
    columns: tuple[str, ...]
    """Of the files, in order, as the report calls them."""
    files: tuple[tuple[str, str], ...]
    """Key and MD5 (hexadecimal) of each."""


class Reports:
    """The reports that S3 Inventory writes about one bucket, and the file of one that is being read."""

    def __init__(self, client: S3Client, place: Inventory, source: str) -> None:
        self._client = client
        self._place = place
        self._source = source
        self._manifests: dict[str, Manifest] = {}
        self._open: tuple[tuple[str, int, int], Iterator[Entry | None]] | None = None
        """(folder, file, number of the next row), and the rows from there on."""

    def newest(self) -> str:
        """Folder of the newest report that is whole, e.g. `2026-11-20T01-00Z/`."""
        folders: list[str] = []
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._place.bucket, Prefix=self._place.prefix, Delimiter="/"):
            found = (each["Prefix"].removeprefix(self._place.prefix) for each in page.get("CommonPrefixes", []))
            folders += [folder for folder in found if _FOLDER.fullmatch(folder)]
        for folder in sorted(folders, reverse=True)[:_LOOKED_AT]:
            text, checksum = (self._small(folder + name) for name in ("manifest.json", "manifest.checksum"))
            if text and checksum and _md5(text).hexdigest() == checksum.decode("ascii", "replace").strip().lower():
                self._manifests[folder] = self._manifest(text)
                return folder
        raise NeedsAttention("there is no whole inventory report where `retention.through` says")

    def manifest(self, folder: str) -> Manifest:
        if folder not in self._manifests:
            text = self._small(folder + "manifest.json")
            if text is None:
                raise NeedsAttention("the inventory report that this run began with is gone")
            self._manifests[folder] = self._manifest(text)
        return self._manifests[folder]

    def rows(self, folder: str, number: int, start: int, most: int) -> tuple[list[Entry], int | None]:
        """Entries among the next `most` rows of a report's file, without rows about other buckets, and the number of
        the row after them; None at the file's end."""
        asked = (folder, number, start)
        if self._open is None or self._open[0] != asked:
            self._open = asked, self._read(folder, number, start)
        read = list(islice(self._open[1], most))
        entries = [entry for entry in read if entry is not None]
        if len(read) < most:
            self._open = None
            return entries, None
        self._open = (folder, number, start + most), self._open[1]
        return entries, start + most

    def _read(self, folder: str, number: int, start: int) -> Iterator[Entry | None]:
        """An entry for each row; None for a row about another bucket."""
        manifest = self.manifest(folder)
        names = [_COLUMNS.get(_plain(name), "") for name in manifest.columns]
        scratch = Path(tempfile.mkdtemp())
        try:
            path = scratch / "file"
            self._fetch(*manifest.files[number], path)
            rows = _csv if manifest.format == "CSV" else _parquet
            for values in rows(path, manifest.columns, start):
                row = dict(zip(names, values, strict=False))
                yield _entry(row) if row.get("bucket") == self._source else None
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _fetch(self, key: str, md5: str, path: Path) -> None:
        from botocore.exceptions import ClientError

        try:
            body = self._client.get_object(Bucket=self._place.bucket, Key=key)["Body"]
        except ClientError as error:
            if error_code(error) != "NoSuchKey":
                raise
            raise NeedsAttention("a file of the inventory report is gone") from None
        digest = _md5(b"")
        try:
            with path.open("wb") as file:
                for chunk in body.iter_chunks(_CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
        except OSError as error:
            if error.errno is None:  # a connection that fell silent: botocore's errors are of this kind too
                raise
            raise NeedsAttention(f"no room for a file of the inventory report ({type(error).__name__})") from None
        if digest.hexdigest() != md5.lower():
            raise TryAgain("a file of the inventory report came with another MD5 than its manifest says")

    def _small(self, name: str) -> bytes | None:
        """The content of one of a report's own files; None when it is not there."""
        from botocore.exceptions import ClientError

        try:
            answer = self._client.get_object(Bucket=self._place.bucket, Key=self._place.prefix + name)
        except ClientError as error:
            if error_code(error) != "NoSuchKey":
                raise
            return None
        return answer["Body"].read()

    def _manifest(self, text: bytes) -> Manifest:
        try:
            said = json.loads(text)
            source, form, schema = said["sourceBucket"], said["fileFormat"], said["fileSchema"]
            files = tuple((str(file["key"]), str(file["MD5checksum"])) for file in said["files"])
        except (ValueError, LookupError, TypeError):
            raise NeedsAttention("the inventory's manifest is not one that S3 writes") from None
        if source != self._source:
            raise NeedsAttention("the inventory is about another bucket than the store's")
        if form not in ("CSV", "Parquet"):
            raise NeedsAttention("the inventory is written as neither CSV nor Parquet: choose one of these")
        columns = [name.strip() for name in schema.split(",")] if form == "CSV" else _of_schema(schema)
        if missing := sorted(_NEEDED - {_COLUMNS.get(_plain(name)) for name in columns}):
            cure = "let it include all versions and the last modified date"
            raise NeedsAttention(f"the inventory does not say {', '.join(missing)} of each object: {cure}")
        return Manifest(form, tuple(columns), files)


def _csv(path: Path, columns: tuple[str, ...], start: int) -> Iterator[list[Any]]:
    """Rows from number `start` on; their keys are URL-encoded."""
    keys = [number for number, name in enumerate(columns) if _plain(name) == "key"]
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            for row in islice(csv.reader(file), start, None):
                if len(row) != len(columns):
                    raise csv.Error
                for number in keys:
                    row[number] = unquote_plus(row[number])
                yield row
    except (csv.Error, EOFError, OSError, UnicodeDecodeError, zlib.error):
        raise NeedsAttention(_UNREADABLE) from None


def _parquet(path: Path, columns: tuple[str, ...], start: int) -> Iterator[list[Any]]:
    import duckdb

    wanted = [_selected(name) for name in columns]
    query = f"SELECT {', '.join(wanted)} FROM read_parquet(?, file_row_number = true) WHERE file_row_number >= ?"  # noqa: S608 - column names that passed _of_schema
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": _BUFFER,
        "temp_directory": str(path.parent),
        "threads": 1,
    }
    try:
        with closing(duckdb.connect(config=settings)) as database:
            answer = database.execute(query, [str(path), start])
            while batch := answer.fetchmany(1000):
                yield from map(list, batch)
    except duckdb.Error:
        raise NeedsAttention(_UNREADABLE) from None


def _selected(column: str) -> str:
    """Moments as milliseconds, whichever of Parquet's ways they are written in."""
    return f'epoch_ms("{column}")' if _COLUMNS.get(_plain(column)) == "last_modified" else f'"{column}"'


def _of_schema(schema: str) -> list[str]:
    """Names of the columns in `message s3.inventory { required binary bucket (UTF8); ... }`."""
    return re.findall(r"(?:required|optional)\s+\w+\s+(\w+)", schema)


def _entry(row: dict[str, Any]) -> Entry:
    """As a listing would have it. What an inventory need not hold (size, etag) is there if it does."""
    marker = row["is_delete_marker"] in (True, "true")
    entry: Entry = {
        "key": row["key"],
        "kind": "delete_marker" if marker else "version",
        "version_id": row["version_id"] or "null",
        "is_latest": row["is_latest"] in (True, "true"),
        "last_modified": _moment(row["last_modified"]),
    }
    if not marker and str(row.get("size", "")).isdecimal():
        entry["size"] = int(row["size"])
    if not marker and row.get("etag"):
        entry["etag"] = '"' + row["etag"].strip('"') + '"'
    return entry


def _moment(value: Any) -> str:
    """A moment as `stamp` writes it; text that is none stays, and keeps its object."""
    found = instant(value // 1000 if isinstance(value, int) else value)
    return stamp(found) if found else str(value)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _md5(text: bytes) -> hashlib._Hash:
    return hashlib.md5(text, usedforsecurity=False)
