"""Signing in with the company's own account, in place of a code."""

from __future__ import annotations

import logging
import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from rightful import oidc
from rightful.model import Identity
from rightful.service import discovering, requests
from tests.fakes.company import ADA, BOB
from tests.fakes.provider import AUDIENCE, Signs, pair
from tests.fakes.world import World, forever
from tests.functional.api.bridge import Answer, call
from tests.functional.api.conftest import Person

UNCONFIRMED = "Your account has no confirmed e-mail address."


def ask(kind: str, token: str, **more: Any) -> Answer:
    return call("POST", "/requests", {"type": kind, **more}, token=token)


# What it is good for


@pytest.mark.parametrize("kind", ["access", "erasure"])
def test_a_request_starts_at_once(world: World, signs: Signs, kind: str) -> None:
    asked = ask(kind, signs.token(ADA, "acct-1"))
    assert (asked.status, asked.json["status"]) == (202, "in_progress")
    assert list(world.executions.started) == [f"{kind}-{asked.json['request_id']}"]
    assert world.mailer.sent == []
    request = world.request(asked.json["request_id"])
    assert request["verified_at"] == "2026-11-02T09:00:00Z"
    assert request["person"] == world.vault.digest("person", ADA)


def test_the_search_starts_from_both_identities(world: World, signs: Signs) -> None:
    """Of Ada, whose account is still under an address that she gave up, and which no store of hers shows now."""
    asked = ask("access", signs.token("ada.new@example.org", "acct-1"))
    request_id = asked.json["request_id"]
    assert discovering.step(world.deps, request_id, forever) == {"done": True}
    found = discovering.found(world.deps, request_id, world.table.get(requests.pk(request_id), discovering.SAVED))
    assert found.proven == [("email", "ada.new@example.org"), ("account_id", "acct-1")]
    assert found.identities["customer_id"] == ["cus-1", "cus-2"]
    assert {name: sum(store.counts.values()) for name, store in found.stores.items()} == {
        "accounts": 1,
        "subscriptions": 2,
        "invoices": 3,
        "surveys": 0,
        "contacts": 1,
    }


def test_to_the_end_it_erases_what_both_lead_to_and_nobody_elses(world: World, signs: Signs) -> None:
    before = world.contents()
    bobs = [item for item in before["accounts"] if item["email"] == BOB]
    asked = ask("erasure", signs.token("ada.new@example.org", "acct-1"))
    world.execution(asked.json["request_id"]).run()
    assert world.request(asked.json["request_id"])["status"] == "completed"
    assert world.contents()["accounts"] == bobs
    assert [item["account_id"] for item in world.contents()["subscriptions"]] == ["acct-10"]


def test_a_legal_hold_on_either_identity_covers_all_that_is_found(world: World, signs: Signs) -> None:
    """What came since it was placed too: the hold knows the account, and neither the new address nor the customer."""
    placed = world.ask_desk("hold", email=ADA, ground="legal_process", reason="A court asked.")
    assert placed["ok"]
    world.stores["subscriptions"].items.append({"id": "s9", "account_id": "acct-1", "customer_id": "cus-9"})
    invoice = {"id": "i9", "customer_id": "cus-9", "email": "books@example.org", "issued_at": "2012-02-29"}
    world.stores["invoices"].items.append(invoice)
    before = deepcopy(world.contents())
    world.execution(ask("erasure", signs.token("ada.new@example.org", "acct-1")).json["request_id"]).run()
    assert world.contents() == before


def test_what_was_asked_for_by_code_is_seen_and_the_other_way_round(world: World, signs: Signs, ada: Person) -> None:
    by_code, code_token = ada.begun("access")
    token = signs.token("Ada@Example.org", "acct-1")
    by_sign_in = ask("erasure", token).json["request_id"]
    for proof in (code_token, token):
        listed = call("GET", "/requests", token=proof).json["requests"]
        assert {each["request_id"] for each in listed} == {by_code, by_sign_in}
        assert call("GET", f"/requests/{by_sign_in}", token=proof).status == 200
    assert call("DELETE", f"/requests/{by_code}", token=token).json["status"] == "withdrawn"


def test_another_persons_requests_are_not_there(signs: Signs, ada: Person) -> None:
    """Whoever's account it is: the address says who the person is, and no account id does."""
    request_id, _ = ada.begun("access")
    token = signs.token(BOB, "acct-1")
    assert call("GET", "/requests", token=token).json == {"requests": []}
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/download"), ("GET", "/receipt")):
        assert call(method, f"/requests/{request_id}{path}", token=token).status == 404


def test_a_download_needs_no_code(world: World, signs: Signs) -> None:
    token = signs.token(ADA, "acct-1")
    request_id = ask("access", token).json["request_id"]
    requests.transition(world.deps, request_id, "completed", what="Your data is ready")
    assert call("POST", f"/requests/{request_id}/download", token=token).status == 200


