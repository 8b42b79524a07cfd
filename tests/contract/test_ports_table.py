"""What every requests table does: in memory, and in DynamoDB."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.dynamodb.models import DynamoDBBackend

from rightful.aws.table import DynamoTable
from rightful.errors import TryAgain
from rightful.ports import Table
from tests.fakes.clock import MovableClock
from tests.fakes.table import MemoryTable

NAME = "requests"


def make_table(client: Any, name: str = NAME) -> None:
    """The table as template.yaml declares it."""
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": attribute, "AttributeType": "S"}
            for attribute in ("pk", "sk", "person", "received_at", "open", "due_at")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by_person",
                "KeySchema": [
                    {"AttributeName": "person", "KeyType": "HASH"},
                    {"AttributeName": "received_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
            {
                "IndexName": "by_due",
                "KeySchema": [
                    {"AttributeName": "open", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            },
        ],
    )


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


class TableContract:
    """Imported by whoever writes another table; needs the fixtures `table` and `clock`."""

    def test_a_new_item_is_read_back_with_its_keys(self, table: Table) -> None:
        data = {
            "text": "día",
            "empty": "",
            "bytes": b"\x00\xff",
            "int": 7,
            "big": 2**70,
            "decimal": Decimal("1.5"),
            "flag": True,
            "nothing": None,
            "list": [1, "a", [], {}],
            "map": {"a": {"b": [b"x", None]}},
        }
        assert table.put_new("P", "S", data)
        found = table.get("P", "S")
        assert found == {**data, "pk": "P", "sk": "S"}
        assert type(found["int"]) is int
        assert type(found["bytes"]) is bytes
        assert found["flag"] is True

    def test_tuples_come_back_as_lists(self, table: Table) -> None:
        table.put_new("P", "S", {"pair": (1, 2)})
        assert (table.get("P", "S") or {})["pair"] == [1, 2]

    @pytest.mark.parametrize("value", [1.5, {"a", "b"}, object()], ids=["float", "set", "object"])
    def test_what_cannot_be_held_is_refused(self, table: Table, value: object) -> None:
        with pytest.raises(TypeError):
            table.put_new("P", "S", {"value": value})
        assert table.get("P", "S") is None

    def test_put_new_leaves_what_is_there(self, table: Table) -> None:
        assert table.put_new("P", "S", {"n": 1})
        assert not table.put_new("P", "S", {"n": 2})
        assert table.get("P", "S") == {"pk": "P", "sk": "S", "n": 1}

    def test_an_absent_item_is_none(self, table: Table) -> None:
        assert table.get("P", "S") is None
        assert table.query("P") == []

    def test_get_many_answers_in_the_order_of_the_keys(self, table: Table, clock: MovableClock) -> None:
        table.put_new("P", "A", {"n": 1})
        table.put_new("Q", "B", {"n": 2})
        table.put_new("P", "old", {"expires_at": int(clock().timestamp())})
        found = table.get_many([("Q", "B"), ("P", "none"), ("P", "old"), ("P", "A"), ("Q", "B")])
        second = {"pk": "Q", "sk": "B", "n": 2}
        assert found == [second, None, None, {"pk": "P", "sk": "A", "n": 1}, second]
        assert table.get_many([]) == []

    def test_get_many_reads_more_keys_than_one_call_takes(self, table: Table) -> None:
        keys = [("P", f"{number:03}") for number in range(120)]
        for number, key in enumerate(keys):
            table.put_new(*key, {"n": number})
        assert [item and item["n"] for item in table.get_many(keys)] == list(range(120))

    def test_query_is_ordered_and_by_prefix(self, table: Table) -> None:
        for sort in ("B#2", "A", "B#10", "B#1", "C"):
            table.put_new("P", sort, {})
        table.put_new("Q", "B#3", {})
        assert [item["sk"] for item in table.query("P", "B#")] == ["B#1", "B#10", "B#2"]
        assert [item["sk"] for item in table.query("P")] == ["A", "B#1", "B#10", "B#2", "C"]

    def test_query_reads_all_pages(self, table: Table) -> None:
        for number in range(8):
            table.put_new("P", f"{number:03}", {"chunk": bytes(300_000)})
        assert [item["sk"] for item in table.query("P")] == [f"{number:03}" for number in range(8)]

    def test_an_expired_item_is_absent(self, table: Table, clock: MovableClock) -> None:
        now = int(clock().timestamp())
        table.put_new("P", "S", {"expires_at": now + 10, "n": 1})
        clock.advance(9)
        assert table.get("P", "S") is not None
        clock.advance(1)
        assert table.get("P", "S") is None
        assert table.query("P") == []
        assert table.update("P", "S", {"n": 2}, expect={"n": 1}) is None
        assert table.put_new("P", "S", {"n": 3})
        assert table.get("P", "S") == {"pk": "P", "sk": "S", "n": 3}

    def test_update_makes_the_item_and_answers_what_it_is_now(self, table: Table) -> None:
        assert table.update("P", "S", {"status": "new", "name": "x"}) == {
            "pk": "P",
            "sk": "S",
            "status": "new",
            "name": "x",
        }
        assert table.update("P", "S", {"status": "old"}, remove=("name",), add={"count": 2}) == {
            "pk": "P",
            "sk": "S",
            "status": "old",
            "count": 2,
        }
        assert table.update("P", "S", {}, add={"count": -3}) == {"pk": "P", "sk": "S", "status": "old", "count": -1}
        assert table.get("P", "S") == {"pk": "P", "sk": "S", "status": "old", "count": -1}

    def test_update_holds_to_what_is_expected(self, table: Table) -> None:
        table.put_new("P", "S", {"status": "a", "tries": 1})
        assert table.update("P", "S", {"status": "b"}, expect={"status": "x"}) is None
        assert table.update("P", "S", {"status": "b"}, expect={"status": "a", "tries": 2}) is None
        assert table.update("P", "S", {"status": "b"}, expect={"status": ("x", "a"), "tries": 1}) is not None
        assert table.update("P", "S", {"status": "c"}, expect={"status": ("x", "a")}) is None
        assert (table.get("P", "S") or {})["status"] == "b"

    def test_a_list_is_expected_as_a_whole(self, table: Table) -> None:
        table.put_new("P", "S", {"rounds": [["a"], ["b", "c"]]})
        assert table.update("P", "S", {"n": 1}, expect={"rounds": [["a"]]}) is None
        assert table.update("P", "S", {"n": 1}, expect={"rounds": [["a"], ["c", "b"]]}) is None
        assert table.update("P", "S", {"n": 1}, expect={"rounds": [["a"], ["b", "c"]]}) is not None

    def test_none_is_expected_where_an_attribute_is_absent_or_null(self, table: Table) -> None:
        table.put_new("P", "S", {"null": None, "there": 1})
        assert table.update("P", "S", {"n": 1}, expect={"absent": None}) is not None
        assert table.update("P", "S", {"n": 2}, expect={"null": None}) is not None
        assert table.update("P", "S", {"n": 3}, expect={"there": None}) is None
        assert table.update("P", "S", {"n": 4}, expect={"there": (None, 1)}) is not None
        assert (table.get("P", "S") or {})["n"] == 4

    def test_a_condition_never_holds_for_an_absent_item(self, table: Table) -> None:
        assert table.update("P", "S", {"n": 1}, expect={"status": None}) is None
        assert table.update("P", "S", {"n": 1}, below={"tries": 5}) is None
        assert table.get("P", "S") is None

    def test_below_counts_an_absent_attribute_as_zero(self, table: Table) -> None:
        table.put_new("P", "S", {})
        for expected in (1, 2, 3):
            changed = table.update("P", "S", {}, add={"tries": 1}, below={"tries": 3})
            assert changed is not None
            assert changed["tries"] == expected
        assert table.update("P", "S", {}, add={"tries": 1}, below={"tries": 3}) is None

    def test_parallel_counting_stops_at_the_limit(self, table: Table) -> None:
        table.put_new("P", "S", {})
        allowed = []

        def guess() -> None:
            allowed.append(table.update("P", "S", {}, add={"tries": 1}, below={"tries": 5}) is not None)

        threads = [threading.Thread(target=guess) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(allowed) == 5
        assert (table.get("P", "S") or {})["tries"] == 5

    def test_reserved_words_and_odd_names_are_names(self, table: Table) -> None:
        odd = {"status": 1, "name": 2, "a.b": 3, "size": 4, "#x": 5}
        assert table.update("P", "S", odd) == {"pk": "P", "sk": "S", **odd}
        assert table.update("P", "S", {}, remove=("a.b",), expect={"#x": 5}) is not None
        assert "a.b" not in (table.get("P", "S") or {})

    def test_open_requests_come_soonest_due_first(self, table: Table) -> None:
        for n in (2, 0, 1):
            table.put_new(f"R{n}", "REQUEST", {"open": "open", "due_at": f"2027-01-0{n + 1}", "n": n})
        table.put_new("R7", "REQUEST", {"open": "unverified", "due_at": "2026-01-01", "n": 7})
        table.put_new("R8", "REQUEST", {"due_at": "2026-01-01", "n": 8})
        table.update("R1", "REQUEST", {}, remove=["open"])
        assert [item["n"] for item in table.open_requests()] == [0, 2]
        assert [item["n"] for item in table.open_requests("unverified")] == [7]
        assert list(table.open_requests("nothing")) == []

    def test_open_requests_gives_all_there_are(self, table: Table) -> None:
        for n in range(250):
            table.put_new(f"R{n}", "REQUEST", {"open": "open", "due_at": f"{n:04}", "n": n})
        assert [item["n"] for item in table.open_requests()] == list(range(250))

    def test_by_person_gives_the_newest_first_and_only_theirs(self, table: Table) -> None:
        for number, person in enumerate(("ann", "bob", "ann", "ann")):
            data = {"person": person, "received_at": f"2026-01-0{number + 1}T00:00:00Z", "n": number}
            table.put_new(f"REQUEST#{number}", "REQUEST", data)
        table.put_new("REQUEST#9", "REQUEST", {"received_at": "2026-01-09T00:00:00Z"})
        assert [item["n"] for item in table.by_person("ann")] == [3, 2, 0]
        assert table.by_person("nobody") == []

    def test_delete_is_done_when_it_is_gone(self, table: Table) -> None:
        table.put_new("P", "S", {})
        table.delete("P", "S")
        table.delete("P", "S")
        assert table.get("P", "S") is None

    def test_what_was_read_is_a_copy(self, table: Table) -> None:
        table.put_new("P", "S", {"list": [1]})
        (table.get("P", "S") or {})["list"].append(2)
        assert (table.get("P", "S") or {})["list"] == [1]


class TestMemoryTable(TableContract):
    @pytest.fixture
    def table(self, clock: MovableClock) -> MemoryTable:
        return MemoryTable(clock)


class TestDynamoTable(TableContract):
    @pytest.fixture
    def client(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        one_at_a_time(monkeypatch)
        with mock_aws():
            client = boto3.client("dynamodb", "eu-west-1")
            make_table(client)
            yield client

    @pytest.fixture
    def table(self, client: Any, clock: MovableClock) -> DynamoTable:
        return DynamoTable(client, NAME, clock)

    def test_a_write_whose_answer_was_lost_knows_itself(self, client: Any, table: DynamoTable) -> None:
        repeat(client, "PutItem", "UpdateItem")
        assert table.put_new("P", "S", {"status": "a"})
        changed = table.update("P", "S", {"status": "b"}, add={"seq": 1}, expect={"status": "a"})
        assert changed == {"pk": "P", "sk": "S", "status": "b", "seq": 1}
        assert table.update("P", "S", {}, add={"seq": 1}) == {"pk": "P", "sk": "S", "status": "b", "seq": 2}
        assert not table.put_new("P", "S", {"status": "c"})
        assert table.update("P", "S", {"status": "c"}, expect={"status": "a"}) is None

    def test_keys_left_unread_are_read_again(self, client: Any, table: DynamoTable) -> None:
        keys = [("P", str(number)) for number in range(5)]
        for number, key in enumerate(keys):
            table.put_new(*key, {"n": number})
        read_at_most(client, 2)
        assert [item and item["n"] for item in table.get_many(keys)] == list(range(5))
        read_at_most(client, 0)
        with pytest.raises(TryAgain):
            table.get_many(keys)


def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB checks a condition and writes in one go. moto does it in two, between which another thread may write."""
    lock, update = threading.Lock(), DynamoDBBackend.update_item

    def locked(*args: Any, **options: Any) -> Any:
        with lock:
            return update(*args, **options)

    monkeypatch.setattr(DynamoDBBackend, "update_item", locked)


def read_at_most(client: Any, most: int) -> None:
    """BatchGetItem answers for so many keys and calls the others unprocessed, as it does under load."""

    def cut(parsed: dict[str, Any], **_: Any) -> None:
        items = parsed["Responses"][NAME]
        unread = [{"pk": item["pk"], "sk": item["sk"]} for item in items[most:]]
        parsed["Responses"][NAME] = items[:most]
        parsed["UnprocessedKeys"] = {NAME: {"Keys": unread, "ConsistentRead": True}} if unread else {}

    client.meta.events.register_last("after-call.dynamodb.BatchGetItem", cut)


def repeat(client: Any, *operations: str) -> None:
    """Sends each call twice, as the SDK does when the first answer is lost after the server committed."""
    seen = threading.local()

    def again(http_response: Any, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        request = seen.request
        seen.request = None
        if request is not None:
            http, second = client._endpoint.make_request(model, request)
            http_response.status_code = http.status_code
            parsed.clear()
            parsed.update(second)

    def remember(params: dict[str, Any], **_: Any) -> None:
        seen.request = params

    for operation in operations:
        client.meta.events.register(f"before-call.dynamodb.{operation}", remember)
        client.meta.events.register(f"after-call.dynamodb.{operation}", again)
