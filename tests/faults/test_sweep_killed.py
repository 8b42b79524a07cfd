"""The sweep over real adapters, killed at every AWS call, or told nothing of what a call did and so calling again: it
ends as if nothing had been.

A container leaves no trace but its calls, so a kill after one call differs from a kill before the next only where the
call is the last one that the container makes; those that write are tried both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import S3Backend, s3_backends

from rightful.model import DataMap
from tests.fakes.aws_world import REGION, Aws, account
from tests.fakes.partiql import partiql
from tests.fakes.s3_repairs import list_object_versions
from tests.faults.swept import BUCKET, SWEEPING, Company, bucket_map, create, table_map
from tests.faults.test_sweep import adds_up
from tests.faults.wire import Call, Fault, Wire, no_waiting
from tests.functional.sweep.company import NEW, OLD

READS = ("BatchGet", "Decrypt", "Describe", "Generate", "Get", "Head", "List", "Query", "Scan")
FEWEST = 60
"""Calls of a run; far fewer would mean that the wire is not watched."""
AUTUMN = "2025-11-01T00:00:00Z"
"""A year and a day ago, in the first month of the index."""
ITEMS: dict[str, list[dict[str, Any]]] = {
    "accounts": [
        *({"id": f"a{n}", "used_at": OLD, "email": f"{n}@example.org"} for n in range(3)),
        {"id": "a5", "used_at": OLD, "status": "active"},
        {"id": "a6", "used_at": NEW},
        {"id": "a7", "used_at": "soon"},
    ],
    "answers": [{"id": f"v{n}", "used_at": OLD, "email": f"{n}@example.org", "note": "x"} for n in range(2)],
    "events": [
        *({"id": f"e{n}", "used_at": AUTUMN, "month": AUTUMN[:7]} for n in range(2)),
        {"id": "e3", "used_at": NEW, "month": AUTUMN[:7]},
    ],
}


FILES = {
    # key: (versions and, where it ends so, a delete marker; oldest first), when each was written
    "accounts/1/letter": (OLD, OLD, "marker"),
    "accounts/1/locked": (OLD, "marker"),
    "accounts/2/photo": (OLD, NEW),
    "accounts/3/new": (NEW,),
}
LOCKED = "accounts/1/locked"


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with pytest.MonkeyPatch.context() as patch, account() as made, partiql(), no_waiting():
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        for name, items in ITEMS.items():
            create(made.own.get("dynamodb"), name, items)
        create_bucket(made.own.get("s3"))
        patch.setattr(S3Backend, "list_object_versions", list_object_versions)
        yield made


@pytest.fixture(scope="module")
def wire(aws: Aws) -> Wire:
    wire = Wire()
    for service in ("dynamodb", "kms", "s3"):
        wire.watch(aws.watched.get(service))
    for service in ("dynamodb", "s3"):
        wire.watch(aws.watched.get(service, None, SWEEPING))
    return wire


def create_bucket(s3: Any) -> None:
    """Versions, delete markers, an unfinished upload, and a legal hold on a version that a marker hides."""
    s3.create_bucket(
        Bucket=BUCKET,
        CreateBucketConfiguration={"LocationConstraint": REGION},
        ObjectLockEnabledForBucket=True,
    )
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for key, times in FILES.items():
        for number, when in enumerate(times):
            if when == "marker":
                s3.delete_object(Bucket=BUCKET, Key=key)
            else:
                hold = {"ObjectLockLegalHoldStatus": "ON"} if key == LOCKED else {}
                s3.put_object(Bucket=BUCKET, Key=key, Body=b"x", **hold)
            written = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].get_bucket(BUCKET).keys.getlist(key)[-1]
            moment = datetime.fromisoformat(OLD if when == "marker" else when) + timedelta(seconds=number)
            written.last_modified = moment.replace(tzinfo=None)
    s3.create_multipart_upload(Bucket=BUCKET, Key="accounts/1/film")


def tables_left(company: Company) -> dict[str, Any]:
    left = {name: company.items(f"swept-{name}") for name in ITEMS}
    for answer in left["answers"].values():
        answer.pop("rightful_anonymised_at", None)
    return left


def objects_left(company: Company) -> dict[str, Any]:
    s3 = company.aws.own.get("s3")
    listing = s3.list_object_versions(Bucket=BUCKET)
    uploads = s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    return {
        "versions": [(each["Key"], each["LastModified"]) for each in listing.get("Versions", [])],
        "markers": [each["Key"] for each in listing.get("DeleteMarkers", [])],
        "uploads": [each["Key"] for each in uploads],
    }


@dataclass(frozen=True)
class Scene:
    """`left` tells what a sweep left; `keys` is what that is, seen from far."""

    datamap: DataMap
    left: Callable[[Company], dict[str, Any]]
    keys: dict[str, list[str]]


SCENES = {
    "tables": Scene(
        table_map(*ITEMS, max_rcu=2),
        tables_left,
        {"accounts": ["a5", "a6", "a7"], "answers": ["v0", "v1"], "events": ["e3"]},
    ),
    "objects": Scene(
        bucket_map(),
        objects_left,
        {"versions": [LOCKED, "accounts/2/photo", "accounts/3/new"], "markers": [LOCKED], "uploads": []},
    ),
}


def run(aws: Aws, wire: Wire, scene: Scene, at: int = -1, fault: Fault | None = None) -> dict[str, Any]:
    """One sweep of a fresh company; its outcome."""
    aws.fresh("accounts")
    company = Company(aws, scene.datamap)
    wire.begin(at, fault)
    company.sweep("apply").run()
    counts = company.report()
    for each in counts.values():
        assert adds_up(each)
    return {"left": scene.left(company), "counts": counts}


@pytest.mark.parametrize("fault", [Fault.killed_before, Fault.killed_after, Fault.answer_lost])
@pytest.mark.parametrize("name", SCENES)
def test_wherever_it_is_killed_or_not_answered_the_end_and_the_counts_are_the_same(
    aws: Aws, wire: Wire, name: str, fault: Fault
) -> None:
    scene = SCENES[name]
    undisturbed = run(aws, wire, scene)
    calls = list(wire.calls)
    assert len(calls) >= FEWEST
    assert {kind: [_key(each) for each in some] for kind, some in undisturbed["left"].items()} == scene.keys
    differences = []
    for at, call in enumerate(calls):
        if fault.needs_effect and call.operation.startswith(READS):
            continue
        disturbed = run(aws, wire, scene, at, fault)
        assert wire.calls[at] == call, "runs make the same calls until something breaks"
        parts = [part for part in undisturbed if disturbed[part] != undisturbed[part]]
        differences += [f"{fault} at {_name(calls, at)}: {', '.join(parts)} differ"] * bool(parts)
    assert not differences, "\n".join(differences)


def _key(left: Any) -> str:
    return left if isinstance(left, str) else left[0]


def _name(calls: list[Call], at: int) -> str:
    return f"call {at} of {len(calls)}, {calls[at].service} {calls[at].operation}"
