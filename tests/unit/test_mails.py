"""The mails say what they must, in every language, and treat what people wrote as data."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any, get_args

import pytest
from jinja2 import UndefinedError

from rightful import refusals
from rightful.languages import LANGUAGES
from rightful.mails import KINDS, render
from rightful.mails.catalogue import load
from rightful.model import GROUNDS, Controller, IssueKind
from rightful.refusals import Ground
from tests.unit.mail_facts import (
    CENTRE,
    CODE,
    CONTROLLER,
    DESK,
    FACTS,
    ISSUE,
    POLICY,
    RECIPIENTS,
    REQUEST,
    facts,
    in_english,
    matter,
)


@pytest.mark.parametrize("kind", ["request_received", "dpo_approval", "dpo_attention"])
def test_a_deadline_is_of_the_day_that_ends_at_the_controllers_seat(kind: str) -> None:
    request = {**REQUEST, "due_at": "2027-03-02T04:59:59Z"}
    facts = {**FACTS, "request": request, "controller": replace(CONTROLLER, time_zone="America/New_York")}
    assert "1 March 2027" in render(kind, "en", **facts).text
    assert "2 March 2027" in render(kind, "en", **{**facts, "controller": CONTROLLER}).text


def keys(table: dict[str, Any]) -> dict[str, Any]:
    return {name: keys(value) if isinstance(value, dict) else type(value) for name, value in table.items()}


def placeholders(table: dict[str, Any]) -> dict[str, Any]:
    return {
        name: placeholders(value) if isinstance(value, dict) else set(re.findall(r"{\w+}", str(value)))
        for name, value in table.items()
    }


class Text(HTMLParser):
    """The words of an HTML page but for what only it has (the sender's name at its head, the preview, the label of a
    button whose address it does not show), and its tags and links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: set[str] = set()
        self.links: list[str] = []
        self._own = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]
        self._own = not {"brand", "preview"}.isdisjoint((dict(attrs).get("class") or "").split())

    def handle_data(self, data: str) -> None:
        self.text += "" if self._own else data


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_both_parts_say_the_same(kind: str, language: str) -> None:
    mail = render(kind, language, centre=CENTRE, **facts(kind))
    page = Text(mail.html[mail.html.index("<body") :])
    spoken = [word for word in mail.text.replace("-- ", "").replace(DESK, "").split() if word.strip("*-:")]
    assert [word.strip("*:") for word in spoken] == [
        word.strip("*:") for word in page.text.split() if word.strip("*:\xa0")
    ]
    assert f'<html lang="{language}">' in mail.html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_loaded_or_run_and_links_hold_nothing_of_the_person(kind: str, language: str) -> None:
    """A mail to the DPO leads to the desk, one to a person to the privacy centre, where it is known; every mail to the
    policy, and to the DPO's address."""
    always = {CONTROLLER.policy_url, f"mailto:{CONTROLLER.contact}"}
    to_the_desk = {"dpo_approval", "dpo_second_approval", "dpo_attention", "dpo_brake", "dpo_deadlines"}
    to_the_desk |= {"dpo_issue", "dpo_issues", "dpo_policy_notice"}
    own = {DESK} if kind in to_the_desk else {str(POLICY["url"])} if kind == "policy_notice" else set()
    for centre, way in ((CENTRE, {f"{CENTRE}/"}), ("", set[str]())):
        page = Text(render(kind, language, centre=centre, **facts(kind)).html)
        assert page.tags.isdisjoint({"script", "img", "link", "iframe", "form"})
        assert own | way <= set(page.links) <= own | way | always


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
        f"dpo_approval.asked_{why}"
        for why in ("always", "records", "stores", "privileged", "identity", "source", "under_18")
    }
    built |= {f"confirm_submitted.{kind}" for kind in ("access", "erasure")}
    built |= {f"completed_erasure.{each['status']}" for each in RECIPIENTS}
    built |= {f"dpo_deadlines.{name}" for name in ("overdue", "near", "soon", "paused")}
    built |= {f"dpo_issue.{part}_{kind}" for part in ("intro", "next") for kind in get_args(IssueKind)}
    built |= {f"dpo_brake.{action}" for action in ("delete", "anonymise")}
    assert {name for name in said - built if f'"{name}"' not in source} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_ground_of_the_data_map_has_words(language: str) -> None:
    catalogue = load(language)
    assert all(catalogue.words("grounds", ground) != ground for ground in GROUNDS)


def test_the_code_mail() -> None:
    text = in_english("code")
    assert "confirm your request to delete your data" in text
    assert [code.strip() for code in re.findall(r"^\s*\d{8}\s*$", text, re.MULTILINE)] == ["48291307"]
    assert "15 minutes" in text
    assert "without the code nobody can act" in text
    assert "1 minute and" in in_english("code", minutes=1)
    assert "48291307" not in render("code", "en", **CODE).subject


