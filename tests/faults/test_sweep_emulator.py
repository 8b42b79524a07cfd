"""The sweep over fifty thousand records in tables of the emulator, while four others write; and two sweeps at once."""

from __future__ import annotations

import hashlib
import json
import socket
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from infra.local import emulator
from rightful.aws.clients import Clients
from rightful.aws.items import from_item, to_item
from rightful.ports import ANONYMISED_MARK
from rightful.stores import dynamodb_sweep
from tests.fakes.aws_world import EXPORTS, INDEXES_OF_REQUESTS, KEYS, REGION, REQUESTS, Aws, table_request
from tests.faults.swept import SWEEPING, Company, create, table_map
from tests.faults.test_sweep import adds_up
from tests.functional.sweep.company import NEW, OLD

SIZES = {"accounts": 30_000, "invoices": 10_000, "answers": 10_000}
DUE = 5
"""One in so many is due."""
TOUCHED = 100
"""One in so many of the due is used by others while the sweep writes."""
WRITERS = 4
SECONDS = 60
"""After which a thread gives up waiting for another, so that a failure ends."""
USES: dict[str, dict[str, Any]] = {
    "accounts": {"status": "active"},
    "invoices": {"issued_at": NEW},
    "answers": {"used_at": NEW, "note": "written again"},
}
"""What a use changes in a record: enough to keep it for a year."""

Items = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    directory: Path = tmp_path_factory.mktemp("emulator")
    emulator.start(port, directory)
    yield port
    emulator.stop(directory)


