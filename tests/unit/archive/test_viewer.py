"""index.html: readable by anyone, harmless whatever the data says."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest

from rightful.archive import article15, viewer
from rightful.archive.survey import Survey
from rightful.languages import LANGUAGES
from rightful.model import Controller, DataMap, Erasure, Field, Recipient, Record, Retention, Store, Unless
from rightful.records import from_line, to_line

VOID = {"meta", "link", "br", "img", "input", "hr"}
WRAPPED = ["{}", '">{}', "'>{}", "</td>{}", "</style>{}", "<!--{}", "]]>{}", "{{{{{}}}}}", "</script>{}", "\x00{}"]
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<meta http-equiv=refresh content='0;url=//evil'>",
    "<base href=//evil>",
    "<link rel=stylesheet href=//evil>",
    "<form action=//evil><input name=x>",
    "<math><mtext><style><img src onerror=alert(1)>",
    "<style>*{background:url(//evil)}</style>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "` onclick=alert(1) `",
    "<ScRiPt>alert(1)</sCrIpT>",
    "<object data=//evil>",
    "＜script＞alert(1)＜/script＞",
    "{% for x in y %}{{ 7*7 }}",
]
PAYLOADS = [wrap.format(attack) if "{" not in attack else attack + wrap for wrap, attack in product(WRAPPED, ATTACKS)]


class Page(HTMLParser):
    """The tags of a page, whether they close, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def store(title: str, **more: Any) -> Store:
    return Store(
        title=title,
        connector=more.pop("connector", "memory"),
        purpose="To help you",
        lawful_basis="Contract",
        retention=Retention(period="P1Y6M", since="last_used_at", unless=more.pop("unless", [])),
        erasure=more.pop("erasure", Erasure(action="delete")),
        fields={"a": Field(category="user.contact.email")},
        **more,
    )


def datamap(text: str = "", **stores: Store) -> DataMap:
    controller = Controller(
        name=f"Example{text}",
        contact=f"dpo@example.org{text}",
        policy_url=f"https://e.org/{text}",
        complaint=f"CNIL{text}",
    )
    return DataMap(version="1", controller=controller, identities={}, stores=stores)


def survey_of(records: list[dict[str, Any]], hidden: dict[str, int] | None = None) -> Survey:
    survey = Survey()
    for _ in survey.watch(from_line(to_line(record, hidden or {}, Record("k", record))) for record in records):
        pass
    return survey


def render(data: DataMap, surveys: dict[str, Survey], locale: str = "en", **left_out: str) -> str:
    chunks = viewer.page(
        locale,
        article15.information(data, locale),
        surveys,
        left_out=left_out,
        received_at="2026-11-02T09:00:00Z",
        made_at="2026-12-24T09:00:00Z",
        reference="r1",
    )
    return b"".join(chunks).decode()


def test_no_payload_becomes_markup() -> None:
    assert len(PAYLOADS) == 200
    records: list[dict[str, Any]] = [
        {f"k{payload}": payload, "list": [payload], "map": {payload: payload}} for payload in PAYLOADS
    ]
    surveys = {}
    stores = {}
    for number, payload in enumerate(PAYLOADS):
        name = f"s{number}"
        stores[name] = store(payload, source=payload, recipients=[name])
        surveys[name] = survey_of([records[number], {"short": payload}])
        surveys[name].note_file(payload, 1, f"files/{name}/000001.bin")
    hostile = datamap(PAYLOADS[0], **stores, gone=store(PAYLOADS[1], connector="planned"))
    titles = {f"s{number}": Recipient(title=payload, not_told="-") for number, payload in enumerate(PAYLOADS)}
    hostile = replace(hostile, recipients=titles)
    harmless = Page(render(hostile, surveys, s1=PAYLOADS[2]))
    assert not harmless.open
    allowed = {"html", "head", "meta", "title", "style", "body", "a", "header", "nav", "main", "section", "div", "p"}
    allowed |= {
        "span",
        "h1",
        "h2",
        "h3",
        "ul",
        "li",
        "dl",
        "dt",
        "dd",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
    }
    allowed |= {"td", "details", "summary", "code", "bdi"}
    assert {tag for tag, _ in harmless.tags} <= allowed
    assert harmless.count("style") == 1
    for tag, attributes in harmless.tags:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("style", "src", "srcdoc", "action")
        ]
        target = attributes.get("href")
        assert target is None or target.startswith(
            ("#", "mailto:", "https://e.org/", "data/", "files/s", "manifest.", "article15.")
        )
        assert tag != "meta" or attributes.get("http-equiv") in (None, "Content-Security-Policy")


def test_the_policy_allows_the_one_style_and_nothing_else() -> None:
    html = render(datamap(), {})
    style = html.split("<style>")[1].split("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = (attributes["content"] for tag, attributes in Page(html).tags if attributes.get("http-equiv"))
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "url(" not in style
    assert "@import" not in style


def test_a_policy_that_is_no_web_address_is_not_a_link() -> None:
    controller = Controller(name="E", contact="d@e.org", policy_url="javascript:alert(1)", complaint="c")
    html = render(DataMap(version="1", controller=controller, identities={}, stores={}), {})
    assert 'href="javascript' not in html


def test_landmarks_headings_and_tables_say_what_they_are() -> None:
    page = Page(render(datamap(s=store("Things")), {"s": survey_of([{"a": "x"}, {"a": "y"}])}))
    assert page.tags[0] == ("html", {"lang": "en"})
    assert (page.count("main"), page.count("header"), page.count("nav"), page.count("h1")) == (1, 1, 1, 1)
    assert page.count("table") == page.count("caption") == 2
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in page.tags if tag == "th")
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [str(attributes.get("href", "")) for tag, attributes in page.tags if tag == "a"]
    assert {target[1:] for target in targets if target.startswith("#")} <= set(ids)
    labelled = [attributes["aria-labelledby"] for _, attributes in page.tags if "aria-labelledby" in attributes]
    assert set(labelled) <= set(ids)


