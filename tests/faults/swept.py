"""A company on AWS whose data the retention sweep goes through: in process, with the real adapters, on moto or on the
emulator; and what a run of it left, in a form in which two runs can be compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rightful.aws.clients import Clients
from rightful.aws.items import to_item
from rightful.model import DataMap, Erasure, Locator, Retention
from rightful.ports import Sweeper
from rightful.service.deps import Deps, Settings, TimeLeft
from rightful.service.sweep import braking, reporting, splitting, sweeping, weighing
from rightful.stores.dynamodb_sweep import DynamoDBSweeper
from rightful.stores.s3_sweep import S3Sweeper
from tests.fakes.aws_world import BACKOFF, Aws, table_request
from tests.fakes.clock import MovableClock
from tests.fakes.company import store
from tests.fakes.executions import MemoryExecutions
from tests.fakes.state_machine import Execution, Killed, load
from tests.fakes.world import forever
from tests.functional.sweep.company import sweep_map

SWEEPING = "sweep"
"""Of the clients that sweepers take: theirs alone."""
PAGE = 3
"""Objects that the sweeper of a bucket looks at at once."""
BUCKET = "swept-files"
AT_ONCE = 25
"""Items that BatchWriteItem takes."""


def _nothing() -> None:
    """Nobody waits."""


@dataclass
class Sessions:
    """Gives every sweeper the one client that a test may have hung its hooks on."""

    clients: Clients

    def client(self, service: str, *, region_name: str | None = None, **_: Any) -> Any:
        return self.clients.get(service, region_name, SWEEPING)


@dataclass
class Company:
    """`deps` stand for the Lambda container of the moment; one that is killed makes room for the next."""

    aws: Aws
    datamap: DataMap
    clock: MovableClock = field(default_factory=MovableClock)
    executions: MemoryExecutions = field(default_factory=MemoryExecutions)
    time_left: TimeLeft = forever
    deps: Deps = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """The next container, which remembers nothing."""
        self.deps = replace(
            self.aws.container(self.aws.watched, self.clock, self.datamap),
            executions=self.executions,
            sweepers={name: self._sweeper(name) for name in self.datamap.stores},
            settings=Settings(stage="local"),
        )

    def _sweeper(self, name: str) -> Sweeper:
        rules, session = self.datamap.stores[name], Sessions(self.aws.watched)
        if rules.connector == S3Sweeper.name:
            made = S3Sweeper.from_store(rules, session, self.clock)
            made.page_size = PAGE
            return made
        return DynamoDBSweeper.from_store(rules, session, self.clock, sleep=lambda _: None)

    def sweep(
        self, mode: str, name: str = "by-hand", *, after_split: Callable[[], Any] = _nothing, **more: Any
    ) -> Execution:
        """A run, not yet begun. `more`: `stores`, `run_id`. A step that is killed takes its container along; a step
        that fails is tried again some seconds later."""

        def function(step: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
            def invoke(event: dict[str, Any]) -> Any:
                try:
                    return step(event)
                except BaseException as error:
                    self.clock.advance(BACKOFF)
                    if isinstance(error, Killed):
                        self.restart()
                    raise

            return invoke

        def split(event: dict[str, Any]) -> dict[str, Any]:
            begun = splitting.step(self.deps, event["input"], event["execution"], event["tries"])
            after_split()
            return begun

        def sweep(event: dict[str, Any]) -> dict[str, bool]:
            at = (event["run_id"], event["stage"], event["store"], event["segment"])
            return sweeping.step(self.deps, *at, self.time_left)

        def brake(event: dict[str, Any]) -> dict[str, Any]:
            return reporting.output(braking.ask(self.deps, event["run_id"], event["task_token"]))

        arn = f"arn:aws:states:eu-west-1:123456789012:execution:RetentionSweep:{name}"
        self.executions.alive.add(arn)
        return Execution(
            {
                "SplitFunctionArn": function(split),
                "SweepFunctionArn": function(sweep),
                "WeighFunctionArn": function(lambda event: weighing.step(self.deps, event["run_id"], event["applied"])),
                "BrakeFunctionArn": function(brake),
                "ReportFunctionArn": function(
                    lambda event: reporting.output(reporting.step(self.deps, event["run_id"]))
                ),
            },
            self.clock,
            self.executions,
            load("retention_sweep"),
            {"mode": mode, **more},
            arn=arn,
        )

    def report(self, run_id: str = "by-hand", mode: str = "apply") -> dict[str, dict[str, Any]]:
        """The whole counts of each store; capacity apart, which a run that did some of its work twice has more of."""
        aside = self.aws.container(self.aws.own, self.clock, self.datamap)
        (key,) = (key for key in aside.reports.list(f"{reporting.FOLDERS[mode]}/") if key.endswith(f"/{run_id}.json"))
        stores: dict[str, dict[str, Any]] = json.loads(b"".join(aside.reports.read(key)))["stores"]
        return {name: {**counts, "capacity": 0} for name, counts in stores.items()}

    def items(self, table: str) -> dict[str, dict[str, Any]]:
        """id -> item as DynamoDB holds it."""
        found: dict[str, dict[str, Any]] = {}
        for page in self.aws.own.get("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            found |= {item["id"]["S"]: item for item in page["Items"]}
        return found


def table_map(*only: str, **settings: int) -> DataMap:
    """The data map of the sweep's tests, each store in a table `swept-<its name>`; `events` are reached by an index on
    their month. `settings`: of every table."""
    datamap = sweep_map()
    stores = {
        name: replace(rules, connector="dynamodb", settings={"table": f"swept-{name}", "key": ["id"], **settings})
        for name, rules in datamap.stores.items()
        if name in (only or datamap.stores)
    }
    if "events" in stores:
        by_month = {"index": "by_month", "key": "month", "bucket": "%Y-%m", "first": "2025-11"}
        rule = replace(stores["events"].retention, through=by_month)
        stores["events"] = replace(stores["events"], retention=rule)
    return replace(datamap, stores=stores)


def bucket_map() -> DataMap:
    """One store: the files of accounts, which go a year after they were written."""
    by_prefix = Locator(by="account_id", through={"prefix": "accounts/{}/"})
    rule = Retention(period="P1Y", since="object_age", brake=100)
    files = store("Files", Erasure(action="delete"), by_prefix, sweep=rule)
    files = replace(files, connector="s3_objects", settings={"bucket": BUCKET})
    return replace(sweep_map(), stores={"files": files})


def create(dynamodb: Any, name: str, items: Iterable[Mapping[str, Any]] = ()) -> None:
    """The table of a store, and what is in it."""
    table, indexes = f"swept-{name}", {"by_month": ("month",)} if name == "events" else {}
    dynamodb.create_table(**table_request(table, ("id",), indexes))
    fill(dynamodb, table, items)


def fill(dynamodb: Any, table: str, items: Iterable[Mapping[str, Any]]) -> None:
    puts = [{"PutRequest": {"Item": to_item(item)}} for item in items]
    for start in range(0, len(puts), AT_ONCE):
        left = {table: puts[start : start + AT_ONCE]}
        while left:
            left = dynamodb.batch_write_item(RequestItems=left).get("UnprocessedItems", {})
