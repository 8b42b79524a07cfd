"""A DynamoDB client for the sweep: within the table's pace, its units counted, and pages handed over as they came."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from rightful.aws.errors import THROTTLES, error_code
from rightful.pace import Pace

RAW: Final = ("Scan", "Query", "BatchGetItem", "BatchExecuteStatement")
"""Operations whose answer is `{"Body": bytes}`: botocore would walk it along its model, two thirds of a page's cost."""
REFUSALS: Final = frozenset({"ValidationException", "ItemCollectionSizeLimitExceededException"})
"""Error codes that speak of the one record that was to be written."""
TRIES: Final = 4
"""Of what is throttled, each with the SDK's own tries; what then still fails is for the workflow to try again."""


class RefusedRecordError(Exception):
    """DynamoDB refuses a write for what is in it. Never leaves the sweeper."""


def hand_over(client: Any) -> None:
    """From now on the client answers those operations with the body as it came; retries, signing, checksums and errors
    stay botocore's. Doing it twice does nothing more."""
    for operation in RAW:
        client.meta.events.register(f"before-parse.dynamodb.{operation}", _body, unique_id=f"rightful-body-{operation}")


def _body(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    if response_dict["status_code"] < 300:
        customized_response_dict["Body"] = response_dict["body"]
        response_dict["body"] = b"{}"


class Paced:
    """`units` is what was consumed since it was last set to 0. `again`: the last call was sent more than once, so that
    an earlier try may have taken effect and only its answer was lost."""

    def __init__(
        self, client: Any, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self.reads = Pace(0, clock, sleep)
        self.writes = Pace(0, clock, sleep)
        self.units = 0.0
        self.again = False

    def describe_table(self, **question: Any) -> Any:
        return self._client.describe_table(**question)

    # Reading: the body. Who decodes it says what it cost.

    def scan(self, **question: Any) -> bytes:
        return self._body(self._client.scan, self.reads, question)

    def query(self, **question: Any) -> bytes:
        return self._body(self._client.query, self.reads, question)

    def batch_get_item(self, **question: Any) -> bytes:
        return self._body(self._client.batch_get_item, self.reads, question)

    def batch_execute_statement(self, **question: Any) -> bytes:
        """All statements write."""
        return self._body(self._client.batch_execute_statement, self.writes, question)

    def spent(self, pace: Pace, units: float) -> None:
        self.units += units
        pace.spent(units)

    # Writing one record, as the connector asks for it.

    def delete_item(self, **question: Any) -> Any:
        return self._write(self._client.delete_item, question)

    def update_item(self, **question: Any) -> Any:
        return self._write(self._client.update_item, question)

    def _body(self, call: Callable[..., Any], pace: Pace, question: dict[str, Any]) -> bytes:
        body: bytes = self._call(call, pace, question)["Body"]
        return body

    def _write(self, call: Callable[..., Any], question: dict[str, Any]) -> Any:
        answer = self._call(call, self.writes, question)
        self.spent(self.writes, answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0))
        return answer

    def _call(self, call: Callable[..., Any], pace: Pace, question: dict[str, Any]) -> Any:
        from botocore.exceptions import ClientError

        for tries in range(TRIES):
            pace.wait()
            try:
                answer = call(**question, ReturnConsumedCapacity="TOTAL")
            except ClientError as error:
                code = error_code(error)
                if code in REFUSALS and pace is self.writes:
                    raise RefusedRecordError from None
                if code not in THROTTLES or tries == TRIES - 1:
                    raise
                pace.throttled()
                pace.back_off(tries)
                continue
            retried = answer["ResponseMetadata"].get("RetryAttempts")  # the SDK met a throttle or a fault that passes
            if retried:
                pace.throttled()
            self.again = bool(tries or retried)
            return answer
        raise AssertionError("the last try returns or raises")
