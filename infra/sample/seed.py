"""Puts the sample into its stores (infra/sample/template.yaml) and writes the ground truth beside.

`python -m infra.sample.seed --endpoint http://127.0.0.1:4566 --people 1000 --seed 7`
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer

from infra.sample.clients import THREADS, Clients, maker
from infra.sample.generate import Subject, generate
from infra.sample.holding import Stored
from infra.sample.keys import event_object
from infra.sample.records import nobodys
from infra.sample.truth import Writer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import WriteRequestTypeDef

BATCH = 25
"""Items that one BatchWriteItem takes."""
IN_FLIGHT = 4 * THREADS
"""Calls that wait for a thread, at most: people are generated no faster than they are written."""
TRUTH = Path("build/sample/truth.json")


def seed(
    endpoint: str | None,
    region: str,
    people: int = 1000,
    seed: int = 7,
    *,
    truth: Path = TRUTH,
    as_of: datetime | None = None,
    lock: bool = False,
) -> Path:
    """Writes the sample; the path of its truth. `as_of` is today's midnight (UTC) unless given, so that retention
    and kept invoices fit the day. `lock`: one file goes under an Object Lock of 30 days, which the uploads
    bucket must allow. The stores are expected to be empty: what else is in them stays."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    as_of = as_of or midnight
    clients = Clients.of(maker(endpoint, region))
    with (
        Writer(truth, people=people, seed=seed, as_of=as_of) as writer,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        load = _Load(clients, threads, midnight + timedelta(days=30))
        for subject in generate(people, seed, as_of, lock=lock):
            writer.add(subject.holding, subject.shares)
            load.add(subject)
        load.finish()
    return truth


class _Load:
    """Writes in batches, on several threads, with a bounded backlog."""

    def __init__(self, clients: Clients, threads: ThreadPoolExecutor, locked_until: datetime) -> None:
        self._clients, self._threads, self._locked_until = clients, threads, locked_until
        self._serialise = TypeSerializer().serialize
        self._batch: list[tuple[str, WriteRequestTypeDef]] = []
        self._days: dict[str, io.BytesIO] = {}
        self._files: dict[str, gzip.GzipFile] = {}
        self._running: set[Future[None]] = set()

    def add(self, subject: Subject) -> None:
        for row in subject.holding.rows:
            item = {name: self._serialise(value) for name, value in row.item.items()}
            self._batch.append((self._clients.table(row.store), {"PutRequest": {"Item": item}}))
            if len(self._batch) == BATCH:
                self._flush()
        for stored in subject.holding.files:
            self._submit(self._put_file, stored)
        for event in subject.holding.events:
            self._day(event.day).write(json.dumps(event.line, ensure_ascii=False).encode() + b"\n")

    def finish(self) -> None:
        if self._batch:
            self._flush()
        for stored in nobodys():
            self._submit(self._put_file, stored)
        for day, file in self._files.items():
            file.close()
            self._submit(self._put_day, day)
        for future in wait(self._running).done:
            future.result()

    def _day(self, day: str) -> gzip.GzipFile:
        if day not in self._files:
            self._days[day] = io.BytesIO()
            self._files[day] = gzip.GzipFile(filename="", mode="wb", fileobj=self._days[day], mtime=0)
        return self._files[day]

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        self._submit(self._put_rows, batch)

    def _submit(self, write: Any, what: Any) -> None:
        if len(self._running) >= IN_FLIGHT:
            done, self._running = wait(self._running, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
        self._running.add(self._threads.submit(write, what))

    def _put_rows(self, batch: list[tuple[str, WriteRequestTypeDef]]) -> None:
        left: dict[str, list[WriteRequestTypeDef]] = {}
        for table, request in batch:
            left.setdefault(table, []).append(request)
        for pause in _pauses():
            left = dict(self._clients.dynamodb.batch_write_item(RequestItems=left)["UnprocessedItems"])  # type: ignore[arg-type]  # the answer's items are typed apart from the question's
            if not left:
                return
            time.sleep(pause)  # DynamoDB asks for a back-off before its unprocessed items are sent again
        raise TimeoutError("DynamoDB left items unprocessed ten times over")

    def _put_file(self, stored: Stored) -> None:
        s3, bucket, key = self._clients.s3, self._clients.bucket("uploads"), stored.key
        for version in stored.versions:
            if version.body is None:
                s3.delete_object(Bucket=bucket, Key=key)
            elif version.locked:
                s3.put_object(
                    Bucket=bucket,
                    Key=key,
                    Body=version.body,
                    ObjectLockMode="GOVERNANCE",
                    ObjectLockRetainUntilDate=self._locked_until,
                )
            else:
                s3.put_object(Bucket=bucket, Key=key, Body=version.body)
        for _ in range(stored.unfinished):
            upload = s3.create_multipart_upload(Bucket=bucket, Key=key)
            part = b"half of a file"
            s3.upload_part(Bucket=bucket, Key=key, UploadId=upload["UploadId"], PartNumber=1, Body=part)

    def _put_day(self, day: str) -> None:
        body = self._days[day].getvalue()
        self._clients.s3.put_object(Bucket=self._clients.bucket("usage_events"), Key=event_object(day), Body=body)


def _pauses() -> Iterator[float]:
    """Seconds between tries of what a throttled table left over."""
    return (0.05 * 2**attempt for attempt in range(10))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", help="an emulator's address; AWS itself when left out")
    parser.add_argument("--region", default="eu-west-1")
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", "--truth", type=Path, default=TRUTH, help="where the ground truth goes")
    parser.add_argument(
        "--lock", action="store_true", help="put one file under Object Lock, which the bucket must allow"
    )
    given = parser.parse_args()
    print(seed(given.endpoint, given.region, given.people, given.seed, truth=given.out, lock=given.lock))


if __name__ == "__main__":
    main()
