"""What a person chooses to be mailed about, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rightful.errors import TryAgain
from rightful.service import consents, preferences, verifying
from rightful.service.verifying import Proof
from tests.fakes.company import ADA, BOB
from tests.fakes.recording import Moment
from tests.fakes.world import World
from tests.functional.api.bridge import call
from tests.functional.api.conftest import Person

NOTHING = {"newsletter": False, "product_feedback": False, "announcements": False}
MANDATORY = ["service", "rewards"]
POLICY = "https://example.org/p"


def records(world: World, email: str = ADA) -> list[dict[str, Any]]:
    """The consent records of a person, oldest first."""
    return world.table.query(f"CONSENT#{world.vault.digest('person', email)}", "RECORD#")


def facts(record: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(record[name] for name in ("topic", "old", "new", "how"))


def put(token: str, topics: Mapping[str, Any], **headers: str) -> Any:
    answer = call("PUT", "/preferences", {"topics": topics}, token=token, **headers)
    assert answer.status == 200, answer.text
    return answer.json


def proof_of(world: World, token: str) -> Proof:
    return verifying.authenticate(world.deps, f"Bearer {token}")


def test_nothing_is_chosen_before_somebody_chose_it(world: World, ada: Person) -> None:
    shown = call("GET", "/preferences", token=ada.sign_in())
    assert shown.status == 200
    assert shown.json["topics"] == NOTHING
    assert shown.json["mandatory"] == MANDATORY
    assert shown.json["gpc"] == {"signal": False, "sale_or_sharing": True}
    assert records(world) == []


def test_a_choice_is_kept_and_the_others_stay_as_they_were(world: World, ada: Person) -> None:
    token = ada.sign_in()
    assert put(token, {"newsletter": True})["topics"] == {**NOTHING, "newsletter": True}
    assert put(token, {"announcements": True})["topics"] == {**NOTHING, "newsletter": True, "announcements": True}
    assert put(token, {"newsletter": False})["topics"] == {**NOTHING, "announcements": True}
    assert call("GET", "/preferences", token=token).json["topics"] == {**NOTHING, "announcements": True}


def test_each_change_is_recorded_and_what_changes_nothing_is_not(world: World, ada: Person) -> None:
    token = ada.sign_in()
    put(token, {"newsletter": True, "announcements": False}, Accept_Language="fr-CA, en;q=0.5")
    world.clock.advance(60)
    put(token, {"newsletter": True})
    put(token, {"newsletter": False})
    first, second = records(world)
    assert facts(first) == ("newsletter", None, True, "api")
    assert facts(second) == ("newsletter", True, False, "api")
    assert first["text"] == "Des nouvelles, une fois par mois."
    assert second["text"] == "News, about once a month."
    assert first["policy"] == second["policy"] == POLICY
    assert (first["at"], second["at"]) == ("2026-11-02T09:00:00Z", "2026-11-02T09:01:00Z")


def test_a_record_names_the_version_of_the_policy_that_was_in_force(world: World, ada: Person) -> None:
    order: dict[str, Any] = {
        "version": "2027-01",
        "url": "https://example.org/new",
        "effective_from": "2027-01-01",
        "material": True,
    }
    assert world.ask_desk("publish_policy", **order)["ok"]
    put(ada.sign_in(), {"newsletter": True})
    world.clock.advance(days=90)
    put(ada.sign_in(), {"newsletter": False})
    assert [record["policy"] for record in records(world)] == [POLICY, "2027-01"]


def test_a_record_names_nobody(world: World, ada: Person) -> None:
    put(ada.sign_in(), {"newsletter": True}, Sec_GPC="1")
    kept = repr([item for (pk, _), item in world.table.items.items() if pk.startswith("CONSENT#")])
    assert world.vault.digest("person", ADA) in kept
    assert ADA not in kept


@pytest.mark.parametrize(
    ("topics", "field", "hint"),
    [
        ({"newslettre": True}, "topics.newslettre", "no such topic"),
        ({"service": False}, "topics.service", "come with the service"),
        ({"rewards": True}, "topics.rewards", "come with the service"),
        ({"sale_or_sharing": True}, "topics.sale_or_sharing", "Sec-GPC: 1"),
        ({"newsletter": "yes"}, "topics.newsletter", "true or false"),
        ({"newsletter": None}, "topics.newsletter", "true or false"),
        ([], "topics", "JSON object"),
    ],
)
def test_a_wrong_topic_is_named_with_its_cure_and_nothing_is_written(
    world: World, ada: Person, topics: Any, field: str, hint: str
) -> None:
    token = ada.sign_in()
    if isinstance(topics, dict):
        topics = {"announcements": True, **topics}
    answer = call("PUT", "/preferences", {"topics": topics}, token=token, Sec_GPC="1")
    assert answer.status == 422
    assert field in {error["field"] for error in answer.json["errors"]}
    assert hint in {error["field"]: error["message"] for error in answer.json["errors"]}[field]
    assert records(world) == []
    assert call("GET", "/preferences", token=token).json["topics"] == NOTHING


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PUT", {"topics": {"newsletter": True}})])
def test_without_a_valid_token_nothing_is_shown_or_changed(world: World, method: str, body: Any) -> None:
    for token in ("", "A" * 43):
        assert call(method, "/preferences", body, token=token).status == 401
    assert not [key for key in world.table.items if key[0].startswith("CONSENT#")]


def test_everybody_sees_and_changes_their_own(world: World, ada: Person, other: Callable[[str], Person]) -> None:
    bob = other(BOB)
    put(ada.sign_in(), {"newsletter": True})
    token = bob.sign_in()
    assert call("GET", "/preferences", token=token).json["topics"] == NOTHING
    put(token, {"announcements": True})
    assert call("GET", "/preferences", token=ada.sign_in()).json["topics"] == {**NOTHING, "newsletter": True}
    assert [facts(each)[0] for each in records(world, BOB)] == ["announcements"]


def test_a_token_that_a_request_gave_is_as_good(world: World, ada: Person) -> None:
    _, token = ada.begun("access")
    assert put(token, {"newsletter": True})["topics"]["newsletter"] is True


# Two at once, and what breaks off


def test_two_tabs_that_save_at_once_lose_no_choice(world: World, ada: Person) -> None:
    proof = proof_of(world, ada.sign_in())
    names = list(NOTHING)

    def save(n: int) -> None:
        topics = {names[n % 3]: n // 3 % 2 == 0}
        preferences.change(world.deps, proof, topics, how="api", shown={}, gpc=False)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(save, [0, 1, 2]))
    assert all(preferences.view(world.deps, proof, gpc=False)["topics"].values())
    assert sorted(facts(each) for each in records(world)) == sorted((name, None, True, "api") for name in names)
    assert [each["n"] for each in records(world)] == [1, 2, 3]


@pytest.mark.parametrize("write", ["table.put_new", "table.update"])
def test_who_comes_second_changes_what_the_first_left(world: World, ada: Person, write: str) -> None:
    """Between reading and writing, another tab saved: the first choice ever, or one more."""
    proof = proof_of(world, ada.sign_in())
    between: list[bool] = [True]
    if write == "table.update":
        preferences.change(world.deps, proof, {"product_feedback": True}, how="api", shown={}, gpc=False)

    def other_tab(name: str, moment: Moment) -> None:
        if name == write and moment == "before" and between:
            between.clear()
            preferences.change(world.deps, proof, {"announcements": True}, how="api", shown={}, gpc=False)

    world.table.fault = other_tab
    changed = preferences.change(world.deps, proof, {"newsletter": True}, how="api", shown={}, gpc=False)
    before = {"product_feedback": True} if write == "table.update" else {}
    assert changed["topics"] == {**NOTHING, **before, "newsletter": True, "announcements": True}
    assert [facts(each)[0] for each in records(world)] == [*before, "announcements", "newsletter"]


def test_who_is_always_overtaken_is_told_to_come_back(
    world: World, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = proof_of(world, ada.sign_in())
    monkeypatch.setattr(world.table, "put_new", lambda *_: False)
    with pytest.raises(TryAgain):
        preferences.change(world.deps, proof, {"newsletter": True}, how="api", shown={}, gpc=False)


# How long it stays


def test_proof_stays_while_the_word_stands_and_as_long_as_claims_may_come(world: World, ada: Person) -> None:
    put(ada.sign_in(), {"newsletter": True})
    world.clock.advance(days=2000)
    assert [facts(each)[2] for each in records(world)] == [True]
    put(ada.sign_in(), {"newsletter": False})
    world.clock.advance(days=3 * 365 - 1)
    assert [facts(each)[2] for each in records(world)] == [True, False]
    world.clock.advance(days=2)
    assert [facts(each)[2] for each in records(world)] == [False], "the consent is long over; the refusal stands"
    world.clock.advance(days=20_000)
    assert [facts(each)[2] for each in records(world)] == [False]


# Global Privacy Control


def test_the_signal_is_shown_at_once_and_a_get_keeps_nothing(world: World, ada: Person) -> None:
    token = ada.sign_in()
    before = dict(world.table.items)
    shown = call("GET", "/preferences", token=token, Sec_GPC="1").json
    assert shown["gpc"] == {"signal": True, "sale_or_sharing": False}
    assert world.table.items == before
    assert call("GET", "/preferences", token=token).json["gpc"] == {"signal": False, "sale_or_sharing": True}


def test_a_change_keeps_the_opt_out_once_and_for_all_browsers(world: World, ada: Person) -> None:
    token = ada.sign_in()
    for _ in range(2):
        assert put(token, {"newsletter": True}, Sec_GPC="1")["gpc"] == {"signal": True, "sale_or_sharing": False}
    assert [facts(each) for each in records(world)] == [
        ("newsletter", None, True, "api"),
        ("sale_or_sharing", None, False, "gpc"),
    ]
    assert records(world)[1]["text"] == "Sec-GPC: 1"
    assert put(token, {"newsletter": False})["gpc"] == {"signal": False, "sale_or_sharing": False}


def test_whoever_signs_in_with_the_signal_opted_out(world: World, ada: Person) -> None:
    verification = call("POST", "/verifications", {"email": ADA}, Sec_GPC="1").json["verification_id"]
    assert records(world) == [], "nobody proved yet that it is their browser"
    wrong = call("POST", f"/verifications/{verification}", {"code": "00000000"}, Sec_GPC="1")
    assert wrong.status == 401
    assert records(world) == []
    token = call("POST", f"/verifications/{verification}", {"code": ada.code()}, Sec_GPC="1").json["token"]
    assert [facts(each) for each in records(world)] == [("sale_or_sharing", None, False, "gpc")]
    assert call("GET", "/preferences", token=token).json["gpc"]["sale_or_sharing"] is False


def test_a_signal_that_cannot_be_kept_uses_up_no_code(
    world: World, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    verification = call("POST", "/verifications", {"email": ADA}).json["verification_id"]
    with monkeypatch.context() as others:
        others.setattr(world.table, "put_new", lambda *_: False)
        assert call("POST", f"/verifications/{verification}", {"code": ada.code()}, Sec_GPC="1").status == 503
    assert call("POST", f"/verifications/{verification}", {"code": ada.code()}, Sec_GPC="1").status == 200
    assert [facts(each) for each in records(world)] == [("sale_or_sharing", None, False, "gpc")]


@pytest.mark.parametrize("value", ["0", "", "true", "1, 1"])
def test_anything_else_is_no_signal(world: World, ada: Person, value: str) -> None:
    assert put(ada.sign_in(), {}, Sec_GPC=value)["gpc"] == {"signal": False, "sale_or_sharing": True}
    assert records(world) == []
    assert consents.load(world.deps, world.vault.digest("person", ADA)).seq == 0
