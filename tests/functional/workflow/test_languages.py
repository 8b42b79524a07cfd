"""Mails speak the language of their reader, lead people to the privacy centre, and change nothing that is signed."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from rightful.model import DataMap, RequestPolicy
from rightful.service import requests
from tests.fakes.company import ADA, small_map
from tests.fakes.world import World, make_world

CENTRE, DPO = "https://privacy.example.org", "dpo@example.org"
FRENCH = {"Account": "Compte", "Invoices": "Factures", "a law": "une loi", "CNIL, Paris": "la CNIL, à Paris"}


def world_with(datamap: DataMap, locale: str = "en") -> World:
    world = make_world(datamap)
    object.__setattr__(world.deps, "settings", replace(world.deps.settings, public_url=CENTRE))
    world.ask_for("erasure")
    world.table.update(requests.pk("r1"), "REQUEST", {"locale": locale})
    return world


def in_french() -> DataMap:
    return replace(small_map(), translations={"fr": FRENCH})


def test_what_the_map_says_is_told_in_the_persons_language() -> None:
    world = world_with(in_french(), "fr-BE")
    assert world.execution().run().ended
    (mail,) = world.mailer.to(ADA)
    for part in ("* Compte\n    1 enregistrement supprimé", "* Factures\n", "Fondement juridique : une loi", "la CNIL"):
        assert part in mail.text
    assert "* Surveys\n" in mail.text, "what nobody translated stands as it is"


def signed(world: World) -> tuple[dict[str, Any], str, list[Any]]:
    """The receipt's claims, the plan's hash and the ledger."""
    assert world.execution().run().ended
    jws = world.table.get(requests.pk("r1"), "RECEIPT")["jws"]  # type: ignore[index]  # every ended request has one
    part = jws.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims, world.request()["plan_hash"], world.table.query(requests.pk("r1"), "EVENT#")


def test_plans_receipts_and_the_ledger_stay_in_the_words_of_the_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_bytes", bytes)  # keyed hashes of both worlds are the same
    assert signed(world_with(in_french(), "fr")) == signed(world_with(replace(small_map(), translations={}), "fr"))


def test_every_mail_to_the_person_leads_to_the_privacy_centre_and_says_nothing_of_them_in_the_link() -> None:
    world = world_with(small_map(erasure=RequestPolicy(approval="dpo")))
    execution = world.execution()
    execution.run()
    assert world.ask_desk("extend", request_id="r1", reason="Much to do")["ok"]
    world.ask_desk("reject", request_id="r1", ground="legal_claims", reason="A case is before the court.")
    execution.run()
    mails = world.mailer.to(ADA)
    assert [mail.key.split(":")[1] for mail in mails] == ["request_received", "extended", "rejected"]
    for mail in mails:
        assert f"Open your privacy centre\n{CENTRE}/\n" in mail.text
        assert f'href="{CENTRE}/"' in mail.html
    assert world.mailer.to(DPO)
    assert all(CENTRE not in mail.text for mail in world.mailer.to(DPO))


@pytest.mark.parametrize(("locale", "said"), [("en", "waits for your approval"), ("de", "wartet auf Ihre Freigabe")])
def test_the_dpo_is_written_to_in_the_controllers_language(locale: Any, said: str) -> None:
    datamap = small_map(erasure=RequestPolicy(approval="dpo"))
    world = world_with(replace(datamap, controller=replace(datamap.controller, locale=locale)), "fr")
    world.execution().run()
    (mail,) = world.mailer.to(DPO)
    assert said in mail.text
