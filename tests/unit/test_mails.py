"""The mails say what they must, in every language, and treat what people wrote as data."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest
from jinja2 import UndefinedError

from rightful import refusals
from rightful.mails import KINDS, LANGUAGES, render
from rightful.mails.catalogue import load
from rightful.mails.rendering import language_of
from rightful.model import GROUNDS, Controller
from rightful.refusals import Ground

CONTROLLER = Controller(
    name="Example & Söhne",
    contact="dpo@example.com",
    policy_url="https://example.com/privacy",
    complaint="The authority, 1 High Street",
)
REQUEST = {
    "request_id": "q3Zr8m0uT5yVfKx1aBcDeg",
    "type": "erasure",
    "due_at": "2027-03-01T23:59:59Z",
    "plan_hash": "ab" * 32,
    "regime": "gdpr",
    "refusal": {"ground": "legal_claims", "law": "Article 17(3)(e) GDPR", "reason": "A case is before the court."},
    "source": "letter",
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
DESK = "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/statemachines/view/arn:aws:states:x"


def matter(request_id: str, **more: Any) -> dict[str, Any]:
    facts = {"type": "access", "status": "in_progress", "due": "2027-03-01", "days_left": 2, "extendable": True}
    return {"request_id": request_id, **facts, **more}


DEADLINES: dict[str, Any] = {
    "desk": DESK,
    "controller": CONTROLLER,
    "more": 0,
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
CODE: dict[str, Any] = {"controller": CONTROLLER, "purpose": "erasure", "code": "482913", "minutes": 15}


@pytest.mark.parametrize("kind", ["request_received", "dpo_approval", "dpo_attention"])
def test_a_deadline_is_of_the_day_that_ends_at_the_controllers_seat(kind: str) -> None:
    request = {**REQUEST, "due_at": "2027-03-02T04:59:59Z"}
    facts = {**FACTS, "request": request, "controller": replace(CONTROLLER, time_zone="America/New_York")}
    assert "1 March 2027" in render(kind, "en", **facts).text
    assert "2 March 2027" in render(kind, "en", **{**facts, "controller": CONTROLLER}).text


def facts(kind: str) -> dict[str, Any]:
    return {
        "code": CODE,
        "dpo_brake": BRAKED,
        "dpo_deadlines": DEADLINES,
        "dpo_recipients": FACTS | {"recipients": BY_HAND},
    }.get(kind, FACTS)


def in_english(kind: str, **more: Any) -> str:
    return render(kind, "en", **{**facts(kind), **more}).text


def keys(table: dict[str, Any]) -> dict[str, Any]:
    return {name: keys(value) if isinstance(value, dict) else type(value) for name, value in table.items()}


def placeholders(table: dict[str, Any]) -> dict[str, Any]:
    return {
        name: placeholders(value) if isinstance(value, dict) else set(re.findall(r"{\w+}", str(value)))
        for name, value in table.items()
    }


class Text(HTMLParser):
    """The words of an HTML page, and its tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]

    def handle_data(self, data: str) -> None:
        self.words += data.split()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_both_parts_say_the_same(kind: str, language: str) -> None:
    mail = render(kind, language, **facts(kind))
    page = Text(mail.html[mail.html.index("<body") :])
    spoken = [word for word in mail.text.replace("-- ", "").split() if word.strip("*-:")]
    assert [word.strip("*:") for word in spoken] == [word.strip("*:") for word in page.words if word.strip("*:\xa0")]
    assert f'<html lang="{language}">' in mail.html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_loaded_linked_or_run(kind: str, language: str) -> None:
    """A mail to the DPO links to the desk, and no mail to anything else."""
    page = Text(render(kind, language, **facts(kind)).html)
    assert page.tags.isdisjoint({"script", "img", "link", "iframe", "form"})
    to_the_desk = {"dpo_approval", "dpo_second_approval", "dpo_attention", "dpo_brake", "dpo_deadlines"}
    assert page.links == ([DESK] if kind in to_the_desk else [])


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_has_the_same_sentences_with_the_same_blanks(language: str) -> None:
    first, other = (
        tomllib.loads(files("rightful.mails").joinpath("catalogues", f"{name}.toml").read_text("utf-8"))
        for name in (LANGUAGES[0], language)
    )
    assert keys(other) == keys(first)
    assert placeholders(other) == placeholders(first)


def test_no_sentence_is_left_over() -> None:
    source = "".join(file.read_text("utf-8") for file in files("rightful.mails").joinpath("templates").iterdir())
    entries = tomllib.loads(files("rightful.mails").joinpath("catalogues", "en.toml").read_text("utf-8"))
    said = {f"{section}.{key}" for section in ("frame", *KINDS) for key in entries[section]}
    built = {f"{kind}.{part}" for kind in KINDS for part in ("subject", "title")}
    built |= {name for name in said if name.endswith(("_one", "_many"))}
    built |= {"request_received.access", "request_received.erasure"}
    built |= {
        f"dpo_approval.asked_{why}" for why in ("always", "records", "stores", "privileged", "identity", "source")
    }
    built |= {f"confirm_submitted.{kind}" for kind in ("access", "erasure")}
    built |= {f"completed_erasure.{each['status']}" for each in RECIPIENTS}
    built |= {f"dpo_deadlines.{name}" for name in ("overdue", "near", "soon", "paused")}
    built |= {f"dpo_brake.{action}" for action in ("delete", "anonymise")}
    assert {name for name in said - built if f'"{name}"' not in source} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_ground_of_the_data_map_has_words(language: str) -> None:
    catalogue = load(language)
    assert all(catalogue.words("grounds", ground) != ground for ground in GROUNDS)


