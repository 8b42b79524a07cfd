"""The link in a mail: a page that asks, and one click that acts (RFC 8058)."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import replace
from typing import Any

import pytest

from rightful.contacting import SALE_OR_SHARING
from rightful.errors import NeedsAttention, TryAgain
from rightful.service import consents, unsubscribing
from rightful.service.unsubscribing import ALL, Link
from tests.fakes.company import ADA
from tests.fakes.recording import Moment
from tests.fakes.world import World
from tests.functional.api.bridge import Answer, call, event_of, send
from tests.functional.api.conftest import Person

ONE_CLICK = "List-Unsubscribe=One-Click"
MULTIPART = f'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n{ONE_CLICK[17:]}\r\n--x--\r\n'
REFUSED = {"newsletter": False}


def person(world: World, email: str = ADA) -> str:
    return world.vault.digest("person", email)


def address(world: World, topic: str = "newsletter", email: str = ADA) -> str:
    return f"/unsubscribe/{unsubscribing.token(world.deps, Link(person(world, email), topic))}"


def words(world: World, email: str = ADA) -> dict[str, Any]:
    return {name: said["on"] for name, said in consents.load(world.deps, person(world, email)).topics.items()}


def agree(world: World, *topics: str) -> None:
    consents.change(world.deps, person(world), lambda _: dict.fromkeys(topics, True), how="api", shown={})


def state(answer: Answer) -> str:
    [found] = re.findall(r'data-state="(\w+)"', answer.text)
    return str(found)


def heading(answer: Answer) -> str:
    [found] = re.findall(r"<h1[^>]*>(.*?)</h1>", answer.text)
    return html.unescape(found)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (ONE_CLICK, "application/x-www-form-urlencoded"),
        (MULTIPART, "multipart/form-data; boundary=x"),
        (None, None),
        ("", None),
        ("{}", "application/json"),
        ("\x00\udcff", "application/octet-stream"),
        ("anything=else", "text/plain"),
    ],
)
def test_one_click_acts_whatever_the_body(world: World, body: str | None, media_type: str | None) -> None:
    agree(world, "newsletter", "announcements")
    answer = send(event_of("POST", address(world), body, {"Content-Type": media_type} if media_type else {}))
    assert answer.status == 200, "RFC 8058: no redirect"
    assert heading(answer) == "You get no more of these e-mails"
    assert words(world) == {"newsletter": False, "announcements": True}


def test_it_acts_once_and_its_record_says_how(world: World) -> None:
    agree(world, "newsletter")
    for _ in range(3):
        assert call("POST", address(world), ONE_CLICK, Accept_Language="fr").status == 200
    records = world.table.query(f"CONSENT#{person(world)}", "RECORD#")
    assert [(each["new"], each["how"]) for each in records] == [(True, "api"), (False, "one_click")]
    assert records[-1]["text"] == "Des nouvelles, une fois par mois."


def test_who_never_agreed_refuses_for_good_all_the_same(world: World) -> None:
    """Their address came from a list of the company's; the next import must not bring the mails back."""
    assert call("POST", address(world)).status == 200
    assert words(world) == REFUSED


def test_a_get_shows_a_page_and_changes_nothing(world: World) -> None:
    agree(world, "newsletter")
    before = repr(world.table.items)
    answer = call("GET", address(world))
    assert answer.status == 200
    assert state(answer) == "unsubscribe"
    assert heading(answer) == "No more of these e-mails?"
    assert "Newsletter" in answer.text
    assert answer.text.count("<form") == answer.text.count('<form method="post">') == 1
    assert repr(world.table.items) == before


def test_the_page_after_it_says_what_was_done_and_where_to_change_it(world: World) -> None:
    answer = call("POST", address(world), ONE_CLICK)
    assert "Newsletter" in answer.text
    assert '<a href="/prod/?show=preferences&amp;lang=en">' in answer.text
    assert heading(call("GET", address(world))) == heading(answer), "read again, or in another language"


def test_one_more_click_refuses_all_that_is_optional(world: World) -> None:
    agree(world, "newsletter", "announcements")
    shown = call("POST", address(world), ONE_CLICK).text
    [every] = re.findall(r'action="([\w-]+)"', shown)
    assert call("POST", f"/unsubscribe/{every}").status == 200
    assert words(world) == {"newsletter": False, "announcements": False, "product_feedback": False}


