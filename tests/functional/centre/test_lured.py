"""Nobody is led by somebody else's link or form into doing what they did not choose on the page itself."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from rightful.service import consents
from rightful.service.visiting.acting import STEPS
from rightful.service.visiting.visits import RESUMED
from tests.fakes.company import ADA
from tests.fakes.world import World
from tests.functional.api.bridge import call
from tests.functional.centre.reader import FORM, Reader

DELETE = {"then.step": "ask", "then.kind": "erasure", "then.confirm": "yes"}
AGREE = {"then.step": "save", "then.offered.newsletter": "no", "then.topic.newsletter": "yes"}
ENTERING = {"ask", "sign_in", "enter", "code", "code_page"}
"""Steps on the way to a sign-in."""


@pytest.mark.parametrize("planted", [DELETE, AGREE], ids=["delete", "agree"])
def test_a_link_plants_nothing_behind_a_sign_in(reader: Reader, world: World, planted: dict[str, str]) -> None:
    reader.open(f"requests&{urlencode(planted)}").press("Send me a code", email=ADA).confirm()
    assert reader.state == "requests"
    assert world.executions.started == {}
    assert consents.load(world.deps, world.vault.digest("person", ADA)).topics == {}


def test_a_link_fills_in_nothing(reader: Reader) -> None:
    reader.open(f"delete&{urlencode({'email': ADA, 'confirm': 'yes', 'who': ADA, 'token': 'x' * 43})}")
    assert reader.field("email") == ""
    assert "checked" not in str([each.attributes for each in reader.page.all("input")])
    assert ADA not in reader.answer.text


def test_no_form_makes_a_deletion_of_a_sign_in(reader: Reader, world: World) -> None:
    """Sent by a browser that does not say where the form stood."""
    reader.send({"step": "sign_in", **DELETE}).press("Send me a code", email=ADA).confirm()
    assert reader.state == "start"
    assert world.executions.started == {}


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_of_another_site_does_nothing(reader: Reader, world: World, site: str) -> None:
    reader.headers = {"Sec_Fetch_Site": site}
    reader.send({"step": "ask", "kind": "access", "email": ADA})
    assert (reader.state, world.mailer.sent) == ("start", [])
    reader.send({"step": "sign_in", **AGREE})
    assert reader.state == "start"
    reader.headers = {"Sec_Fetch_Site": "same-origin"}
    assert reader.send({"step": "ask", "kind": "access", "email": ADA}).state == "code"


def test_a_sign_in_leads_to_what_needs_one_and_to_nothing_else(reader: Reader) -> None:
    asking = {step for step in STEPS if step not in ENTERING and reader.send({"step": step}).state == "sign_in"}
    assert asking | {"start"} == RESUMED


def test_one_click_of_a_mail_provider_is_no_form_of_the_page(world: World) -> None:
    """It comes from wherever the mail is read."""
    answer = call("POST", "/unsubscribe/nonsense", "", Content_Type=FORM, Sec_Fetch_Site="cross-site")
    assert "This link does not work" in answer.text