def test_it_says_what_was_found_masked_left_out_and_never_looked_at() -> None:
    data = datamap(
        found=store("Tickets"),
        empty=store("Surveys"),
        broken=store("Mails"),
        later=store("Old paper", connector="planned"),
        kept=store(
            "Invoices",
            erasure=Erasure(action="keep", ground="accounting", law="§ 147 AO", period="P10Y", since="at"),
            unless=[
                Unless(ground="active_service", attribute="a", equals=["b"]),
                Unless(ground="accounting", period="P7Y", since="issued_at"),
            ],
        ),
    )
    found = survey_of([{"a": n} for n in range(1234)], {"other": 1})
    found.hidden |= {"withheld": 1, "undeclared_shown": 5}
    text = Page(
        render(data, {"found": found, "empty": Survey(), "broken": Survey(), "kept": Survey()}, broken="bucket lost")
    ).text
    assert "1,234" in text
    assert "1,234 values about other people are masked" in text
    assert "1 value is withheld" in text
    assert "The first 100 of 1,234 records" in text
    assert "bucket lost" in text
    assert "Old paper" in text
    assert "Surveys" in text
    assert "it is kept for 10 years: accounting duties (§ 147 AO)" in text
    assert "1 year and 6 months, counted from “last used at”" in text
    assert (
        "longer for delivering the service to you, while it is delivered; longer for accounting duties (7 years, "
        in text
    )
    assert "2 November 2026" in text
    assert "24 December 2026" in text
    assert "contact · email" in text


def test_nothing_found_is_said_plainly() -> None:
    text = Page(render(datamap(s=store("Tickets")), {"s": Survey()})).text
    assert "We found no data about you" in text
    assert "Tickets" in text


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("fr-FR", ["1\u202f234", "1 an et 6 mois, à compter de « last used at »", "24 décembre 2026"]),
        ("de-AT", ["1.234", "1 Jahr und 6 Monate, gerechnet ab „last used at“", "24. Dezember 2026"]),
        ("es-MX", ["1.234", "1 año y 6 meses, a contar desde «last used at»", "24 de diciembre de 2026"]),
    ],
)
def test_numbers_periods_and_dates_are_those_of_the_language(locale: str, said: list[str]) -> None:
    found = survey_of([{"a": n, "ok": True} for n in range(1234)])
    text = Page(render(datamap(s=store("Tickets")), {"s": found}, locale)).text
    assert [words for words in said if words not in text] == []


def test_what_the_map_says_is_in_the_persons_language_where_it_is_translated() -> None:
    data = datamap(
        s=store("Tickets", recipients=["desk"], source="The web"), old=store("Old paper", connector="planned")
    )
    recipients = {"desk": Recipient(title="Support desk", not_told="-")}
    german = {"Tickets": "Ihre Anfragen", "To help you": "Um Ihnen zu helfen", "Support desk": "Kundendienst"}
    data = replace(data, recipients=recipients, translations={"de": german | {"Contract": "Vertrag", "CNIL": "BfDI"}})
    text = Page(render(data, {"s": survey_of([{"a": "x"}])}, "de-DE")).text
    for said in ("Ihre Anfragen", "Um Ihnen zu helfen", "Kundendienst", "Vertrag", "BfDI", "Old paper", "The web"):
        assert said in text
    assert "Support desk" not in text
    assert "Support desk" in Page(render(data, {"s": survey_of([{"a": "x"}])}, "fr")).text


def test_the_languages_have_the_same_words() -> None:
    def shape(words: Any) -> Any:
        if isinstance(words, dict):
            return {name: shape(value) for name, value in words.items()}
        if isinstance(words, list):
            return [shape(value) for value in words]
        return sorted(part.split("}")[0] for part in words.split("{")[1:])

    folder = Path(viewer.__file__).parent / "words"
    languages = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}
    assert set(languages) == set(LANGUAGES)
    plural = {"hidden"}  # a language may or may not repeat the number in the singular
    first, *others = ({k: shape(v) for k, v in words.items() if k not in plural} for words in languages.values())
    assert all(other == first for other in others)


def test_sizes_are_written_for_people() -> None:
    survey = Survey(count=1, columns={"a": None}, sample=[{"a": "x"}])
    for size in (0, 999, 1500, 2_000_000, 10**13):
        survey.note_file(f"{size}.pdf", size, f"files/s/{size}.pdf")
    text = Page(render(datamap(s=store("Files")), {"s": survey})).text
    for wanted in ("0\u00a0bytes", "999\u00a0bytes", "1.5\u00a0kB", "2\u00a0MB", "10\u00a0TB"):
        assert wanted in text
