"""A package so large, and time so short, that its upload to S3 is paused after every entry: the process dies after each
call to S3 that has an effect, and the package is the same in the end."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws
from moto.s3.models import S3Backend

from rightful.aws import uploads
from rightful.aws.clients import Clients
from rightful.aws.files import S3Files
from rightful.service import discovering, exporting, packaging, planning
from tests.fakes.company import small_map, small_stores
from tests.fakes.s3_repairs import upload_part
from tests.fakes.state_machine import Killed
from tests.fakes.world import World, forever, make_world
from tests.faults.wire import Fault, Wire, no_waiting

BUCKET, KEY = "example-exports", "packages/r1.zip"
STORES = ("accounts", "surveys")
PART = 600
"""Bytes; most entries are smaller and some are larger, so that pauses fall within parts and between them."""
EFFECTS = ("Put", "Create", "Upload", "Complete", "Delete", "Abort")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr(uploads, "PART", PART)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    monkeypatch.setattr(S3Backend, "upload_part", upload_part)
    with mock_aws(), no_waiting():
        yield Clients(region="us-east-1").get("s3")


def exported(files: S3Files) -> World:
    """An access of which only the package is missing; a store holds an original file of several parts."""
    datamap = small_map()
    stores = {name: small_stores()[name] for name in STORES}
    account = stores["accounts"]
    account.files[account.key_of({"id": "a1"})] = bytes(range(256)) * 8
    world = make_world(replace(datamap, stores={name: datamap.stores[name] for name in STORES}), stores)
    world.deps = replace(world.deps, files=files)
    world.ask_for("access")
    discovering.step(world.deps, "r1", forever)
    planning.step(world.deps, "r1")
    for name in STORES:
        exporting.step(world.deps, "r1", name, forever)
    return world


def pack(s3: Any, wire: Wire, at: int = -1) -> tuple[dict[str, bytes], int]:
    """The files of the package, packed by one process after another, and how many there were."""
    files = S3Files(s3, BUCKET)
    s3.create_bucket(Bucket=BUCKET)
    wire.begin()
    world = exported(files)
    wire.begin(at, Fault.killed_after)
    rounds, done = 0, False
    while not done:
        rounds += 1
        try:
            done = packaging.step(world.deps, "r1", lambda: 0.0)["done"]
        except Killed:
            continue
    wire.fault = None
    assert list(files.list("")) == [KEY], "no work, no tail is left"
    archive = zipfile.ZipFile(io.BytesIO(b"".join(files.read(KEY))))
    assert archive.testzip() is None
    assert len(archive.namelist()) == len(set(archive.namelist()))
    for upload in s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):  # the bucket's own rule ends these
        s3.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
    files.delete(KEY)
    return {name: archive.read(name) for name in archive.namelist()}, rounds


def test_a_package_that_is_paused_again_and_again_survives_every_kill(s3: Any) -> None:
    wire = Wire()
    wire.watch(s3)
    undisturbed, rounds = pack(s3, wire)
    calls = list(wire.calls)
    operations = [call.operation for call in calls]
    assert rounds > len(undisturbed)
    assert operations.count("UploadPart") > 3
    assert operations.count("CompleteMultipartUpload") == 1
    differing = []
    for at, operation in enumerate(operations):
        if operation.startswith(EFFECTS):
            disturbed, _ = pack(s3, wire, at)
            differing += [f"call {at}, {operation}"] * (disturbed != undisturbed)
    assert not differing