@pytest.mark.parametrize(
    ("locale", "language"),
    [("fr", "fr"), ("fr-CA", "fr"), ("FR_be", "fr"), ("en-GB", "en"), ("de", "en"), ("", "en"), ("../fr", "en")],
)
def test_the_locale_chooses_the_language(locale: str, language: str) -> None:
    assert language_of(locale) == language


def test_the_code_mail() -> None:
    text = in_english("code")
    assert "confirm your request to delete your data" in text
    assert "482913" in text
    assert "15 minutes" in text
    assert "without the code nobody can act" in text
    assert "1 minute and" in in_english("code", minutes=1)
    assert "482913" not in render("code", "en", **CODE).subject


def test_the_receipt_of_a_request() -> None:
    text = in_english("request_received")
    assert "delete the data" in text
    assert "by 1 March 2027" in text
    assert "withdraw it" in text
    assert "1er mars 2027" in render("request_received", "fr", **FACTS).text
    assert "copy of the data" in in_english("request_received", request={**REQUEST, "type": "access"})


def test_the_mail_about_a_download_holds_no_link_to_it() -> None:
    text = in_english("completed_access")
    assert "new code" in text
    assert "7 days" in text
    assert re.findall(r"https?://\S+", text) == [CONTROLLER.policy_url]
    assert "* Your usage" in text


def test_the_mail_about_an_erasure_says_what_became_of_each_store() -> None:
    text = in_english("completed_erasure")
    for line in (
        "* Your account\n    1 record deleted\n",
        "* Your tickets\n    3 records deleted\n    2 records made anonymous\n    1 record could not be deleted\n",
        "* Your invoices\n    4 records kept\n    Why: we must keep accounting records, until 1 January 2034\n"
        "    Why: an investigation is going on, for as long as the law asks\n    Legal basis: HGB § 257\n",
        "* Your files\n    2 records locked against deletion until 30 June 2027\n",
        "* Your letters\n    2 records kept under a legal hold; they will be deleted or made anonymous when the hold ",
        "without your asking again\n    Why the hold: a legal proceeding needs it\n\n",
        "* The archive\n    Left out: It was closed.\n",
        "* Your answers\n    Nothing was found\n",
        "* Your usage\n    Not deleted automatically",
        "The authority, 1 High Street",
    ):
        assert line in text


def test_the_mail_about_an_erasure_names_the_recipients_if_there_are_any() -> None:
    text = in_english("completed_erasure")
    for line in (
        "* The desk\n    We told them to erase it too\n",
        "* The shop & Co\n    We could not tell them automatically (the webhook answered 503); our data protection",
        "* The host\n    Not told: It stores what we delete\n",
        "* The archive of letters\n    Not told: we found nothing",
    ):
        assert line in text
    assert "received data of yours" in text
    assert "received data of yours" not in in_english("completed_erasure", recipients=[])


def test_a_recipient_reads_of_whom_why_what_to_do_and_whom_to_ask() -> None:
    mail = render("recipient_erasure", "en", **FACTS)
    for part in (
        "Example & Söhne has erased personal data",
        "(Article 19 GDPR)",
        "* customer_id\n    cus-1\n    cus-2\n",
        "* email\n    ada@example.org\n",
        "Please erase, without undue delay",
        "tell those recipients the same (Articles 17(2) and 19 GDPR)",
        f"write to dpo@example.com what and why, with the reference {REQUEST['request_id']}",
    ):
        assert part in mail.text
    assert "ada@" not in mail.subject
    assert "cus-" not in mail.subject


def test_the_dpo_reads_whom_to_tell_by_hand_and_of_whom() -> None:
    text = in_english("dpo_recipients")
    assert "* The shop & Co\n    What went wrong: the webhook answered 503\n    email: ada@example.org\n" in text
    assert "* The post\n    What went wrong: it was not tried\n    customer_id: cus-1\n    customer_id: cus-2\n" in text


def refused(language: str, ground: Ground) -> str:
    refusal = {"ground": ground.key, "law": ground.law, "reason": "A case is before the court."}
    request = {**REQUEST, "regime": ground.regime, "refusal": refusal}
    return render("rejected", language, **{**FACTS, "request": request}).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_ground_of_a_refusal_has_words_and_no_other(language: str) -> None:
    entries = tomllib.loads(files("rightful.mails").joinpath("catalogues", f"{language}.toml").read_text("utf-8"))
    assert set(entries["refusals"]) == {ground.key for ground in refusals.GROUNDS}
    for ground in refusals.GROUNDS:
        assert f"{entries['refusals'][ground.key]}\n" in refused(language, ground)