def test_whoever_signs_in_confirms_a_letter_and_brings_the_account_along(world: World, signs: Signs) -> None:
    letter = world.ask_desk("submit", type="access", email=ADA, received_at="2026-11-02", source="letter")
    asked = ask("access", signs.token(ADA, "acct-1"))
    assert asked.json["request_id"] == letter["request_id"]
    assert asked.json["status"] == "in_progress"
    discovering.step(world.deps, letter["request_id"], forever)
    saved = world.table.get(requests.pk(letter["request_id"]), discovering.SAVED)
    found = discovering.found(world.deps, letter["request_id"], saved)
    assert found.proven == [("email", ADA), ("account_id", "acct-1")]


def test_repeated_with_the_same_key_it_is_one_request_whichever_token_comes(world: World, signs: Signs) -> None:
    answers = [
        call("POST", "/requests", {"type": "access"}, token=signs.token(ADA, "acct-1", jti=jti), Idempotency_Key="k")
        for jti in ("one", "two")
    ]
    assert answers[0].json == answers[1].json
    assert len(world.executions.started) == 1


def test_a_bearer_token_is_good_until_it_expires(world: World, signs: Signs) -> None:
    token = signs.token(ADA, "acct-1")
    for _ in range(3):
        assert call("GET", "/requests", token=token).status == 200
    world.clock.advance(3600 + oidc.LEEWAY.total_seconds())
    assert call("GET", "/requests", token=token).status == 401


def test_the_address_of_the_body_must_be_that_of_the_token(signs: Signs) -> None:
    assert ask("access", signs.token(ADA, "acct-1"), email=BOB).status == 422
    assert ask("access", signs.token(ADA, "acct-1"), email="ADA@example.org").status == 202


# When the person signed in


@pytest.mark.parametrize(("ago", "status"), [(0, 202), (599, 202), (600, 202), (601, 401), (86400, 401), (None, 401)])
def test_an_erasure_wants_a_sign_in_of_the_last_ten_minutes(
    world: World, signs: Signs, ago: int | None, status: int
) -> None:
    now = int(world.clock().timestamp())
    token = signs.token(ADA, "acct-1", auth_time=None if ago is None else now - ago)
    asked = ask("erasure", token)
    assert asked.status == status
    assert len(world.executions.started) == (1 if status == 202 else 0)
    assert ask("access", token).status == 202


def test_too_old_a_sign_in_is_told_how_to_mend_it(world: World, signs: Signs) -> None:
    """RFC 9470, and in the body, since API Gateway renames the header."""
    refused = ask("erasure", signs.token(ADA, "acct-1", auth_time=1))
    assert refused.headers["www-authenticate"] == 'Bearer error="insufficient_user_authentication", max_age=600'
    assert refused.json["max_age"] == 600
    assert "Sign in again (prompt=login or max_age=600)" in refused.json["detail"]


def test_a_token_issued_anew_is_no_new_sign_in(world: World, signs: Signs) -> None:
    signed_in = int(world.clock().timestamp())
    world.clock.advance(3600)
    assert ask("erasure", signs.token(ADA, "acct-1", auth_time=signed_in)).status == 401


def test_a_code_that_is_too_old_is_told_the_same(world: World, ada: Person) -> None:
    token = ada.sign_in()
    world.clock.advance(601)
    refused = ask("erasure", token)
    assert (refused.status, refused.json["max_age"]) == (401, 600)


# Whom it proves


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email_verified": "false"},
        {"email_verified": 1},
        {"email_verified": ["x"]},
        {"email": None},
        {"email": ["ada@example.org"]},
        {"email": {"ada@example.org": True}},
        {"email": ""},
        {"email": "ada"},
        {"email": "ada@example.org, bob@example.org"},
        {"email": "ada@example.org\u0000"},
        {"email": "\u212ada@example.org"},
        {"email": "\ud800@example.org"},
    ],
)
def test_an_address_that_is_not_confirmed_proves_nobody(world: World, signs: Signs, claims: dict[str, Any]) -> None:
    refused = ask("access", signs.token(ADA, "acct-1", **claims))
    assert refused.status == 401
    assert refused.json["detail"].startswith(UNCONFIRMED)
    assert world.executions.started == {}


@pytest.mark.parametrize("account", [7, True, ["acct-1"], {"id": "acct-1"}, "", "\n", "a" * 256])
def test_an_identity_of_another_kind_than_text_proves_nothing(world: World, signs: Signs, account: Any) -> None:
    identities = {**world.deps.datamap.identities, "customer_id": Identity(category="user", claim="customer")}
    world.deps = replace(world.deps, datamap=replace(world.deps.datamap, identities=identities))
    assert ask("access", signs.token(ADA, "acct-1", customer=account)).status == 401
    assert ask("access", signs.token(ADA, "acct-1", customer="cus-1")).status == 202


def test_a_word_for_nobody_is_not_followed(world: World, signs: Signs) -> None:
    request_id = ask("access", signs.token(ADA, "Unknown")).json["request_id"]
    discovering.step(world.deps, request_id, forever)
    saved = world.table.get(requests.pk(request_id), discovering.SAVED)
    assert discovering.found(world.deps, request_id, saved).proven == [("email", ADA)]


