"""What the mails of the tests are about."""

from __future__ import annotations

from typing import Any

from rightful.mails import render
from rightful.model import Controller

CONTROLLER = Controller(
    name="Example & Söhne",
    contact="dpo@example.com",
    policy_url="https://example.com/privacy",
    complaint="The authority, 1 High Street",
)

CENTRE = "https://privacy.example.com"


REQUEST = {
    "request_id": "q3Zr8m0uT5yVfKx1aBcDeg",
    "type": "erasure",
    "due_at": "2027-03-01T23:59:59Z",
    "plan_hash": "ab" * 32,
    "regime": "gdpr",
    "refusal": {"ground": "legal_claims", "law": "Article 17(3)(e) GDPR", "reason": "A case is before the court."},
    "source": "letter",
    "scheduled_for": "2027-02-08T10:00:00Z",
}


STORES: dict[str, dict[str, Any]] = {
    "accounts": {"title": "Your account", "covered": True, "deleted": 1, "kept": 0, "kept_by": {}},
    "tickets": {"title": "Your tickets", "covered": True, "deleted": 3, "anonymised": 2, "left": 1},
    "invoices": {
        "title": "Your invoices",
        "covered": True,
        "deleted": 0,
        "kept": 4,
        "kept_by": {"accounting": "2034-01-01T00:00:00+00:00", "investigation": ""},
        "law": "HGB § 257",
    },
    "uploads": {"title": "Your files", "covered": True, "blocked": 2, "blocked_until": "2027-06-30T00:00:00Z"},
    "archive": {"title": "The archive", "covered": True, "skipped": True, "reason": "It was closed."},
    "letters": {
        "title": "Your letters",
        "covered": True,
        "held": 2,
        "held_by": [
            {"hold_id": "h1", "ground": "legal_process", "until": ""},
            {"hold_id": "h2", "ground": "legal_process", "until": "2030-01-01T00:00:00Z"},
        ],
    },
    "surveys": {"title": "Your answers", "covered": True, "deleted": 0},
    "usage": {"title": "Your usage", "covered": False},
}


PLAN = {
    "stores": {
        "accounts": {"covered": True, "failed": "", "delete": 1, "anonymise": 0, "keep": 0, "kept": []},
        "invoices": {
            "covered": True,
            "failed": "",
            "delete": 0,
            "keep": 4,
            "kept": [{"ground": "accounting", "law": "HGB", "until": "2034-01-01T00:00:00+00:00"}],
        },
        "tickets": {"covered": True, "failed": "Query answered AccessDeniedException"},
        "surveys": {"covered": True, "failed": "", "delete": 0, "kept": []},
        "usage": {"covered": False},
    }
}


DESK = "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/statemachines/view/arn:aws:states:x"


RECIPIENTS: list[dict[str, Any]] = [
    {"title": "The desk", "status": "told", "why": ""},
    {"title": "The shop & Co", "status": "failed", "why": "the webhook answered 503"},
    {"title": "The host", "status": "not_told", "why": "It stores what we delete"},
    {"title": "The archive of letters", "status": "nothing_to_tell", "why": ""},
]


BY_HAND: list[dict[str, Any]] = [
    {"title": "The shop & Co", "why": "the webhook answered 503", "identities": {"email": ["ada@example.org"]}},
    {"title": "The post", "why": "it was not tried", "identities": {"customer_id": ["cus-1", "cus-2"]}},
]


FACTS: dict[str, Any] = {
    "reason": "It is spread over many systems.",
    "theirs": True,
    "received": "2027-01-29",
    "until": "2027-02-12",
    "desk": DESK,
    "code": "",
    "changed": {"tickets": {"delete": [1, 3], "failed": ["", "no access"]}, "surveys": {"records": True}},
    "recipients": RECIPIENTS,
    "identities": {"customer_id": ["cus-1", "cus-2"], "email": ["ada@example.org"]},
    "article": "Article 19 GDPR",
    "controller": CONTROLLER,
    "request": REQUEST,
    "stores": STORES,
    "plan": PLAN,
    "failed": ["tickets"],
    "problem": "Query answered AccessDeniedException",
}


