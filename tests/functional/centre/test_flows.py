"""What people come for, from the first page to the last, without script and in each language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from rightful import receipts
from rightful.centre.stories import COUNTS
from rightful.centre.voices import LANGUAGES, Voice
from rightful.contacting import SALE_OR_SHARING
from rightful.model import RequestPolicy
from rightful.service import consents
from tests.fakes.company import ADA
from tests.fakes.world import World
from tests.functional.api.bridge import call
from tests.functional.centre.reader import Element, Reader, links

EACH = pytest.mark.parametrize("language", LANGUAGES)


def say(language: str, sentence: str) -> str:
    """As the page says it; a test of the catalogues holds that each language has its own."""
    return Voice(language, language).said(sentence)


@EACH
def test_a_download_from_the_first_page_to_the_file(world: World, language: str) -> None:
    reader = Reader(world, language).open()
    assert reader.heading == say(language, "Your privacy")
    assert links(reader.page)[say(language, "Download my data")] == {"show": ["download"]}

    reader.open("download").press(say(language, "Send me a code"), email=ADA)
    assert (reader.state, reader.answer.status) == ("code", 200)
    assert ADA in reader.text
    assert world.executions.started == {}

    reader.confirm()
    assert reader.state == "request"
    [started] = world.executions.started
    assert started == f"access-{reader.field('request_id')}"
    assert say(language, "You confirmed that it is you; work on your request began") in reader.text
    assert Voice(language, language).day(world.clock()) in reader.text

    reader.carry_on()
    reader.press(say(language, "Refresh"))
    assert say(language, "Your data is ready to download") in reader.text
    reader.press(say(language, "Download my data"))
    assert reader.state == "ready"
    [link] = [each.attributes["href"] for each in reader.page.all("a") if "data-start" in each.attributes]
    assert link == f"https://exports.example/packages/{started.removeprefix('access-')}.zip?expires=300"


@EACH
def test_a_deletion_says_first_what_goes_what_stays_and_why(world: World, language: str) -> None:
    said = world.deps.datamap.said
    reader = Reader(world, language).open("delete")
    for title in ("Your account", "Your subscriptions", "Your survey answers", "How you used the service"):
        assert said(title, language) in reader.text
    law = said(world.deps.datamap.stores["invoices"].erasure.law, language)
    assert f"{Voice(language, language).period('P7Y')}" in reader.text
    assert law in reader.text
    assert (law == world.deps.datamap.stores["invoices"].erasure.law) is (language == "en")
    assert say(language, "we must keep accounting records") in reader.text
    for told in ("Our payment provider (card payments)", "Our accountant"):  # who has the invoices: the oldest may go
        assert said(told, language) in reader.text

    reader.press(say(language, "Send me a code"), email=ADA)
    assert (reader.state, reader.answer.status) == ("delete", 422)
    assert say(language, "Tick the box to confirm that you want your data deleted.") in reader.text
    assert reader.field("email") == ADA
    assert world.mailer.sent == []

    reader.press(say(language, "Send me a code"), confirm="yes").confirm()
    assert reader.state == "request"
    reader.carry_on()
    reader.press(say(language, "Refresh"))
    assert say(language, "What was done, place by place") in reader.text
    assert say(language, "Why: %(reason)s, for as long as the law asks").split("%")[0] in reader.text
    assert f"{said('Your survey answers', language)}{say_counted(language, 'anonymised')}" in reader.text
    assert [each for each in world.stores["accounts"].items if each["email"] == ADA] == []


def say_counted(language: str, done: str) -> str:
    return Voice(language, language).translations.ngettext(*COUNTS[done], 1) % {"num": 1}


@EACH
def test_e_mail_choices_are_off_until_somebody_agrees(world: World, language: str) -> None:
    reader = Reader(world, language).signed_in("preferences")
    assert reader.state == "preferences"
    topics = world.deps.datamap.topics
    for topic in topics.values():
        assert world.deps.datamap.said(topic.title, language) in reader.text
        assert world.deps.datamap.said(topic.text, language) in reader.text
    switches = {each.attributes["name"]: "checked" in each.attributes for each in switched(reader)}
    assert switches == {"topic.newsletter": False, "topic.product_feedback": False, "topic.announcements": False}

    reader.press(say(language, "Save my choice"), topic__newsletter="yes")
    assert say(language, "Saved. Your choice counts from now on.") in reader.text
    switches = {each.attributes["name"]: "checked" in each.attributes for each in switched(reader)}
    assert switches == {"topic.newsletter": True, "topic.product_feedback": False, "topic.announcements": False}
    [record] = [
        item for item in world.table.items.values() if item.get("topic") == "newsletter" and item.get("how") == "page"
    ]
    assert record["text"] == world.deps.datamap.said(topics["newsletter"].text, language)

    form = next(form for form in reader.page.forms if "topic.newsletter" in form.fields)
    reader.send({name: value for name, value in form.fields.items() if name != "topic.newsletter"})
    assert not any("checked" in each.attributes for each in switched(reader))


def switched(reader: Reader) -> list[Element]:
    return [each for each in reader.page.all("input") if each.attributes.get("role") == "switch"]


def test_the_browsers_signal_is_shown_and_kept(world: World, reader: Reader) -> None:
    assert "Global Privacy Control" not in reader.open().answer.text
    reader.headers = {"Sec_GPC": "1"}
    assert "Your browser asks that your data is not sold or shared" in reader.open().answer.text
    reader.signed_in("preferences")
    assert "You opted out" in reader.text
    reader.headers = {}
    assert "You opted out" in reader.signed_in("preferences").text
    person = world.vault.digest("person", ADA)
    assert consents.load(world.deps, person).word(SALE_OR_SHARING) is False


def test_signing_in_keeps_the_browsers_signal_wherever_it_leads(world: World, reader: Reader) -> None:
    reader.headers = {"Sec_GPC": "1"}
    reader.signed_in("requests")
    person = world.vault.digest("person", ADA)
    assert consents.load(world.deps, person).word(SALE_OR_SHARING) is False


@EACH
def test_an_issue_is_reported_without_saying_who(world: World, language: str) -> None:
    reader = Reader(world, language).open("issue")
    send = say(language, "Send the report")
    reader.press(send, message="I got a mail\nthat I did not want.")
    assert (reader.state, reader.answer.status) == ("issue", 422)
    assert say(language, "Choose what it is about.") in reader.text
    assert reader.field("message") == "I got a mail\nthat I did not want."
    reader.press(send, kind="unwanted_email")
    assert reader.state == "thanks"
    [issue] = [item for key, item in world.table.items.items() if key[0].startswith("ISSUE#")]
    assert issue["issue_id"] in reader.text
    assert issue["kind"] == "unwanted_email"
    assert issue["locale"] == language


def test_of_someone_under_18_the_address_is_needed(world: World, reader: Reader) -> None:
    reader.open("issue").press("Send the report", kind="under_18", message="My son is 12.")
    assert reader.answer.status == 422
    assert "Write the address of the account that belongs to someone under 18." in reader.text
    assert (
        "checked"
        in next(each for each in reader.page.all("input") if each.attributes.get("value") == "under_18").attributes
    )
    reader.press("Send the report", email="son@example.org")
    assert reader.state == "thanks"


def test_whoever_is_signed_in_is_not_taken_for_the_one_under_18(world: World, reader: Reader) -> None:
    reader.signed_in().press("See what you can do").press("Report an issue")
    assert f"our data protection officer sees that the report comes from {ADA}" in reader.text
    for _ in range(2):
        reader.press("Send the report", kind="under_18", message="My son is 12.")
        assert reader.answer.status == 422
        assert "Write the address of the account that belongs to someone under 18." in reader.text
        world.clock.advance(31 * 60)
    assert world.executions.started == {}
    assert not [key for key in world.table.items if key[0].startswith("ISSUE#")]


def test_what_only_a_machine_fills_in_is_dropped(world: World, reader: Reader) -> None:
    reader.open("issue").press("Send the report", kind="other", message="Buy now", website="https://spam.example")
    assert reader.state == "thanks"
    assert not [key for key in world.table.items if key[0].startswith("ISSUE#")]


@EACH
def test_requests_are_listed_and_can_be_cancelled(world: World, language: str) -> None:
    reader = Reader(world, language).signed_in()
    assert say(language, "You have no requests yet.") in reader.text
    reader.press(say(language, "See what you can do")).press(say(language, "Download my data"))
    assert reader.state == "download"
    reader.press(say(language, "Prepare my download"))
    assert reader.state == "request"
    assert len(world.mailer.to(ADA)) == 1, "whoever is signed in needs no other code"

    reader.press(say(language, "My requests"))
    assert say(language, "In progress") in reader.text
    day = Voice(language, language).day(world.clock())
    reader.press(f"{say(language, 'Open: %(what)s') % {'what': say(language, 'Download of your data')}}, {day}")
    reader.press(say(language, "Yes, cancel it"))
    assert say(language, "You cancelled this request.") in reader.text
    assert say(language, "Withdrawn") in reader.text
    assert say(language, "You withdrew the request") in reader.text


def test_whoever_signed_out_is_out_wherever_the_page_was_kept(world: World, reader: Reader) -> None:
    reader.signed_in()
    kept = {"step": "requests", "token": reader.field("token"), "who": ADA}
    reader.press("Sign out")
    assert (reader.state, reader.answer.headers["cache-control"]) == ("start", "no-store")
    assert ADA not in reader.answer.text
    assert kept["token"] not in reader.answer.text
    assert reader.send(kept).state == "sign_in"
    assert reader.send({"step": "sign_out", "token": "nonsense"}).state == "start"


def test_the_receipt_is_a_file_that_can_be_verified(world: World, reader: Reader) -> None:
    reader.open("download").press("Send me a code", email=ADA).confirm()
    reader.carry_on()
    request_id = reader.field("request_id")
    reader.press("Refresh").press("Download the receipt")
    assert reader.answer.headers["content-type"] == "application/jose"
    assert reader.answer.headers["content-disposition"] == f'attachment; filename="receipt-{request_id}.jws"'
    assert reader.answer.headers["cache-control"] == "no-store"
    keys = call("GET", "/keys").json
    assert receipts.verify(reader.answer.text, keys)["request_id"] == request_id


def test_a_refusal_says_why_and_where_to_go(world: World, another: Callable[..., Reader]) -> None:
    policy = RequestPolicy(approval="dpo")
    world.deps = replace(world.deps, datamap=replace(world.deps.datamap, requests={"erasure": policy}))
    reader = another(language="fr").open("delete").press("M’envoyer un code", email=ADA, confirm="yes").confirm()
    reader.carry_on()
    reader.press("Actualiser")
    assert "Chez notre délégué à la protection des données" in reader.text
    request_id = reader.field("request_id")
    reason = "An action is pending.<b>1 & 2</b>"
    said = world.ask_desk("reject", request_id=request_id, ground="legal_claims", reason=reason)
    assert said["ok"], said
    reader.carry_on()
    reader.press("Actualiser")
    assert "Les données sont nécessaires pour faire valoir un droit en justice" in reader.text
    assert "Article 17(3)(e) RGPD" in reader.text
    assert reason in reader.text
    assert "L’autorité de protection des données du pays" in reader.text


def test_a_grace_period_is_told_before_and_while_it_runs(world: World, reader: Reader) -> None:
    policy = RequestPolicy(grace_period="P7D")
    world.deps = replace(world.deps, datamap=replace(world.deps.datamap, requests={"erasure": policy}))
    reader.open("delete")
    assert "Nothing is deleted for 7 days after you confirmed." in reader.text
    reader.press("Send me a code", email=ADA, confirm="yes").confirm()
    assert "Yes, cancel it" in {name for form in reader.page.forms for name in form.buttons}


@EACH
def test_of_a_report_about_someone_under_18_its_holder_reads_what_it_is_and_how_it_ended(
    world: World, language: str
) -> None:
    Reader(world).open("issue").press("Send the report", kind="under_18", message="He is 12.", email=ADA)
    reader = Reader(world, language).signed_in()
    reader.carry_on()
    day = Voice(language, language).day(world.clock())
    reader.press(f"{say(language, 'Open: %(what)s') % {'what': say(language, 'Deletion of your data')}}, {day}")
    assert say(language, TOLD_OF_A_REPORT) in reader.text
    assert say(language, "Yes, cancel it") in {name for form in reader.page.forms for name in form.buttons}
    [request_id] = [each["request_id"] for each in world.executions.started.values()]
    world.ask_desk("reject", request_id=request_id, ground="manifestly_unfounded", reason="Eve is the ex-wife.")
    reader.carry_on()
    reader.press(say(language, "Refresh"))
    assert say(language, "Nothing is deleted: your account stays as it is") in reader.text
    assert say(language, "Why we refused") not in reader.text
    assert say(language, "We cannot do what you asked. Below you read why, and what you can do.") not in reader.text
    assert "Eve" not in reader.answer.text


TOLD_OF_A_REPORT = (
    "Somebody told us that this account belongs to someone under 18. Nothing is deleted unless our data protection "
    "officer approves it, and then not for seven days. If it is wrong, cancel the request below."
)


@EACH
def test_each_page_names_the_policy_in_force_and_those_announced_with_their_days(world: World, language: str) -> None:
    day = Voice(language, language).day
    assert say(language, "Read our privacy policy") in Reader(world, language).open().answer.text
    world.ask_desk(
        "publish_policy",
        version="2027-03",
        url="https://example.org/p/2027-03",
        effective_from="2027-03-01",
        material=False,
    )
    said = {"version": "2027-03", "day": day(date(2027, 3, 1))}
    text = Reader(world, language).open("delete").answer.text
    assert '<a href="https://example.org/p/2027-03">' in text
    assert say(language, "Version %(version)s, from %(day)s") % said in text
    world.clock.advance(days=200)
    text = Reader(world, language).open().answer.text
    assert say(language, "Version %(version)s, in force since %(day)s") % said in text
