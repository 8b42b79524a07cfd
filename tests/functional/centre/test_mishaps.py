"""What goes wrong is told in the reader's language, and nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from functions.api import app as api
from rightful.errors import TryAgain
from rightful.service import requests
from tests.fakes.company import ADA, BOB
from tests.fakes.recording import Fault
from tests.fakes.world import World
from tests.functional.api.bridge import call
from tests.functional.centre.reader import FORM, Parsed, Reader


def failing(error: Exception) -> Fault:
    def fault(*_: object) -> None:
        raise error

    return fault


def test_an_address_that_cannot_be_used_is_named_beside_its_field(reader: Reader) -> None:
    reader.language = "es"
    reader.open("download").press("Enviarme un código", email="ada@example")
    assert (reader.state, reader.answer.status, reader.field("email")) == ("download", 422, "ada@example")
    assert "Después de la @, escriba un nombre de dominio completo" in reader.text
    [field] = [each for each in reader.page.all("input") if each.attributes["name"] == "email"]
    assert field.attributes["aria-invalid"] == "true"
    assert "email-fault" in field.attributes["aria-describedby"]
    [title] = reader.page.all("title")
    assert title.text.startswith("Compruébelo")


def test_a_wrong_code_can_be_mended_and_another_one_sent(reader: Reader, world: World) -> None:
    reader.open("delete").press("Send me a code", email=ADA, confirm="yes")
    reader.press("Confirm and delete my data", code="0000 0000")
    assert (reader.state, reader.answer.status) == ("code", 401)
    assert "The code is wrong." in reader.text
    reader.press("Send another code")
    assert reader.state == "code"
    assert len(world.mailer.to(ADA)) == 2
    code = reader.code()
    reader.press("Confirm and delete my data", code=f" {code[:4]}-{code[4:]} ")
    assert reader.state == "request"
    assert len(world.executions.started) == 1


def test_five_wrong_codes_are_the_end_of_it(reader: Reader) -> None:
    reader.open("download").press("Send me a code", email=ADA)
    for _ in range(5):
        reader.press("Confirm and prepare my download", code="00000000")
    reader.press("Confirm and prepare my download", code=reader.code())
    assert (reader.state, reader.answer.status) == ("code", 429)
    assert "Too many wrong codes. Ask for a new code." in reader.text
    assert "try again in" not in reader.text
    assert reader.press("Send another code").confirm().state == "request"


def test_a_code_that_has_run_out_says_so(reader: Reader, world: World) -> None:
    reader.open("requests").press("Send me a code", email=ADA)
    world.clock.advance(16 * 60)
    reader.press("Sign in", code=reader.code())
    assert (reader.state, reader.answer.status) == ("code", 410)
    assert "This code is no longer valid." in reader.text


def test_too_many_codes_says_when_to_come_back(reader: Reader) -> None:
    for _ in range(3):
        reader.open("requests").press("Send me a code", email=ADA)
    reader.language = "fr"
    reader.open("requests").press("M’envoyer un code", email=ADA)
    assert (reader.state, reader.answer.status, reader.field("email")) == ("sign_in", 429, ADA)
    assert "au plus 3 par heure, pour votre sécurité." in reader.text
    assert "Vous pourrez réessayer dans 60 minutes." in reader.text
    assert reader.answer.headers["retry-after"] == "3600"


def test_known_and_unknown_people_see_the_same(another: Callable[..., Reader]) -> None:
    pages = []
    for email in (ADA, "nobody@example.net"):
        reader = another(email=email).open("requests").press("Send me a code", email=email)
        pages.append(reader.text.replace(email, "..."))
    assert pages[0] == pages[1]


def test_an_expired_session_asks_for_a_new_code_and_goes_on_where_it_was(reader: Reader, world: World) -> None:
    reader.signed_in("preferences")
    world.clock.advance(31 * 60)
    reader.press("Save my choice", topic__newsletter="yes")
    assert (reader.state, reader.answer.status) == ("sign_in", 401)
    assert "For your safety you are signed out after 30 minutes." in reader.text
    assert reader.field("email") == ADA, "who it was is known"
    assert "Sign out" not in reader.answer.text
    reader.press("Send me a code").confirm()
    assert reader.state == "preferences"
    assert "Saved. Your choice counts from now on." in reader.text
    person = world.vault.digest("person", ADA)
    assert [item for item in world.table.items.values() if item.get("topic") == "newsletter" and item.get("new")], (
        person
    )


def test_an_expired_session_with_a_wrong_code_in_between_still_goes_on(reader: Reader, world: World) -> None:
    reader.open("download").press("Send me a code", email=ADA).confirm()
    world.clock.advance(31 * 60)
    reader.press("Yes, cancel it")
    assert reader.state == "sign_in"
    reader.press("Send me a code").press("Sign in", code="00000000").press("Send another code").confirm()
    assert "You cancelled this request." in reader.text


def test_a_request_of_a_session_that_expired_gets_a_code_of_its_own(reader: Reader, world: World) -> None:
    reader.signed_in().press("See what you can do").press("Download my data")
    world.clock.advance(31 * 60)
    reader.press("Prepare my download")
    assert reader.state == "code"
    assert ADA in reader.text
    assert reader.confirm().state == "request"


@pytest.mark.parametrize("first", ["download", "sign in"])
def test_a_deletion_needs_a_proof_that_is_fresh_and_meant_for_it(reader: Reader, world: World, first: str) -> None:
    if first == "download":
        reader.open("download").press("Send me a code", email=ADA).confirm().press("All choices")
    else:
        reader.signed_in().press("See what you can do")
        world.clock.advance(11 * 60)
    reader.press("Delete my account and data").press("Delete my data", confirm="yes")
    assert reader.state == "code"
    assert not any(name.startswith("erasure") for name in world.executions.started)
    assert reader.confirm().state == "request"
    assert sum(name.startswith("erasure") for name in world.executions.started) == 1


def test_who_just_signed_in_deletes_without_another_code(reader: Reader, world: World) -> None:
    reader.signed_in().press("See what you can do").press("Delete my account and data")
    reader.press("Delete my data", confirm="yes")
    assert reader.state == "request"
    assert len([mail for mail in world.mailer.to(ADA) if mail.key.endswith(":code")]) == 1


def test_the_same_form_sent_twice_acts_once(reader: Reader, world: World) -> None:
    """A double click without script, Back and again, two tabs."""
    reader.open("download")
    fields = reader.page.forms[0].fields | {"email": ADA}
    reader.send(fields)
    first = reader.field("verification_id")
    reader.send(fields)
    assert reader.field("verification_id") == first
    assert len(world.mailer.sent) == 1

    reader.open("requests")
    fields = reader.page.forms[0].fields | {"email": BOB}
    reader.send(fields).send(fields)
    assert len(world.mailer.to(BOB)) == 1

    reader.open("issue")
    fields = reader.page.forms[0].fields | {"kind": "other", "message": "Once"}
    reader.send(fields)
    reference = reader.text
    assert reader.send(fields).text == reference
    assert len([key for key in world.table.items if key[0].startswith("ISSUE#")]) == 1


def test_two_tabs_of_one_person_end_in_one_request(another: Callable[..., Reader], world: World) -> None:
    one, two = another().open("download"), another().open("download")
    one.press("Send me a code", email=ADA).confirm()
    two.press("Send me a code", email=ADA).confirm()
    assert two.state == "request"
    assert len(world.executions.started) == 1
    assert one.press("Refresh").text == two.press("Refresh").text


def test_two_tabs_of_one_person_lose_no_choice(another: Callable[..., Reader]) -> None:
    """Each was opened before the other saved."""
    one, two = another().signed_in("preferences"), another().signed_in("preferences")
    one.press("Save my choice", topic__newsletter="yes")
    two.press("Save my choice", topic__announcements="yes")
    checked = {each.attributes["name"] for each in two.page.all("input") if "checked" in each.attributes}
    assert checked == {"topic.newsletter", "topic.announcements"}


@pytest.mark.parametrize(("error", "status"), [(TryAgain("throttled"), 503), (ValueError(BOB), 500)])
def test_a_fault_of_ours_keeps_what_was_typed_and_the_same_can_be_sent_again(
    reader: Reader, world: World, error: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    reader.open("issue")
    key = reader.field("key")
    world.table.fault = failing(error)
    reader.press("Send the report", kind="other", message="Here I am", email=BOB)
    assert reader.answer.status == status
    assert BOB not in caplog.text + str([vars(record) for record in caplog.records])
    world.table.fault = lambda *_: None
    kept = {name: reader.field(name) for name in ("message", "email", "key")}
    assert kept == {"message": "Here I am", "email": BOB, "key": key}
    reader.press("Send the report" if reader.state == "issue" else "Try again")
    assert reader.state == "thanks"


def test_a_session_survives_a_fault(reader: Reader, world: World) -> None:
    reader.signed_in()
    world.table.fault = failing(TryAgain("throttled"))
    reader.send({"step": "requests", **session(reader)})
    assert (reader.state, reader.answer.status) == ("trouble", 503)
    world.table.fault = lambda *_: None
    assert reader.press("Try again").state == "requests"


def buttons(reader: Reader) -> set[str]:
    return {name for form in reader.page.forms for name in form.buttons}


def test_too_late_to_cancel_is_told_where_it_was_tried(reader: Reader, world: World) -> None:
    reader.open("delete").press("Send me a code", email=ADA, confirm="yes").confirm()
    requests.begin_erasing(world.deps, reader.field("request_id"))
    reader.press("Yes, cancel it")
    assert (reader.state, reader.answer.status) == ("request", 409)
    assert "Erasing has begun: the request can no longer be withdrawn." in reader.text
    assert "Yes, cancel it" not in buttons(reader)


def test_a_download_that_is_gone_is_told(reader: Reader, world: World) -> None:
    reader.open("download").press("Send me a code", email=ADA).confirm()
    reader.carry_on()
    reader.press("Refresh")
    request_id = reader.field("request_id")
    world.clock.advance(days=8)
    reader.signed_in().send({"step": "fetch", "request_id": request_id, **session(reader)})
    assert (reader.state, reader.answer.status) == ("request", 410)
    assert "The file was deleted 7 days after it was ready." in reader.text
    assert "Download my data" not in buttons(reader)


def session(reader: Reader) -> dict[str, str]:
    return {name: reader.field(name) for name in ("token", "who")}


def test_another_persons_request_looks_like_none(reader: Reader, another: Callable[..., Reader]) -> None:
    reader.open("download").press("Send me a code", email=ADA).confirm()
    stranger = another(email=BOB).signed_in()
    for step in ("request", "withdraw", "fetch", "receipt"):
        stranger.send({"step": step, "request_id": reader.field("request_id"), **session(stranger)})
        assert (stranger.state, stranger.answer.status) == ("trouble", 404)
        assert "You have no such request." in stranger.text


@pytest.mark.parametrize("body", ["", "step=nonsense", "step=%ff%fe", "a=1&" * 300, "lang=xx&step=start", "step=code"])
def test_nonsense_gets_a_page(reader: Reader, body: str) -> None:
    answer = call("POST", "/", body, Content_Type=FORM)
    assert answer.status < 500
    Parsed(answer.text)


def test_a_page_that_cannot_be_made_is_answered_all_the_same(
    reader: Reader, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "deps", failing(ValueError("broken")))
    answer = call("GET", "/")
    assert answer.status == 500
    assert "broken" not in answer.text