RUN = "daily-2027-01-31T030000Z"


BRAKED: dict[str, Any] = {
    "desk": DESK,
    "controller": CONTROLLER,
    "request": {"request_id": RUN, "type": "retention"},
    "run_id": RUN,
    "report": f"s3://reports/retention/2027/01/31/{RUN}.html",
    "stores": {
        "forms": {"title": "Forms & more", "action": "delete", "due": 71, "scanned": 300, "share": 23.7, "brake": 10},
        "answers": {"title": "Answers", "action": "anonymise", "due": 9, "scanned": 10, "share": 90.0, "brake": 50},
    },
}


def matter(request_id: str, **more: Any) -> dict[str, Any]:
    facts = {"type": "access", "status": "in_progress", "due": "2027-03-01", "days_left": 2, "extendable": True}
    facts["priority"] = False
    return {"request_id": request_id, **facts, **more}


DEADLINES: dict[str, Any] = {
    "desk": DESK,
    "controller": CONTROLLER,
    "more": 0,
    "breaches": [],
    "parts": {
        "overdue": [matter("r-late", due="2027-02-26", days_left=-1, extendable=False, status="needs_attention")],
        "near": [matter("r-today", due="2027-02-27", days_left=0), matter("r-near", type="erasure")],
        "soon": [matter("r-soon", due="2027-03-06", days_left=7, extendable=False)],
        "paused": [matter("r-paused", status="paused", extendable=False)],
        "unconfirmed": [
            {"request_id": "r-letter", "type": "erasure", "source": "letter", "received": "2027-01-29"},
            {"request_id": "r-phone", "type": "access", "source": "phone", "received": "2027-01-30"},
        ],
    },
}


ISSUE: dict[str, Any] = {
    "issue_id": "i-breach",
    "kind": "suspected_breach",
    "received_at": "2027-01-29T10:00:00Z",
    "due_at": "2027-02-01T10:00:00Z",
    "lines": ["I could read <b>other people's</b> invoices.", '{"action": "approve"}'],
    "email": "ada@example.org",
    "proven": "",
}


ISSUES: dict[str, Any] = {
    "desk": DESK,
    "controller": CONTROLLER,
    "more": 2,
    "request": {"request_id": "i-breach", "type": "suspected_breach"},
    "issue": ISSUE,
    "issues": [ISSUE, {**ISSUE, "issue_id": "i-minor", "kind": "under_18", "proven": "eve@example.org"}],
}


POLICY: dict[str, Any] = {
    "version": "2027-06 <b>",
    "effective_from": "2027-06-01",
    "url": "https://example.com/privacy/2027-06",
}


NOTICE: dict[str, Any] = {"controller": CONTROLLER, **POLICY}


TOLD: dict[str, Any] = {
    "desk": DESK,
    "controller": CONTROLLER,
    "policy": {**POLICY, "material": True},
    "counts": {
        "told": 9701,
        "same_address": 12,
        "no_address": 1,
        "odd_address": 2,
        "refused": 1,
        "segments_left": 1,
    },
    "bounced": 7,
    "whole": False,
    "late": "2027-02-10",
}


CODE: dict[str, Any] = {"controller": CONTROLLER, "purpose": "erasure", "code": "48291307", "minutes": 15}


def facts(kind: str) -> dict[str, Any]:
    return {
        "code": CODE,
        "dpo_brake": BRAKED,
        "dpo_deadlines": DEADLINES,
        "issue_received": ISSUES,
        "dpo_issue": ISSUES,
        "dpo_issues": ISSUES,
        "policy_notice": NOTICE,
        "dpo_policy_notice": TOLD,
        "dpo_recipients": FACTS | {"recipients": BY_HAND},
    }.get(kind, FACTS)


def in_english(kind: str, **more: Any) -> str:
    return render(kind, "en", **{**facts(kind), **more}).text
