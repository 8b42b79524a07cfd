"""The privacy centre in a real browser, on the running stack: each control from card to end, in a language each."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from infra.local import checks
from infra.local.person import CODE, Person, Unexpected, call, mailbox, until
from infra.local.stack import Stack
from infra.sample.digest import snapshot
from infra.sample.truth import Truth
from tests.web import chromium
from tests.web.visiting import Guest

MakePerson = Callable[[str], Person]
SECONDS = 120
DPO = "privacy@salescookie.com"


@dataclass
class Reader(Guest):
    """Of the centre on the stack."""

    person: Person
    used: set[str] = field(default_factory=set)
    """Codes that were typed in."""

    def code(self) -> str:
        """The newest that was not used yet; mails take a moment."""
        for _ in until(20):
            found = [code[1] for letter in self.person.letters() if (code := CODE.search(letter.text))]
            if found and found[-1] not in self.used:
                self.used.add(found[-1])
                return found[-1]
        raise Unexpected("no code came by mail")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as running:
        yield running


@pytest.fixture
def scripted() -> bool:
    return True


@pytest.fixture
def reader(browser: Browser, stack: Stack, person: MakePerson) -> Iterator[Callable[..., Reader]]:
    """Makes someone with a browser, from their address."""
    contexts: list[BrowserContext] = []

    def make(email: str, *, script: bool = True) -> Reader:
        contexts.append(browser.new_context(java_script_enabled=script))
        contexts[-1].set_default_timeout(SECONDS * 1000)
        return Reader(contexts[-1].new_page(), f"{stack.api_url}/", email, person(email))

    yield make
    for context in contexts:
        context.close()


MakeReader = Callable[..., Reader]


def somebody(truth: Truth) -> Iterator[str]:
    """People of whom no other test asks anything, with an account."""
    return (email for email in reversed(list(truth.people())) if truth.person(email)["accounts"]["keys"])


def test_a_download_in_english(reader: MakeReader, stack: Stack, truth: Truth) -> None:
    """The page follows the request by itself, and saves the package when it is there."""
    before = snapshot(stack.client)
    visitor = reader(next(somebody(truth)))
    visitor.ask("access", "en").prove().at("request")
    expect(visitor.page.locator("main")).to_have_attribute("data-status", "completed", timeout=SECONDS * 1000)
    with visitor.page.expect_download() as saved:
        visitor.press("fetch").at("ready")
    package = io.BytesIO(saved.value.path().read_bytes())
    outcomes = checks.access(truth, visitor.email, before, snapshot(stack.client), package)
    assert [outcome for outcome in outcomes if outcome.problems] == []


def test_a_deletion_in_german_without_script(reader: MakeReader, stack: Stack, truth: Truth) -> None:
    before = snapshot(stack.client)
    people = somebody(truth)
    next(people)
    visitor = reader(next(people), script=False)
    visitor.ask("erasure", "de").prove().at("request")
    for _ in until(SECONDS):
        if visitor.page.locator("main").get_attribute("data-status") == "completed":
            break
        visitor.press("refresh").at("request")
    visitor.person.sign_in()
    (request,) = visitor.person.requests()
    told = visitor.person.status(request["request_id"])["result"]["stores"]
    after = snapshot(stack.client)
    outcomes = checks.erasure(truth, visitor.email, before, after, told)
    assert [outcome for outcome in outcomes if outcome.problems] == []
    assert checks.bystanders(truth, before, after, [visitor.email]) == []
    assert visitor.person.closing_letter().subject.startswith("Ihr")


def test_e_mail_choices_in_french(reader: MakeReader, stack: Stack) -> None:
    visitor = reader("visiteuse@example.org")
    visitor.sign_in("preferences", "fr")
    visitor.field("topic.newsletter").check()
    visitor.press()
    expect(visitor.page.locator("#saved")).to_be_visible()
    visitor.person.sign_in()
    chosen = call("GET", f"{stack.api_url}/preferences", token=visitor.person.token)
    assert chosen["topics"] == {"newsletter": True, "product_feedback": False, "announcements": False}


def test_an_issue_in_spanish(reader: MakeReader, stack: Stack) -> None:
    visitor = reader("visitante@example.org")
    visitor.open("issue", "es")
    visitor.choose("kind", "unwanted_email")
    visitor.field("message").fill("No quiero estos correos.")
    visitor.field("email").fill(visitor.email)
    visitor.press().at("thanks")
    reference = visitor.page.locator("main .reference").inner_text()
    for _ in until(SECONDS):
        told = [letter for letter in mailbox(stack.mailbox_url) if letter.to == DPO and reference in letter.text]
        if told:
            break
    assert "No quiero estos correos." in told[-1].text
