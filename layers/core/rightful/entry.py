"""How a Lambda of the workflow begins and ends: time guard, one log line of ids, and errors that name no value."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from rightful import wiring
from rightful.errors import NeedsAttention, RightfulError
from rightful.service.deps import Deps, TimeLeft

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from rightful.service.measuring import Point

Event = dict[str, Any]
Step = Callable[[Deps, Event, TimeLeft], Any]

RESERVE = 10.0
"""Seconds before the Lambda's time-out in which a step may still finish its page and save."""
LOGGED = (
    *("request_id", "store", "done", "decision", "status", "left", "plan_hash", "why"),
    *("run_id", "stage", "segment", "mode"),
)
"""Keys of inputs and answers that a log line may hold: ids, names, counts and hashes."""


@cache
def logger() -> Logger:
    from aws_lambda_powertools import Logger as PowertoolsLogger

    return PowertoolsLogger(service="rightful", utc=True)


def handler(step: Step) -> Callable[[Event, LambdaContext], Any]:
    """A Lambda handler for one step. Anything that is not an error of ours is raised as NeedsAttention under its
    class name alone: a foreign message may quote what it choked on, and would stand in the execution's history."""

    def handle(event: Event, context: LambdaContext) -> Any:
        facts = {key: event[key] for key in LOGGED if key in event}
        try:
            answer = step(wiring.build(), event, time_left(context))
        except RightfulError as error:
            logger().warning(type(error).__name__, extra={**facts, "reason": str(error)})
            raise
        except Exception as error:  # noqa: BLE001 - the last line before the history: whatever it is, its text stays here
            places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
            logger().error("unexpected", extra={**facts, "error": type(error).__name__, "places": places})
            raise NeedsAttention(f"unexpected {type(error).__name__}; its place is in the function's log") from None
        logger().info("step", extra={**facts, **{key: answer[key] for key in LOGGED if key in (answer or {})}})
        return answer

    return handle


def measure(points: Iterable[Point]) -> None:
    """Writes metrics to the log in CloudWatch's embedded format. Namespace: POWERTOOLS_METRICS_NAMESPACE."""
    from aws_lambda_powertools import Metrics

    for point in points:
        metrics = Metrics()
        for name, value in point.dimensions.items():
            metrics.add_dimension(name, value)
        for name, count in point.counts.items():
            metrics.add_metric(name, "Seconds" if name.endswith("Seconds") else "Count", count)
        metrics.flush_metrics()


def time_left(context: LambdaContext) -> TimeLeft:
    """Seconds of work left in this invocation."""
    budget = context.get_remaining_time_in_millis() / 1000 - RESERVE
    wanted = os.environ.get("TIME_BUDGET_SECONDS")
    end = time.monotonic() + (min(budget, float(wanted)) if wanted else budget)
    return lambda: end - time.monotonic()
