"""Words for what the use cases say: statuses, grounds, and their sentences, which are written in English.

A sentence may hold values (`%(day)s`): it is recognised by what stands around them, and said again in another language
with the same values. One that is not known here is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from rightful.centre.voices import Voice


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for: this is a message, to be translated later
    return message


Counted = tuple[str, str]
"""The message for one and for many."""


def P_(one: str, many: str) -> Counted:  # noqa: N802
    return one, many


TYPES: Final = {"access": N_("Download of your data"), "erasure": N_("Deletion of your data")}
STATUSES: Final = {
    "awaiting_verification": N_("Waiting for your code"),
    "in_progress": N_("In progress"),
    "awaiting_approval": N_("With our data protection officer"),
    "scheduled": N_("Scheduled"),
    "paused": N_("Waiting for your answer"),
    "needs_attention": N_("A person is looking into it"),
    "completed": N_("Done"),
    "rejected": N_("Refused"),
    "withdrawn": N_("Withdrawn"),
    "expired": N_("Expired"),
}
GROUNDS: Final = {
    "accounting": N_("we must keep accounting records"),
    "business_records": N_("we must keep business records"),
    "contract": N_("a contract with you still needs it"),
    "investigation": N_("an investigation is going on"),
    "legal_process": N_("a legal proceeding needs it"),
    "enforcement_of_rights": N_("we need it to establish or defend legal claims"),
}
"""Why something is kept: the data map's grounds, and those of legal holds."""
REFUSALS: Final = {
    "identity_not_proven": N_("We could not make sure that this data is yours."),
    "manifestly_unfounded": N_("The request plainly has no basis."),
    "excessive": N_("The request asks too much, for example because the same was asked again and again."),
    "rights_of_others": N_("What you ask for would harm the rights and freedoms of other people."),
    "freedom_of_expression": N_("The data is needed for freedom of expression and information."),
    "legal_obligation": N_("A law or a public task obliges us to keep the data."),
    "public_health": N_("The data is needed to protect public health."),
    "archiving_or_research": N_(
        "The data is needed for archives in the public interest, for research or for statistics, which its deletion "
        "would seriously harm."
    ),
    "legal_claims": N_("The data is needed to bring a legal claim, to pursue it or to defend against one."),
    "not_verifiable": N_("We could not verify that this data is yours."),
    "unfounded_or_excessive": N_(
        "The request plainly has no basis, or asks too much, for example because the same was asked again and again."
    ),
    "conflicts_with_law": N_("Another law, a court or an authority obliges us not to do what you ask."),
    "exempt_from_deletion": N_("The law exempts this data from deletion."),
    "twice_in_twelve_months": N_("We have answered two such requests of yours in the last twelve months."),
}
ACTS: Final = (N_("UK GDPR"), N_("GDPR"), N_("California Civil Code"))
PROVISIONS: Final = (N_("Articles"), N_("Article"))
KINDS: Final = {
    "unwanted_email": (
        N_("An e-mail I did not want"),
        N_("You got mail from us that you never asked for, or after you said no."),
    ),
    "wrong_data": (N_("Wrong data about me"), N_("Something we store or show about you is not true, or out of date.")),
    "suspected_breach": (
        N_("A suspected leak"),
        N_("You think that somebody may see or have data they should not. We look into it at once."),
    ),
    "under_18": (
        N_("Someone under 18 uses the service"),
        N_("Our service is for adults. Tell us the address of the account."),
    ),
    "other": (N_("Something else"), N_("Any other worry about privacy.")),
}
"""Kind of an issue -> what it is called, and what is meant."""
EVENTS: Final = (
    N_("We received your request"),
    N_("A legal hold ended; what it kept of your data after your earlier request is deleted now"),
    N_("You confirmed that it is you; work on your request began"),
    N_("Somebody reported that this account belongs to someone under 18"),
    N_("Our data protection officer looks at it; nothing is deleted before they have decided"),
    N_("You withdrew the request"),
    N_("Erasing began"),
    N_("Erasing went on"),
    N_("Work on your request goes on"),
    N_("Erasure is scheduled for %(when)s UTC"),
    N_("Your request is with our data protection officer"),
    N_("A part of your request needs a person's attention"),
    N_("Our data protection officer approved what is to be done"),
    N_("Our data protection officer decided to refuse your request"),
    N_("One of %(needed)s approvals of what is to be done was given"),
    N_("What could not be done is tried again"),
    N_("What could not be done is left out"),
    N_("A part that could not be done is left out"),
    N_("We need more time; you will have our answer by %(day)s at the latest"),
    N_("We need an answer from you; until then the time to answer you stands still"),
    N_("The time to answer you runs again; you will have our answer by %(day)s at the latest"),
    N_("A letter or a call of %(day)s asks for the same"),
    N_("The mail with your code could not be delivered"),
    N_("A mail to you could not be delivered"),
    N_("Your request was refused"),
    N_("Our data protection officer decided that nothing is deleted"),
    N_("Nothing is deleted: your account stays as it is"),
    N_("Your data is ready to download"),
    N_("The erasure is done; our mail says what was deleted and what was kept"),
    N_("The erasure is done, but for what a legal hold keeps for now; our mail says what"),
    N_("The download was deleted"),
    N_("It was not confirmed in time"),
    N_("Another open request of yours stands for this one"),
)
"""Every sentence that the use cases write into a request's ledger."""
REFUSED: Final = (
    N_("Write one address, such as name@example.com."),
    N_("Too long: at most %(local)s characters before the @ and %(all)s in all."),
    N_("Only unaccented letters, digits and common signs can stand before the @: mail cannot be sent to others."),
    N_("Before the @, use letters, digits, and single dots between them, without spaces or quotes."),
    N_("The part after the @ holds a character that cannot stand in a domain name."),
    N_("After the @, write a full domain name, such as example.com."),
    N_("Erasing has begun: the request can no longer be withdrawn."),
    N_("The receipt is being signed. Ask for it again in a minute."),
    N_("The download was deleted 7 days after it was ready. Make a new access request."),
    N_("Too many requests came from your network; try again later."),
    N_("Too many codes were asked for this address; try again later."),
    N_("Too many wrong codes. Ask for a new code."),
    N_("The code is wrong. Look at the newest mail, or ask for a new code."),
    N_("This code is no longer valid. Ask for a new code."),
    N_("You have no such request."),
    N_("The e-mail address cannot be used."),
    N_("Write 1 to %(most)s characters."),
    N_("Write the address of the account that belongs to someone under 18."),
    N_("The report cannot be used."),
    N_("The preferences cannot be saved."),
)
"""Every sentence of a refusal that can be met on the pages."""

