"""Privacy issues reported over HTTP reach the DPO, on the running stack."""

from __future__ import annotations

import pytest

from infra.local.dpo import Dpo
from infra.local.person import Letter, Unexpected, call, until
from infra.local.stack import Stack

MINOR = "minor-e2e@example.com"
WRITTEN = "I could read <b>other people's</b> invoices."


@pytest.fixture(scope="module")
def dpo(stack: Stack) -> Dpo:
    return Dpo.of(stack)


def report(stack: Stack, kind: str, **more: str) -> str:
    said = {"kind": kind, "message": WRITTEN, **more}
    return str(call("POST", f"{stack.api_url}/issues", said, expect=(201,))["issue_id"])


def arrived(dpo: Dpo, *parts: str, seconds: float = 120) -> Letter:
    """The DPO's mail whose subject holds these parts."""
    for _ in until(seconds):
        for letter in dpo.letters():
            if all(part in letter.subject for part in parts):
                return letter
    raise Unexpected(f"no mail about {parts} came in {seconds:.0f} s")


def test_a_breach_that_is_reported_reaches_the_dpo_who_says_since_when_they_know(stack: Stack, dpo: Dpo) -> None:
    issue_id = report(stack, "suspected_breach")
    letter = arrived(dpo, issue_id)
    assert f"> {WRITTEN}" in letter.text
    assert WRITTEN not in letter.html
    shown = dpo.ask("show", request_id=issue_id)
    assert (shown["status"], shown["provisional"]) == ("received", True)
    answer = dpo.ask("assess", issue_id=issue_id, breach=True, reason="A backup could be read.")
    assert answer["ok"], answer
    assert issue_id in {each["issue_id"] for each in dpo.ask("open")["issues"]}
    assert dpo.ask("close_issue", issue_id=issue_id, reason="The authority was told.")["ok"]
    assert issue_id not in {each["issue_id"] for each in dpo.ask("open")["issues"]}


def test_someone_under_18_waits_for_the_dpos_approval(stack: Stack, dpo: Dpo) -> None:
    issue_id = report(stack, "under_18", email=MINOR)
    request_id = dpo.ask("show", request_id=issue_id)["erasure_id"]
    letter = arrived(dpo, "PRIORITY", request_id)
    assert "somebody reported that this account belongs to someone under 18" in letter.text
    shown = dpo.ask("show", request_id=request_id)
    assert (shown["status"], shown["source"], shown.get("verified_at")) == ("awaiting_approval", "under_18", None)
    answer = dpo.ask(
        "reject", request_id=request_id, ground="manifestly_unfounded", reason="Nobody of this name is here."
    )
    assert answer["ok"], answer
    assert dpo.ask("close_issue", issue_id=issue_id, reason="There is no such account.")["ok"]