def test_what_the_map_says_is_in_the_readers_language_where_it_is_translated() -> None:
    french = {"Your invoices": "Vos factures", "HGB § 257": "code de commerce", "The host": "L’hébergeur"}
    french |= {"It stores what we delete": "Il ne stocke que pour nous", "The authority, 1 High Street": "La CNIL"}

    def said(text: str, language: str) -> str:
        return french.get(text, text) if language == "fr" else text

    text = render("completed_erasure", "fr-BE", said=said, **FACTS).text
    for part in (
        "* Vos factures\n",
        "Fondement juridique : code de commerce\n",
        "* L’hébergeur\n    Non avertis : Il ne stocke que pour nous\n",
        "La CNIL",
        "* Your files\n",
    ):
        assert part in text
    assert "Your invoices" in render("completed_erasure", "de", said=said, **FACTS).text


def test_the_receipt_of_a_request() -> None:
    text = in_english("request_received")
    assert "delete the data" in text
    assert "by 1 March 2027" in text
    assert "cancel it" in text
    assert "1er mars 2027" in render("request_received", "fr", **FACTS).text
    assert "copy of the data" in in_english("request_received", request={**REQUEST, "type": "access"})


def test_the_mail_about_a_download_holds_no_link_to_it() -> None:
    text = in_english("completed_access")
    assert "new code" in text
    assert "7 days" in text
    assert re.findall(r"https?://\S+", text) == [CONTROLLER.policy_url]
    assert f"Go to your download\n{CENTRE}/\n" in in_english("completed_access", centre=CENTRE)
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
        "* The shop & Co\n    We could not tell them automatically; our data protection officer",
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
        ("fr", "gdpr", "legal_claims", ["article 17, paragraphe 3, point e), du RGPD\n", "(article 79 du RGPD)"]),
        ("fr", "uk_gdpr", "excessive", ["article 12, paragraphe 5, du RGPD britannique\n", "(article 79 du RGPD b"]),
        ("fr", "ccpa", "not_verifiable", ["Code civil de Californie, § 1798.140(ak)", "procureur général"]),
        ("de", "gdpr", "legal_claims", ["Artikel 17 Absatz 3 Buchstabe e DSGVO\n", "(Artikel 79 DSGVO)"]),
        ("de", "uk_gdpr", "excessive", ["Artikel 12 Absatz 5 der britischen DSGVO (UK GDPR)\n"]),
        ("de", "ccpa", "not_verifiable", ["(California Civil Code), § 1798.140(ak)", "cppa.ca.gov"]),
        ("es", "gdpr", "legal_claims", ["artículo 17, apartado 3, letra e), del RGPD\n", "(artículo 79 del RGPD)"]),
        ("es", "gdpr", "identity_not_proven", ["11, apartado 2, artículo 12, apartado 2 y artículo 12, apartado 6, d"]),
        ("es", "ccpa", "not_verifiable", ["Código Civil de California, § 1798.140(ak)", "cppa.ca.gov"]),
    ],
)
def test_a_refusal_names_ground_law_reason_and_where_to_go(
    language: str, regime: str, key: str, parts: list[str]
) -> None:
    (ground,) = (each for each in refusals.GROUNDS if (each.key, each.regime) == (key, regime))
    text = refused(language, ground)
    for part in (*parts, "A case is before the court.", "The authority, 1 High Street"):
        assert part in text
    assert (" 79 " in text) == (regime != "ccpa")


def test_who_wrote_a_letter_is_asked_to_confirm_without_a_code_in_the_mail() -> None:
    text = in_english("confirm_submitted")
    assert "On 29 January 2027, a request to delete the data about you reached Example & S\u00f6hne by letter." in text
    assert "by 12 February 2027" in text
    assert not re.search(r"\d{8}", text)


def test_who_is_told_late_is_not_told_that_nothing_was_deleted_yet() -> None:
    assert "change your mind" in in_english("request_received")
    begun = {**REQUEST, "erasing_since": "2027-02-01T09:00:00Z"}
    assert "change your mind" not in in_english("request_received", request=begun)


HOSTILE = "</p><script>alert(1)</script>{{ 7 * 7 }}{controller.__class__}\u202e\U0001f600'\"&"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_people_write_is_data(language: str) -> None:
    policy = {"version": HOSTILE, "url": HOSTILE, "effective_from": "2027-06-01", "material": True}
    hostile = {
        **FACTS,
        **facts("dpo_policy_notice"),
        **policy,
        "policy": policy,
        "centre": HOSTILE,
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
    said = {"issue_id": HOSTILE, "lines": [HOSTILE], "email": HOSTILE, "proven": HOSTILE}
    issue = {**ISSUE, **said}
    issues = {"issue": issue, "issues": [issue, {**issue, "kind": "under_18"}], "more": 1}
    due = {"desk": HOSTILE, "more": 0, "breaches": [], "parts": {"overdue": [], "near": [], "soon": [], **parts}}
    facts: dict[str, dict[str, Any]] = {
        "dpo_brake": run,
        "dpo_deadlines": due,
        "dpo_issue": issues,
        "dpo_issues": issues,
    }
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
