"""The abuse rules, one by one: proof, codes and tokens, what answers reveal, what is read, what a GET does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.api import app as api
from rightful.api.sources import network
from rightful.errors import Conflict, Gone, Refused, TooMany, Unauthorised
from rightful.service import requests, unsubscribing, verifying
from rightful.service.unsubscribing import Link
from tests.fakes.company import ADA, BOB
from tests.fakes.world import World
from tests.functional.api.bridge import call
from tests.functional.api.conftest import Person, recorders


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08}"


# Rule 1: proof is control of the registered channel; nobody and nothing waves a request through


def test_rule_1_nothing_happens_to_a_request_without_proof(world: World, ada: Person) -> None:
    request_id = ada.ask("erasure").json["request_id"]
    for status in ("in_progress", "awaiting_approval", "scheduled", "completed", "withdrawn"):
        with pytest.raises(Conflict):
            requests.transition(world.deps, request_id, status, what="Waved through")
    with pytest.raises(Conflict):
        requests.begin_erasing(world.deps, request_id)
    assert world.request(request_id)["status"] == "awaiting_verification"
    assert "verified_at" not in world.request(request_id)
    assert world.executions.started == {}


def test_rule_1_a_duplicate_of_a_verified_request_is_not_verified_by_it(world: World, ada: Person) -> None:
    ada.begun("erasure")
    duplicate = ada.ask("erasure").json["request_id"]
    assert world.request(duplicate)["status"] == "awaiting_verification"
    assert len(world.executions.started) == 1


def test_rule_1_erasure_needs_a_proof_of_the_last_ten_minutes(world: World, ada: Person) -> None:
    token = ada.sign_in()
    world.clock.advance(600)
    assert call("POST", "/requests", {"type": "erasure"}, token=token).status == 202
    world.clock.advance(1)
    refused = call("POST", "/requests", {"type": "erasure"}, token=token)
    assert refused.status == 401
    assert "POST /verifications" in refused.json["detail"]
    assert call("POST", "/requests", {"type": "access"}, token=token).status == 202


def test_rule_1_a_token_cannot_name_somebody_else(world: World, ada: Person) -> None:
    token = ada.sign_in()
    refused = call("POST", "/requests", {"type": "erasure", "email": BOB}, token=token)
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "email")
    assert world.executions.started == {}
    assert call("POST", "/requests", {"type": "erasure", "email": ADA.upper()}, token=token).status == 202


def test_rule_1_the_code_goes_to_the_mailbox_that_will_be_looked_up(world: World) -> None:
    for look_alike in ("\u212aate@example.org", "ada@example.org\u212a", "ad\u0430@example.org"):
        assert call("POST", "/requests", {"type": "erasure", "email": look_alike}).status == 422
    call("POST", "/requests", {"type": "erasure", "email": " Ada@Example.ORG "})
    assert [mail.to for mail in world.mailer.sent] == [ADA]


# Rule 2: codes and tokens


def test_rule_2_codes_and_tokens_are_stored_hashed(world: World, ada: Person) -> None:
    asked = ada.ask("access")
    code, token = ada.code(), ada.verify(asked.json["verification_id"])
    stored = repr(world.table.items)
    assert token not in stored
    assert code not in stored
    assert hashlib.sha256(token.encode()).hexdigest() in stored
    assert ADA not in stored
    assert len(code) == 8
    assert len(token) == 43


def test_rule_2_codes_and_tokens_come_from_secrets(world: World, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def draw(below: int) -> int:
        drawn.append(below)
        return 7

    monkeypatch.setattr("rightful.service.verifying.secrets.randbelow", draw)
    ada.ask("access")
    assert drawn == [10**8]
    assert ada.code() == "00000007"


def test_rule_2_of_fifty_parallel_guesses_five_count(world: World, ada: Person) -> None:
    verification_id = ada.ask("erasure").json["verification_id"]
    code = ada.code()
    guesses = [f"{(int(code) + n) % 10**8:08}" for n in range(1, 50)] + [code]

    def guess(code: str) -> type[Refused]:
        try:
            verifying.check(world.deps, verification_id, code)
        except Refused as refusal:
            return type(refusal)
        raise AssertionError("a guess after the fifth was compared")

    with ThreadPoolExecutor(16) as pool:
        first = list(pool.map(guess, guesses[:-1]))
        assert sorted(kind.__name__ for kind in first) == ["TooMany"] * 44 + ["Unauthorised"] * 5
        assert guess(code) is TooMany
    assert world.table.items[f"VERIFICATION#{verification_id}", "VERIFICATION"]["tries"] == 5
    assert world.executions.started == {}


def test_rule_2_a_code_works_once_even_in_parallel(world: World, ada: Person) -> None:
    verification_id = ada.ask("erasure").json["verification_id"]
    code = ada.code()

    def use(_: int) -> str:
        try:
            return verifying.check(world.deps, verification_id, code).token
        except (Gone, TooMany) as refusal:
            return type(refusal).__name__

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(use, range(20)))
    assert len([result for result in results if result not in ("Gone", "TooMany")]) == 1
    assert len([pk for pk, _ in world.table.items if pk.startswith("TOKEN#")]) == 1
    assert len(world.executions.started) == 1
    assert call("POST", f"/verifications/{verification_id}", {"code": code}).status == 410


def test_rule_2_the_fifth_try_may_be_right_and_the_sixth_may_not(world: World, ada: Person) -> None:
    first = ada.ask("access").json["verification_id"]
    code = ada.code()
    for _ in range(4):
        assert call("POST", f"/verifications/{first}", {"code": wrong(code)}).status == 401
    assert call("POST", f"/verifications/{first}", {"code": f" {code[:4]}-{code[4:]} "}).status == 200

    second = ada.ask("access").json["verification_id"]
    code = ada.code()
    for _ in range(5):
        assert call("POST", f"/verifications/{second}", {"code": wrong(code)}).status == 401
    refused = call("POST", f"/verifications/{second}", {"code": code})
    assert refused.status == 429
    assert 0 < int(refused.headers["retry-after"]) <= 900


def test_rule_2_unknown_expired_and_used_codes_look_the_same(world: World, ada: Person) -> None:
    used = ada.ask("access").json["verification_id"]
    code = ada.code()
    ada.verify(used)
    answers = [call("POST", f"/verifications/{used}", {"code": code})]
    expired = ada.ask("access").json["verification_id"]
    code = ada.code()
    world.clock.advance(900)
    answers += [call("POST", f"/verifications/{expired}", {"code": code})]
    answers += [call("POST", f"/verifications/{unknown}", {"code": code}) for unknown in ("A" * 32, "x", "..%2F")]
    assert {(answer.status, answer.text) for answer in answers} == {(410, answers[0].text)}


def test_rule_2_three_codes_an_hour_for_a_person_however_they_are_asked_for(world: World, ada: Person) -> None:
    ada.ask("access", source="192.0.2.1")
    ada.ask("erasure", source="192.0.2.2")
    ada.sign_in()
    for refused in (
        ada.ask("access", source="192.0.2.3"),
        call("POST", "/verifications", {"email": "ADA@example.org"}),
    ):
        assert refused.status == 429
        assert 0 < int(refused.headers["retry-after"]) <= 3600
    assert ada.codes() == 3
    world.clock.advance(3600)
    assert ada.ask("access").status == 202


def test_rule_2_tokens_are_short_lived_and_forged_ones_open_nothing(world: World, ada: Person) -> None:
    request_id, token = ada.begun("access")
    forged = [
        f"Bearer {'A' * 43}",
        f"Bearer {hashlib.sha256(token.encode()).hexdigest()}",
        f"Bearer {token}=",
        f"Bearer {token} {token}",
        f"Basic {token}",
        token,
        "",
        "Bearer",
        "Bearer \ud800",
        f"Bearer {token[:-1]}",
    ]
    refused = [call("GET", f"/requests/{request_id}", Authorization=header) for header in [*forged]]
    refused.append(call("GET", f"/requests/{request_id}"))
    world.clock.advance(1800)
    refused.append(call("GET", f"/requests/{request_id}", token=token))
    assert {(answer.status, answer.text) for answer in refused} == {(401, refused[0].text)}
    assert {answer.headers["www-authenticate"] for answer in refused} == {"Bearer"}


def test_rule_2_a_token_is_bound_to_its_purpose(world: World, ada: Person) -> None:
    _, token = ada.begun("access")
    refused = call("POST", "/requests", {"type": "erasure"}, token=token)
    assert refused.status == 401
    assert [name.split("-")[0] for name in world.executions.started] == ["access"]


# Rule 3: nothing reveals whether a person is known


def test_rule_3_known_and_unknown_people_get_the_same_answers_for_the_same_work(
    world: World, other: Callable[[str], Person]
) -> None:
    """Bob has an account, two requests and a token; Zoe was never heard of."""
    bob, zoe = other(BOB), other("zoe@example.org")
    bob.begun("access")
    world.clock.advance(3600)
    seen = []
    for person in (bob, zoe):
        before = [len(port.calls) for port in recorders(world)]
        sign_in = call("POST", "/verifications", {"email": person.email})
        ask = person.ask("erasure")
        wrong_code = call("POST", f"/verifications/{ask.json['verification_id']}", {"code": wrong(person.code())})
        calls = [
            [recorded.name for recorded in port.calls[n:]] for port, n in zip(recorders(world), before, strict=True)
        ]
        shapes = [(a.status, sorted(a.headers), sorted(a.json), len(a.text)) for a in (sign_in, ask, wrong_code)]
        seen.append((calls, shapes))
    assert seen[0] == seen[1]
    assert not any(store.calls for store in world.stores.values())


def test_rule_3_limits_are_the_same_for_known_and_unknown_people(world: World, other: Callable[[str], Person]) -> None:
    other(BOB).begun("access")
    world.clock.advance(3600)
    statuses = [
        [call("POST", "/verifications", {"email": email}).status for _ in range(5)]
        for email in (BOB, "zoe@example.org")
    ]
    assert statuses == [[202, 202, 202, 429, 429]] * 2


def test_rule_3_the_source_limit_counts_the_true_source(world: World) -> None:
    for n in range(60):
        spoofed = {"X_Forwarded_For": f"198.51.100.{n}", "Forwarded": f"for=198.51.100.{n}"}
        assert call("POST", "/verifications", {"email": f"p{n}@example.org"}, **spoofed).status == 202
    refused = call("POST", "/verifications", {"email": "p60@example.org"}, X_Forwarded_For="198.51.100.99")
    assert refused.status == 429
    assert int(refused.headers["retry-after"]) > 0
    assert call("POST", "/verifications", {"email": "p60@example.org"}, source="192.0.2.2").status == 202
    assert "192.0.2.1" not in repr(world.deps.limits.__dict__)


def test_rule_3_an_ipv6_network_is_one_source(world: World) -> None:
    """Its holder has 2^64 addresses to call from."""
    for n in range(60):
        source = f"2001:db8:1:2::{n + 1:x}"
        assert call("POST", "/verifications", {"email": f"p{n}@example.org"}, source=source).status == 202
    late = {"email": "p60@example.org"}
    assert call("POST", "/verifications", late, source="2001:db8:1:2:ffff:ffff:ffff:ffff").status == 429
    assert call("POST", "/verifications", late, source="2001:db8:1:3::1").status == 202
    assert network("::ffff:192.0.2.7") == network("192.0.2.7") != network("::ffff:192.0.2.8")


def test_rule_3_a_strangers_request_looks_like_no_request(world: World, other: Callable[[str], Person]) -> None:
    bobs, _ = other(BOB).begun("access")
    unverified = other(ADA).ask("access").json["request_id"]
    token = other(ADA).sign_in()
    for method, suffix in (("GET", ""), ("DELETE", ""), ("POST", "/download")):
        answers = [
            call(method, f"/requests/{request_id}{suffix}", token=token)
            for request_id in (bobs, unverified, "A" * 32, "short", "%00", "x" * 3000)
        ]
        assert {(answer.status, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert call("GET", "/requests", token=token).json == {"requests": []}
    assert world.request(bobs)["status"] == "in_progress"


# Rule 6: what is read is bounded, and what cannot be read changes nothing


@pytest.mark.parametrize("path", ["/verifications", "/requests", f"/verifications/{'A' * 32}"])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("{", 400),
        ('{"email": "a\ud800@example.org"}', 400),
        ('{"email": "a\\ud800@example.org"}', 400),
        ("[" * 20_000, 400),
        ('{"email": NaN}', 422),
        ("[]", 422),
        ("null", 422),
        ('"text"', 422),
        ("1" * 6000, 400),
        ('{"a":' * 100 + "1" + "}" * 100, 422),
        ("x" * 32 * 1024, 400),
        ("x" * (32 * 1024 + 1), 413),
        ("é" * (16 * 1024 + 1), 413),
    ],
)
def test_rule_6_no_body_is_too_strange(world: World, path: str, body: str, status: int) -> None:
    answer = call("POST", path, body)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert world.table.items == {}
    assert world.mailer.sent == []


# Rule 7: a GET never acts; answers are not kept; a package is reached by a short-lived link only


def test_rule_7_get_never_acts(world: World, ada: Person) -> None:
    request_id, token = ada.begun("access")
    link = unsubscribing.token(world.deps, Link(world.vault.digest("person", ADA), "newsletter"))
    before = json.dumps(
        [repr(world.table.items), world.executions.started, len(world.mailer.sent), len(world.events.published)]
    )
    for path in [path for path, methods in api.app.routes.items() if "GET" in methods]:
        call("GET", path.format(request_id=request_id, name="icon.svg", token=link), token=token)
    after = json.dumps(
        [repr(world.table.items), world.executions.started, len(world.mailer.sent), len(world.events.published)]
    )
    assert after == before


def test_rule_7_nothing_is_cached_and_no_address_leaks(world: World, ada: Person) -> None:
    for answer in (call("GET", "/health"), ada.ask("access"), call("GET", "/requests"), call("PUT", "/requests")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_rule_7_mails_hold_no_link_that_acts(world: World, ada: Person) -> None:
    asked = ada.ask("erasure").json
    [mail] = world.mailer.sent
    for text in (mail.text, mail.html, mail.subject):
        assert asked["request_id"] not in text
        assert asked["verification_id"] not in text
    assert ada.code() not in mail.subject
    assert ADA not in mail.subject + mail.key


def test_wrong_codes_are_unauthorised_not_invalid(world: World, ada: Person) -> None:
    verification_id = ada.ask("access").json["verification_id"]
    with pytest.raises(Unauthorised):
        verifying.check(world.deps, verification_id, "no digits at all é")
