"""One access request and one erasure: CPU of our Lambdas over the whole request, warm, with what they asked of AWS.

Ours: every handler that takes part, the API's among them, over the sample's stores with 1,000 people on an emulator
that is a process of its own, so that its CPU is not counted. Floor: the same calls, made again with botocore alone
and answered from memory with what was answered then: serialising, signing and parsing. Baseline: ethyca-fides 2.86 on
the same kind of machine, measured in November 2026 and not in this run.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final
from unittest.mock import patch

from infra.local import emulator
from infra.sample.clients import maker
from infra.sample.seed import seed
from rightful.model import RequestType
from tests.bench.account import REGION, prepare
from tests.bench.driving import Company, deployed
from tests.bench.meter import Meter
from tests.bench.replay import Replay
from tests.bench.results import Result

PORT = int(os.environ.get("RIGHTFUL_PORT", "4566"))
PEOPLE: Final = 1_000
ROUNDS: Final = 9
TARGETS: Final[dict[RequestType, float]] = {"access": 0.25, "erasure": 0.45}
"""CPU seconds: a fifth of the baseline."""
FIDES: Final[dict[RequestType, float]] = {"access": 1.26, "erasure": 2.3}
"""CPU seconds per request: 11 collections, 100,000 customers, PostgreSQL and Redis not counted."""


def run(rounds: int = ROUNDS) -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as scratch, _emulated(Path(scratch)) as people:
        meter = Meter().watch()
        company = Company(meter)
        waiting = iter(people)
        for kind in TARGETS:
            yield _request(kind, company, meter, waiting, rounds)


def _request(kind: RequestType, company: Company, meter: Meter, people: Iterator[str], rounds: int) -> Result:
    company.answer(kind, next(people))
    with meter.counted() as counts, Replay().recording() as replay:
        transitions = company.answer(kind, next(people)).transitions
    ours, floor = [], []
    for email in (next(people) for _ in range(rounds)):
        ours.append(meter.timed(partial(company.answer, kind, email)))
        floor.append(replay.cpu())
    return Result(
        case=f"request_{kind}",
        unit="s CPU",
        ours=median(ours),
        floor=median(floor),
        baseline=FIDES[kind],
        rounds=rounds,
        target=TARGETS[kind],
        judged="ours",
        details={"transitions": transitions, **counts},
    )


@contextmanager
def _emulated(folder: Path) -> Iterator[list[str]]:
    """An emulator with the sample in it, and this process set up as its Lambdas are; addresses of people."""
    emulator.start(PORT, folder)
    emulator_url = f"http://{emulator.HOST}:{PORT}"
    try:
        with (
            patch.dict(os.environ, emulator.client_environment(PORT)),
            deployed(folder, prepare(maker(emulator_url, REGION))),
        ):
            truth = seed(emulator_url, REGION, PEOPLE, truth=folder / "truth.json")
            persons = json.loads(truth.read_text())["persons"]
            yield [email for email, person in persons.items() if person["trait"] == "ordinary"]
    finally:
        emulator.stop(folder)
