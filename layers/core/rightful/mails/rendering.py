"""Renders one mail in one language."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from rightful import clocks
from rightful.languages import language_of
from rightful.mails.catalogue import Catalogue, load

if TYPE_CHECKING:
    from jinja2 import Environment

KINDS: Final = (
    "code",
    "request_received",
    "completed_access",
    "completed_erasure",
    "withdrawn",
    "rejected",
    "extended",
    "paused",
    "resumed",
    "confirm_submitted",
    "dpo_approval",
    "dpo_second_approval",
    "dpo_attention",
    "dpo_brake",
    "dpo_recipients",
    "recipient_erasure",
    "dpo_deadlines",
    "reported_under_18",
    "reported_scheduled",
    "reported_dismissed",
    "issue_received",
    "dpo_issue",
    "dpo_issues",
    "policy_notice",
    "dpo_policy_notice",
)


_TIED: Final = re.compile(r" (?=[:;?!%»])|(?<=«) ")
"""Spaces at which no line may break; French has them before most signs."""


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str
    html: str


def render(
    kind: str,
    locale: str,
    *,
    said: Callable[[str, str], str] = lambda text, _: text,
    centre: str = "",
    **facts: Any,
) -> Rendered:
    """The mail of this kind, in the language of `locale` (`fr`, `fr-CA`, ...) or in English.

    `said` gives a text of the data map, such as a title, in a language (`model.DataMap.said`). `centre` is where the
    privacy centre is, without a slash at the end; mails to people link to it, and to nothing of theirs in it. Empty: no
    link.

    `facts`, besides `controller` (model.Controller), which every mail takes:
    code              purpose (sign_in, access, erasure, download or withdraw), code, minutes (it is valid for)
    request_received  request (item of the requests table)
    withdrawn, rejected                   request; a rejected one has `regime` and `refusal: {ground, law, reason}`
    completed_access, completed_erasure   request, stores: name -> {title, covered, deleted, anonymised, kept,
                                          kept_by: ground -> ISO date or "", law, held, held_by: [{ground, ...}],
                                          blocked, blocked_until, left, skipped, reason}; the request may have
                                          `follows`, the id of an earlier one
    completed_erasure                     recipients: [{title, status, why}] (see rightful.service.notifying)
    extended, paused  request, reason
    resumed           request
    confirm_submitted request (its `source`: letter or phone), received and until (ISO dates)
    dpo_...           desk: address of the DPO desk, for each of these
    dpo_approval, dpo_second_approval   request, plan (see rightful.plans), changed (see approvals.difference), code
                      (of this approver, or empty), grounds (keys of those for which it may be refused)
    dpo_attention     request, plan, failed (store names), problem (what went wrong, in words)
    dpo_brake         request (its request_id is the run's), run_id, report (where it is), stores: name -> {title,
                      action, due, scanned, share and brake (percent)}
    dpo_recipients    request, article, recipients: [{title, why, identities: name -> values}]
    recipient_erasure request, article (what has the recipient told), identities: name -> values
    dpo_deadlines     parts: the lists overdue, near, soon and paused, each [{request_id, type, status, due (ISO date),
                      days_left, extendable}], and unconfirmed: [{request_id, type, source, received (ISO date)}];
                      breaches: [{issue_id, due_at, day (ISO date), time, hours_left, provisional}];
                      more: how many requests were left out of the lists
    completed_erasure, withdrawn, rejected   theirs: whether the person asked for it or confirmed it
    reported_under_18, reported_dismissed   request
    reported_scheduled   request (`scheduled_for` says when its erasure begins)
    issue_received, dpo_issue, dpo_issues   request (its request_id is the issue's, its type the issue's kind)
    dpo_issue         issue: {issue_id, kind, received_at, due_at, lines, email, proven} (see service.issues.told)
    dpo_issues        issues: several of these; more: how many others come with a later mail; no request
    policy_notice     version, effective_from (ISO date), url: of the policy
    dpo_policy_notice policy: {version, effective_from, url, material}; counts: {told, same_address, no_address,
                      odd_address, refused (accounts), segments_left}; bounced (mails); whole: nobody is left to tell;
                      late: the day on which it ended, if that was too late
    Raises jinja2.UndefinedError when a fact is missing.
    """
    if kind not in KINDS:
        raise ValueError(f"there is no mail of the kind {kind}")
    catalogue = load(language_of(locale))
    language = catalogue.language
    facts |= {"centre": centre, "said": lambda text: said(text, language)}
    return Rendered(
        subject=_subject(kind, catalogue, facts),
        text=_tidy(_part("text", kind, catalogue, facts)),
        html=_part("html", kind, catalogue, facts),
    )


def _subject(kind: str, catalogue: Catalogue, facts: dict[str, Any]) -> str:
    request = facts.get("request", {})
    subject = catalogue.sentence(f"{kind}.subject").format(
        controller=facts["controller"].name,
        request_id=request.get("request_id", ""),
        type=catalogue.words("types", request.get("type", "")),
    )
    if kind.startswith("dpo_") and request.get("reported_at"):
        subject = f"{catalogue.sentence('frame.priority')} {subject}"
    return " ".join(subject.split())


def _part(voice: str, kind: str, catalogue: Catalogue, facts: dict[str, Any]) -> str:
    from markupsafe import Markup, escape

    def filled(sentence: str, values: dict[str, Any]) -> str:
        if voice == "text":
            return sentence.format(**values)
        return Markup(escape(_TIED.sub("\u00a0", sentence))).format(**values)  # noqa: S704  escaped first

    def day(text: str) -> str:
        written = catalogue.date(text)
        return written if voice == "text" else written.replace(" ", "\u00a0")

    environment = _environment(voice)
    return environment.get_template(f"{kind}.j2").render(
        facts,
        voice=environment.get_template(f"{voice}.j2").module,
        kind=kind,
        language=catalogue.language,
        t=lambda name, **values: filled(catalogue.sentence(name), values),
        count=lambda name, number: filled(catalogue.plural(name, number), {"n": number}),
        words=catalogue.words,
        law=catalogue.law,
        date=day,
        due=lambda: day(clocks.day(facts["request"]["due_at"], clocks.zone(facts["controller"].time_zone))),
        json=lambda **value: json.dumps(value, ensure_ascii=False, indent=2),
    )


@cache
def _environment(voice: str) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("rightful.mails"),
        autoescape=voice == "html",  # noqa: S701  the plain part of a mail is no HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _tidy(text: str) -> str:
    """One empty line between paragraphs, whatever the templates left between them, and none in the footer, which
    begins as a signature does (RFC 3676 section 4.3)."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    body, _, footer = lines.rpartition("\n--\n")
    body, footer = re.sub(r"\n{3,}", "\n\n", body), re.sub(r"\n{2,}", "\n", footer)
    return f"{body.strip()}\n\n-- \n{footer.strip()}\n"