def test_a_contact_refuses_what_another_user_gave_the_address_for(world: World, ada: Person) -> None:
    """And may change their mind, when they say who they are."""
    answer = call("POST", address(world, "rewards"), ONE_CLICK)
    assert answer.status == 200
    assert "action=" not in answer.text.partition("<main")[2].partition("</main>")[0], "nothing optional is at stake"
    assert words(world) == {"rewards": False}
    token = ada.sign_in()
    shown = call("GET", "/preferences", token=token).json
    assert (shown["topics"]["rewards"], shown["mandatory"]) == (False, ["service"])
    assert call("PUT", "/preferences", {"topics": {"rewards": True}}, token=token).status == 200
    assert words(world) == {"rewards": True}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en-GB", "No more of these e-mails?"),
        ("fr-CA, en;q=0.5", "Ne plus recevoir ces e-mails\u00a0?"),
        ("de", "Diese E-Mails nicht mehr erhalten?"),
        ("es-MX,es;q=0.9", "¿No quiere recibir más estos correos?"),
        ("pl", "No more of these e-mails?"),
    ],
)
def test_it_speaks_the_readers_language(world: World, language: str, said: str) -> None:
    answer = call("GET", address(world), Accept_Language=language)
    assert heading(answer) == said
    assert f'lang="{answer.headers["content-language"]}"' in answer.text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_runs_nothing_is_not_kept_and_shown_in_no_frame(world: World, method: str) -> None:
    answer = call(method, address(world))
    assert "<script" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers


def test_it_works_long_after_and_for_a_topic_that_is_no_more(world: World) -> None:
    old = address(world)
    world.clock.advance(days=3000)
    topics = {name: topic for name, topic in world.deps.datamap.topics.items() if name != "newsletter"}
    world.deps = replace(world.deps, datamap=replace(world.deps.datamap, topics=topics))
    assert call("GET", old).status == 200
    assert call("POST", old).status == 200
    assert words(world) == REFUSED


def forged(world: World) -> list[str]:
    """Tokens that were not made here, or not as they stand."""
    good = address(world).rpartition("/")[2]
    plain = base64.urlsafe_b64decode(good + "=" * (-len(good) % 4))
    other = world.vault.digest("person", "eve@example.org").encode()
    changed = [
        plain[:43] + other + plain[86:],
        plain[:86] + b"announcements",
        plain[:86] + ALL.encode(),
        bytes([plain[0] ^ 1]) + plain[1:],
        plain[43:],
        plain[:43],
        b"",
        plain + b"\xff",
    ]
    texts = [base64.urlsafe_b64encode(each).decode().rstrip("=") or "-" for each in changed]
    return [*texts, good[:-1], f"{good}=", f"{good[:40]}.{good[40:]}", "A" * 4000, "é", "..%2f", "%00"]


@pytest.mark.parametrize("number", range(15))
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_forged_token_does_nothing_and_learns_nothing(world: World, method: str, number: int) -> None:
    agree(world, "newsletter")
    before = repr(world.table.items)
    answer = call(method, f"/unsubscribe/{forged(world)[number]}")
    assert (answer.status, state(answer)) == (404, "unsubscribe")
    assert heading(answer) == "This link does not work"
    assert "Newsletter" not in answer.text
    assert answer.text == call(method, "/unsubscribe/nonsense").text, "whatever is wrong with it"
    assert repr(world.table.items) == before


def test_what_the_service_asks_for_cannot_be_refused(world: World) -> None:
    """Nobody is given such a link; the map may have changed since."""
    assert call("POST", address(world, "service")).status == 404
    assert words(world) == {}


def test_nobody_opts_anybody_else_out_of_sale_and_sharing_by_a_link(world: World) -> None:
    """It is for mails; a link for anything else is made by nobody."""
    assert call("POST", address(world, SALE_OR_SHARING)).status == 404
    assert words(world) == {}


@pytest.mark.parametrize(("error", "status"), [(TryAgain("throttled"), 503), (NeedsAttention("access denied"), 500)])
def test_what_could_not_be_done_is_not_said_to_be_done(world: World, error: Exception, status: int) -> None:
    def fault(name: str, moment: Moment) -> None:
        if name == "table.put_new":
            raise error

    world.table.fault = fault
    answer = call("POST", address(world))
    assert answer.status == status
    assert heading(answer) != "You get no more of these e-mails"
    assert '<form method="post">' in answer.text, "to be pressed again"
    world.table.fault = lambda *_: None
    assert heading(call("POST", address(world))) == "You get no more of these e-mails"