def test_a_claim_that_the_map_does_not_name_proves_nothing(world: World, signs: Signs) -> None:
    request_id = ask("access", signs.token(ADA, "acct-1", customer_id="cus-10", account="acct-10")).json["request_id"]
    discovering.step(world.deps, request_id, forever)
    saved = world.table.get(requests.pk(request_id), discovering.SAVED)
    assert "cus-10" not in discovering.found(world.deps, request_id, saved).identities["customer_id"]


def test_without_a_claim_for_the_address_the_operator_is_told(world: World, signs: Signs) -> None:
    identities = {name: replace(identity, claim="") for name, identity in world.deps.datamap.identities.items()}
    world.deps = replace(world.deps, datamap=replace(world.deps.datamap, identities=identities))
    assert ask("access", signs.token(ADA, "acct-1")).status == 500


# What is refused


def strangers(signs: Signs) -> list[str]:
    """Tokens that prove nothing, of many kinds."""
    other = Signs(signs.clock, pair("k1"))
    good = signs.token(ADA, "acct-1")
    head, body, signature = good.split(".")
    return [
        other.token(ADA, "acct-1"),
        signs.token(ADA, "acct-1", iss="https://mallory.example"),
        signs.token(ADA, "acct-1", aud="other"),
        signs.token(ADA, "acct-1", aud=[AUDIENCE, "other"]),
        signs.token(ADA, "acct-1", exp=1),
        signs.token(ADA, "acct-1", iat=2**40),
        signs.token(ADA, "acct-1", nbf=2**40),
        signs.token(ADA, "acct-1", filler="x" * 9000),
        signs.token(ADA, "acct-1", headers={"kid": "../k1"}),
        signs.token(ADA, "acct-1", headers={"typ": "logout+jwt"}),
        signs.signed([ADA]),
        f"{head}.{body}.",
        f"{head}..{signature}",
        f"{head}.{body}.{signature}.{signature}",
        f"{head}.{body}.{signature[:-1]}",
        f"{head}.{body}.{signature}=",
        "eyJhbGciOiJub25lIn0.e30.",
        "a.b.c",
        "\u00e9.\u00e9.\u00e9",
    ]


def test_whatever_is_wrong_with_it_the_answer_is_the_same(world: World, signs: Signs) -> None:
    usual = call("GET", "/requests", token="A" * 43)
    for token in strangers(signs):
        for answer in (call("GET", "/requests", token=token), ask("erasure", token)):
            assert (answer.status, answer.text) == (401, usual.text)
            assert answer.headers["www-authenticate"] == "Bearer"
    assert world.executions.started == {}


def test_a_token_of_ours_is_never_taken_for_one_of_theirs(world: World, signs: Signs, ada: Person) -> None:
    assert call("GET", "/requests", token=ada.sign_in()).status == 200
    assert world.provider.calls == []


@pytest.mark.parametrize("off", ["oidc_issuer", "oidc_audience"])
def test_where_it_is_not_set_up_it_is_off(world: World, signs: Signs, off: str) -> None:
    token = signs.token(ADA, "acct-1", iss=None) if off == "oidc_issuer" else signs.token(ADA, "acct-1", aud="")
    settings = world.deps.settings
    without = {"oidc_issuer": replace(settings, oidc_issuer=""), "oidc_audience": replace(settings, oidc_audience="")}
    world.deps = replace(world.deps, settings=without[off])
    assert call("GET", "/requests", token=token).status == 401
    assert world.provider.calls == []


# What stays of it


def test_no_token_is_kept_or_logged(world: World, signs: Signs, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        tokens = [signs.token(ADA, "acct-1"), *strangers(signs)]
        for token in tokens:
            call("GET", "/requests", token=token)
            ask("access", token)
    kept = f"{world.table.calls} {world.mailer.sent} {world.executions.started} {world.events.published}"
    logged = " ".join(str(record.__dict__) for record in caplog.records)
    for token in tokens:
        for part in (part for part in token.split(".") if len(part) > 10):
            assert part not in kept
            assert part not in logged
    for secret in (ADA, "acct-1"):
        assert secret not in logged


def test_why_a_token_was_refused_is_logged_in_a_word(
    world: World, signs: Signs, caplog: pytest.LogCaptureFixture
) -> None:
    for token in [*strangers(signs), signs.token(ADA, "acct-1", email_verified=False)]:
        call("GET", "/requests", token=token)
    reasons = [record.__dict__["reason"] for record in caplog.records if record.msg == "token refused"]
    assert set(reasons) <= set(oidc.Fault)
    assert {"signature", "issuer", "audience", "expired", "not_yet", "too_long", "key", "unconfirmed"} <= set(reasons)


def test_nothing_is_loaded_for_it_until_such_a_token_comes() -> None:
    """PyJWT costs 80 ms of a cold start."""
    look = "import sys; from functions.api import app; print(*(n for n in sys.modules if n.split('.')[0] == 'jwt'))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
