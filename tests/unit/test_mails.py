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

from rightful.mails import KINDS, LANGUAGES, render
from rightful.mails.catalogue import load
from rightful.mails.rendering import language_of
from rightful.model import GROUNDS, Controller

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
    "refusal": {"ground": "legal_process", "reason": "A case is before the court."},
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
FACTS: dict[str, Any] = {
    "controller": CONTROLLER,
    "request": REQUEST,
    "stores": STORES,
    "plan": PLAN,
    "failed": ["tickets"],
    "problem": "Query answered AccessDeniedException",
}
RUN = "daily-2027-01-31T030000Z"
BRAKED: dict[str, Any] = {
    "controller": CONTROLLER,
    "request": {"request_id": RUN, "type": "retention"},
    "run_id": RUN,
    "report": f"s3://reports/retention/2027/01/31/{RUN}.html",
    "stores": {
        "forms": {"title": "Forms & more", "action": "delete", "due": 71, "scanned": 300, "share": 23.7, "brake": 10},
        "answers": {"title": "Answers", "action": "anonymise", "due": 9, "scanned": 10, "share": 90.0, "brake": 50},
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
    return {"code": CODE, "dpo_brake": BRAKED}.get(kind, FACTS)


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
    page = Text(render(kind, language, **facts(kind)).html)
    assert page.tags.isdisjoint({"script", "img", "link", "iframe", "form", "a"})
    assert page.links == []


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
    built |= {f"dpo_approval.{action}" for action in ("delete", "anonymise", "keep", "held", "export")}
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
        "* The archive\n    Left out: It was closed.\n",
        "* Your answers\n    Nothing was found\n",
        "* Your usage\n    Not deleted automatically",
        "The authority, 1 High Street",
    ):
        assert line in text


def test_a_refusal_names_ground_reason_authority_and_court() -> None:
    text = in_english("rejected")
    for part in ("a legal proceeding needs it", "A case is before the court.", "The authority", "remedy in court"):
        assert part in text
    made_up = {**REQUEST, "refusal": {"ground": "a ground of our own", "reason": "r"}}
    assert "a ground of our own" in in_english("rejected", request=made_up)


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


HOSTILE = "</p><script>alert(1)</script>{{ 7 * 7 }}{controller.__class__}\u202e\U0001f600'\"&"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_people_write_is_data(language: str) -> None:
    hostile = {
        **FACTS,
        "request": {**REQUEST, "refusal": {"ground": HOSTILE, "reason": HOSTILE}},
        "controller": Controller(name=HOSTILE, contact=HOSTILE, policy_url=HOSTILE, complaint=HOSTILE),
        "stores": {HOSTILE: {"title": HOSTILE, "covered": True, "skipped": True, "reason": HOSTILE, "law": HOSTILE}},
        "plan": {"stores": {HOSTILE: {"covered": True, "failed": HOSTILE}}},
        "failed": [HOSTILE],
        "problem": HOSTILE,
    }
    for kind in KINDS:
        mail = render(kind, language, **({**CODE, "code": HOSTILE} if kind == "code" else hostile | hostile_run(kind)))
        assert "<script" not in mail.html
        assert "{{ 7 * 7 }}" in mail.text
        assert "{controller.__class__}" in mail.text


def hostile_run(kind: str) -> dict[str, Any]:
    store = {"title": HOSTILE, "action": "delete", "due": 1, "scanned": 1, "share": 100.0, "brake": 10}
    run = {"run_id": HOSTILE, "request": {"request_id": HOSTILE}, "report": HOSTILE, "stores": {HOSTILE: store}}
    return run if kind == "dpo_brake" else {}


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