@pytest.fixture
def aws(port: int, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """An account with nothing in it but what Rightful itself needs."""
    endpoint = f"http://{emulator.HOST}:{port}"
    urllib.request.urlopen(f"{endpoint}/_ministack/reset", data=b"", timeout=SECONDS).close()
    for name, value in emulator.CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    watched, own = Clients(REGION, endpoint), Clients(REGION, endpoint)
    dynamodb, kms = own.get("dynamodb"), own.get("kms")
    dynamodb.create_table(**table_request(REQUESTS, ("pk", "sk"), INDEXES_OF_REQUESTS))
    dynamodb.create_table(**table_request(KEYS, ("id",), {}))
    own.get("s3").create_bucket(Bucket=EXPORTS, CreateBucketConfiguration={"LocationConstraint": REGION})
    mac = kms.create_key(KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")["KeyMetadata"]["KeyId"]
    return Aws(watched, own, kms.create_key()["KeyMetadata"]["KeyId"], mac)


def record(store: str, number: int) -> dict[str, Any]:
    """By its number, it is due, kept by its store's ground, of no readable date, or in use."""
    item = {"id": f"{store}-{number:05}", "used_at": NEW, "email": f"{number}@example.org", "status": "closed"}
    match number % DUE:
        case 0:
            item |= {"used_at": OLD, "issued_at": "2015-06-30"}
        case 1 if store != "answers":
            item |= {"used_at": OLD, "status": "active", "issued_at": "2024-02-29"}
        case 2 if number % 1000 == 2:
            item |= {"used_at": "some time ago"}
    return {**item, "note": "x"} if store == "answers" else item


def swept(store: str, items: Items, wrote: Items) -> Items:
    """What a sweep has to leave of these. `wrote`: what others wrote meanwhile."""
    left = {}
    for number, (key, item) in enumerate(items.items()):
        if number % DUE:
            left[key] = item
        elif store == "answers":
            left[key] = {**item, "note": "[redacted]", ANONYMISED_MARK: True}
            del left[key]["email"]
    return left | {key: _marked(item) for key, item in wrote.items() if key in items}


def _marked(item: dict[str, Any]) -> dict[str, Any]:
    """With no time of its anonymisation."""
    return {**item, ANONYMISED_MARK: True} if ANONYMISED_MARK in item else item


def there(company: Company, store: str) -> Items:
    return {key: _marked(from_item(item)) for key, item in sorted(company.items(f"swept-{store}").items())}


def digest(company: Company) -> str:
    whole = [sorted(company.items(f"swept-{store}").items()) for store in SIZES]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def people(aws: Aws, sizes: dict[str, int]) -> dict[str, Items]:
    """Fills the tables side by side; what is in them."""
    items = {store: [record(store, number) for number in range(size)] for store, size in sizes.items()}
    dynamodb = aws.own.get("dynamodb")
    with ThreadPoolExecutor(WRITERS) as pool:
        for made in [pool.submit(create, dynamodb, store, some) for store, some in items.items()]:
            made.result()
    return {store: {item["id"]: item for item in some} for store, some in items.items()}


@dataclass
class Others:
    """Use records that the sweep is about to write, as it sends its writes: every second time they are done before the
    sweep goes on, else they race with it. Some change the record that is there, some write it anew, even if it is
    gone."""

    dynamodb: Any
    items: dict[str, Items]
    pool: ThreadPoolExecutor
    wrote: Items = field(default_factory=dict)
    """id -> the record as it was right after their write."""
    begun: list[Future[None]] = field(default_factory=list)
    first: int = 0
    """Uses that were surely written before the sweep's own write."""
    _turns: Iterator[int] = field(default_factory=count)

    def meet(self, params: dict[str, Any], **_: Any) -> None:
        """As botocore's `provide-client-params` of the client that sweeps."""
        keys = [statement["Parameters"][0]["S"] for statement in params.get("Statements", ())]
        for key in keys or [params["Key"]["id"]["S"]]:
            number, rest = divmod(next(self._turns), TOUCHED)
            if rest:
                continue
            self.begun.append(self.pool.submit(self._use, key, anew=number // 2 % 2 == 0))
            if number % 2:
                self.begun[-1].result(SECONDS)
                self.first += 1

    def _use(self, key: str, anew: bool) -> None:
        store = key.partition("-")[0]
        if anew:
            item = {**self.items[store][key], "used_at": NEW, "by": "others"}
            self.dynamodb.put_item(TableName=f"swept-{store}", Item=to_item(item))
            self.wrote[key] = item
            return
        values = {**USES[store], "by": "others"}
        names = {f"#n{n}": name for n, name in enumerate(values)}
        try:
            answer = self.dynamodb.update_item(
                TableName=f"swept-{store}",
                Key={"id": {"S": key}},
                UpdateExpression="SET " + ", ".join(f"#n{n} = :v{n}" for n in range(len(values))),
                ConditionExpression="attribute_exists(id)",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=to_item({f":v{n}": value for n, value in enumerate(values.values())}),
                ReturnValues="ALL_NEW",
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return  # the sweep was quicker, and this record stays gone
        self.wrote[key] = from_item(answer["Attributes"])


def unfiltered(params: dict[str, Any], **_: Any) -> None:
    """Scans without the filter: the emulator takes a millisecond for every record that it puts to it. What the filter
    leaves out, the contract suite holds equal to what the sweeper leaves out itself."""
    if params.pop("FilterExpression", None):
        del params["ExpressionAttributeNames"]["#f"], params["ExpressionAttributeValues"]


def test_fifty_thousand_records_with_four_others_at_work(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb_sweep, "SEGMENT_ITEMS", 10_000)
    client = aws.watched.get("dynamodb", None, SWEEPING)
    client.meta.events.register("provide-client-params.dynamodb.Scan", unfiltered)
    items = people(aws, SIZES)
    company = Company(aws, table_map(*SIZES))
    before = digest(company)

    company.sweep("preview", "look").run()
    previewed = company.report("look", "preview")
    assert {store: counts["due"] for store, counts in previewed.items()} == {s: n // DUE for s, n in SIZES.items()}
    assert digest(company) == before

    with ThreadPoolExecutor(WRITERS) as pool:
        others = Others(aws.own.get("dynamodb"), items, pool)
        for operation in ("BatchExecuteStatement", "UpdateItem"):
            client.meta.events.register(f"provide-client-params.dynamodb.{operation}", others.meet, unique_id=operation)
        company.sweep("apply", "first").run()
        for use in others.begun:
            use.result(SECONDS)
    for operation in ("BatchExecuteStatement", "UpdateItem"):
        client.meta.events.unregister(f"provide-client-params.dynamodb.{operation}", unique_id=operation)
    counted = company.report("first")
    assert len(others.begun) == sum(SIZES.values()) // DUE // TOUCHED
    assert sum(counts["changed_meanwhile"] for counts in counted.values()) >= others.first > 0
    for store, counts in counted.items():
        assert adds_up(counts)
        assert (counts["scanned"], counts["due"]) == (SIZES[store], SIZES[store] // DUE)
        assert counts["malformed"] == SIZES[store] // 1000
        assert wrong(there(company, store), swept(store, items[store], others.wrote)) == []

    again = company.sweep("apply", "second").run().value["stores"]
    assert {store: counts["due"] for store, counts in again.items()} == dict.fromkeys(SIZES, 0)
    assert all(counts["failed_segments"] == 0 for counts in company.report("second").values())


def wrong(found: Items, wanted: Items) -> list[Any]:
    return [
        (key, found.get(key), wanted.get(key))
        for key in sorted(found.keys() | wanted.keys())
        if found.get(key) != wanted.get(key)
    ]


def test_of_two_sweeps_at_once_one_works_on_each_store(aws: Aws) -> None:
    sizes = dict.fromkeys(SIZES, 100)
    items = people(aws, sizes)
    both = Barrier(2, timeout=SECONDS)
    first = Company(aws, table_map(*sizes))
    companies = {"first": first, "second": Company(aws, first.datamap, first.clock, first.executions)}

    def run(name: str) -> dict[str, Any]:
        value: dict[str, Any] = companies[name].sweep("apply", name, after_split=both.wait).run().value
        return value

    with ThreadPoolExecutor(2) as pool:
        ended = dict(zip(companies, pool.map(run, companies), strict=True))
    for store in sizes:
        (owner,) = (name for name, value in ended.items() if store in value["stores"])
        (other,) = ended.keys() - {owner}
        assert owner in ended[other]["left_out"][store]
        assert ended[owner]["stores"][store]["due"] == sizes[store] // DUE
        assert wrong(there(first, store), swept(store, items[store], {})) == []
    third = first.sweep("apply", "third").run().value
    assert (set(third["stores"]), third["left_out"]) == (set(sizes), {})


def test_a_schedule_that_fires_twice_at_once_runs_once(aws: Aws) -> None:
    sizes = {"accounts": 50}
    items = people(aws, sizes)
    both = Barrier(2, timeout=SECONDS)
    first = Company(aws, table_map(*sizes))
    companies = {"one": first, "other": Company(aws, first.datamap, first.clock, first.executions)}

    def run(name: str) -> Any:
        scheduled = {"run_id": "2026-11-02T03:00:00Z"}
        return companies[name].sweep("apply", name, after_split=both.wait, **scheduled).run().history[-1]

    with ThreadPoolExecutor(2) as pool:
        ends = sorted(pool.map(run, companies))
    assert ends == ["Another execution does this run", "Write the report"]
    assert wrong(there(first, "accounts"), swept("accounts", items["accounts"], {})) == []
