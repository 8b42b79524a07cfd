"""The retention sweep over DynamoDB: CPU of our own process for a page that is read, and for a delete; memory.

DynamoDB's answers come canned from another process (`tests.bench.canned`). A page is timed with all that the sweep does
to it: the signed request, the answer, the decision which records are surely in use, the others as records.
Floor: `orjson.loads` of the page, and nothing else. Baseline: `client.scan`; for deletes, one conditional `delete_item`
after the other, as the connector does.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, Literal
from unittest.mock import patch

import orjson

from rightful import retention
from rightful.aws.clients import Clients
from rightful.model import Erasure, Locator, Record, Retention, Store
from rightful.ports import Wanted
from rightful.stores.dynamodb import DynamoDB
from rightful.stores.dynamodb_sweep import DynamoDBSweeper
from tests.bench import canned
from tests.bench.results import ROOT, Result
from tests.bench.rounds import paired

ROUNDS: Final = 9
PAGES, BATCHES = 10, 10
"""Of which one round is made."""
FLOOR_TARGET, SCAN_TARGET, DELETE_TARGET, MEMORY_TARGET = 0.4, 30.0, 15.0, 8.0
RULE: Final = Retention(period="P1Y", since="last_used_at")
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
REGION: Final = "eu-west-1"
SEGMENT: Final = "[0, 1]"


def run() -> Iterator[Result]:
    with canned.serving() as endpoint, patch.dict(os.environ, CREDENTIALS):
        yield from _reading(endpoint)
        yield _deleting(endpoint)
        yield _remembering(endpoint)


def store(table: str) -> Store:
    return Store(
        title="Events",
        connector="dynamodb",
        purpose="measuring",
        lawful_basis="contract",
        retention=RULE,
        erasure=Erasure(action="delete"),
        settings={"table": table, "key": list(canned.KEY)},
        locate=[Locator(by="account", through={"key": "pk", "value": "ACCOUNT#{}"})],
        region=REGION,
    )


def wanted() -> Wanted:
    cut = retention.due_after(RULE, datetime.fromisoformat(canned.NOW))
    return Wanted(retention.attributes(RULE), RULE.since, cut)


def _reading(endpoint: str) -> Iterator[Result]:
    """A page of whole items, judged twice; one of projected items beside it."""
    found = {table: _figures(endpoint, table) for table in ("full", "projected")}
    full = found["full"]
    judged: dict[str, tuple[Literal["ratio_to_floor", "ratio_to_baseline"], float]] = {
        "retention": ("ratio_to_floor", FLOOR_TARGET),
        "retention_scan": ("ratio_to_baseline", 1 / SCAN_TARGET),
    }
    for case, (ratio, target) in judged.items():
        yield Result(
            case=case,
            unit="us/item",
            ours=full["ours"],
            floor=full["floor"],
            baseline=full["baseline"],
            rounds=ROUNDS,
            target=target,
            judged=ratio,
            details={"page_bytes": len(canned.page(projected=False)), "projected": found["projected"]},
        )


def _figures(endpoint: str, table: str) -> dict[str, float]:
    """CPU microseconds per item of each way."""
    body = canned.page(projected=table == "projected")
    client, sweeper = (
        _session(endpoint).client("dynamodb"),
        DynamoDBSweeper.from_store(store(table), _session(endpoint)),
    )
    found = paired(
        ROUNDS,
        ours=_cpu(partial(_page, sweeper, wanted()), PAGES),
        floor=_cpu(partial(orjson.loads, body), PAGES),
        baseline=_cpu(partial(client.scan, TableName=table), 1),
    )
    return {way: seconds / canned.ITEMS * 1e6 for way, seconds in found.items()}


def _session(endpoint: str) -> Any:
    """Clients as the functions have them; none of them another session's."""
    clients = Clients(REGION, endpoint)
    return SimpleNamespace(client=lambda service, **_: clients.get(service))


def _page(sweeper: DynamoDBSweeper, ask: Wanted) -> None:
    assert len(sweeper.page(SEGMENT, ask, None).records) == canned.ITEMS // canned.DUE_IN


def _deleting(endpoint: str) -> Result:
    sweeper = DynamoDBSweeper.from_store(store("full"), _session(endpoint))
    connector = DynamoDB.from_store(store("full"), _session(endpoint))
    page = sweeper.page(SEGMENT, Wanted(frozenset({"last_used_at"})), None)
    batch, guard = page.records[:100], retention.guard(RULE)

    def one_by_one() -> None:
        connector.delete(batch, guard)

    def ours() -> None:
        _all_deleted(sweeper, batch, guard)

    found = paired(ROUNDS, ours=_cpu(ours, BATCHES), baseline=_cpu(one_by_one, 1))
    return Result(
        case="retention_deletes",
        unit="deletes/s",
        ours=len(batch) / found["ours"],
        baseline=len(batch) / found["baseline"],
        rounds=ROUNDS,
        target=DELETE_TARGET,
        judged="ratio_to_baseline",
        at_least=True,
        details={"per_second": "of CPU", "item_bytes": len(json.dumps(canned.item(1)))},
    )


def _all_deleted(sweeper: DynamoDBSweeper, batch: tuple[Record, ...], guard: list[str]) -> None:
    assert {result.done.value for result in sweeper.delete(batch, guard).results} == {"deleted"}


def _remembering(endpoint: str) -> Result:
    command = [sys.executable, "-m", "tests.bench.retention", endpoint]
    found: dict[str, Any] = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return Result(
        case="retention_memory",
        unit="MB",
        ours=found["grown"],
        rounds=1,
        target=MEMORY_TARGET,
        judged="ours",
        details={"of": "peak memory, from 20 pages to 500", "peak_megabytes": found["peak"]},
    )


def grown(endpoint: str, few: int = 20, many: int = 500) -> dict[str, float]:
    """How much the peak rises while a large table is read after a small one; MB."""
    sweeper, ask, cursor = DynamoDBSweeper.from_store(store("full"), _session(endpoint)), wanted(), None
    peaks = []
    for pages in (few, many):
        for _ in range(pages):
            cursor = sweeper.page(SEGMENT, ask, cursor).cursor
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3))
    return {"grown": peaks[1] - peaks[0], "peak": peaks[1]}


def _cpu(work: Callable[[], object], times: int) -> Callable[[], float]:
    """CPU seconds of one go, of so many."""

    def measure() -> float:
        begun = time.process_time()
        for _ in range(times):
            work()
        return (time.process_time() - begun) / times

    return measure


if __name__ == "__main__":
    print(json.dumps(grown(sys.argv[1])))
