"""The main job over real HTTP, held against the ground truth."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import urllib3

from infra.local import checks, mishaps
from infra.local.person import Person, call, mailbox
from infra.local.stack import Stack
from infra.sample.digest import snapshot
from infra.sample.keys import table_name
from infra.sample.truth import Truth
from tests.e2e import driving

MakePerson = Callable[[str], Person]
DPO = "privacy@salescookie.com"


def of_trait(truth: Truth, trait: str) -> str:
    return next(truth.people(trait))


def test_an_access_gives_everything_and_changes_nothing(stack: Stack, truth: Truth, person: MakePerson) -> None:
    before = snapshot(stack.client)
    reader = person(of_trait(truth, "two_accounts"))
    request_id = reader.ask("access")
    ended = reader.wait(request_id)

    package = reader.download(request_id)

    assert ended["status"] == "completed"
    assert ended["stores"] == {"total": 9, "done": 9}
    outcomes = checks.access(truth, reader.email, before, snapshot(stack.client), io.BytesIO(package))
    assert [outcome for outcome in outcomes if outcome.problems] == []
    assert sum(outcome.exported for outcome in outcomes) > 5
    assert [letter.subject for letter in reader.letters()] == [
        "Your code for SalesCookie",
        "Your data is ready",
        "Your code for SalesCookie",
    ]


def test_an_erasure_leaves_what_the_truth_says(stack: Stack, truth: Truth, person: MakePerson) -> None:
    before = snapshot(stack.client)
    leaver = person(of_trait(truth, "everything"))

    ended = leaver.wait(leaver.ask("erasure"))

    after = snapshot(stack.client)
    assert ended["status"] == "completed"
    assert ended["stores"] == {"total": 9, "done": 9}
    told = ended["result"]["stores"]
    outcomes = checks.erasure(truth, leaver.email, before, after, told)
    assert [outcome for outcome in outcomes if outcome.problems] == []
    assert all(outcome.found for outcome in outcomes), "this person has something everywhere"
    assert told["usage_events"] == {"title": "How you used the service", "covered": False}
    assert checks.bystanders(truth, before, after, [leaver.email]) == []
    assert [letter.subject for letter in leaver.letters()] == [
        "Your code for SalesCookie",
        "Your erasure request is completed",
    ]


def test_an_erasure_cannot_be_withdrawn_once_it_has_begun(stack: Stack, truth: Truth, person: MakePerson) -> None:
    leaver = person(of_trait(truth, "shorter"))
    request_id = leaver.ask("erasure")
    leaver.wait(request_id)

    problem = call("DELETE", f"{stack.api_url}/requests/{request_id}", token=leaver.token, expect=(409,))

    assert problem["status"] == 409
    assert leaver.status(request_id)["status"] == "completed"


def test_nobody_else_can_tell_that_a_request_exists(stack: Stack, truth: Truth, person: MakePerson) -> None:
    owner, stranger = person(of_trait(truth, "composed")), person(of_trait(truth, "combining"))
    request_id = owner.ask("access")
    owner.wait(request_id)
    stranger.sign_in()
    unknown = request_id[::-1]

    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/download")):
        theirs = call(method, f"{stack.api_url}/requests/{request_id}{path}", token=stranger.token, expect=(404,))
        nobodys = call(method, f"{stack.api_url}/requests/{unknown}{path}", token=stranger.token, expect=(404,))
        assert theirs == nobodys
    assert call("GET", f"{stack.api_url}/requests", token=stranger.token)["requests"] == []
    assert owner.status(request_id)["status"] == "completed"


def test_a_download_needs_proof_and_its_link_is_short_lived(stack: Stack, truth: Truth, person: MakePerson) -> None:
    reader = person(of_trait(truth, "same_name"))
    request_id = reader.ask("access")
    reader.wait(request_id)
    url = f"{stack.api_url}/requests/{request_id}/download"

    call("POST", url, {}, expect=(401,))
    call("POST", url, {}, token="A" * 43, expect=(401,))
    link = call("POST", url, {}, token=reader.token)["url"]

    query = parse_qs(urlsplit(link).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert 0 < int(query["X-Amz-Expires"][0]) <= 300
    http = urllib3.PoolManager(retries=False)
    assert http.request("GET", re.sub("X-Amz-Expires=[0-9]+", "X-Amz-Expires=86400", link)).status == 403
    fetched = http.request("GET", link)
    assert fetched.status == 200
    assert fetched.headers["Content-Disposition"].startswith('attachment; filename="my-data.zip"')
    assert zipfile.ZipFile(io.BytesIO(fetched.data)).testzip() is None


def test_a_store_that_fails_for_good_waits_for_the_dpo(stack: Stack, truth: Truth, person: MakePerson) -> None:
    before = snapshot(stack.client)
    leaver = person(of_trait(truth, "many_tickets"))
    table = f"arn:aws:dynamodb:*:*:table/{table_name('tickets')}"
    with mishaps.refusing(stack, "EraseFunction", table, "dynamodb:DeleteItem"):
        request_id = leaver.ask("erasure")
        waiting = driving.wait_for(leaver, request_id, "needs_attention")
        meanwhile = snapshot(stack.client)
    refused = driving.decide(stack, request_id, "approve")

    asked = [letter for letter in mailbox(stack.mailbox_url) if letter.to == DPO and request_id in letter.text]
    assert waiting["stores"] == {"total": 9, "done": 8}, "every other store is done"
    assert meanwhile["tickets"] == before["tickets"]
    assert [key for key in truth.person(leaver.email)["accounts"]["keys"] if key in meanwhile["accounts"]] == []
    assert len(asked) == 1
    assert "tickets" in asked[0].text
    assert leaver.email not in asked[0].text
    assert not refused["ok"]
    call("DELETE", f"{stack.api_url}/requests/{request_id}", token=leaver.token, expect=(409,))

    assert driving.decide(stack, request_id, "retry")["ok"]

    ended = leaver.wait(request_id)
    after = snapshot(stack.client)
    assert ended["status"] == "completed"
    outcomes = checks.erasure(truth, leaver.email, before, after, ended["result"]["stores"])
    assert [outcome for outcome in outcomes if outcome.problems] == []
    assert checks.bystanders(truth, before, after, [leaver.email]) == []


def test_work_that_takes_longer_than_one_invocation_goes_on(stack: Stack, truth: Truth, person: MakePerson) -> None:
    """Without any time, each invocation is left with the one page that it may always do. The 50,000 records of one
    person are in tests/functional/workflow."""
    busy = person(of_trait(truth, "many_subscriptions"))
    (account,) = truth.content["persons"][busy.email]["account_ids"]
    write_tickets(stack, account, 600)

    with driving.time_budget(stack, 0.0, "ExportFunction", "EraseFunction"):
        access = busy.ask("access")
        assert busy.wait(access)["status"] == "completed"
        package = driving.fetch(stack, busy, access)
        erasure = busy.ask("erasure")
        ended = busy.wait(erasure)

    own = truth.person(busy.email)["tickets"]["records"]
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        tickets = json.loads(archive.read("data/tickets.json"))
    assert len(tickets) == own + 600
    assert ended["result"]["stores"]["tickets"]["deleted"] == own + 600
    assert [key for key in snapshot(stack.client)["tickets"] if account in key] == []
    assert rounds(stack, "access", access, "tickets") > 1
    assert rounds(stack, "erasure", erasure, "tickets") > 3


def rounds(stack: Stack, kind: str, request_id: str, store: str) -> int:
    """How many invocations it took to be through with a store."""
    events = driving.history(stack, driving.execution_arn(stack, kind, request_id))
    outputs = (event.get("taskSucceededEventDetails", {}).get("output", "{}") for event in events)
    return [json.loads(output).get("store") for output in outputs].count(store)


def write_tickets(stack: Stack, account: str, count: int) -> None:
    client = stack.client("dynamodb")
    items = [
        {"pk": {"S": f"ACCOUNT#{account}"}, "sk": {"S": f"TICKET#X{number:05}"}, "subject": {"S": "again"}}
        for number in range(count)
    ]
    for start in range(0, count, 25):
        requests = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        left = client.batch_write_item(RequestItems={table_name("tickets"): requests})["UnprocessedItems"]
        assert not left
