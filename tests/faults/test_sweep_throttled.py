"""The sweep over real adapters while AWS answers a fifth of what it is asked with *slow down*, does a part of each
batch only, and refuses some records for good."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from moto.core.models import botocore_stubber

from tests.fakes.aws_world import Aws, account
from tests.fakes.partiql import partiql
from tests.faults.swept import SWEEPING, Company, create, table_map
from tests.faults.test_sweep import adds_up
from tests.faults.wire import no_waiting, throttled
from tests.functional.sweep.company import NEW, OLD

SHARE = 0.2
POISON = {"accounts-030", "accounts-150", "answers-060"}
SIZES = {"accounts": 400, "answers": 100, "events": 400}
DUE = 3
"""One in so many."""
MONTH = "2025-11"
"""The first of the index of events; its first day is a year and a day ago."""


@dataclass
class Weather:
    """Hangs on clients. `refused`: requests that were throttled whole; `left`: keys and statements left undone in
    requests that went through."""

    dice: random.Random = field(default_factory=lambda: random.Random(20))
    refused: int = 0
    left: int = 0
    _undone: list[Any] = field(default_factory=list)
    """Of the present call: numbers of its statements, or its keys."""

    def over(self, client: Any, *, parts: bool = False) -> None:
        events = client.meta.events
        events.unregister("before-send", botocore_stubber)
        events.register("before-send", self._send)
        if parts:
            events.register("provide-client-params.dynamodb.BatchExecuteStatement", self._spoil)
            events.register_first("before-parse.dynamodb.BatchExecuteStatement", self._throttle_statements)
            events.register("provide-client-params.dynamodb.BatchGetItem", self._withhold)
            events.register_first("before-parse.dynamodb.BatchGetItem", self._give_back)
            events.register("provide-client-params.dynamodb.UpdateItem", self._poison)

    def _send(self, event_name: str, request: Any, **_: Any) -> Any:
        if self.dice.random() >= SHARE:
            return botocore_stubber(event_name, request)
        self.refused += 1
        return throttled(request)

    def _spoil(self, params: dict[str, Any], **_: Any) -> None:
        """What is left undone or refused goes out as a statement that nobody can carry out."""
        keys = [statement["Parameters"][0]["S"] for statement in params["Statements"]]
        self._undone = [n for n, key in enumerate(keys) if key not in POISON and self.dice.random() < SHARE]
        refused = {*self._undone, *(n for n, key in enumerate(keys) if key in POISON)}
        params["Statements"] = [
            {**each, "Statement": "DELETE nothing"} if n in refused else each
            for n, each in enumerate(params["Statements"])
        ]

    def _throttle_statements(self, response_dict: dict[str, Any], **_: Any) -> None:
        if response_dict["status_code"] == 200:
            self.left += len(self._undone)
            body = json.loads(response_dict["body"])
            for number in self._undone:
                body["Responses"][number] = {"Error": {"Code": "ThrottlingError", "Message": "slow down"}}
            response_dict["body"] = json.dumps(body).encode()

    def _withhold(self, params: dict[str, Any], **_: Any) -> None:
        ((table, wanted),) = params["RequestItems"].items()
        self._undone = [key for key in wanted["Keys"][1:] if self.dice.random() < SHARE]
        asked = [key for key in wanted["Keys"] if key not in self._undone]
        params["RequestItems"] = {table: {**wanted, "Keys": asked}}

    def _give_back(self, response_dict: dict[str, Any], **_: Any) -> None:
        if response_dict["status_code"] == 200 and self._undone:
            self.left += len(self._undone)
            body = json.loads(response_dict["body"])
            (table,) = body["Responses"]
            body["UnprocessedKeys"] = {table: {"Keys": self._undone}}
            response_dict["body"] = json.dumps(body).encode()

    def _poison(self, params: dict[str, Any], **_: Any) -> None:
        if params["Key"]["id"]["S"] in POISON:
            params["UpdateExpression"] = "nothing"


@pytest.fixture
def aws() -> Iterator[Aws]:
    with pytest.MonkeyPatch.context() as patch, account() as made, partiql(), no_waiting():
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        for name, size in SIZES.items():
            create(made.own.get("dynamodb"), name, (record(name, number) for number in range(size)))
        made.fresh("accounts")
        yield made


def record(store: str, number: int) -> dict[str, Any]:
    item = {"id": f"{store}-{number:03}", "used_at": NEW if number % DUE else OLD, "email": "a@example.org"}
    if store == "events":
        item |= {"month": MONTH, "used_at": NEW if number % DUE else f"{MONTH}-01T00:00:00Z"}
    return item


def test_a_fifth_throttled_whole_and_a_fifth_of_each_batch(aws: Aws) -> None:
    weather = Weather()
    for service in ("dynamodb", "kms", "s3"):
        weather.over(aws.watched.get(service))
    weather.over(aws.watched.get("dynamodb", None, SWEEPING), parts=True)
    company = Company(aws, table_map(*SIZES, max_rcu=20))
    company.sweep("apply").run()
    counts = company.report()
    assert weather.refused > 30
    assert weather.left > 100
    for store, size in SIZES.items():
        poisoned = sum(key.startswith(store) for key in POISON)
        due = -(-size // DUE)
        assert adds_up(counts[store])
        assert counts[store]["failed_segments"] == 0
        assert (counts[store]["scanned"], counts[store]["due"], counts[store]["failed"]) == (size, due, poisoned)
        assert counts[store]["deleted"] + counts[store]["anonymised"] == due - poisoned
        kept = {f"{store}-{number:03}" for number in range(size) if number % DUE or store == "answers"}
        assert company.items(f"swept-{store}").keys() == kept | {key for key in POISON if key.startswith(store)}

    again = company.sweep("apply", "second").run().value["stores"]
    assert {store: found["due"] for store, found in again.items()} == {"accounts": 2, "answers": 1, "events": 0}
