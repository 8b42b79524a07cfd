"""The states that wait for the DPO: `{"request_id", "task_token", "why", "failed", "problem"}`; answered by token."""

from rightful.entry import handler as entry
from rightful.service import asking

handler = entry(
    lambda deps, event, _: asking.ask(
        deps, event["request_id"], event["task_token"], event["why"], event["failed"], event["problem"]
    )
)
