"""Recipients are told of an erasure through the real workflow definition: those who got what was erased, each once, by
what they know the person by; who cannot be reached stops nothing, and goes to the DPO."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from functions.notify.app import handler
from rightful import wiring
from rightful.errors import NeedsAttention, TryAgain
from rightful.model import DataMap, Recipient, RequestPolicy
from rightful.ports import Mail
from rightful.service import deciding, mail_events, notifying, requests
from tests.fakes.company import ADA, BOB, small_map, small_stores
from tests.fakes.memory_store import MemoryStore
from tests.fakes.recording import Moment
from tests.fakes.state_machine import Killed
from tests.fakes.world import World, forever, make_world

EVENT = json.loads((Path(__file__).parents[3] / "events/notify_request.json").read_text("utf-8"))
CONTEXT: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 180_000)
DPO, DESK, SHOP = "dpo@example.org", "privacy@desk.example", "privacy@shop.example"
BILLING = "https://billing.example/erased"
TELL, NOTE = "Tell the recipients", "Note which recipients could not be told"
RECIPIENTS = {
    "billing": Recipient(title="Billing", webhook=BILLING, secret="arn", knows=["customer_id", "email"]),
    "desk": Recipient(title="The support desk", mail=DESK, knows=["email"]),
    "hosting": Recipient(title="The hosting company", not_told="It stores what we delete"),
    "nobody": Recipient(title="Told by nothing", mail="privacy@nobody.example", knows=["customer_id"]),
    "shop": Recipient(title="The shop", mail=SHOP, knows=["account_id"]),
}
OF = {
    "accounts": ["hosting", "shop"],
    "subscriptions": ["billing", "hosting"],
    "surveys": ["desk"],
    "usage": ["nobody"],
}


def told_map(**of: list[str]) -> DataMap:
    named = OF | of
    stores = {name: replace(store, recipients=named.get(name, [])) for name, store in small_map().stores.items()}
    return replace(small_map(), stores=stores, recipients=RECIPIENTS)


def erased(world: World) -> World:
    """A whole erasure."""
    world.ask_for("erasure")
    assert world.execution().run().ended
    return world


def mails(world: World, to: str) -> list[Mail]:
    return world.mailer.to(to)


def status(world: World) -> dict[str, str]:
    return {each["name"]: each["status"] for each in notifying.told(world.deps, "r1")}


ALL_TOLD = {"billing": "told", "desk": "told", "hosting": "not_told", "shop": "told"}


def test_each_recipient_of_an_erased_store_is_told_once_by_what_it_knows() -> None:
    world = erased(make_world(told_map()))
    assert status(world) == ALL_TOLD
    ((url, message_id, message),) = world.webhooks.received
    assert (url, message_id) == (BILLING, "erasure-r1-billing")
    assert message == {
        "type": "erasure.requested",
        "id": message_id,
        "timestamp": world.request()["erasing_since"],
        "data": {
            "request_id": "r1",
            "identities": {"email": [ADA], "customer_id": ["cus-1", "cus-2"]},
            "article": "Article 19 GDPR",
            "controller": "Example",
        },
    }
    (desk,), (shop,) = mails(world, DESK), mails(world, SHOP)
    assert (desk.key, shop.key) == ("r1:recipient_erasure-desk:1", "r1:recipient_erasure-shop:1")
    assert (ADA in desk.text, "acct-1" in desk.text) == (True, False), "only what the desk knows"
    assert (ADA in shop.text, "acct-1" in shop.text) == (False, True)
    assert "Article 19 GDPR" in desk.text
    assert ADA not in desk.subject


def test_the_person_reads_who_was_told_and_who_was_not_and_why() -> None:
    world = make_world(told_map())
    world.webhooks.answers[BILLING] = 404
    (mail,) = mails(erased(world), ADA)
    for line in (
        "* Billing\n    We could not tell them automatically; our data protection officer",
        "* The support desk\n    We told them to erase it too\n",
        "* The hosting company\n    Not told: It stores what we delete\n",
    ):
        assert line in mail.text
    assert "Told by nothing" not in mail.text, "of a store that requests do not reach"


def test_a_recipient_without_a_value_to_go_by_is_not_told() -> None:
    stores = {**small_stores(), "subscriptions": MemoryStore([])}
    world = erased(make_world(told_map(contacts=["nobody"]), stores))
    assert status(world) == {"desk": "told", "hosting": "not_told", "nobody": "nothing_to_tell", "shop": "told"}
    assert mails(world, "privacy@nobody.example") == []
    assert "* Told by nothing\n    Not told: we found nothing by which" in mails(world, ADA)[-1].text


def test_where_nothing_was_erased_nobody_is_told() -> None:
    world = erased(make_world(told_map(), {name: MemoryStore([]) for name in small_stores()}))
    assert status(world) == {}
    assert world.webhooks.received == []
    assert [mail.to for mail in world.mailer.sent] == [ADA]


def test_a_store_that_the_dpo_left_out_untouched_has_nobody_told() -> None:
    world = make_world(told_map())
    world.stores["surveys"].fail("find", NeedsAttention("no access"), times=None)
    world.ask_for("erasure")
    run = world.execution().run()
    assert run.state == "Wait for the DPO to resolve what failed"
    assert world.webhooks.received == [], "nobody is told before all is done"
    deciding.decide(world.deps, "r1", "skip", store="surveys", reason="closed")
    assert run.resume().ended
    assert status(world) == {name: what for name, what in ALL_TOLD.items() if name != "desk"}
    assert mails(world, DESK) == []


def test_an_erasure_that_was_resumed_tells_nobody_twice() -> None:
    world = make_world(told_map())
    world.stores["surveys"].fail("anonymise", NeedsAttention("no access"), times=None)
    world.ask_for("erasure")
    run = world.execution().run()
    notifying.step(world.deps, "r1", forever)
    world.stores["surveys"].mend()
    deciding.decide(world.deps, "r1", "retry")
    assert run.resume().ended
    assert status(world) == ALL_TOLD
    assert len(world.webhooks.received) == len(mails(world, SHOP)) == len(mails(world, DESK)) == 1


def test_one_that_fails_for_good_stops_nobody_and_goes_to_the_dpo_at_once() -> None:
    world = make_world(told_map())
    world.webhooks.answers[BILLING] = 410
    world.ask_for("erasure")
    run = world.execution().run()
    assert run.history.count(TELL) == 1
    assert NOTE not in run.history
    assert world.request()["status"] == "completed"
    assert status(world) == ALL_TOLD | {"billing": "failed"}
    (mail,) = mails(world, DPO)
    assert mail.key == "r1:dpo_recipients:1"
    assert "* Billing\n    What went wrong: the webhook answered 410\n    customer_id: cus-1\n" in mail.text
    assert "The hosting company" not in mail.text
    assert not [text for text in (mail.subject, *run.shown) if ADA in text or "cus-1" in text or "billing.ex" in text]


def test_one_that_fails_for_the_moment_is_tried_again_and_the_others_are_told_at_once() -> None:
    world = make_world(told_map())
    world.webhooks.answers[BILLING] = 503
    world.ask_for("erasure")

    def mended(name: str, moment: Moment) -> None:
        if name == "webhooks.post" and len(world.webhooks.calls) == 3:
            assert (len(mails(world, DESK)), len(mails(world, SHOP))) == (1, 1)
            world.webhooks.answers.clear()

    world.webhooks.fault = mended
    run = world.execution().run()
    assert status(world) == ALL_TOLD
    assert [call.name for call in world.webhooks.calls] == ["webhooks.post"] * 4
    assert NOTE not in run.history
    assert mails(world, DPO) == []


def test_one_that_fails_all_the_time_goes_to_the_dpo_when_the_tries_are_used_up() -> None:
    world = make_world(told_map())
    world.webhooks.answers[BILLING] = 503
    world.ask_for("erasure")
    run = world.execution().run()
    assert run.history[-4:] == [TELL, NOTE, "Tell the person", "The request is closed"]
    assert status(world) == ALL_TOLD | {"billing": "failed"}
    assert len(mails(world, DPO)) == len(mails(world, SHOP)) == 1
    (billing,) = [each for each in notifying.told(world.deps, "r1") if each["name"] == "billing"]
    noted = {"how": "webhook", "status": "failed", "at": "2026-11-02T09:00:00Z", "why": "the webhook answered 503"}
    assert billing == {"name": "billing", "title": "Billing", **noted}


def test_where_not_even_that_can_be_noted_the_person_is_answered_all_the_same() -> None:
    world = make_world(told_map())

    def broken(mail: Mail) -> str:
        if mail.to != ADA:
            raise KeyError(mail.key)
        return "message"

    world.mailer.send = broken  # type: ignore[method-assign]
    world.ask_for("erasure")
    run = world.execution().run()
    assert run.history[-4:] == [TELL, NOTE, "Tell the person", "The request is closed"]
    assert world.request()["status"] == "completed"
    assert status(world) == ALL_TOLD | {"desk": "failed", "shop": "failed"}


def points() -> list[tuple[str, int, Moment]]:
    """Every call of the step that tells, in an undisturbed run."""
    world = ready()
    calls: list[tuple[str, int, Moment]] = []

    def watch(name: str, moment: Moment) -> None:
        calls.append((name, len([each for each in calls if (each[0], each[2]) == (name, moment)]), moment))

    world.table.fault = world.mailer.fault = world.webhooks.fault = watch
    notifying.step(world.deps, "r1", forever)
    return calls


def ready() -> World:
    """Everything is erased, nobody is told."""
    world = make_world(told_map())
    world.stores["contacts"].fail("delete", NeedsAttention("no access"), times=None)
    world.ask_for("erasure")
    world.execution().run()
    return world


@pytest.mark.parametrize(("call", "number", "when"), points())
def test_killed_anywhere_and_run_again_each_is_told_once(call: str, number: int, when: Moment) -> None:
    world = ready()
    left = [number]

    def kill(name: str, moment: Moment) -> None:
        if (name, moment) == (call, when):
            left[0] -= 1
            if left[0] == -1:
                world.clock.advance(61)
                raise Killed

    def provider_tells() -> None:
        for mail in world.mailer.sent:
            subject, kind, told = mail.key.split(":")
            tags = {"subject": [subject], "kind": [kind], "number": [told]}
            mail_events.note(world.deps, {"detail": {"eventType": "Send", "mail": {"messageId": "m", "tags": tags}}})

    world.table.fault = world.mailer.fault = world.webhooks.fault = kill
    with pytest.raises(Killed):
        notifying.step(world.deps, "r1", forever)
    provider_tells()
    assert notifying.step(world.deps, "r1", forever) == {"done": True, "failed": []}
    assert status(world) == ALL_TOLD
    assert len(mails(world, DESK)) == len(mails(world, SHOP)) == 1
    assert {message_id for _, message_id, _ in world.webhooks.received} == {"erasure-r1-billing"}
    assert len({json.dumps(message) for *_, message in world.webhooks.received}) == 1, "a repeat is the same message"
    assert len(world.webhooks.received) <= 2


def test_work_that_takes_longer_than_one_invocation_goes_on() -> None:
    world = make_world(told_map(), time_left=lambda: lambda: 0.0)
    world.webhooks.answers[BILLING] = 500
    world.ask_for("erasure")
    run = world.execution().run()
    assert run.history.count(TELL) == 3, "one each time, until all were tried"
    assert status(world) == ALL_TOLD | {"billing": "failed"}


def test_whoever_waited_longest_is_tried_first() -> None:
    world = ready()
    world.webhooks.answers[BILLING] = 500
    tried: list[str] = []

    def refuse(name: str, moment: Moment) -> None:
        if moment == "before":
            tried.append(name)
            world.clock.advance(1)
            raise TryAgain("busy")

    world.webhooks.fault = world.mailer.fault = refuse
    with pytest.raises(TryAgain, match=r"^not told yet: billing, desk, shop$"):
        notifying.step(world.deps, "r1", forever)
    world.clock.advance(60)
    for _ in range(3):
        with pytest.raises(TryAgain, match=r"^not told yet: billing, desk, shop$"):
            notifying.step(world.deps, "r1", lambda: 0.0)
    assert tried == ["webhooks.post", "mailer.send", "mailer.send"] * 2


@pytest.mark.parametrize("last", [False, True])
def test_nothing_is_told_of_an_access_or_before_erasing_has_begun(last: bool) -> None:
    world = make_world(told_map())
    world.ask_for("access", "r1")
    world.ask_for("erasure", "r2", BOB)
    world.table.update(requests.pk("r1"), "REQUEST", {"erasing_since": "2026-11-02T09:00:00Z"})
    for request_id in ("r1", "r2"):
        world.table.update(requests.pk(request_id), "STORE#accounts", {"deleted": 1, "done": True})
        with pytest.raises(NeedsAttention, match="nobody may be told"):
            notifying.step(world.deps, request_id, forever, last=last)
    assert world.mailer.sent == []


def test_an_access_passes_no_recipient() -> None:
    world = make_world(told_map())
    world.ask_for("access")
    run = world.execution().run()
    assert run.ended
    assert TELL not in run.history
    assert notifying.told(world.deps, "r1") == []
    assert [mail.to for mail in world.mailer.sent] == [ADA]


def test_an_erasure_that_was_refused_passes_no_recipient() -> None:
    world = make_world(replace(told_map(), requests={"erasure": RequestPolicy(approval="dpo")}))
    world.ask_for("erasure")
    run = world.execution().run()
    deciding.decide(world.deps, "r1", "reject", ground="excessive", reason="asked every day")
    assert run.resume().ended
    assert world.request()["status"] == "rejected"
    assert TELL not in run.history


def test_a_request_that_ended_meanwhile_has_nobody_told() -> None:
    world = ready()
    world.table.update(requests.pk("r1"), "REQUEST", {"status": "completed"})
    before = list(world.mailer.sent)
    for last in (False, True):
        assert notifying.step(world.deps, "r1", forever, last=last) == {"done": True, "failed": []}
    assert world.mailer.sent == before

    world = ready()

    def end(name: str, moment: Moment) -> None:
        if (name, moment) == ("table.update", "before"):
            world.table.items["REQUEST#r1", "REQUEST"]["status"] = "completed"

    world.table.fault = end
    assert notifying.step(world.deps, "r1", forever) == {"done": True, "failed": []}
    assert (world.webhooks.received, mails(world, DESK)) == ([], [])


def test_a_mail_that_comes_back_is_listed_as_failed_and_is_none_of_the_persons_timeline() -> None:
    world = erased(make_world(told_map()))
    tags = {"subject": ["r1"], "kind": ["recipient_erasure-desk"], "number": ["1"]}
    mail_events.note(world.deps, {"detail": {"eventType": "Bounce", "mail": {"messageId": "m", "tags": tags}}})
    assert status(world) == ALL_TOLD | {"desk": "failed"}
    told = [entry["what"] for entry in requests.timeline(world.deps, world.request())]
    assert "A mail to you could not be delivered" not in told


def test_a_mail_that_was_given_up_while_it_was_on_its_way_is_listed_as_told_when_it_arrived() -> None:
    world = ready()

    def lost(name: str, moment: Moment) -> None:
        if (name, moment) == ("mailer.send", "after"):
            raise TryAgain("the answer was lost")

    world.mailer.fault = lost
    with pytest.raises(TryAgain):
        notifying.step(world.deps, "r1", forever)
    assert status(world) == ALL_TOLD | {"desk": "failed", "shop": "failed"}
    tags = {"subject": ["r1"], "kind": ["recipient_erasure-desk"], "number": ["1"]}
    mail_events.note(world.deps, {"detail": {"eventType": "Send", "mail": {"messageId": "m", "tags": tags}}})
    assert status(world) == ALL_TOLD | {"shop": "failed"}


def test_what_was_noted_stays_when_the_data_map_changes() -> None:
    world = erased(make_world(told_map()))
    later = replace(world.deps, datamap=small_map())
    assert {each["name"]: each["status"] for each in notifying.told(later, "r1")} == ALL_TOLD


def test_who_was_never_tried_is_listed_as_failed() -> None:
    world = ready()
    assert status(world) == {name: "not_told" if name == "hosting" else "failed" for name in ALL_TOLD}
    assert {each["why"] for each in notifying.told(world.deps, "r1")} == {
        notifying.NOT_TRIED,
        "It stores what we delete",
    }


def test_no_row_of_a_recipient_holds_personal_data() -> None:
    world = erased(make_world(told_map()))
    rows = world.table.query("REQUEST#r1", "RECIPIENT#")
    assert len(rows) == len(ALL_TOLD)
    assert not [row for row in rows if any(value in json.dumps(row) for value in (ADA, "acct-1", "cus-1"))]


def test_the_function_takes_the_events_of_both_states(monkeypatch: pytest.MonkeyPatch) -> None:
    world = ready()
    world.webhooks.answers[BILLING] = 503
    monkeypatch.setattr(wiring, "build", lambda: world.deps)
    with pytest.raises(TryAgain):
        handler(EVENT, CONTEXT)
    assert handler(EVENT | {"last": True}, CONTEXT) == {"done": True, "failed": ["billing"]}
