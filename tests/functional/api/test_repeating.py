"""The same call made again, in parallel, or after a crash anywhere: one request, one workflow, one code that counts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest

from rightful.errors import Conflict, TryAgain
from rightful.service import intake, requests, verifying
from rightful.service.intake import Asked
from rightful.service.repeating import BUSY_SECONDS
from tests.fakes.company import ADA
from tests.fakes.recording import Moment, no_fault
from tests.fakes.world import World
from tests.functional.api.bridge import Answer, call
from tests.functional.api.conftest import Person, recorders

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
MOST_CALLS = 60
"""More port calls than any call of the API makes."""


class Killed(BaseException):
    """The process ends here: nothing of ours may catch it."""


def break_at(world: World, number: int, moment: Moment, error: BaseException) -> Callable[[], bool]:
    """Raises `error` once, before or after the `number`th port call from now; says whether it did."""
    seen = 0

    def fault(_: str, at: Moment) -> None:
        nonlocal seen
        if at == moment:
            seen += 1
            if seen == number:
                raise error

    for port in recorders(world):
        port.fault = fault
    return lambda: seen >= number


def mend(world: World) -> None:
    for port in recorders(world):
        port.fault = no_fault


def open_requests(world: World) -> list[str]:
    return sorted(pk for (pk, sk), item in world.table.items.items() if sk == "REQUEST" and "verified_at" in item)


def made_requests(world: World) -> list[str]:
    return sorted(pk for pk, sk in world.table.items if sk == "REQUEST")


def test_the_same_key_gives_the_same_answer_and_no_second_code(world: World, ada: Person) -> None:
    first = ada.ask("erasure", Idempotency_Key=KEY)
    assert [ada.ask("erasure", Idempotency_Key=KEY).json for _ in range(3)] == [first.json] * 3
    assert len(made_requests(world)) == 1
    assert ada.codes() == 1


def test_the_same_key_with_a_token_starts_one_workflow(world: World, ada: Person) -> None:
    token = ada.sign_in()
    asked = [call("POST", "/requests", {"type": "access"}, token=token, Idempotency_Key=KEY) for _ in range(3)]
    assert {answer.text for answer in asked} == {asked[0].text}
    assert len(world.executions.started) == 1
    requests.transition(world.deps, asked[0].json["request_id"], "completed", what="Done")
    assert call("POST", "/requests", {"type": "access"}, token=token, Idempotency_Key=KEY).text == asked[0].text
    assert len(world.executions.started) == 1


def test_another_body_under_the_same_key_is_a_conflict(world: World, ada: Person) -> None:
    ada.ask("erasure", Idempotency_Key=KEY)
    refused = ada.ask("access", Idempotency_Key=KEY)
    assert refused.status == 409
    assert "new key" in refused.json["detail"]
    assert len(made_requests(world)) == 1


def test_a_key_belongs_to_one_person_at_one_source(world: World, other: Callable[[str], Person]) -> None:
    first = other(ADA).ask("access", Idempotency_Key=KEY)
    elsewhere = other(ADA).ask("access", Idempotency_Key=KEY, source="198.51.100.1")
    somebody = other("zoe@example.org").ask("access", Idempotency_Key=KEY)
    ids = {answer.json["verification_id"] for answer in (first, elsewhere, somebody)}
    assert len(ids) == 3


def test_a_key_is_forgotten_after_a_day(world: World, ada: Person) -> None:
    first = ada.ask("access", Idempotency_Key=KEY).json["request_id"]
    world.clock.advance(days=1)
    assert ada.ask("erasure", Idempotency_Key=KEY).json["request_id"] != first


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 129, "a\n"])
def test_a_key_that_cannot_be_used(ada: Person, key: str) -> None:
    refused = ada.ask("access", Idempotency_Key=key)
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "Idempotency-Key")


def test_parallel_calls_with_one_key(world: World, ada: Person) -> None:
    def submit(_: int) -> str:
        try:
            return str(intake.submit(world.deps, Asked(type="access", email=ADA), "192.0.2.1", None, KEY))
        except Conflict as conflict:
            return "busy" if conflict.retry_after else "refused"

    with ThreadPoolExecutor(16) as pool:
        answers = set(pool.map(submit, range(40)))
    assert len(answers - {"busy"}) == 1
    assert len(made_requests(world)) == 1
    assert ada.codes() == 1


def test_a_second_request_of_a_kind_is_answered_by_the_open_one(world: World, ada: Person) -> None:
    first, token = ada.begun("access")
    again = call("POST", "/requests", {"type": "access"}, token=token)
    assert (again.status, again.json["request_id"]) == (202, first)

    by_code, token = ada.begun("access")
    assert by_code != first
    assert call("GET", f"/requests/{by_code}", token=token).json["request_id"] == first
    assert len(world.executions.started) == 1
    assert [shown["request_id"] for shown in call("GET", "/requests", token=token).json["requests"]] == [first]

    requests.transition(world.deps, first, "completed", what="Done")
    third = call("POST", "/requests", {"type": "access"}, token=token).json["request_id"]
    assert third not in (first, by_code)
    assert len(world.executions.started) == 2


def test_parallel_requests_of_a_kind_become_one(world: World, ada: Person) -> None:
    proof = verifying.authenticate(world.deps, f"Bearer {ada.sign_in()}")
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda _: intake.submit(world.deps, Asked(type="erasure"), "192.0.2.1", proof), range(30))
        )
    assert len({answer["request_id"] for answer in answers}) == 1
    assert len(open_requests(world)) == 1
    assert len(world.executions.started) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, MOST_CALLS))
def test_killed_at_any_port_call_and_sent_again(
    world: World, ada: Person, number: int, moment: Literal["before", "after"]
) -> None:
    """Every call of an erasure by code is killed once at its n-th port call, then sent again as a client would."""

    def insist(send: Callable[[], Answer]) -> Answer:
        broke = break_at(world, number, moment, Killed())
        try:
            answer = send()
        except Killed:
            mend(world)
            answer = send()
            if answer.status == 409:
                world.clock.advance(int(answer.headers["retry-after"]))
                answer = send()
        mend(world)
        assert answer.status in (200, 202) or broke()
        return answer

    asked = insist(lambda: ada.ask("erasure", Idempotency_Key=KEY))
    assert asked.status == 202
    assert len(made_requests(world)) == 1
    assert ada.codes() <= 2
    assert ada.ask("erasure", Idempotency_Key=KEY).json == asked.json

    path = f"/verifications/{asked.json['verification_id']}"
    checked = insist(lambda: call("POST", path, {"code": ada.code()}))
    request_id = asked.json["request_id"]
    assert list(world.executions.started) == [f"erasure-{request_id}"]
    assert world.request(request_id)["status"] == "in_progress"
    # 410: killed after the code was used up. The request runs; the token died with the process.
    token = ada.sign_in() if checked.status == 410 else checked.json["token"]
    assert [event["what"] for event in call("GET", f"/requests/{request_id}", token=token).json["events"]] == [
        "We received your request",
        "You confirmed that it is you; work on your request began",
    ]

    withdrawn = insist(lambda: call("DELETE", f"/requests/{request_id}", token=token))
    assert withdrawn.json["status"] == "withdrawn"
    assert {detail["status"] for _, detail in world.events.published} == {"in_progress", "withdrawn"}
    assert len(open_requests(world)) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 30))
def test_killed_with_a_token_and_sent_again(
    world: World, ada: Person, number: int, moment: Literal["before", "after"]
) -> None:
    token = ada.sign_in()
    broke = break_at(world, number, moment, Killed())
    try:
        call("POST", "/requests", {"type": "access"}, token=token, Idempotency_Key=KEY)
    except Killed:
        assert broke()
    mend(world)
    world.clock.advance(BUSY_SECONDS)
    asked = call("POST", "/requests", {"type": "access"}, token=token, Idempotency_Key=KEY)
    assert (asked.status, asked.json["status"]) == (202, "in_progress")
    assert open_requests(world) == [f"REQUEST#{asked.json['request_id']}"]
    assert list(world.executions.started) == [f"access-{asked.json['request_id']}"]


@pytest.mark.parametrize("number", range(1, 20))
def test_a_passing_fault_is_503_and_the_next_try_goes_on_at_once(world: World, ada: Person, number: int) -> None:
    broke = break_at(world, number, "before", TryAgain("throttled"))
    answer = ada.ask("access", Idempotency_Key=KEY)
    mend(world)
    if answer.status == 503:
        assert broke()
        assert answer.headers["retry-after"]
        assert "throttled" not in answer.text
        answer = ada.ask("access", Idempotency_Key=KEY)
    assert answer.status == 202
    assert len(made_requests(world)) == 1
    assert ada.verify(answer.json["verification_id"])


def test_a_code_that_was_never_mailed_is_replaced(world: World, ada: Person) -> None:
    world.mailer.fault = lambda _, moment: (_ for _ in ()).throw(Killed()) if moment == "before" else None
    with pytest.raises(Killed):
        ada.ask("access", Idempotency_Key=KEY)
    mend(world)
    busy = ada.ask("access", Idempotency_Key=KEY)
    assert (busy.status, busy.headers["retry-after"]) == (409, str(BUSY_SECONDS))
    world.clock.advance(BUSY_SECONDS)
    asked = ada.ask("access", Idempotency_Key=KEY)
    assert asked.status == 202
    assert ada.codes() == 1
    assert ada.verify(asked.json["verification_id"])
