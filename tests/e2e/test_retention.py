"""The retention sweep through its real machine, with IAM enforced, held against the ground truth. Comes after the other
tests (conftest.py): it takes from everybody what is past its time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from infra.local import checks, mishaps
from infra.local.person import Person
from infra.local.stack import Stack
from infra.local.sweeps import Sweep
from infra.sample.digest import Snapshot, snapshot
from infra.sample.keys import STORES, table_name
from infra.sample.truth import Truth
from rightful.service.sweep import measuring, reporting
from tests.e2e import driving
from tests.e2e.sweeping import BRAKED, Swept, ended

DPO = "privacy@salescookie.com"


def of_the_sample(taken: Snapshot, truth: Truth) -> Snapshot:
    """What the truth knows: without what other tests wrote, or found erased."""
    known: dict[str, set[str]] = {store: set() for store in STORES}
    for entry in truth.content["persons"].values():
        for store, share in entry["stores"].items():
            known[store].update(share["keys"])
    return {store: {key: records[key] for key in known[store] & set(records)} for store, records in taken.items()}


def erased_before(truth: Truth, taken: Snapshot) -> list[str]:
    """People whose account an earlier test erased."""
    return [
        email
        for email in truth.people()
        if any(key not in taken["accounts"] for key in truth.person(email)["accounts"]["keys"])
    ]


def test_a_preview_changes_nothing(truth: Truth, swept: Swept) -> None:
    assert swept.previewed == swept.before
    assert swept.preview["mode"] == "preview"
    assert set(swept.preview["stores"]) == set(STORES)
    assert swept.preview["left_out"] == {}
    assert all(counts["deleted"] == counts["anonymised"] == 0 for counts in swept.preview["stores"].values())
    assert sum(counts["due"] for counts in swept.preview["stores"].values()) > 50
    assert [name for name, counts in swept.preview["stores"].items() if counts["braked"]] == [BRAKED]


def test_what_is_past_its_time_is_gone_and_all_else_is_untouched(truth: Truth, swept: Swept) -> None:
    before, after = of_the_sample(swept.before, truth), of_the_sample(swept.after, truth)
    erased = erased_before(truth, swept.before)
    rows = checks.retention(truth, before, after, swept.applied, applied=True, erased=erased)
    assert [row for row in rows if row.problems] == []
    assert len(rows) == len(STORES)


def test_counts_add_up(swept: Swept) -> None:
    for output in (swept.preview, swept.applied, swept.second):
        for name, counts in output["stores"].items():
            assert counts["scanned"] == counts["due"] + sum(counts["kept"].values()) + counts["malformed"], name
    for name, counts in swept.applied["stores"].items():
        assert counts["due"] == counts["deleted"] + counts["anonymised"], name
        assert counts["due"] == swept.preview["stores"][name]["due"], name


def test_the_braked_store_waits_while_the_others_go_on(truth: Truth, swept: Swept) -> None:
    assert swept.waiting[BRAKED] == swept.before[BRAKED]
    others = [store for store in STORES if store != BRAKED]
    assert {store: swept.waiting[store] for store in others} == {store: swept.after[store] for store in others}
    assert swept.after[BRAKED] != swept.before[BRAKED]


def test_the_dpo_is_told_once_with_the_answer_to_paste(swept: Swept) -> None:
    (letter,) = swept.letters
    assert letter.to == DPO
    pasted = [json.loads(block) for block in re.findall(r"^{.*?^}", letter.text, re.DOTALL | re.MULTILINE)]
    assert pasted[0] == {
        "action": "continue_sweep",
        "run_id": swept.apply.run_id,
        "stores": [BRAKED],
        "reason": "",
    }


def test_an_answer_that_cannot_be_used_is_explained(swept: Swept) -> None:
    assert all(answer["ok"] is False and answer["message"] for answer in swept.refusals)
    fields = [set(answer.get("errors", {})) for answer in swept.refusals]
    approved = {"request_id", "run_id", "stores", "reason"}
    assert fields == [set(), {"stores"}, {"stores"}, {"stores"}, {"reason"}, approved]
    assert swept.accepted["ok"] is True


def test_a_second_apply_finds_nothing(swept: Swept) -> None:
    assert swept.at_last == swept.after
    assert [name for name, counts in swept.second["stores"].items() if counts["due"]] == []


def test_the_output_is_what_the_contract_says(swept: Swept) -> None:
    for output in (swept.preview, swept.applied):
        assert set(output) == {"run_id", "mode", "report", "stores", "left_out"}
        assert all(set(counts) == set(reporting.TOLD) for counts in output["stores"].values())


def test_the_report_is_there_to_read_and_to_count(swept: Swept) -> None:
    page = swept.apply.report(swept.applied).decode()
    counted = json.loads(swept.apply.report(swept.applied, "json"))
    assert "Forms you sent us" in page
    assert "Waiting for your decision" not in page
    assert counted["stores"][BRAKED]["decision"] == "continue"
    assert reporting.output(counted) == swept.applied


def test_each_run_is_measured_once(stack: Stack, swept: Swept) -> None:
    """Also the one that follows the end of a hold, which another test released."""
    runs = outputs(stack)
    measured = [point["Mode"] for point in points(stack, "ReportLog") if "Runs" in point]
    stores = [point for point in points(stack, "ReportLog") if point.get("Store") == BRAKED]
    assert sorted(measured) == sorted(output["mode"] for output in runs)
    assert {swept.preview["run_id"], swept.apply.run_id} < {output["run_id"] for output in runs}
    assert all(set(measuring.OF_A_STORE) <= set(point) for point in stores)
    deleted = [output["stores"][BRAKED]["deleted"] for output in runs if BRAKED in output["stores"]]
    assert sorted(point["Deleted"] for point in stores) == sorted([count] for count in deleted)
    assert [point["BrakedStores"] for point in points(stack, "BrakeLog")] == [[1.0]]


def outputs(stack: Stack) -> list[dict[str, Any]]:
    """What the ended runs of the sweep answered."""
    client, machine = stack.client("stepfunctions"), stack.outputs["RetentionSweepArn"]
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=machine, statusFilter="SUCCEEDED")
    arns = [each["executionArn"] for page in pages for each in page["executions"]]
    return [json.loads(client.describe_execution(executionArn=arn)["output"]) for arn in arns]


def points(stack: Stack, log: str) -> list[dict[str, Any]]:
    """Metrics that a function wrote into its log."""
    pages = stack.client("logs").get_paginator("filter_log_events")
    events = [e for page in pages.paginate(logGroupName=mishaps.physical(stack, log)) for e in page["events"]]
    return [json.loads(event["message"]) for event in events if event["message"].startswith('{"_aws"')]


def test_nobody_can_be_recognised_outside_the_stores_and_the_preview(swept: Swept) -> None:
    held = [key for records in swept.before.values() for key in records if swept.markers.word in key.lower()]
    gone = [key for key in held if all(key not in records for records in swept.after.values())]
    assert gone, "the sweep had a marked person's records in its hands"
    assert list(swept.markers.found_in(swept.seen)) == []


def test_a_run_of_the_schedule_that_fires_twice_is_done_once(stack: Stack, swept: Swept) -> None:
    client, given = stack.client("stepfunctions"), json.dumps({"mode": "preview", "run_id": "2027-01-31T03:00:00Z"})
    arns = [
        client.start_execution(stateMachineArn=stack.outputs["RetentionSweepArn"], input=given)["executionArn"]
        for _ in range(2)
    ]
    ends = sorted(driving.ended_in(stack, arn) for arn in arns)
    assert ends == ["Another execution does this run", "Write the report"]


def test_what_a_backup_brought_back_is_erased_again(
    stack: Stack, truth: Truth, person: Callable[[str], Person], swept: Swept
) -> None:
    """The tables are copied, somebody is erased, and the copy is put back."""
    stores, client = ("accounts", "subscriptions", "tickets"), stack.client("dynamodb")
    held = [email for email in truth.people() if all(truth.person(email)[store]["keys"] for store in stores)]
    email = next(
        email for email in held if set(truth.person(email)["accounts"]["keys"]) <= swept.at_last["accounts"].keys()
    )
    copies = {store: client.scan(TableName=table_name(store))["Items"] for store in stores}
    leaver = person(email)
    assert leaver.wait(leaver.ask("erasure"))["status"] == "completed"
    erased = snapshot(stack.client)
    for store, items in copies.items():
        for item in items:
            client.put_item(TableName=table_name(store), Item=item)
    restored = snapshot(stack.client)
    assert restored["accounts"] != erased["accounts"]

    output = ended(Sweep.start(stack, "apply", as_of=truth.content["as_of"], stores=list(stores)))
    assert output["stores"]["accounts"]["resurrected"] == len(truth.person(email)["accounts"]["keys"])
    assert snapshot(stack.client) == erased
