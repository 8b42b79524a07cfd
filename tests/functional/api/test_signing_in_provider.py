"""Signing in with the company's account when its provider changes keys, or anything of ours breaks."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from rightful.api.openapi import OPERATIONS
from rightful.aws.outbound import Https
from rightful.aws.provider import HttpsProvider
from rightful.service import contacts
from tests.fakes.company import ADA
from tests.fakes.provider import Signs, pair
from tests.fakes.receiver import receiver
from tests.fakes.world import World
from tests.functional.api.bridge import call
from tests.functional.api.test_repeating import KEY, Killed, break_at, mend
from tests.functional.api.test_signing_in import ask

BODIES: dict[str, Any] = {
    "post /requests": {"type": "erasure"},
    "post /issues": {"kind": "wrong_data", "message": "My name is misspelt."},
    "put /preferences": {"topics": {}},
}
TAKING = {f"{each.method} {each.path}": each for each in OPERATIONS if each.token}


@pytest.mark.parametrize("route", sorted(TAKING))
def test_it_is_taken_wherever_a_token_is(world: World, signs: Signs, route: str) -> None:
    method, path = route.split()[0].upper(), TAKING[route].path.replace("{request_id}", "A" * 32)
    answer = call(method, path, BODIES.get(route), token=signs.token(ADA, "acct-1"))
    assert answer.status == (404 if "{request_id}" in route else TAKING[route].success)
    assert call(method, path, BODIES.get(route), token=signs.token(ADA, "acct-1", aud="other")).status == 401


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 30))
def test_killed_while_a_sign_in_confirms_a_letter_and_sent_again(
    world: World, signs: Signs, number: int, moment: Literal["before", "after"]
) -> None:
    """The letter begins once, and knows the account."""
    letter = world.ask_desk("submit", type="access", email=ADA, received_at="2026-11-02", source="letter")["request_id"]
    token = signs.token(ADA, "acct-1")
    broke = break_at(world, number, moment, Killed())
    try:
        call("POST", "/requests", {"type": "access"}, token=token, Idempotency_Key=KEY)
    except Killed:
        assert broke()
    mend(world)
    world.clock.advance(60)
    asked = call("POST", "/requests", {"type": "access"}, token=token, Idempotency_Key=KEY)
    assert (asked.json["request_id"], asked.json["status"]) == (letter, "in_progress")
    assert list(world.executions.started) == [f"access-{letter}"]
    assert contacts.of_request(world.deps, world.request(letter)).proven == (("account_id", "acct-1"),)


def test_a_provider_that_is_down_is_no_fault_of_the_token(world: World, signs: Signs) -> None:
    world.provider.down = True
    answer = ask("access", signs.token(ADA, "acct-1"))
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    world.provider.down = False
    assert ask("access", signs.token(ADA, "acct-1")).status == 202


def test_no_key_is_asked_for_that_a_token_for_somebody_else_names(world: World, signs: Signs) -> None:
    for more in ({"aud": "other"}, {"iss": "x"}, {"exp": 1}):
        assert ask("access", signs.token(ADA, "acct-1", **more)).status == 401
    assert world.provider.calls == []


@pytest.fixture
def company(world: World, signs: Signs, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Publishes keys on a server of this machine, which the API asks over HTTPS. Called without keys, it is down."""
    with receiver(tmp_path, "login.example.org") as server:
        signs.issuer = f"https://login.example.org:{server.port}"
        way = Https(
            "the sign-in provider",
            resolve=lambda host, port: ["127.0.0.1"],
            allowed=lambda address: address == "127.0.0.1",
            tls=lambda: ssl.create_default_context(cadata=server.trust),
        )
        world.deps = replace(
            world.deps,
            provider=HttpsProvider(signs.issuer, world.clock, way),
            settings=replace(world.deps.settings, oidc_issuer=signs.issuer),
        )

        def publish(*keys: Any) -> None:
            server.pages.clear()
            if keys:
                described = {"issuer": signs.issuer, "jwks_uri": f"{signs.issuer}/keys"}
                server.pages["/.well-known/openid-configuration"] = json.dumps(described).encode()
                server.pages["/keys"] = json.dumps({"keys": [key.published for key in keys]}).encode()

        yield publish


def test_keys_rotate_without_anybody_noticing(world: World, signs: Signs, company: Callable[..., None]) -> None:
    old, new = signs.key, pair("k2", "RS256")
    company(old)
    assert ask("access", signs.token(ADA, "acct-1")).status == 202
    company(old, new)
    world.clock.advance(60)
    before = signs.token(ADA, "acct-1")
    signs.key = new
    for token in (signs.token(ADA, "acct-1"), before):
        assert call("GET", "/requests", token=token).status == 200
    company(new)
    world.clock.advance(600)
    assert call("GET", "/requests", token=signs.token(ADA, "acct-1")).status == 200
    assert call("GET", "/requests", token=before).status == 401


def test_an_outage_is_bridged_and_then_told(world: World, signs: Signs, company: Callable[..., None]) -> None:
    company(signs.key)
    assert call("GET", "/requests", token=signs.token(ADA, "acct-1")).status == 200
    company()
    world.clock.advance(3600)
    assert call("GET", "/requests", token=signs.token(ADA, "acct-1")).status == 200
    world.clock.advance(600)
    assert call("GET", "/requests", token=signs.token(ADA, "acct-1")).status == 503
    assert call("GET", "/requests", token=signs.token(ADA, "acct-1", aud="other")).status == 401
