"""Objects in S3: every version, every delete marker and every unfinished upload, each a record of its own.

Deleting always names the version, so that it removes bytes and never leaves a marker. A lock is never bypassed.
Unfinished uploads have no tags and no readable metadata: only look-ups by prefix find them. A delete marker is the
person's by tag or metadata when a version of the same key is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

from rightful.aws.errors import PASSING, error_code, from_code, translate, translated
from rightful.errors import NeedsAttention, NotFound, RightfulError, TryAgain, Unreadable
from rightful.model import Done, Locator, Page, Record, Result, Store
from rightful.ports import Clock
from rightful.stores import s3_objects_map
from rightful.stores.s3_objects_entries import Entry, listed, plain_key, record_of, uploads, version_of
from rightful.stores.s3_versions import of_keys
from rightful.stores.sessions import Session, client

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client

VERSIONS: Final = "versions"
UPLOADS: Final = "uploads"
"""The two listings of a bucket. A cursor is JSON: the listing, then S3's markers in it."""
CHUNK: Final = 1024 * 1024
DELETE_AT_ONCE: Final = 1000
GONE: Final = frozenset({"NoSuchKey", "NoSuchUpload", "NoSuchVersion"})
UNLOCKED: Final = GONE | {"InvalidRequest", "NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"}
"""What S3 answers about the lock of an object that has none."""
OUT_OF_REACH: Final = frozenset(
    {
        "InvalidObjectState",  # archived, and not restored
        "InvalidRequest",  # sealed with a key that only who wrote it has (SSE-C)
        "KMS.DisabledException",
        "KMS.InvalidStateException",
        "KMS.KMSInvalidStateException",
        "KMS.NotFoundException",
    }
)
"""What S3 answers of an object that is there and cannot be read as it is."""
OF_CONTENT: Final = frozenset({"etag", "last_modified", "size", "content_type", "metadata"})
"""Attributes that an overwrite changes. Only the version `null` can be overwritten."""
OF_ALL: Final = frozenset({"InvalidAccessKeyId", "NoSuchBucket", "SignatureDoesNotMatch"})
"""What S3 answers about one object that is true of all."""
NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that a key may hold but a DeleteObjects body cannot."""


class S3Objects:
    name = "s3_objects"
    Settings = s3_objects_map.Settings
    Through = s3_objects_map.Through
    check = staticmethod(s3_objects_map.check)
    permissions = staticmethod(s3_objects_map.permissions)

    def __init__(
        self,
        client: S3Client,
        settings: s3_objects_map.Settings,
        clock: Clock,
        *,
        locate: Sequence[Locator],
        tags: bool,
        metadata: bool,
    ) -> None:
        self._client = client
        self._locate = locate
        self._settings = settings
        self._bucket = settings.bucket
        self._clock = clock
        self._reads_tags = tags
        self._reads_metadata = metadata

    @classmethod
    def from_store(cls, store: Store, session: Session, clock: Clock = lambda: datetime.now(UTC)) -> Self:
        return cls(
            client(store, session, "s3"),
            s3_objects_map.Settings(**store.settings),
            clock,
            locate=store.locate,
            tags=s3_objects_map.reads_tags(store),
            metadata=s3_objects_map.reads_metadata(store),
        )

    def find(self, locator: Locator, value: str, cursor: str | None, limit: int) -> Page:
        through = s3_objects_map.Through(**locator.through)
        prefix = through.key_prefix(self._settings, value)
        if prefix is None:
            return Page(())
        at: list[str] | None = json.loads(cursor) if cursor else [VERSIONS]
        entries: list[Entry] = []
        with translated():
            if at and at[0] == VERSIONS:
                entries, at = self._versions(prefix, at[1:], limit)
                if at is None and through.prefix:
                    at = [UPLOADS]
            if at and at[0] == UPLOADS and len(entries) < limit:
                found, markers = self.unfinished(prefix, at[1:], limit - len(entries))
                entries += found
                at = [UPLOADS, *markers] if markers else None
        records = [record_of(entry) for entry in entries if through.finds(self._settings, entry, value)]
        return Page(tuple(records), json.dumps(at) if at else None)

    def matches(self, record: Record, locator: Locator, value: str) -> bool:
        return s3_objects_map.Through(**locator.through).finds(self._settings, record.data, value)

    def identities(self, record: Record) -> set[tuple[str, str]]:
        return s3_objects_map.identities(self._settings, self._locate, record.data)

    def delete(self, records: Sequence[Record], guard: Sequence[str]) -> list[Result]:
        """One failing object does not keep the others: what could be deleted is, and then the error is raised."""
        results = self.outcomes(records, guard)
        for failed in results:
            if isinstance(failed, RightfulError):
                raise failed
        return [result for result in results if isinstance(result, Result)]

    def outcomes(self, records: Sequence[Record], guard: Sequence[str]) -> list[Result | RightfulError]:
        """Deletes as `delete` does, and tells of each record what came of it, errors too. Raises what befell all."""
        outcomes: dict[str, Result | RightfulError] = {}
        together: list[Record] = []
        with translated():
            now = self._now(records) if not OF_CONTENT.isdisjoint(guard) else None
            for record in records:
                if record.data["kind"] == "upload":
                    outcomes[record.key] = self._abort(record.data)
                elif unlike := self._compare(record.data, guard, now):
                    outcomes[record.key] = unlike
                elif NOT_IN_XML.search(record.data["key"]):
                    outcomes[record.key] = self._delete_alone(record)
                else:
                    together.append(record)
            for start in range(0, len(together), DELETE_AT_ONCE):
                outcomes.update(self._delete_together(together[start : start + DELETE_AT_ONCE]))
        return [outcomes[record.key] for record in records]

    def anonymise(self, records: Sequence[tuple[Record, Mapping[str, Any]]], guard: Sequence[str]) -> list[Result]:  # noqa: ARG002 - the port's signature
        raise NeedsAttention("objects cannot be anonymised; the data map says to delete or keep them")

    def open(self, record: Record) -> Iterator[bytes]:
        from botocore.exceptions import ClientError

        with translated():
            try:
                answer = self._client.get_object(Bucket=self._bucket, **version_of(record.data))
            except ClientError as error:
                code = error_code(error)
                if code in GONE:
                    raise NotFound("The object is no longer there.") from None
                if code in OUT_OF_REACH or (code == "AccessDenied" and self._is_seen(record.data)):
                    raise Unreadable(f"GetObject answered {code}") from None
                raise
            yield from answer["Body"].iter_chunks(CHUNK)

    def _is_seen(self, version: Mapping[str, Any]) -> bool:
        """Whether an object that may not be read shows its head, for which the same permission is needed but no key:
        then it is the object's KMS key that is refused, and not the bucket."""
        from botocore.exceptions import ClientError

        try:
            self._client.head_object(Bucket=self._bucket, **version_of(version))
        except ClientError as error:
            if error_code(error) not in {"403", "AccessDenied"}:
                raise
            return False
        return True

    # Finding

    def _versions(self, prefix: str, markers: Sequence[str], limit: int) -> tuple[list[Entry], list[str] | None]:
        """Versions and delete markers, and where the listing goes on."""
        question: dict[str, Any] = dict(zip(("KeyMarker", "VersionIdMarker"), markers, strict=False))
        answer = self._client.list_object_versions(Bucket=self._bucket, Prefix=prefix, MaxKeys=limit, **question)
        entries = [self.detailed(entry) for entry in listed(answer)]
        if not answer["IsTruncated"]:
            return entries, None
        return entries, [VERSIONS, answer["NextKeyMarker"], answer["NextVersionIdMarker"]]

    def unfinished(self, prefix: str, markers: Sequence[str], limit: int) -> tuple[list[Entry], list[str] | None]:
        """Unfinished uploads, and the markers with which the listing goes on."""
        question: dict[str, Any] = dict(zip(("KeyMarker", "UploadIdMarker"), markers, strict=False))
        answer = self._client.list_multipart_uploads(
            Bucket=self._bucket, Prefix=prefix, MaxUploads=limit, EncodingType="url", **question
        )
        if not answer["IsTruncated"]:
            return uploads(answer), None
        return uploads(answer), [plain_key(answer, answer["NextKeyMarker"]), answer["NextUploadIdMarker"]]

    def detailed(self, entry: Entry) -> Entry:
        """With what the store's look-ups go by. A delete marker has that of the newest version of its key."""
        if not (self._reads_tags or self._reads_metadata):
            return entry
        version: Entry | None = entry
        if entry["kind"] == "delete_marker":
            others = of_keys(self._client, self._bucket, [entry["key"]])
            version = next((each for each in others if each["kind"] == "version"), None)
        return entry if version is None else entry | self._described(version)

    def _described(self, version: Entry) -> Entry:
        from botocore.exceptions import ClientError

        described: Entry = {}
        try:
            if self._reads_tags:
                described["tags"] = self._tags(version)
            if self._reads_metadata:
                head = self._client.head_object(Bucket=self._bucket, **version_of(version))
                described |= {"metadata": head["Metadata"], "content_type": head["ContentType"]}
        except ClientError as error:
            if error_code(error) not in GONE:
                raise
        return described

    def _tags(self, version: Entry) -> dict[str, str]:
        answer = self._client.get_object_tagging(Bucket=self._bucket, **version_of(version))
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    # Deleting

    def _abort(self, upload: Mapping[str, Any]) -> Result | RightfulError:
        from botocore.exceptions import ClientError

        try:
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=upload["key"], UploadId=upload["upload_id"])
        except ClientError as error:
            if error_code(error) in GONE:  # after a try whose answer was lost, it is gone by our own hand
                again = error.response["ResponseMetadata"].get("RetryAttempts")
                return Result(Done.deleted if again else Done.gone)
            return _of_one(error)
        return Result(Done.deleted)

    def _now(self, records: Sequence[Record]) -> dict[str, Entry]:
        """What the version `null` of each record's key is now. Only that can be overwritten."""
        keys = [record.data["key"] for record in records if record.data.get("version_id") == "null"]
        return {entry["key"]: entry for entry in of_keys(self._client, self._bucket, keys) if _is_null(entry)}

    def _compare(
        self, read: Mapping[str, Any], guard: Sequence[str], now: Mapping[str, Entry] | None
    ) -> Result | RightfulError | None:
        """What stands against deleting: it is gone, or no longer what was read. A version with an id never changes
        but for its tags, so that most guards ask for no call."""
        from botocore.exceptions import ClientError

        if now is not None and _is_null(read):
            found = now.get(read["key"])
            if found is None:
                return Result(Done.gone)
            known = {"kind", "etag", "last_modified", "size"} & ({*read, *guard})
            if any(found.get(name) != read.get(name) for name in known):
                return Result(Done.changed)
        if "tags" in guard and read["kind"] == "version":
            try:
                return Result(Done.changed) if self._tags(dict(read)) != read.get("tags", {}) else None
            except ClientError as error:
                if error_code(error) in GONE:
                    return Result(Done.gone)
                return _of_one(error)
        return None

    def _delete_alone(self, record: Record) -> Result | RightfulError:
        """For a key that the body of DeleteObjects cannot hold."""
        from botocore.exceptions import ClientError

        try:
            self._client.delete_object(Bucket=self._bucket, **version_of(record.data))
        except ClientError as error:
            if error_code(error) in PASSING or error_code(error) in OF_ALL:
                raise
            return self._refused(record, error_code(error))
        return Result(Done.deleted)

    def _send_delete(self, records: Sequence[Record]) -> dict[str, str]:
        """Error codes, by record key, of those that S3 did not delete."""
        wanted: Any = {"Objects": [version_of(record.data) for record in records], "Quiet": True}
        errors = self._client.delete_objects(Bucket=self._bucket, Delete=wanted).get("Errors", [])
        codes = {(error.get("Key"), error.get("VersionId")): error.get("Code", "Unknown") for error in errors}
        failed = {}
        for record in records:
            key, version = record.data["key"], record.data["version_id"]
            # An error that names no version stands for every version of its key: each is looked at again.
            code = codes.get((key, version)) or codes.get((key, None))
            if code:
                failed[record.key] = code
        if codes and not failed:
            raise from_code("DeleteObjects", next(iter(codes.values())))
        return failed

    def _delete_together(self, records: Sequence[Record]) -> Iterator[tuple[str, Result | RightfulError]]:
        """The outcome of each. Those that were throttled are sent again, alone, while that gets any further."""
        pending = {record.key: record for record in records}
        while pending:
            failed = self._send_delete(list(pending.values()))
            yield from ((key, Result(Done.deleted)) for key in pending if key not in failed)
            passing = {key for key, code in failed.items() if code in PASSING}
            for key in failed.keys() - passing:
                yield key, self._refused(pending[key], failed[key])
            if len(passing) == len(pending):
                raise TryAgain(f"DeleteObjects answered {next(iter(failed.values()))} for every object")
            pending = {key: record for key, record in pending.items() if key in passing}

    def _refused(self, record: Record, code: str) -> Result | RightfulError:
        if code in GONE:
            return Result(Done.gone)
        if code == "AccessDenied" and record.data["kind"] == "version" and (lock := self._lock(record.data)):
            return lock
        return from_code("DeleteObjects", code)

    def _lock(self, version: Mapping[str, Any]) -> Result | None:
        """The Object Lock that stands against deleting: a legal hold has no end."""
        from botocore.exceptions import ClientError

        named = {"Bucket": self._bucket, **version_of(version)}
        try:
            if self._client.get_object_legal_hold(**named)["LegalHold"].get("Status") == "ON":
                return Result(Done.blocked)
        except ClientError as error:
            if error_code(error) not in UNLOCKED:
                raise
        try:
            until = self._client.get_object_retention(**named)["Retention"].get("RetainUntilDate")
        except ClientError as error:
            if error_code(error) not in UNLOCKED:
                raise
            until = None
        return Result(Done.blocked, until.astimezone(UTC)) if until and until > self._clock() else None


def _is_null(version: Mapping[str, Any]) -> bool:
    return bool(version["version_id"] == "null")


def _of_one(error: ClientError) -> RightfulError:
    """An error of a call about one object, if it is of that object alone; else it is raised again."""
    found = translate(error)
    if isinstance(found, TryAgain) or error_code(error) in OF_ALL:
        raise error
    return found
