"""How many AWS calls one request makes when very many other people are stored: in moto, so nothing here is a time.

Ours: calls with 100,000 people. Floor: the same request of the same person with 1,000.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from moto import mock_aws

from infra.sample.clients import maker
from infra.sample.generate import AS_OF
from infra.sample.seed import seed
from rightful.model import RequestType
from tests.bench.account import REGION, prepare
from tests.bench.crowd import crowd
from tests.bench.driving import Company, deployed
from tests.bench.meter import Meter
from tests.bench.results import Result

FEW, MANY = 1_000, 100_000
KINDS: Final[tuple[RequestType, ...]] = ("access", "erasure")
PERSON: Final = "ada.lovelace@example.com"
"""Of the sample's, who has something in every store."""


def run() -> Iterator[Result]:
    few, many = counts(FEW), counts(MANY)
    for kind in KINDS:
        yield Result(
            case=f"calls_{kind}",
            unit="AWS calls",
            ours=many[kind]["calls"],
            floor=few[kind]["calls"],
            rounds=1,
            target=1,
            details={f"with {FEW} people": few[kind], f"with {MANY} people": many[kind]},
        )


def counts(people: int) -> dict[RequestType, dict[str, Any]]:
    """What an access and then an erasure of one person cost among `people` others."""
    credentials = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "none")
    with (
        tempfile.TemporaryDirectory() as scratch,
        mock_aws(),
        patch.dict(os.environ, {**credentials, "AWS_DEFAULT_REGION": REGION}),
        deployed(Path(scratch), prepare(maker(None, REGION))),
    ):
        os.environ.pop("AWS_ENDPOINT_URL", None)
        seed(None, REGION, 1, truth=Path(scratch, "truth.json"), as_of=AS_OF)
        crowd(people)
        return _answered()


def _answered() -> dict[RequestType, dict[str, Any]]:
    meter = Meter().watch()
    company, found = Company(meter), {}
    for kind in KINDS:
        with meter.counted() as counted:
            transitions = company.answer(kind, PERSON).transitions
        found[kind] = {"transitions": transitions, **counted}
    return found
