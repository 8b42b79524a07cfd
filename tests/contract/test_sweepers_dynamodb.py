"""The DynamoDB sweeper: by scan, by a bucketed index and by a sparse one. On moto, or on the emulator where
RIGHTFUL_TEST_ENDPOINT is set."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import pytest

from rightful.errors import NeedsAttention, RightfulError, TryAgain
from rightful.model import Done, Erasure, Result, SweepVerb
from rightful.stores.dynamodb_paced import TRIES
from rightful.stores.dynamodb_sweep import DynamoDBSweeper
from rightful.stores.dynamodb_values import key_from_text
from tests.contract.aws_bench import ENDPOINT, aws, failure
from tests.contract.connector_suite import CHANGES
from tests.contract.dynamodb_sweep_bench import AT, Bucketed, DynamoBench, Sparse
from tests.contract.sweeper_suite import (
    NOW,
    SweepAnonymisingSuite,
    SweeperSuite,
    SweepGuardSuite,
    swept,
)
from tests.fakes.partiql import partiql

__all__ = ["aws"]


class Suite(SweeperSuite, SweepGuardSuite, SweepAnonymisingSuite):
    bench_class: ClassVar[type[DynamoBench]]

    @pytest.fixture
    def bench(self, aws: None) -> Iterator[DynamoBench]:
        with nullcontext() if ENDPOINT else partiql():
            yield self.bench_class()


class TestScan(Suite):
    bench_class = DynamoBench


class TestBucketedIndex(Suite):
    bench_class = Bucketed


class TestSparseIndex(Suite):
    bench_class = Sparse


@pytest.fixture
def table(aws: None) -> Iterator[DynamoBench]:
    with nullcontext() if ENDPOINT else partiql():
        yield DynamoBench()


def throttling(bench: DynamoBench, times: int, code: str = "ThrottlingError", every: int = 5) -> list[int]:
    """From now on every fifth statement fails so, in so many batches; how many statements each batch holds."""
    sizes: list[int] = []

    def spoil(params: dict[str, Any], **_: Any) -> None:
        sizes.append(len(params["Statements"]))

    def answer(customized_response_dict: dict[str, Any], **_: Any) -> None:
        if len(sizes) > times:
            return
        answered = json.loads(customized_response_dict["Body"])
        for n, response in enumerate(answered["Responses"]):
            if n % every == 0:
                response |= {"Error": {"Code": code, "Message": "quotes what was sent"}}
        customized_response_dict["Body"] = json.dumps(answered).encode()

    events = bench.session.client("dynamodb").meta.events
    events.register("provide-client-params.dynamodb.BatchExecuteStatement", spoil)
    bench.sweeper()
    events.register_last("before-parse.dynamodb.BatchExecuteStatement", answer)
    return sizes


def test_statements_that_are_throttled_are_asked_again_alone(table: DynamoBench) -> None:
    """What went through although its answer said otherwise is gone at the second try."""
    table.add("ada", "long_ago", 30)
    records, _ = swept(table)
    sizes = throttling(table, times=1)
    results = table.sweeper().delete(records, table.guard).results
    assert sizes == [25, 5, 5]
    assert [result.done for result in results] == [
        Done.gone if n % 5 == 0 and n < 25 else Done.deleted for n in range(30)
    ]


@pytest.mark.parametrize(
    ("code", "error"), [("ProvisionedThroughputExceeded", TryAgain), ("AccessDenied", NeedsAttention)]
)
def test_what_no_statement_gets_over_is_said(table: DynamoBench, code: str, error: type[RightfulError]) -> None:
    table.add("ada", "long_ago", 3)
    records, _ = swept(table)
    throttling(table, 99, code, every=1)
    with pytest.raises(error) as raised:
        table.sweeper().delete(records, table.guard)
    assert "quotes" not in str(raised.value)


@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded"])
def test_a_statement_that_is_refused_fails_alone(table: DynamoBench, code: str) -> None:
    table.add("ada", "long_ago", 6)
    records, _ = swept(table)
    throttling(table, 1, code)
    results = table.sweeper().delete(records, table.guard).results
    assert [result.done for result in results] == [Done.failed if n % 5 == 0 else Done.deleted for n in range(6)]


def test_a_batch_that_is_refused_as_a_whole_goes_one_by_one(table: DynamoBench) -> None:
    table.add("ada", "long_ago", 3)
    records, _ = swept(table)
    table.meddle(records[1])
    table.session.answers["BatchExecuteStatement"] = [failure("ValidationException")]
    results = table.sweeper().delete(records, table.guard).results
    assert [result.done for result in results] == [Done.deleted, Done.changed, Done.deleted]


EVERY_KIND: Mapping[str, Any] = {
    "text": 'ä"\\',
    "number": Decimal("-12.50"),
    "bytes": b"\x00\xff",
    "flag": False,
    "nothing": None,
    "list": [b"\x01", {"a": Decimal(1)}],
    "map": {"b.c": [True, None], 'd"e': b"\x02"},
    "texts": {"a", "b"},
    "numbers": {Decimal(1), Decimal("2.5")},
    "binaries": {b"a", b"\x00"},
}


def test_every_kind_of_value_is_read_and_guarded(table: DynamoBench) -> None:
    """Those that PartiQL does not compare are guarded by a condition expression."""
    wanted = replace(table.wanted, attributes=table.wanted.attributes | {*EVERY_KIND, 'odd "name"'})
    table.put({"pk": "ACCOUNT#ada", "sk": "1", "at": AT["long_ago"], 'odd "name"': "x", **EVERY_KIND})
    for name in [*EVERY_KIND, 'odd "name"', "never there"]:
        ((record,), _) = swept(table, wanted)
        assert {each: record.data[each] for each in EVERY_KIND} == EVERY_KIND
        table.put({**record.data, name: "changed"})
        assert table.sweeper().delete([record], [name, "pk", "sk"]).results == [Result(Done.changed)], name
        table.remove(record)
        table.put(record.data)
    ((record,), _) = swept(table, wanted)
    assert table.sweeper().delete([record], [*EVERY_KIND, "never there"]).results == [Result(Done.deleted)]
    assert table.snapshot() == {}


def test_dates_that_are_no_text_come(table: DynamoBench) -> None:
    kinds = [Decimal(4102444800), None, True, {"on": AT["lately"]}, [AT["lately"]], {AT["lately"]}, b"2026"]
    for number, value in enumerate(kinds):
        table.put({"pk": "ACCOUNT#ada", "sk": str(number), "at": value})
    table.put({"pk": "ACCOUNT#ada", "sk": "none"})
    table.put({"pk": "ACCOUNT#ada", "sk": "hidden", "at": AT["lately"]})
    records, scanned = swept(table)
    assert scanned == len(kinds) + 2
    found = {record.data["sk"]: record.data.get("at", "none") for record in records}
    assert found == {**{str(number): value for number, value in enumerate(kinds)}, "none": "none"}


@pytest.mark.parametrize(
    ("size", "items", "most", "expected"), [(0, 0, 8, 1), (2**30, 9, 8, 5), (2**40, 9, 8, 8), (9, 10**7, 100, 21)]
)
def test_large_tables_are_read_in_more_parts(
    table: DynamoBench, size: int, items: int, most: int, expected: int
) -> None:
    table.session.answers["DescribeTable"] = [{"Table": {"TableSizeBytes": size, "ItemCount": items}}]
    assert len(table.sweeper().segments(most, NOW)) == expected


def test_reading_says_what_it_cost_and_keeps_to_the_limit(table: DynamoBench) -> None:
    table.add("ada", "long_ago", 120)
    page = table.sweeper().page("[0, 1]", table.wanted, None)
    assert page.scanned == len(page.records) == 2 * table.store.settings["max_rcu"]
    assert page.capacity > 0


def test_a_throttled_read_is_tried_again_a_few_times(table: DynamoBench) -> None:
    table.add("ada", "long_ago")
    table.fail("page", TryAgain)
    with pytest.raises(TryAgain):
        table.sweeper().page("[0, 1]", table.wanted, None)
    assert table.session.operations.count("Scan") == TRIES


def test_an_answer_that_was_cut_off_is_asked_for_again(table: DynamoBench) -> None:
    def cut(response_dict: dict[str, Any], **_: Any) -> None:
        response_dict["body"] = response_dict["body"][:-2]

    table.session.client("dynamodb").meta.events.register_first("before-parse.dynamodb.Scan", cut)
    with pytest.raises(TryAgain):
        table.sweeper().page("[0, 1]", table.wanted, None)


@pytest.fixture
def bucketed(aws: None) -> Iterator[Bucketed]:
    with nullcontext() if ENDPOINT else partiql():
        yield Bucketed()


def test_an_index_is_read_where_something_may_be_due_and_nowhere_else(bucketed: Bucketed) -> None:
    bucketed.add("ada", "long_ago", 3)
    bucketed.add("bob", "lately", 50)
    _, scanned = swept(bucketed)
    assert scanned == 3
    asked = [params for operation, params in bucketed.session.calls if operation == "Query"]
    months = [each["ExpressionAttributeValues"][":b"]["S"] for each in asked]
    assert (months[0], months[-1], len(months)) == ("2019-11", "2026-02", 76)
    assert "Scan" not in bucketed.session.operations
    assert bucketed.sweeper().segments(0, NOW) == ['["2019-11", "2026-02", 1]']
    assert bucketed.sweeper().segments(8, datetime(2019, 1, 1, tzinfo=UTC)) == []


def test_the_table_decides_not_the_index(bucketed: Bucketed) -> None:
    """A stale entry names a record that is gone, or is in another bucket by now, where it comes too."""
    bucketed.add("ada", "long_ago", 2)
    records, _ = swept(bucketed)
    bucketed.put({**bucketed.snapshot()[records[0].key], "month": "2021-07"})

    def stale(customized_response_dict: dict[str, Any], **_: Any) -> None:
        entries = [{**key_from_text(record.key), "month": {"S": "2020-02"}} for record in records]
        gone = {"pk": {"S": "x"}, "sk": {"S": "y"}, "month": {"S": "2020-02"}}
        customized_response_dict["Body"] = json.dumps({"Items": [*entries, gone]}).encode()

    bucketed.sweeper()
    bucketed.session.client("dynamodb").meta.events.register_last("before-parse.dynamodb.Query", stale)
    page = bucketed.sweeper().page('["2020-02", "2020-02", 1]', bucketed.wanted, None)
    assert [record.key for record in page.records] == [records[1].key]
    assert (page.scanned, page.cursor) == (1, None)


def test_keys_left_unprocessed_are_asked_for_again(bucketed: Bucketed) -> None:
    bucketed.add("ada", "long_ago", 5)
    asked: list[int] = []

    def count(params: dict[str, Any], **_: Any) -> None:
        asked.append(len(params["RequestItems"][bucketed.table]["Keys"]))

    def leave(customized_response_dict: dict[str, Any], **_: Any) -> None:
        answered = json.loads(customized_response_dict["Body"])
        if len(asked) == 1:
            items = answered["Responses"][bucketed.table]
            left = [{name: item[name] for name in ("pk", "sk")} for item in items[2:]]
            answered["Responses"][bucketed.table] = items[:2]
            answered["UnprocessedKeys"] = {bucketed.table: {"Keys": left}}
        customized_response_dict["Body"] = json.dumps(answered).encode()

    bucketed.sweeper()
    events = bucketed.session.client("dynamodb").meta.events
    events.register("provide-client-params.dynamodb.BatchGetItem", count)
    events.register_last("before-parse.dynamodb.BatchGetItem", leave)
    records, scanned = swept(bucketed)
    assert (len(records), scanned, asked) == (5, 5, [5, 3])


def test_the_size_of_a_table_is_told_where_not_all_of_it_is_read(table: DynamoBench, bucketed: Bucketed) -> None:
    assert isinstance(table.sweeper(), DynamoDBSweeper)
    assert DynamoDBSweeper.from_store(table.store, table.session).size() == 0
    assert DynamoDBSweeper.from_store(bucketed.store, bucketed.session).size() == 9


ACTIONS = {
    "BatchExecuteStatement": "PartiQLDelete",
    "BatchGetItem": "BatchGetItem",
    "DeleteItem": "DeleteItem",
    "DescribeTable": "DescribeTable",
    "Query": "Query",
    "Scan": "Scan",
    "UpdateItem": "UpdateItem",
}
"""Operation -> the action that IAM asks for. Source: "Actions, resources, and condition keys for Amazon DynamoDB"."""


@pytest.mark.parametrize("bench_class", [DynamoBench, Bucketed])
@pytest.mark.parametrize("retained", ["delete", "anonymise"])
@pytest.mark.parametrize("erased", ["delete", "anonymise", "keep"])
def test_it_may_do_what_it_calls_and_no_more(
    aws: None, bench_class: type[DynamoBench], retained: Any, erased: Any
) -> None:
    with nullcontext() if ENDPOINT else partiql():
        bench = bench_class()
        rule = replace(bench.store.retention, action=retained)
        bench.store = replace(bench.store, retention=rule, erasure=Erasure(action=erased))
        bench.add("ada", "long_ago", 2)
        segments = bench.sweeper().segments(1, NOW)
        size = DynamoDBSweeper.from_store(bench.store, bench.session).size()
        assert size in (0, 9)
        splitting = [ACTIONS[operation] for operation in bench.session.operations]
        bench.session.calls.clear()
        records = list(
            bench.sweeper().page(segments[0], bench.wanted, '["2020-02", null]' if bench.index else None).records
        )
        if "anonymise" in (retained, erased):
            bench.sweeper().anonymise([(record, CHANGES) for record in records], ())
        if "delete" in (retained, erased):
            bench.sweeper().delete(records[:1], ["note"])
            bench.session.answers["BatchExecuteStatement"] = [failure("ValidationException")]
            bench.sweeper().delete(records[1:], ["note"])
        assert may(bench, "split") == set(splitting)
        assert may(bench, "sweep") == {ACTIONS[operation] for operation in bench.session.operations}


def may(bench: DynamoBench, verb: SweepVerb) -> set[str]:
    return {
        action.removeprefix("dynamodb:")
        for permission in DynamoDBSweeper.permissions(bench.store, verb)
        for action in permission["actions"]
    }


def test_who_tells_everyone_reads_the_whole_table_however_retention_reaches_it(bucketed: Bucketed) -> None:
    whole = replace(bucketed.store, retention=replace(bucketed.store.retention, through={}))
    sweeper = DynamoDBSweeper.from_store(whole, bucketed.session)
    for segment in sweeper.segments(10, datetime.now(UTC)):
        sweeper.page(segment, bucketed.wanted, None)
    assert may(bucketed, "announce") == set(bucketed.session.operations)


def test_each_action_is_granted_where_it_is_called(bucketed: Bucketed) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    locked = replace(bucketed.store, settings={**bucketed.store.settings, "kms_key": key})
    arn = f"arn:${{AWS::Partition}}:dynamodb:eu-west-1:${{AWS::AccountId}}:table/{bucketed.table}"
    table, index, encrypted = DynamoDBSweeper.permissions(locked, "sweep")
    assert (table["resources"], index["resources"]) == ([arn], [f"{arn}/index/by_date"])
    assert index["actions"] == ["dynamodb:Query"]
    assert encrypted["actions"] == ["kms:Decrypt"]
    kept = replace(bucketed.store, erasure=Erasure(action="keep", period="P7Y", since="at"))
    kept = replace(kept, retention=replace(kept.retention, action="anonymise"))
    assert "dynamodb:DeleteItem" in str(DynamoDBSweeper.permissions(kept, "sweep"))
    assert "Delete" not in str(DynamoDBSweeper.permissions(replace(kept, locate=[]), "sweep"))
