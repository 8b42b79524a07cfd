"""What goes over the wire: headers, names that change with their content, weight, and nothing that could run."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from rightful.centre import assets
from rightful.centre.rendering import STATES
from rightful.centre.voices import LANGUAGES
from rightful.service import requests, unsubscribing
from rightful.service.unsubscribing import Link
from rightful.service.visiting.acting import STEPS
from tests.fakes.company import ADA
from tests.fakes.world import World
from tests.functional.api.bridge import call, event_of, send
from tests.functional.centre.reader import FORM, Parsed, Reader

MOST = 60_000
"""Bytes of page, script and icon, as they are before they are compressed."""
HOSTILE = """"'><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}%(name)s${x}\u202e&lt;"""


def test_pages_say_what_a_browser_may_do(reader: Reader) -> None:
    headers = reader.open().answer.headers
    policy = {part.split()[0]: part.split()[1:] for part in headers["content-security-policy"].split("; ")}
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]
    assert policy["script-src"] == policy["connect-src"] == policy["form-action"] == policy["img-src"] == ["'self'"]
    [style] = reader.page.all("style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    assert policy["style-src"] == [f"'sha256-{digest}'"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "</" not in assets.style()
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "set-cookie" not in headers
    assert headers["content-language"] == "en"


def test_only_the_cards_are_kept_by_caches(reader: Reader) -> None:
    assert reader.open().answer.headers["cache-control"] == "public, max-age=300"
    assert reader.answer.headers["vary"] == "Accept-Language, Sec-GPC"
    assert reader.open("download").answer.headers["cache-control"] == "private, no-cache"
    assert reader.press("Send me a code", email=ADA).answer.headers["cache-control"] == "no-store"
    assert reader.confirm().answer.headers["cache-control"] == "no-store"


def test_what_a_page_loads_has_a_name_that_changes_with_it_and_stays_for_good(reader: Reader) -> None:
    reader.open()
    [script] = reader.page.all("script")
    icons = [each.attributes["href"] for each in reader.page.all("link")]
    loaded = [script.attributes["src"], *icons]
    assert len(loaded) == 2
    for address in loaded:
        answer = call("GET", address.removeprefix("/prod"))
        assert answer.status == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] in ("text/javascript; charset=utf-8", "image/svg+xml")
        assert hashlib.sha256(answer.text.encode()).hexdigest()[:12] in address
    for name in ("centre.js", "centre.000000000000.js", "centre.css", "../voices.py", "words.py"):
        assert assets.find(name) is None
    assert call("GET", "/assets/centre.000000000000.js").status == 404


def test_where_links_begin_depends_on_how_it_is_reached(world: World) -> None:
    event = event_of("GET", "/")
    assert event["requestContext"]["domainName"].endswith("execute-api.eu-west-1.amazonaws.com")
    assert 'src="/prod/assets/' in send(event).text
    for domain in ("privacy.example.org", "localhost", None):
        event["requestContext"]["domainName"] = domain
        text = send(event).text
        assert 'src="./assets/' in text
        assert 'href="./?show=delete"' in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_is_heavy(world: World, another: Callable[..., Reader], language: str) -> None:
    weights = {}
    for state, text in walked(world, another(language=language)).items():
        loaded = [asset.content for name in assets.KINDS if (asset := assets.find(assets.named(name)))]
        weights[state] = len(text.encode()) + sum(len(part.encode()) for part in loaded)
    assert set(weights) == set(STATES)
    assert max(weights.values()) < MOST, weights
    assert len(assets.read("centre.js").encode()) < 6_000


def walked(world: World, reader: Reader) -> dict[str, str]:
    """A page of each state, by the fields that its forms send."""
    seen: dict[str, str] = {}

    def see(**fields: str) -> Reader:
        reader.send({"lang": reader.language, **fields})
        seen[reader.state] = reader.answer.text
        return reader

    for step in ("start", "download", "delete", "issue", "sign_in"):
        see(step=step)
    see(step="report", kind="other", message="x")
    see(step="ask", kind="access", email=ADA)
    code = {"step": "code", "verification_id": reader.field("verification_id"), "code": reader.code()}
    see(**code, who=ADA, email=ADA, **{"then.step": "requests"})
    token = {name: reader.field(name) for name in ("token", "who")}
    [started] = world.executions.started
    request_id = started.removeprefix("access-")
    see(step="preferences", **token)
    reader.carry_on()
    see(step="request", request_id=request_id, **token)
    see(step="fetch", request_id=request_id, **token)
    see(step="request", request_id="nothing-of-the-kind-is-here", **token)
    link = unsubscribing.token(world.deps, Link(world.vault.digest("person", ADA), "newsletter"))
    seen["unsubscribe"] = call("GET", f"/unsubscribe/{link}", Accept_Language=reader.language).text
    return seen


