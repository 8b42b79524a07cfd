"""At every AWS call of a request, from the first that the form makes to the last of the completion mail: the process
dies before the call is sent, or after it took effect; AWS throttles and then cannot be reached; the answer is lost, and
the SDK asks again or gives up. Whatever happens, the end is that of the undisturbed run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from rightful.aws.clients import SERVICES
from rightful.model import RequestType
from tests.fakes.aws_world import Aws, account
from tests.faults.journey import bystanders, deliver_event, outcome, travel
from tests.faults.wire import Call, Fault, Wire, no_waiting

READS = ("BatchGet", "Decrypt", "GenerateDataKey", "GenerateMac", "Get", "Head", "List", "Query", "Scan")
STORES: dict[RequestType, tuple[str, ...]] = {
    "access": ("accounts", "subscriptions", "uploads"),
    "erasure": ("accounts", "subscriptions", "invoices", "surveys", "uploads"),
}
"""An erasure does something else in each of these; an access only differs where there are files."""
MAILS = {"access": 1, "erasure": 2}
"""To the person; and to one of the recipients of what was erased."""
FEWEST = 60
"""Calls of a run; far fewer would mean that the wire is not watched."""


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with pytest.MonkeyPatch.context() as patch, account() as made, no_waiting():
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        yield made


@pytest.fixture(scope="module")
def wire(aws: Aws) -> Wire:
    wire = Wire()
    for service in SERVICES:
        wire.watch(aws.watched.get(service))
    return wire


def run(aws: Aws, wire: Wire, flow: RequestType, at: int = -1, fault: Fault | None = None) -> dict[str, Any]:
    """One request in a fresh world; its outcome."""
    world = aws.fresh(*STORES[flow])
    before = bystanders(world)
    events: list[str] = []

    def accepted(call: Call, body: dict[str, Any], answer: dict[str, Any]) -> None:
        if call.operation == "SendEmail":
            deliver_event(world, body, answer["MessageId"])
        else:
            events.extend(json.loads(entry["Detail"])["status"] for entry in body["Entries"])

    wire.accepted = accepted
    wire.begin(at, fault)
    request_id = travel(world, flow)
    assert bystanders(world) == before, "somebody else's data"
    return {**outcome(world, request_id), "events": list(dict.fromkeys(events))}


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("flow", STORES)
def test_wherever_it_breaks_the_end_is_the_same(aws: Aws, wire: Wire, flow: RequestType, fault: Fault) -> None:
    undisturbed = run(aws, wire, flow)
    calls = list(wire.calls)
    assert len(calls) >= FEWEST
    assert len(undisturbed["mails"]) == MAILS[flow]
    assert undisturbed["events"] == ["in_progress", "completed"]

    differences = []
    for at, call in enumerate(calls):
        if fault.needs_effect and call.operation.startswith(READS):
            continue
        try:
            disturbed = run(aws, wire, flow, at, fault)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other calls are tried too
            differences.append(f"{fault} at {_name(calls, at)}: {type(error).__name__}: {error}")
            continue
        assert wire.calls[at] == call, "runs take the same calls until something breaks"
        parts = [part for part in undisturbed if disturbed[part] != undisturbed[part]]
        differences += [f"{fault} at {_name(calls, at)}: {', '.join(parts)} differ"] * bool(parts)
    assert not differences, "\n".join(differences)


def _name(calls: list[Call], at: int) -> str:
    return f"call {at} of {len(calls)}, {calls[at].service} {calls[at].operation}"
