"""Publishing a material change tells everyone with an account once, in their language; the DPO hears how it went."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from rightful.errors import NeedsAttention
from rightful.model import Accounts
from rightful.service import unsubscribing
from rightful.service.announcing import notices, telling
from rightful.service.desk import book
from rightful.service.unsubscribing import Link
from tests.fakes.company import small_map
from tests.fakes.state_machine import Failed, load
from tests.fakes.world import World, make_world
from tests.functional.announcing.people import VERSION, company, people, provider_says, publish, reports, told


def run(world: World, version: str = VERSION) -> dict[str, Any]:
    """The execution that publishing started, to its end."""
    [given] = [given for given in world.executions.started.values() if given.get("version") == version]
    answer: dict[str, Any] = world.policy_notice(**given).run().value
    return answer


def test_everyone_with_an_account_is_told_once_in_their_language() -> None:
    world = company(people(250))
    answer = publish(world)
    assert answer["ok"]
    assert "Everyone with an account is being told" in answer["message"]
    assert world.executions.started == {"policy-2027-03-1": {"version": VERSION}}
    assert run(world) == {
        "version": VERSION,
        "told": 250,
        "skipped": {"same_address": 0, "no_address": 0, "odd_address": 0},
        "refused": 0,
        "segments_left": 0,
    }
    assert told(world) == sorted(f"p{n}@example.org" for n in range(250))
    english, french = world.mailer.to("p0@example.org")[0], world.mailer.to("p1@example.org")[0]
    assert english.subject == "Example: our privacy policy is changing"
    assert french.subject == "Example : notre politique de confidentialité change"
    for said in ("1 March 2027", "https://example.org/p/2027-03", "https://privacy.example.org/", "dpo@example.org"):
        assert said in english.text


def test_each_mail_lets_its_reader_refuse_what_can_be_refused_in_one_click() -> None:
    world = company(people(2))
    publish(world)
    run(world)
    links = []
    for mail in world.mailer.sent[:2]:
        headers = dict(mail.headers)
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        address = headers["List-Unsubscribe"].strip("<>")
        assert address.startswith("https://privacy.example.org/unsubscribe/")
        links.append(unsubscribing.opened(world.deps, address.rpartition("/")[2]))
        assert "whatever e-mails you chose" in mail.text or "quels que soient les e-mails" in mail.text
    assert links == [Link(world.vault.digest("person", f"p{n}@example.org"), "*") for n in range(2)]


def test_the_dpo_hears_how_it_went_and_the_desks_ledger_says_so() -> None:
    world = company(people(3))
    publish(world)
    run(world)
    (report,) = reports(world)
    assert "3 mails were sent" in report
    assert "to_go_on" not in report
    entry = book.entries(world.deps)[-1]
    assert (entry["what"], entry["key"]) == ("People were told of a version of the policy", "told:2027-03:1")
    assert (entry["facts"]["told"], entry["facts"]["version"]) == (3, VERSION)


def test_who_cannot_be_mailed_is_counted_and_stops_nobody() -> None:
    odd = [
        None,
        "",
        "  ",
        7,
        ["x"],
        "nobody",
        "a@b@c.example",
        "élan@example.org",
        "p@example.org\r\nBcc: e@example.org",
    ]
    accounts = [{"id": f"odd{n}", "email": value} for n, value in enumerate(odd)]
    accounts += [{"id": "none"}, *people(2)]
    world = company(accounts)
    publish(world)
    came = run(world)
    assert (came["told"], came["skipped"]) == (2, {"same_address": 0, "no_address": 6, "odd_address": 4})
    assert told(world) == ["p0@example.org", "p1@example.org"]
    assert "6 accounts have no address" in reports(world)[0]


def test_one_address_gets_one_mail_however_many_accounts_have_it() -> None:
    """Next to each other and in different segments, and however it is written."""
    accounts = [{"id": f"a{n}", "email": ("Ada@Example.ORG", " ada@example.org")[n % 2]} for n in range(20)]
    world = company(accounts, page_size=3)
    publish(world)
    came = run(world)
    assert told(world) == ["ada@example.org"]
    assert (came["told"], came["skipped"]["same_address"]) == (1, 19)


@pytest.mark.parametrize("language", [None, "", 7, "xx", "../fr", {"a": 1}, "x" * 1000])
def test_a_language_that_nobody_knows_is_english(language: Any) -> None:
    world = company([{"id": "a", "email": "p0@example.org", "settings": {"language": language}}])
    publish(world)
    run(world)
    assert world.mailer.sent[0].subject == "Example: our privacy policy is changing"


def test_no_history_shows_who_anybody_is() -> None:
    world = company(people(5), page_size=1)
    publish(world)
    execution = world.policy_notice(VERSION).run()
    shown = " ".join(execution.shown)
    assert "@" not in shown
    assert not any(person in shown for person in ("p1", "a0001"))
    stored = json.dumps([*world.table.items.values()], default=str)
    assert "@example.org" not in stored.replace("https://example.org", "")
    assert "a0001" not in stored


def test_a_change_that_is_not_material_is_told_to_nobody() -> None:
    world = company(people(3))
    answer = publish(world, material=False)
    assert answer["message"].endswith("so nobody is mailed.")
    assert world.executions.started == {}


def test_without_accounts_it_is_published_and_the_answer_says_that_nobody_is_mailed() -> None:
    world = make_world(replace(small_map(), accounts=Accounts()))
    answer = publish(world)
    assert answer["ok"]
    assert "names no accounts" in answer["message"]
    assert world.executions.started == {}


def test_accounts_that_were_taken_out_of_the_map_meanwhile_tell_nobody_and_fail_nothing() -> None:
    world = company(people(3))
    publish(world)
    world.deps = replace(world.deps, datamap=replace(world.deps.datamap, accounts=Accounts()), accounts={})
    assert run(world)["told"] == 0


def test_published_twice_it_is_told_once_and_says_so() -> None:
    world = company(people(3))
    publish(world)
    publish(world)
    assert len(world.executions.started) == 1
    run(world)
    assert "told of it before: 3 mails went out" in publish(world)["message"]
    assert len(world.executions.started) == 1
    again = world.policy_notice(VERSION, "started-by-hand").run().value
    assert again["told"] == 3
    assert len(told(world)) == 3
    assert len(reports(world)) == 1


def test_another_version_is_told_to_everyone_again() -> None:
    world = company(people(3))
    publish(world)
    run(world)
    publish(world, version="2028 / ü", url="https://example.org/p/2028")
    assert run(world, "2028 / ü")["told"] == 3
    assert len(world.mailer.to("p0@example.org")) == 2


def test_who_left_before_their_turn_is_not_told() -> None:
    """What was read is a minute old at most."""
    world = company(people(6), page_size=6, parts=1)
    publish(world)

    def leave(name: str, moment: str) -> None:
        if (name, moment) == ("mailer.send", "after"):
            world.clock.advance(40)
            if len(world.mailer.sent) == 2:
                store = world.stores["accounts"]
                store.delete(
                    [
                        record
                        for key in store.keys_after(None)
                        if (record := store.record(key)) and record.data["id"] == "a0005"
                    ],
                    (),
                )

    world.mailer.fault = leave
    assert run(world)["told"] == 5
    assert "p5@example.org" not in told(world)


def test_what_the_provider_refuses_is_told_to_the_dpo_and_tried_again_when_it_is_published_again() -> None:
    world = company(people(4))
    world.mailer.refused.add("p2@example.org")
    publish(world)
    came = run(world)
    assert (came["told"], came["refused"], came["segments_left"]) == (3, 1, 0)
    (report,) = reports(world)
    assert "1 mail was refused" in report
    assert '"action": "publish_policy"' in report
    world.mailer.refused.clear()
    world.clock.advance(days=1)
    publish(world)
    assert list(world.executions.started) == ["policy-2027-03-1", "policy-2027-03-2"]
    assert world.policy_notice(VERSION).run().value["told"] == 4
    assert told(world) == [f"p{n}@example.org" for n in range(4)]
    assert len(reports(world)) == 2


def test_what_comes_back_is_noted_and_counted() -> None:
    world = company(people(3))
    publish(world)
    run(world)
    for _ in range(2):  # events come at least once
        provider_says(world, "Bounce", "p1@example.org")
    notice = notices.find(world.deps, VERSION)
    assert notice
    assert notice["bounced"] == 1
    person = world.vault.digest("person", "p1@example.org")
    claim = world.table.get(f"TOLD#{VERSION}_{person}", "MAIL#policy_notice")
    assert claim
    assert "bounced_at" in claim


def test_when_no_mail_can_be_sent_at_all_it_fails_and_goes_on_when_it_is_published_again() -> None:
    world = company(people(8), page_size=1)

    def paused(name: str, moment: str) -> None:
        if (name, moment) == ("mailer.send", "before") and len(world.mailer.sent) >= 3:
            raise NeedsAttention("SendEmail answered SendingPausedException")

    world.mailer.fault = paused
    publish(world)
    with pytest.raises(Failed):
        run(world)
    assert len(told(world)) == 3
    world.mailer.fault = lambda *_: None
    world.clock.advance(days=1)
    publish(world)
    assert world.policy_notice(VERSION).run().value["told"] == 8
    assert told(world) == sorted(f"p{n}@example.org" for n in range(8))


def test_an_execution_that_failed_before_it_could_tell_how_it_went_is_followed_by_another() -> None:
    world = company(people(3))
    publish(world)
    world.executions.ended.add("policy-2027-03-1")
    assert "is being told" in publish(world)["message"]
    assert list(world.executions.started) == ["policy-2027-03-1", "policy-2027-03-1-2"]
    world.executions.ended.update(f"policy-2027-03-1-{again}" for again in range(2, 21))
    answer = publish(world)
    assert not answer["ok"]
    assert "AnnounceFunction" in answer["message"]


def test_a_segment_that_cannot_be_read_stops_no_other_and_the_execution_says_so() -> None:
    world = company(people(40))

    def unreadable(name: str, moment: str) -> None:
        if len(world.sweepers["accounts"].asked) > 2:
            raise NeedsAttention("Scan answered AccessDeniedException")

    world.sweepers["accounts"].fault = unreadable
    publish(world)
    with pytest.raises(Failed, match="SomeAreNotTold"):
        run(world)
    before = len(told(world))
    assert 0 < before < 40
    assert "2 parts of the accounts could not be gone through" in reports(world)[0]
    world.sweepers["accounts"].fault = lambda *_: None
    publish(world)
    assert world.policy_notice(VERSION).run().value["segments_left"] == 0
    assert told(world) == sorted(f"p{n}@example.org" for n in range(40))


def test_the_state_machine_works_on_as_many_segments_as_share_the_quota() -> None:
    tell = load("policy_notice")["States"]["Tell everyone with an account"]
    assert tell["MaxConcurrency"] == telling.SIDE_BY_SIDE


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ("2027-03", "2027-03"),
        ("v2_final", "v2_final"),
        ("2027.03", None),
        ("", None),
        ("ü" * 300, None),
        ("a" * 41, None),
    ],
)
def test_a_version_has_an_id_that_fits_into_names_and_tags(version: str, known: str | None) -> None:
    made = notices.id_of(version)
    assert len(made) <= notices.LONGEST_ID
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    assert known in (None, made)
    assert len({notices.id_of(each) for each in ("2027.03", "2027/03", "2027-03", "2027 03")}) == 4
