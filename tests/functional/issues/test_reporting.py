"""A report reaches the register and the DPO's mailbox, once, and nobody else learns anything by it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rightful.clocks import stamp
from rightful.errors import Conflict, Invalid, NeedsAttention, NotFound, RightfulError, TooMany, TryAgain
from rightful.service import issues
from tests.fakes.company import ADA, BOB
from tests.fakes.recording import Moment, Recorder, no_fault
from tests.fakes.world import World, make_world
from tests.functional.issues.reports import DPO, SECRET, issue, mails, proof, report

KEY = "3f6a1c52-7be0-4e0d-9d53-0a2b9f1c7d64"


def test_the_dpo_reads_what_was_written_and_who_gave_which_address() -> None:
    world = make_world()
    issue_id = report(world, "suspected_breach")
    (mail,) = mails(world, "dpo_issue")
    assert mail.to == DPO
    assert issue_id in mail.subject
    assert f"> {SECRET}" in mail.text
    assert f"Given address, which nobody proved: {ADA}" in mail.text
    assert "provisionally until 5 November 2026 at 09:00 UTC" in mail.text
    report(world, "other", proof=proof(world), email="")
    assert f"Proven address of the reporter: {ADA}" in mails(world, "dpo_issue")[1].text
    report(world, "other", email="")
    assert "there is no proven address" in mails(world, "dpo_issue")[2].text


def test_what_would_control_a_screen_or_turn_words_around_is_not_passed_on() -> None:
    world = make_world()
    report(
        world, message="a\x00b\x1b[2Jc\u202ed\u2066e\r\n\ttab, l\u2019\u00e9t\u00e9\u00a0: \U0001f469\u200d\U0001f4bb"
    )
    (mail,) = mails(world, "dpo_issue")
    assert (
        "> a\ufffdb\ufffd[2Jc\ufffdd\ufffde\n> \ttab, l\u2019\u00e9t\u00e9\u00a0: \U0001f469\u200d\U0001f4bb\n"
        in mail.text
    )


def test_what_was_written_stands_in_the_mail_to_the_dpo_and_sealed_and_nowhere_else() -> None:
    world = make_world()
    issue_id = report(world)
    assert not [mail for mail in world.mailer.sent if mail.to != DPO and SECRET in mail.text + mail.html]
    assert "Quince" not in repr(world.table.items)
    assert ADA not in repr(world.table.items)
    assert issues.told(world.deps, issue(world, issue_id))["lines"] == [SECRET]


def test_it_and_its_key_end_with_the_records_of_requests() -> None:
    world = make_world()
    issue_id = report(world)
    item = issue(world, issue_id)
    world.clock.advance(days=365 * 3 + 2)
    with pytest.raises(NotFound):
        world.vault.open(issue_id, item["sealed"])
    with pytest.raises(NotFound):
        issue(world, issue_id)


def test_a_reporter_hears_that_it_came_in_and_nothing_of_what_it_says() -> None:
    world = make_world()
    issue_id = report(world, locale="fr-CA")
    (mail,) = world.mailer.to(ADA)
    assert mail.subject == "Nous avons reçu votre signalement"
    assert issue_id in mail.text
    assert "Quince" not in mail.text


def test_an_address_that_nobody_proved_gets_one_mail_a_day_whoever_reports_what() -> None:
    world = make_world()
    for n in range(5):
        report(world, "unwanted_email", source=f"192.0.2.{n}")
    assert len(world.mailer.to(ADA)) == 1
    world.clock.advance(days=1)
    report(world)
    assert len(world.mailer.to(ADA)) == 2


def test_whoever_signed_in_hears_of_each_report_at_the_address_that_they_proved() -> None:
    world = make_world()
    mine = proof(world)
    report(world, proof=mine, email="")
    report(world, proof=mine, email=BOB)
    assert len(world.mailer.to(ADA)) == 2
    assert world.mailer.to(BOB) == []
    assert f"Given address, which nobody proved: {BOB}" in mails(world, "dpo_issue")[1].text


def test_the_address_of_someone_under_18_is_not_taken_for_the_reporters() -> None:
    world = make_world()
    report(world, "under_18", email=BOB, proof=proof(world))
    assert len(mails(world, "issue_received")) == len(world.mailer.to(ADA)) == 1
    assert mails(world, "issue_received")[0].to == ADA


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"kind": "spam"}, "kind"),
        ({"message": " \n"}, "message"),
        ({"message": "x" * 4001}, "message"),
        ({"email": "nobody"}, "email"),
        ({"kind": "under_18", "email": ""}, "email"),
    ],
)
def test_what_cannot_be_used_is_told_by_field_and_leaves_nothing(said: dict[str, Any], field: str) -> None:
    world = make_world()
    with pytest.raises(Invalid) as refusal:
        report(world, **{"kind": "other", **said})
    assert [name for name, _ in refusal.value.errors] == [field]
    assert world.table.items == {}
    assert world.mailer.sent == []


def test_a_field_that_people_do_not_see_drops_the_report_and_says_nothing_of_it() -> None:
    world = make_world()
    answer = issues.report(
        world.deps, kind="other", message=SECRET, email=ADA, locale="en", source="s", proof=None, website="x.example"
    )
    real = report(world)
    assert len(answer["issue_id"]) == len(real)
    with pytest.raises(NotFound):
        issue(world, answer["issue_id"])
    assert len(world.mailer.to(DPO)) == 1
    assert issues.dropped(world.deps, stamp(world.clock())[:10]) == 1


def test_who_is_signed_in_is_no_machine_whatever_their_browser_filled_in() -> None:
    world = make_world()
    issue_id = report(world, proof=proof(world), website="https://me.example")
    assert issue(world, issue_id)["status"] == "received"


def test_a_network_reports_so_often_an_hour() -> None:
    world = make_world()
    for _ in range(60):
        report(world)
    with pytest.raises(TooMany):
        report(world)
    report(world, source="198.51.100.9")


def test_the_same_key_reports_once_and_another_body_under_it_is_a_conflict() -> None:
    world = make_world()
    assert report(world, key=KEY) == report(world, key=KEY)
    assert len(mails(world, "dpo_issue")) == 1
    with pytest.raises(Conflict):
        report(world, key=KEY, message="Something else.")


def test_a_flood_is_registered_whole_and_mailed_in_part_and_keeps_no_breach_back() -> None:
    world = make_world()
    ids = [report(world, source=f"10.0.0.{n}") for n in range(50)]
    assert len(mails(world, "dpo_issue")) == issues.MAILS_PER_HOUR
    assert [issue(world, each)["open"] for each in ids].count("untold") == 50 - issues.MAILS_PER_HOUR
    report(world, "suspected_breach")
    assert len(mails(world, "dpo_issue")) == issues.MAILS_PER_HOUR + 1


def test_one_network_does_not_use_up_what_others_are_mailed_of_at_once() -> None:
    world = make_world()
    for _ in range(2 * issues.MAILS_PER_HOUR):
        report(world, "suspected_breach", source="203.0.113.7")
    assert len(mails(world, "dpo_issue")) == issues.MAILS_OF_A_NETWORK
    real = report(world, "suspected_breach", source="198.51.100.9")
    assert real in mails(world, "dpo_issue")[-1].text


@pytest.mark.parametrize("fault", [TryAgain("slow"), NeedsAttention("no such address")])
def test_a_mail_that_fails_loses_no_report(fault: RightfulError) -> None:
    world = make_world()

    def down(name: str, _: Moment) -> None:
        if name == "mailer.send":
            raise fault

    world.mailer.fault = down
    issue_id = report(world)
    assert issue(world, issue_id)["open"] == "untold"


class Killed(BaseException):
    """The process ended here."""


def ports(world: World) -> list[Recorder]:
    limits = world.deps.limits
    assert isinstance(limits, Recorder)
    return [world.table, world.vault, world.mailer, world.executions, limits]


def test_killed_anywhere_and_sent_again_under_its_key_it_is_reported_once() -> None:
    undisturbed = make_world()
    report(undisturbed, "suspected_breach", key=KEY)
    calls = sum(len(port.calls) for port in ports(undisturbed))
    assert calls > 10
    for moment in ("before", "after"):
        for at in range(calls):
            world, seen = make_world(), 0

            def kill(_: str, now: Moment, moment: str = moment, at: int = at) -> None:
                nonlocal seen
                if now == moment:
                    seen += 1
                    if seen == at + 1:
                        raise Killed

            for port in ports(world):
                port.fault = kill
            with pytest.raises(Killed):
                report(world, "suspected_breach", key=KEY)
            for port in ports(world):
                port.fault = no_fault
            world.clock.advance(120)
            provider_reports(world)
            issue_id = report(world, "suspected_breach", key=KEY)
            assert issue(world, issue_id)["open"] == "breach", (moment, at)
            assert [mail.to for mail in world.mailer.sent] == [DPO, ADA], (moment, at)
            rows = [key for key in world.table.items if key[0].startswith(("ISSUE#", "ISSUES#"))]
            assert len(rows) == 2


def provider_reports(world: World) -> None:
    """As the mail provider's event notes which mails went out."""
    for mail in world.mailer.sent:
        subject, kind, _ = mail.key.split(":")
        world.table.update(f"REQUEST#{subject}", f"MAIL#{kind}", {"accepted_at": stamp(world.clock())})


def test_an_hour_later_mails_go_out_again() -> None:
    world = make_world()
    for n in range(30):
        report(world, source=f"10.0.0.{n}")
    world.clock.advance(timedelta(hours=1).total_seconds())
    report(world)
    assert len(mails(world, "dpo_issue")) == issues.MAILS_PER_HOUR + 1
