"""What the company's mailers ask before they send: `{"contacts": [{"email", "topic"}, ...]}`, at most 500 ->
`{"answers": [{"allowed", "reason", "headers"?}, ...]}`, in the same order. A mistake fails the call as `Invalid`, with
the index, the field and the cure in its message; nothing is answered then."""

from typing import Any

from rightful.entry import Event, logger
from rightful.entry import handler as entry
from rightful.service import may_contact
from rightful.service.deps import Deps, TimeLeft


def ask(deps: Deps, event: Event, _: TimeLeft) -> dict[str, Any]:
    answered = may_contact.answer(deps, event)
    allowed = sum(each["allowed"] for each in answered["answers"])
    logger().info("answered", extra={"asked": len(answered["answers"]), "allowed": allowed})
    return answered


handler = entry(ask)
