"""Sends each mail once, although it may be killed at any instruction. See docs/decisions/one-mail.md."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from rightful import mails
from rightful.clocks import moment, stamp
from rightful.errors import TryAgain
from rightful.ports import Attachment, Mail
from rightful.service import requests
from rightful.service.deps import Deps

IN_FLIGHT: Final = timedelta(seconds=60)
"""How long a mail whose sender fell silent may still be on its way to the provider, or the provider's event on its
way to us. Longer than any try to send can take."""
ABOUT: Final = {"policy_notice": "TOLD", "dpo_policy_notice": "NOTICE"}
"""Kind of mail -> what it is about, where that is no request: its claim stands beside that (`<ABOUT>#<subject>`)."""


def send_once(
    deps: Deps,
    subject: str,
    kind: str,
    to: str,
    locale: str,
    *,
    number: int = 1,
    recipient: str = "",
    attachments: tuple[Attachment, ...] = (),
    headers: Mapping[str, str] | None = None,
    noted: Mapping[str, Any] | None = None,
    **facts: Any,
) -> bool:
    """Mails `kind` (see `rightful.mails.render`, also for `facts`) about a request, whose id is the `subject`, or about
    something else (`ABOUT`). `number` tells apart mails of one kind, such as the DPO's first and second question;
    `recipient`, a name of the data map, those to several. `noted` is kept with the claim.

    Returns when the mail was handed over: True by this call, False by an earlier one. Raises TryAgain while that cannot
    be known yet: call again later; NeedsAttention when the provider refuses it, Undeliverable when this one alone."""
    mail = mails.render(kind, locale, said=deps.datamap.said, **facts)
    kind = to_recipient(kind, recipient) if recipient else kind
    pk, sk = claim_of(subject, kind, number)
    if not _claimed(deps, pk, sk, noted or {}):
        return False
    key = f"{subject}:{kind}:{number}"
    message_id = deps.mailer.send(
        Mail(
            to=to,
            subject=mail.subject,
            text=mail.text,
            html=mail.html,
            key=key,
            attachments=attachments,
            headers=tuple((headers or {}).items()),
        )
    )
    deps.table.update(pk, sk, {"sent_at": stamp(deps.clock()), "message_id": message_id})
    return True


def claim_of(subject: str, kind: str, number: int = 1) -> tuple[str, str]:
    """Key of the item that stands for a mail, from what the provider's tags say of it."""
    home = f"{ABOUT[kind]}#{subject}" if kind in ABOUT else requests.pk(subject)
    return home, claim_key(kind, number)


def handed_over(claim: Mapping[str, Any]) -> bool:
    """Whether the mail of this claim is known to have reached the provider."""
    return "sent_at" in claim or "accepted_at" in claim or "bounced_at" in claim


def to_person(deps: Deps, request: Mapping[str, Any], kind: str, to: str, *, number: int = 1, **facts: Any) -> None:
    """`send_once` to whoever made the request, in their language, with the way to the privacy centre."""
    send_once(
        deps,
        request["request_id"],
        kind,
        to,
        request["locale"],
        number=number,
        request=request,
        controller=deps.datamap.controller,
        centre=deps.settings.public_url,
        **facts,
    )


def to_recipient(kind: str, recipient: str) -> str:
    """The kind of one recipient's mail, as its claim and the provider's tags know it. No name holds a hyphen."""
    return f"{kind}-{recipient}"


def claim_key(kind: str, number: int) -> str:
    return f"MAIL#{kind}" if number == 1 else f"MAIL#{kind}#{number}"


def _claimed(deps: Deps, pk: str, sk: str, noted: Mapping[str, Any]) -> bool:
    """Whether the mail is this call's to send; False when it was sent."""
    now = deps.clock()
    facts = {**noted, "claimed_at": stamp(now)}
    if deps.table.put_new(pk, sk, facts):
        return True
    claim = deps.table.get(pk, sk)
    if claim is None:
        raise TryAgain("the claim on this mail vanished")
    if handed_over(claim):
        return False
    if now - moment(claim["claimed_at"]) < IN_FLIGHT:
        raise TryAgain("an earlier try to send this mail may still succeed")
    expect = {"claimed_at": claim["claimed_at"], "sent_at": None, "accepted_at": None, "bounced_at": None}
    if deps.table.update(pk, sk, facts, expect=expect) is None:
        raise TryAgain("another try to send this mail has begun")
    return True