OWN: Final = (
    N_("Please check what you entered."),
    N_("Tick the box to confirm that you want your data deleted."),
    N_("Type in the code from our mail."),
    N_("Choose what it is about."),
    N_("We are still working on what you sent. Wait a moment, then press the button again."),
    N_("Something went wrong on our side. Nothing you typed is lost: please try again in a moment."),
)
"""What rightful.service.visiting itself says when a form is shown again."""

Values = Mapping[str, str]
_VALUE: Final = re.compile(r"%\((\w+)\)s")


def again(voice: Voice, sentence: str, shown: Callable[[str, str], str] = lambda _, value: value) -> str:
    """A sentence of a use case, in this voice. `shown` gets each value with its name and says how it is written."""
    for pattern, known in _patterns():
        if match := pattern.fullmatch(sentence):
            values = {name: shown(name, value) for name, value in match.groupdict().items()}
            return voice.said(known) % values
    return sentence


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    found = []
    for known in (*EVENTS, *REFUSED, *OWN):
        parts = _VALUE.split(known)
        text = "".join(f"(?P<{part}>.{{1,60}}?)" if n % 2 else re.escape(part) for n, part in enumerate(parts))
        found.append((re.compile(text), known))
    return tuple(found)


def law(voice: Voice, provision: str) -> str:
    """A provision as rightful.refusals writes it, with the names that its parts and its act have in this language."""
    act = next((act for act in ACTS if act in provision), "")
    said = re.sub(r"\bArticles?\b", lambda match: voice.said(match[0]), provision)
    return said.replace(act, voice.said(act)) if act else said
