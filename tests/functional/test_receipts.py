"""The receipt of a request that ended: what it says, that there is one, and that the evidence agrees with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rightful import ledger, receipts
from rightful.errors import Invalid, NeedsAttention, TryAgain
from rightful.service import completing, deciding, receipting, requests
from tests.fakes.company import ADA
from tests.fakes.recording import Moment, no_fault
from tests.fakes.state_machine import Killed
from tests.fakes.world import World, make_world

LEDGER, RECEIPT = "requests/r1/ledger.json", "requests/r1/receipt.jws"


def ended(kind: str, world: World | None = None) -> World:
    world = world or make_world()
    world.ask_for(kind)
    assert world.execution().run().ended
    return world


def ready(kind: str = "erasure") -> World:
    """All is done but the last step."""
    world = make_world()
    world.ask_for(kind)
    run = world.execution()
    run.lambdas = {**run.lambdas, "CompleteFunctionArn": lambda event: {"status": ""}}
    assert run.run().ended
    return world


def fail_at(world: World, stop: int) -> list[str]:
    """Kills at the call of that number, from 0, of any port. Returns the calls, as they come."""
    calls: list[str] = []

    def fault(name: str, moment: Moment) -> None:
        calls.append(name)
        if len(calls) == stop + 1:
            raise Killed

    for port in (world.table, world.vault, world.events, world.mailer, world.evidence, world.signer):
        port.fault = fault
    return calls


def stored(world: World) -> dict[str, Any]:
    made = receipting.issued(world.deps, "r1")
    assert made is not None
    return made


def claims(world: World) -> dict[str, Any]:
    return receipts.verify(stored(world)["jws"], receipting.keys(world.deps))


def kept(world: World, key: str) -> bytes:
    return world.evidence.kept[key][0]


def test_an_erasure_says_per_store_what_was_done() -> None:
    world = ended("erasure")
    said = claims(world)
    request = world.request()
    assert said["iss"] == "Example"
    assert said["iat"] == int(world.clock().timestamp())
    assert (said["request_id"], said["type"], said["regime"], said["status"]) == ("r1", "erasure", "gdpr", "completed")
    for name in ("received_at", "verified_at", "due_at", "map_version", "plan_hash"):
        assert said[name] == request[name] != ""
    assert said["closed_at"] == request["changed_at"]
    nothing = dict.fromkeys(receipts.COUNTS, 0) | {
        "kept": [],
        "skipped": False,
        "partly_erased": False,
        "pending_at_vendor": False,
        "not_covered": False,
    }
    at = request["changed_at"]
    back = {"read_back": {"at": at, "found": 0}}
    assert said["stores"] == {
        "accounts": {**nothing, **back, "title": "Account", "outcome": ["erased"], "erased": 1},
        "subscriptions": {**nothing, **back, "title": "Subscriptions", "outcome": ["erased"], "erased": 2},
        "invoices": {
            **nothing,
            **back,
            "title": "Invoices",
            "outcome": ["erased", "kept"],
            "erased": 1,
            "kept": [{"ground": "accounting", "law": "a law", "until": "", "records": 2}],
        },
        "surveys": {**nothing, **back, "title": "Surveys", "outcome": ["anonymised"], "anonymised": 1},
        "contacts": {**nothing, **back, "title": "Shared contacts", "outcome": ["erased"], "erased": 2},
        "usage": {**nothing, "title": "Usage", "outcome": ["not_covered"], "not_covered": True},
    }
    assert said["notes"] == [receipts.BACKUPS, receipts.NOT_COVERED]
    assert said["recipients"] == []


def test_an_access_says_what_was_handed_over() -> None:
    world = ended("access")
    said = claims(world)
    assert said["stores"]["invoices"]["exported"] == 3
    assert said["stores"]["invoices"]["outcome"] == ["exported"]
    assert "read_back" not in said["stores"]["invoices"]
    assert said["notes"] == [receipts.NOT_COVERED]


def test_the_ledger_itself_says_what_was_done_in_each_store() -> None:
    world = ended("erasure")
    last = json.loads(kept(world, LEDGER))[-1]
    assert last["status"] == "completed"
    assert last["facts"]["stores"]["accounts"] == {"erased": 1}
    assert last["facts"]["stores"]["invoices"] == {
        "erased": 1,
        "kept": [{"ground": "accounting", "law": "a law", "until": "", "records": 2}],
    }
    assert last["facts"]["stores"]["usage"] == {"not_covered": True}


def test_what_ended_otherwise_has_a_receipt_that_claims_nothing() -> None:
    world = make_world()
    world.ask_for("access")
    world.stores["subscriptions"].fail("find", NeedsAttention("no access"), times=None)
    run = world.execution()
    run.run()
    deciding.decide(world.deps, "r1", "reject", ground="excessive", reason=f"{ADA} asks every day")
    assert run.resume().ended
    said = claims(world)
    assert said["status"] == "rejected"
    assert said["refusal"] == {"ground": "excessive", "law": "Article 12(5) GDPR"}
    assert {word for store in said["stores"].values() for word in store["outcome"]} == {"not_done", "not_covered"}
    assert not any(store[count] for store in said["stores"].values() for count in receipts.COUNTS)


def test_a_withdrawn_request_has_one_too_and_none_before_it_ended() -> None:
    world = make_world()
    world.ask_for("erasure")
    with pytest.raises(NeedsAttention, match="ended"):
        receipting.issue(world.deps, "r1", {})
    requests.transition(world.deps, "r1", "withdrawn", what="You withdrew the request")
    assert world.execution().run().ended
    assert claims(world)["status"] == "withdrawn"
    assert "refusal" not in claims(world)


def test_a_store_that_was_left_out_says_so_without_the_reason() -> None:
    world = make_world()
    world.ask_for("erasure")
    world.stores["surveys"].fail("delete", NeedsAttention("no access"), times=None)
    world.stores["surveys"].fail("anonymise", NeedsAttention("no access"), times=None)
    run = world.execution()
    run.run()
    deciding.decide(world.deps, "r1", "skip", store="surveys", reason="Ask Eve Example, who holds the key")
    assert run.resume().ended
    survey = claims(world)["stores"]["surveys"]
    assert (survey["skipped"], survey["outcome"], survey["anonymised"]) == (True, ["skipped", "partly_erased"], 0)
    assert "read_back" not in survey
    assert all(b"Eve" not in body for body, _ in world.evidence.kept.values())


def test_no_receipt_and_no_ledger_holds_anything_of_the_person() -> None:
    for kind in ("access", "erasure"):
        world = ended(kind)
        text = json.dumps(claims(world)) + kept(world, LEDGER).decode()
        for secret in (ADA, "acct-1", "cus-1", world.request()["person"]):
            assert secret not in text


def test_what_is_kept_as_evidence_is_the_receipt_and_the_ledger_it_names() -> None:
    world = ended("erasure")
    assert set(world.evidence.kept) == {LEDGER, RECEIPT}
    keys = receipting.keys(world.deps)
    said = receipts.verify(kept(world, RECEIPT), keys)
    assert said == claims(world)
    receipts.check_ledger(said, kept(world, LEDGER))
    entries = json.loads(kept(world, LEDGER))
    assert entries == requests.entries(world.deps, world.request())
    assert said["ledger"] == {"entries": len(entries), "head": world.request()["head"]}


@pytest.mark.parametrize(
    ("regime", "kept_for", "until"),
    [
        ("gdpr", "P3Y", datetime(2029, 11, 2, 9, tzinfo=UTC)),
        ("gdpr", "P1Y", datetime(2027, 11, 2, 9, tzinfo=UTC)),
        ("ccpa", "P1Y", datetime(2028, 11, 2, 9, tzinfo=UTC)),
        ("ccpa", "P3Y", datetime(2029, 11, 2, 9, tzinfo=UTC)),
    ],
)
def test_evidence_stays_as_long_as_records_are_kept(regime: str, kept_for: str, until: datetime) -> None:
    world = make_world()
    datamap = world.deps.datamap
    datamap = replace(datamap, controller=replace(datamap.controller, records_kept=kept_for))
    world.deps = replace(world.deps, datamap=datamap)
    world.ask_for("access")
    world.table.items["REQUEST#r1", "REQUEST"] = requests.begun({**world.request(), "regime": regime})
    assert world.execution().run().ended
    assert {end for _, end in world.evidence.kept.values()} == {until}


Tamper = Callable[[list[dict[str, Any]], int], None]


def changed(entries: list[dict[str, Any]], n: int) -> None:
    entries[n]["what"] += "!"


def forged(entries: list[dict[str, Any]], n: int) -> None:
    entries[n]["at"] = "2020-01-01T00:00:00Z"
    entries[n]["hash"] = ledger.digest(entries[n])


def forged_to_the_end(entries: list[dict[str, Any]], n: int) -> None:
    """With every hash that follows."""
    entries[n]["status"] = "rejected"
    for k in range(n, len(entries)):
        entries[k]["previous"] = entries[k - 1]["hash"] if k else ""
        entries[k]["hash"] = ledger.digest(entries[k])


def dropped(entries: list[dict[str, Any]], n: int) -> None:
    del entries[n]


def cut(entries: list[dict[str, Any]], n: int) -> None:
    del entries[n:]


def doubled(entries: list[dict[str, Any]], n: int) -> None:
    entries.insert(n, dict(entries[n]))


def moved(entries: list[dict[str, Any]], n: int) -> None:
    entries.append(entries.pop(n)) if n < len(entries) - 1 else entries.insert(0, entries.pop())


def spelled_otherwise(entries: list[dict[str, Any]], n: int) -> None:
    entries[n] = dict(reversed(entries[n].items())) | {"n": float(entries[n]["n"])}


def test_tampering_with_any_link_of_the_evidence_is_caught() -> None:
    world = ended("erasure")
    said, text = claims(world), kept(world, LEDGER)
    length = len(json.loads(text))
    assert length >= 3
    ways: list[Tamper] = [changed, forged, forged_to_the_end, dropped, cut, doubled, moved, spelled_otherwise]
    for tamper in ways:
        for n in range(length):
            entries = json.loads(text)
            tamper(entries, n)
            with pytest.raises(Invalid, match="ledger"):
                receipts.check_ledger(said, receipts.ledger_file(entries))
    added = [*json.loads(text), ledger.entry("r1", length + 1, said["ledger"]["head"], at="", what="x", status="x")]
    with pytest.raises(Invalid, match="ends otherwise"):
        receipts.check_ledger(said, receipts.ledger_file(added))


def test_any_changed_byte_of_the_ledger_is_caught() -> None:
    world = ended("access")
    said, text = claims(world), kept(world, LEDGER)
    for place in range(len(text)):
        for other in {text[place] ^ 1, text[place] ^ 32, 0x20, 0x0A} - {text[place]}:
            with pytest.raises(Invalid, match="ledger"):
                receipts.check_ledger(said, text[:place] + bytes([other]) + text[place + 1 :])


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b"[]", b"[{}]", b"\xff", b"[" * 100_000, b'[{"a": "\\ud800"}]'])
def test_what_is_no_ledger_is_refused(text: bytes) -> None:
    with pytest.raises(Invalid, match="ledger"):
        receipts.check_ledger({"request_id": "r1", "ledger": {"head": "", "entries": 0}}, text)


@pytest.mark.parametrize("key", ["EVENT#000002", "REQUEST"])
def test_a_ledger_that_was_changed_in_the_table_is_not_signed(key: str) -> None:
    world = ready()
    requests.append(world.deps, "r1", "Something happened", key="something")
    requests.append(world.deps, "r1", "Something else happened", key="something else")
    world.table.items["REQUEST#r1", key] |= {"what": "Nothing happened", "received_at": "2026-11-01T09:00:00Z"}
    with pytest.raises(NeedsAttention, match=r"entry \d of the ledger"):
        completing.step(world.deps, "r1")
    assert receipting.issued(world.deps, "r1") is None
    assert world.evidence.kept == {}


def test_a_ledger_that_was_changed_since_it_was_signed_is_not_kept() -> None:
    world = ended("erasure")
    world.evidence.kept.clear()
    requests.append(world.deps, "r1", "A mail to you could not be delivered", key="bounced")
    world.table.items["REQUEST#r1", "RECEIPT"]["head"] = world.request()["head"]
    with pytest.raises(NeedsAttention, match="since its receipt was signed"):
        completing.step(world.deps, "r1")
    assert world.evidence.kept == {}


def test_the_ledger_may_grow_after_the_receipt() -> None:
    world = ready()
    world.evidence.fault = killed
    with pytest.raises(Killed):
        completing.step(world.deps, "r1")
    world.evidence.fault = no_fault
    signed = stored(world)
    requests.append(world.deps, "r1", "A mail to you could not be delivered", key="bounced")
    completing.step(world.deps, "r1")
    assert stored(world) == signed
    assert len(json.loads(kept(world, LEDGER))) == signed["entries"] == world.request()["seq"] - 1
    receipts.check_ledger(claims(world), kept(world, LEDGER))


def test_the_receipt_is_there_before_the_mail_that_ends_the_request() -> None:
    world = ready()
    world.mailer.fault = killed
    with pytest.raises(Killed):
        completing.step(world.deps, "r1")
    assert stored(world)
    assert set(world.evidence.kept) == {LEDGER, RECEIPT}


def killed(name: str, moment: Moment) -> None:
    raise Killed


def test_killed_anywhere_and_run_again_there_is_one_receipt_and_the_evidence_agrees() -> None:
    world = ready()
    calls = fail_at(world, -1)
    completing.step(world.deps, "r1")
    assert {"signer.sign", "evidence.keep"} <= set(calls)
    for stop in range(len(calls)):
        world = ready()
        fail_at(world, stop)
        with pytest.raises(Killed):
            completing.step(world.deps, "r1")
        fail_at(world, -1)
        first = receipting.issued(world.deps, "r1")
        world.clock.advance(61)  # until it is known whether the mail went out
        world.signer.rotate()
        assert completing.step(world.deps, "r1") == {"status": "completed"}
        assert first in (None, stored(world))
        assert kept(world, RECEIPT).decode() == stored(world)["jws"] + "\n"
        receipts.check_ledger(claims(world), kept(world, LEDGER))


def test_of_two_that_make_it_at_once_one_stands() -> None:
    world = ready()

    def overtake(name: str, moment: Moment) -> None:
        if name == "signer.sign":
            world.signer.fault = no_fault
            completing.step(world.deps, "r1")

    world.signer.fault = overtake
    with pytest.raises(TryAgain, match="another process"):
        completing.step(world.deps, "r1")
    first = stored(world)
    assert completing.step(world.deps, "r1") == {"status": "completed"}
    assert stored(world) == first


def test_keys_that_signed_stay_when_another_signs() -> None:
    world = ended("access")
    old, old_key = stored(world)["jws"], world.signer.key()
    assert receipting.keys(world.deps) == {"keys": [old_key]}
    world.signer.rotate()
    assert receipting.keys(world.deps) == {"keys": [world.signer.key(), old_key]}
    world.ask_for("access", "r2")
    assert world.execution("r2").run().ended
    newer = receipting.issued(world.deps, "r2")
    assert newer is not None
    assert newer["kid"] == world.signer.key()["kid"] != old_key["kid"]
    for text in (old, newer["jws"]):
        assert receipts.verify(text, receipting.keys(world.deps))["status"] == "completed"