@pytest.mark.parametrize(
    ("language", "regime", "key", "parts"),
    [
        ("en", "gdpr", "legal_claims", ["Article 17(3)(e) GDPR", "go to court (Article 79 GDPR)"]),
        ("en", "uk_gdpr", "excessive", ["Article 12(5) UK GDPR", "go to court (Article 79 UK GDPR)"]),
        ("en", "ccpa", "not_verifiable", ["California Civil Code § 1798.140(ak)", "cppa.ca.gov", "Attorney General"]),
        ("fr", "gdpr", "legal_claims", ["Article 17(3)(e) du RGPD\n", "un tribunal (Article 79 du RGPD)"]),
        ("fr", "uk_gdpr", "excessive", ["Article 12(5) du RGPD britannique\n", "(Article 79 du RGPD britannique)"]),
        ("fr", "ccpa", "not_verifiable", ["Code civil de Californie, § 1798.140(ak)", "procureur général"]),
    ],
)
def test_a_refusal_names_ground_law_reason_and_where_to_go(
    language: str, regime: str, key: str, parts: list[str]
) -> None:
    (ground,) = (each for each in refusals.GROUNDS if (each.key, each.regime) == (key, regime))
    text = refused(language, ground)
    for part in (*parts, "A case is before the court.", "The authority, 1 High Street"):
        assert part in text
    assert ("Article 79" in text) == (regime != "ccpa")


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


def test_who_wrote_a_letter_is_asked_to_confirm_without_a_code_in_the_mail() -> None:
    text = in_english("confirm_submitted")
    assert "On 29 January 2027, a request to delete the data about you reached Example & S\u00f6hne by letter." in text
    assert "by 12 February 2027" in text
    assert not re.search(r"\d{8}", text)


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
        "1 request is paused; its time stands still",
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


def test_who_is_told_late_is_not_told_that_nothing_was_deleted_yet() -> None:
    assert "change your mind" in in_english("request_received")
    begun = {**REQUEST, "erasing_since": "2027-02-01T09:00:00Z"}
    assert "change your mind" not in in_english("request_received", request=begun)


HOSTILE = "</p><script>alert(1)</script>{{ 7 * 7 }}{controller.__class__}\u202e\U0001f600'\"&"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_people_write_is_data(language: str) -> None:
    hostile = {
        **FACTS,
        "request": {**REQUEST, "refusal": {"ground": HOSTILE, "law": HOSTILE, "reason": HOSTILE}},
        "controller": Controller(name=HOSTILE, contact=HOSTILE, policy_url=HOSTILE, complaint=HOSTILE),
        "stores": {HOSTILE: {"title": HOSTILE, "covered": True, "skipped": True, "reason": HOSTILE, "law": HOSTILE}},
        "plan": {"stores": {HOSTILE: {"covered": True, "failed": HOSTILE}}},
        "failed": [HOSTILE],
        "problem": HOSTILE,
        "reason": HOSTILE,
        "identities": {HOSTILE: [HOSTILE]},
        "article": HOSTILE,
        "recipients": [{"title": HOSTILE, "status": "failed", "why": HOSTILE, "identities": {HOSTILE: [HOSTILE]}}],
    }
    for kind in KINDS:
        mail = render(kind, language, **({**CODE, "code": HOSTILE} if kind == "code" else hostile | hostile_run(kind)))
        assert "<script" not in mail.html
        assert "{{ 7 * 7 }}" in mail.text
        assert "{controller.__class__}" in mail.text


def hostile_run(kind: str) -> dict[str, Any]:
    store = {"title": HOSTILE, "action": "delete", "due": 1, "scanned": 1, "share": 100.0, "brake": 10}
    run = {"run_id": HOSTILE, "request": {"request_id": HOSTILE}, "report": HOSTILE, "stores": {HOSTILE: store}}
    parts = {
        "paused": [matter(HOSTILE, status=HOSTILE)],
        "unconfirmed": [matter(HOSTILE, source=HOSTILE, received="2027-01-29")],
    }
    due = {"desk": HOSTILE, "more": 0, "parts": {"overdue": [], "near": [], "soon": [], **parts}}
    facts: dict[str, dict[str, Any]] = {"dpo_brake": run, "dpo_deadlines": due}
    return facts.get(kind, {})


def test_subjects_are_one_line() -> None:
    controller = Controller(name="Ex\r\nBcc: a@b.c", contact="c", policy_url="p", complaint="c")
    assert render("code", "en", **{**CODE, "controller": controller}).subject == "Your code for Ex Bcc: a@b.c"


def test_a_missing_fact_is_an_error_and_not_a_gap() -> None:
    with pytest.raises(UndefinedError):
        render("completed_erasure", "en", controller=CONTROLLER, request=REQUEST)
    with pytest.raises(ValueError, match="no mail of the kind"):
        render("../code", "en", **CODE)


def test_the_template_engine_is_loaded_only_to_render() -> None:
    program = "import sys, rightful.mails; sys.exit('jinja2' in sys.modules or 'markupsafe' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
