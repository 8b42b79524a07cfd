"""Every language says everything, and says of values what the source says of them."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from rightful.centre import words
from rightful.centre.voices import LANGUAGES, Voice
from rightful.languages import LANGUAGES as MAILED
from tests.unit.centre.messages import CENTRE, messages

TRANSLATED = [language for language in LANGUAGES if language != "en"]
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
ALIKE = {
    "fr": {"Articles", "Article"},
    "de": set[str](),
    "es": set[str](),
}
"""What is the same word in English."""
SERVICE = CENTRE.parent / "service"


def catalogue(language: str) -> Catalog:
    with (CENTRE / f"locale/{language}/LC_MESSAGES/centre.po").open("rb") as file:
        return read_po(file, locale=language)


def _forms(text: object) -> tuple[str, ...]:
    """One, or one for one and one for many."""
    return tuple(map(str, text)) if isinstance(text, (tuple, list)) else (str(text),)


@pytest.mark.parametrize("language", TRANSLATED)
def test_each_language_says_everything_and_nothing_else(language: str) -> None:
    held = catalogue(language)
    said = {message.id: message for message in held if message.id}
    assert set(said) == messages()
    assert not held.obsolete
    for source, message in said.items():
        assert not message.fuzzy, source
        forms = _forms(message.string)
        assert len(forms) == (2 if isinstance(source, tuple) else 1), source
        assert all(form.strip() for form in forms), source


@pytest.mark.parametrize("language", TRANSLATED)
def test_values_are_the_same_in_each_language(language: str) -> None:
    for message in catalogue(language):
        sources, forms = _forms(message.id), _forms(message.string)
        wanted = {frozenset(PLACEHOLDER.findall(source)) for source in sources}
        assert {frozenset(PLACEHOLDER.findall(form)) for form in forms} == wanted, message.id
        assert all("%" not in PLACEHOLDER.sub("", form) for form in forms), message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_was_left_in_english(language: str) -> None:
    same = {message.id for message in catalogue(language) if message.id and message.string == message.id}
    assert same == ALIKE[language]


def test_pages_and_mails_speak_the_same_languages() -> None:
    assert tuple(LANGUAGES) == MAILED


@pytest.mark.parametrize("language", MAILED)
def test_page_and_mail_give_the_same_reasons(language: str) -> None:
    mails = tomllib.loads((CENTRE.parent / f"mails/catalogues/{language}.toml").read_text("utf-8"))
    voice = Voice(language, language)
    for section, known in (("grounds", words.GROUNDS), ("refusals", words.REFUSALS)):
        assert {key: plain(voice.said(sentence)) for key, sentence in known.items()} == {
            key: plain(sentence) for key, sentence in mails[section].items()
        }


def plain(sentence: str) -> str:
    """Whatever stands before it: a colon asks for a capital in some languages."""
    return sentence.replace("\u00a0", " ").casefold()


def test_every_sentence_of_a_timeline_is_known() -> None:
    """Read from the source: whatever is handed to the ledger as `what`."""
    french = Voice("fr", "fr")
    found = set(_sentences())
    assert len(found) > 20
    assert [sentence for sentence in found if words.again(french, sentence) == sentence] == []


def _sentences() -> Iterator[str]:
    """Where `what=` or `what =` is given text; and the tables that such text is looked up in."""
    for path in sorted(SERVICE.rglob("*.py")):
        source = path.read_text("utf-8")
        if path.stem != "requests" and not re.search(r"requests\.(transition|append)\(", source):
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.keyword) and node.arg == "what":
                yield from _texts(node.value)
            elif isinstance(node, ast.Assign):
                names = {target.id for target in node.targets if isinstance(target, ast.Name)}
                yield from _texts(
                    node.value
                    if names & {"what", "RECEIVED", "FOLLOWED", "REPORTED", "NOTED", "REFUSED", "DISMISSED"}
                    else None
                )
            elif isinstance(node, ast.FunctionDef) and node.name == "_sentence" and path.stem == "completing":
                yield from (
                    text for each in ast.walk(node) if isinstance(each, ast.Return) for text in _texts(each.value)
                )


def _texts(node: ast.AST | None) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)) if " " in text:
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "2027-01-31" for part in parts)
        case ast.IfExp(body=one, orelse=other):
            yield from _texts(one)
            yield from _texts(other)
        case ast.Dict(values=values):
            for value in values:
                yield from _texts(value)