def test_every_step_and_every_state_is_walked(world: World, reader: Reader) -> None:
    assert set(walked(world, reader)) == set(STATES)
    assert {"start", "ask", "enter", "code", "save", "report", "withdraw", "fetch", "receipt"} <= set(STEPS)


def test_nothing_that_people_write_runs(world: World, reader: Reader) -> None:
    """Through every field of every form, and back in whatever page follows."""
    names = (
        "email",
        "who",
        "code",
        "message",
        "kind",
        "key",
        "lang",
        "token",
        "request_id",
        "verification_id",
        "website",
    )
    for step in STEPS:
        fields = dict.fromkeys(names, HOSTILE) | {"then.step": HOSTILE, HOSTILE: HOSTILE, "again.step": HOSTILE}
        harmless(reader.send({**fields, "step": step}))
        for name in names:
            harmless(reader.send({"step": step, name: HOSTILE, "then.x": HOSTILE, "topic.x": HOSTILE}))
    harmless(reader.open(HOSTILE.replace("&", "%26").replace("#", "%23")))


def harmless(reader: Reader) -> None:
    """Parsed anew as a browser would: no element and no attribute came of it."""
    page: Parsed = reader.page
    assert [each.attributes.get("src", "") for each in page.all("script")] == [
        f"/prod/assets/{assets.named('centre.js')}"
    ]
    assert page.all("img") == page.all("iframe") == []
    assert "49" not in reader.text
    assert all(each.attributes["href"].startswith(("/prod/", "https://", "mailto:", "#")) for each in page.all("a"))


def test_nothing_that_operators_and_the_dpo_write_runs(world: World, reader: Reader) -> None:
    datamap = world.deps.datamap
    stores = {name: replace(store, title=HOSTILE) for name, store in datamap.stores.items()}
    topics = {name: replace(topic, title=HOSTILE, text=HOSTILE) for name, topic in datamap.topics.items()}
    stores["invoices"] = replace(stores["invoices"], erasure=replace(stores["invoices"].erasure, law=HOSTILE))
    controller = replace(datamap.controller, name=HOSTILE, complaint=HOSTILE)
    world.deps = replace(
        world.deps, datamap=replace(datamap, stores=stores, topics=topics, controller=controller, translations={})
    )
    for text in walked(world, reader).values():
        assert "<script>alert" not in text
        Parsed(text)
    harmless(reader)
    reader.open("delete").press("Send me a code", email=ADA, confirm="yes").confirm()
    request_id = reader.field("request_id")
    refusal = {"ground": HOSTILE, "law": HOSTILE, "reason": HOSTILE}
    requests.transition(world.deps, request_id, "rejected", what=HOSTILE, refusal=refusal)
    harmless(reader.press("Refresh"))
    assert "<script>alert" in reader.text, "it is shown, as text"


def test_no_address_code_or_token_is_in_a_link(world: World, reader: Reader) -> None:
    reader.signed_in()
    reader.send({"step": "request", **{name: reader.field(name) for name in ("token", "who")}})
    token = reader.field("token")
    for text in walked(world, reader).values():
        for found in re.findall(r'(?:href|action)="([^"]*)"', text):
            assert token not in found
            assert ADA not in found


def test_the_log_holds_nothing_of_what_was_sent(reader: Reader, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        reader.signed_in()
        token = reader.field("token")
        reader.open(f"delete&email={ADA}")
    said = [vars(record) for record in caplog.records if record.name == "rightful"]
    assert {each["route"] for each in said} == {"/"}
    assert ADA not in str(said) + caplog.text
    assert token not in str(said) + caplog.text


def test_only_forms_are_taken(reader: Reader) -> None:
    answer = call("POST", "/", {"step": "start"})
    assert answer.status == 415
    assert FORM in answer.json["detail"]
