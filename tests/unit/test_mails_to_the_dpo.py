"""The mails to the DPO say what there is to decide, why, and what to paste."""

from __future__ import annotations

import json
import re
from typing import Any

from rightful.mails import render
from tests.unit.mail_facts import BRAKED, PLAN, REQUEST, RUN, in_english


def test_the_dpo_reads_whom_to_tell_by_hand_and_of_whom() -> None:
    text = in_english("dpo_recipients")
    assert "* The shop & Co\n    What went wrong: the webhook answered 503\n    email: ada@example.org\n" in text
    assert "* The post\n    What went wrong: it was not tried\n    customer_id: cus-1\n    customer_id: cus-2\n" in text


def pasted(text: str) -> list[dict[str, Any]]:
    return [json.loads(block) for block in re.findall(r"^{.*?^}", text, re.DOTALL | re.MULTILINE)]


def test_the_dpo_can_paste_the_answer() -> None:
    request_id = REQUEST["request_id"]
    approval = pasted(in_english("dpo_approval"))
    assert approval[0] == {"action": "approve", "request_id": request_id, "plan_hash": "ab" * 32}
    assert approval[1]["action"] == "reject"
    attention = pasted(in_english("dpo_attention"))
    assert attention[0] == {"action": "retry", "request_id": request_id}
    assert attention[1] | {"reason": ""} == {
        "action": "skip",
        "request_id": request_id,
        "store": "tickets",
        "reason": "",
    }


def test_where_two_must_approve_each_finds_their_own_code() -> None:
    text = in_english("dpo_second_approval", code="their-own")
    assert "It takes two persons" in text
    assert pasted(text)[0] | {"code": "their-own"} == pasted(text)[0]
    assert "It takes two persons" not in in_english("dpo_approval")


def test_the_dpo_reads_why_a_plan_is_put_to_them_and_what_has_changed() -> None:
    asks = [
        {"why": "records", "found": 12, "most": 10},
        {"why": "stores", "stores": ["uploads", "tickets"]},
        {"why": "privileged", "stores": ["accounts"]},
        {"why": "identity", "identity": "account_id", "found": 3, "most": 1},
        {"why": "source", "source": "letter"},
    ]
    text = in_english("dpo_approval", plan={**PLAN, "asks": asks})
    for part in (
        "12 records are concerned; up to 10",
        "found in: uploads, tickets.",
        "an owner or administrator) in: accounts.",
        "3 values of account_id were found; up to 1",
        "the request came by letter.",
        "* tickets\n    delete 3 (before: 1)\n    search failed: no access\n",
        "* surveys\n    as many records as before, but not the same ones\n",
    ):
        assert part in text
    assert "have changed since" not in in_english("dpo_approval", changed={})


def test_the_dpo_sees_the_plan_and_the_problem() -> None:
    text = in_english("dpo_approval")
    for part in ("* accounts\n    delete 1", "keep 4", "search failed: Query answered", "not covered", "nothing found"):
        assert part in text
    assert "What went wrong: Query answered AccessDeniedException" in in_english("dpo_attention")


def test_a_step_that_failed_as_a_whole_is_not_announced_as_a_store() -> None:
    text = in_english("dpo_attention", failed=[], problem="packing the download")
    assert "One step failed in a way that no further try would mend: packing the download." in text
    assert "These stores" not in text
    assert [each["action"] for each in pasted(text)] == ["retry"]


def test_the_dpo_sees_what_is_braked_and_what_to_answer() -> None:
    mail = render("dpo_brake", "en", **BRAKED)
    assert mail.subject == f"Decision needed: retention sweep {RUN}"
    for part in (
        "* Answers (answers)\n    9 of 10 records would be made anonymous (90.0 %; the data map lets 50 % go",
        "* Forms & more (forms)\n    71 of 300 records would be deleted (23.7 %; the data map lets 10 % go",
        f"s3://reports/retention/2027/01/31/{RUN}.html",
        "If you do nothing",
    ):
        assert part in mail.text
    named = {"run_id": RUN, "stores": ["answers", "forms"], "reason": ""}
    assert pasted(mail.text) == [{"action": action, **named} for action in ("continue_sweep", "cancel_sweep")]


def test_the_dpo_reads_what_is_due_the_most_urgent_first_and_what_to_paste() -> None:
    text = in_english("dpo_deadlines")
    said = [
        "1 request is overdue:",
        "* access r-late\n    Due on 26 February 2027\n    1 day overdue.\n    Status: needs attention",
        "2 requests are due within two days:",
        "* access r-today\n    Due on 27 February 2027\n    That is today.",
        "* erasure r-near\n    Due on 1 March 2027\n    2 days are left.",
        "1 request is due within seven days:",
        "* access r-soon\n    Due on 6 March 2027\n    7 days are left.",
        "1 request is paused; its clock stands still",
        "* access r-paused\n    Status: paused",
        "2 requests that came by letter or phone were never confirmed by the person.",
        "* erasure r-letter\n    Received on 29 January 2027 (by letter)",
    ]
    places = [text.index(part) for part in said]
    assert places == sorted(places)
    shown = [each["request_id"] for each in pasted(text) if each["action"] == "show"]
    assert shown == ["r-late", "r-today", "r-near", "r-soon", "r-paused"]
    extend = [each for each in pasted(text) if each["action"] == "extend"]
    assert extend == [{"action": "extend", "request_id": name, "reason": ""} for name in ("r-today", "r-near")]
    assert "not listed" not in text
    more = in_english("dpo_deadlines", more=3)
    assert "3 more requests are not listed here." in more
    assert {"action": "open"} in pasted(more)
