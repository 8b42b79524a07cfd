"""The actions of the desk: their names, what goes with each, and an example. Pure.

`infra/workflows/dpo_desk.asl.json` has one state for each, `events/dpo_<action>.json` one example, README the table;
tests hold them equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Kind = Literal["text", "yes or no", "a whole number", "a list of names"]

REQUEST: Final = "4pJx8Qy1mZr0vT6wLkB3sN5dGhC7fAeU"
ISSUE: Final = "Zq3vN8rT1xYc6BmK0sWfJ5hPdL9aGeUo"
HASH: Final = "9f2c4e0b7a31d5686cb4f0e19d3a7725b8e1c04f6d2a9b3350e7c8f14a6d9b02"


@dataclass(frozen=True, slots=True)
class Part:
    """One field of an input."""

    meaning: str
    """What to write there, as a sentence that can end an error."""
    example: Any
    required: bool = True
    kind: Kind = "text"
    in_example: bool = True
    """False for what goes with another form of the action."""
    shown: bool = False
    """Whether its value may stand in the execution's history beyond the input itself: ids, names and numbers."""


@dataclass(frozen=True, slots=True)
class Action:
    does: str
    parts: Mapping[str, Part] = field(default_factory=dict)
    personal: bool = False
    """Whether its input names a person."""

    def example(self, name: str) -> dict[str, Any]:
        """An input that would do."""
        return {"action": name} | {key: part.example for key, part in self.parts.items() if part.in_example}


def _request(**parts: Part) -> dict[str, Part]:
    return {"request_id": Part("Copy it from the mail, or find it with open.", REQUEST, shown=True), **parts}


def _reason(meaning: str, example: str) -> Part:
    return Part(meaning, example)


_ISSUE: Final = Part("Copy it from the mail, or find it with open.", ISSUE, shown=True)
_STORE_OF_MAP: Final = "Write the name of a store of the data map."
_UNTIL: Final = "Write a date such as 2027-12-31 (its end counts), or leave it out."

ACTIONS: Final[dict[str, Action]] = {
    "open": Action(
        "Lists the open requests, the most urgent first.",
        {
            "due_within_days": Part(
                "Write how many days ahead to look, or leave it out for all.",
                7,
                required=False,
                kind="a whole number",
                shown=True,
            )
        },
    ),
    "show": Action("Shows all that is known of a request, or of an issue, without personal data.", _request()),
    "approve": Action(
        "Approves the plan of a request; nothing else than that plan is carried out.",
        _request(
            plan_hash=Part("Copy it from the mail.", HASH, required=False, shown=True),
            code=Part(
                "Where two persons must approve: the code in the mail that went to you.",
                "Wm3kP0sX9vQ2bR7tYc1dZa",
                required=False,
                in_example=False,
            ),
        ),
    ),
    "reject": Action(
        "Refuses a request; the person is told why, and where to complain.",
        _request(
            ground=Part("Write one of the grounds that the law knows.", "manifestly_unfounded", shown=True),
            reason=_reason(
                "Say why; the person will read it.", "You asked for the same copy on each of the last ten days."
            ),
        ),
    ),
    "extend": Action(
        "Takes the one extension that the law allows; the person is told.",
        _request(
            reason=_reason(
                "Say why it takes longer; the person will read it.", "Your data is spread over many systems."
            )
        ),
    ),
    "pause": Action(
        "Stops the clock where the regime allows it; the person is told what is missing.",
        _request(
            reason=_reason(
                "Say what the person has to send you; they will read it.",
                "Two accounts have your address. Which is yours?",
            ),
            purpose=Part(
                "Write identification or clarification, whichever the law of the request allows.",
                "identification",
                required=False,
                shown=True,
            ),
        ),
    ),
    "resume": Action(
        "Lets the clock run on; the new date follows.",
        _request(reason=_reason("Say what ended the pause; it is kept in the ledger.", "The person answered.")),
    ),
    "retry": Action(
        "Tries again what failed, once its cause is removed.",
        _request(
            store=Part(
                "Leave it out: all that failed is tried again.",
                "accounts",
                required=False,
                in_example=False,
                shown=True,
            )
        ),
    ),
    "skip": Action(
        "Answers a request without a store that failed; the person is told.",
        _request(
            store=Part("Write the store that failed, as the mail names it.", "accounts", shown=True),
            reason=_reason("Say why it may be left out; the person will read it.", "The table was dropped last year."),
        ),
    ),
    "hold": Action(
        "Places a legal hold on a person, a store or a record: nothing of it is erased or swept.",
        {
            "email": Part("Write the person's address, or name a store instead.", "ada@example.com", required=False),
            "store": Part(
                f"{_STORE_OF_MAP} Leave it out for a person.", "invoices", required=False, in_example=False, shown=True
            ),
            "record": Part(
                "With a store: the key of one record, as a sweep's preview shows it.",
                "",
                required=False,
                in_example=False,
            ),
            "ground": Part(
                "Write the ground, such as legal_process. The person reads it if they ask for erasure.",
                "legal_process",
                shown=True,
            ),
            "reason": _reason("Say why, without naming anyone.", "Court order 12-345 of 3 March."),
            "until": Part(_UNTIL, "2027-12-31", required=False, shown=True),
        },
        personal=True,
    ),
    "release": Action(
        "Ends a legal hold; what it withheld is erased by itself.",
        {"hold_id": Part("Copy it from the answer to the hold, or from the report.", REQUEST, shown=True)},
    ),
    "submit": Action(
        "Takes in a request that came by letter or phone; the person confirms it by a code.",
        {
            "type": Part("Write access or erasure.", "access", shown=True),
            "email": Part("Write the person's address; a mail asks them to confirm.", "ada@example.com"),
            "received_at": Part("Write the day it reached you, such as 2027-01-29.", "2027-01-29", shown=True),
            "source": Part("Write letter or phone.", "letter", shown=True),
            "locale": Part(
                "Write the person's language, such as fr; English otherwise.", "en", required=False, shown=True
            ),
            "regime": Part(
                "Write gdpr, uk_gdpr or ccpa; the controller's own otherwise.", "gdpr", required=False, shown=True
            ),
        },
        personal=True,
    ),
    "find": Action(
        "Finds a person's requests.",
        {"email": Part("Write the person's address.", "ada@example.com")},
        personal=True,
    ),
    "disclose": Action(
        "Records a disclosure to law enforcement, and holds the person's data if asked to.",
        {
            "authority": Part("Write who asked.", "Landeskriminalamt Berlin"),
            "basis": Part("Write the law or the order they act on.", "Section 94 StPO, order 12 Gs 345/27"),
            "scope": Part(
                "Write what was given, no more than they need.", "Name and address of the account's owner; no tickets."
            ),
            "email": Part(
                "Write the address of the person it is about, if it is about one.", "ada@example.com", required=False
            ),
            "disclosed_at": Part(
                "Write the day, such as 2027-01-29; today otherwise.", "2027-01-29", required=False, shown=True
            ),
            "hold": Part(
                "Write true to place a legal hold on the person's data.",
                True,
                required=False,
                kind="yes or no",
                shown=True,
            ),
        },
        personal=True,
    ),
    "assess": Action(
        "Says whether a reported issue is a breach, and since when you are aware of it.",
        {
            "issue_id": _ISSUE,
            "breach": Part("Write true or false.", True, kind="yes or no", shown=True),
            "aware_at": Part(
                "Write the moment, such as 2027-01-29T14:30:00Z; now otherwise.",
                "2027-01-29T14:30:00Z",
                required=False,
                shown=True,
            ),
            "reason": _reason("Say why; it is kept with the issue.", "A backup was readable by all for two days."),
        },
    ),
    "close_issue": Action(
        "Ends a reported issue, its clock too.",
        {
            "issue_id": _ISSUE,
            "reason": _reason(
                "Say what was done; it is kept with the issue.", "We wrote to the reporter and mended the record."
            ),
        },
    ),
    "publish_policy": Action(
        "Publishes a version of the privacy policy; a material change at least 30 days ahead.",
        {
            "version": Part("Write the version's name.", "2027-03", shown=True),
            "url": Part(
                "Write where it can be read, beginning with https://.",
                "https://salescookie.com/privacy/2027-03",
                shown=True,
            ),
            "effective_from": Part("Write the day from which it holds, such as 2027-03-01.", "2027-03-01", shown=True),
            "material": Part("Write true or false.", True, kind="yes or no", shown=True),
        },
    ),
    "report": Action(
        "Writes the report of a period, and the records of processing.",
        {
            "from": Part("Write the first day, such as 2027-01-01.", "2027-01-01", required=False, shown=True),
            "to": Part("Write the last day, such as 2027-03-31.", "2027-03-31", required=False, shown=True),
        },
    ),
    "continue_sweep": Action(
        "Lets a braked sweep delete or anonymise what it counted.",
        {
            "run_id": Part("Copy it from the mail.", "daily-2027-01-31T030000Z", shown=True),
            "stores": Part(
                "Write a list of names, or leave it out for all that wait.",
                ["accounts"],
                required=False,
                kind="a list of names",
                shown=True,
            ),
            "reason": _reason("Say why; it is kept with the run.", "The first sweep of these accounts."),
        },
    ),
    "cancel_sweep": Action(
        "Leaves the braked stores as they are in this run.",
        {
            "run_id": Part("Copy it from the mail.", "daily-2027-01-31T030000Z", shown=True),
            "stores": Part(
                "Write a list of names, or leave it out for all that wait.",
                ["accounts"],
                required=False,
                kind="a list of names",
                shown=True,
            ),
            "reason": _reason("Say why; it is kept with the run.", "The dates of an import were wrong."),
        },
    ),
}

LONGEST_NAME: Final = 500
"""Characters of ids and names, as JSON; a key of a table holds 1,024 bytes."""
LONGEST_TEXT: Final = 20_000
TYPES: Final[dict[Kind, type]] = {"text": str, "yes or no": bool, "a whole number": int, "a list of names": list}


def mistakes(order: Any) -> dict[str, str]:
    """Field -> what to write there; empty when the input can be acted on. What only the use case can know (whether a
    request exists, whether a ground fits) is not looked at. No value is repeated: it may name a person."""
    if not isinstance(order, dict):
        return {"action": f"Write a JSON object with an action: {', '.join(ACTIONS)}."}
    action = order.get("action")
    if not isinstance(action, str) or action not in ACTIONS:
        return {"action": f"One of: {', '.join(ACTIONS)}."}
    parts, found = ACTIONS[action].parts, {}
    for name, part in parts.items():
        value = order.get(name)
        if value is None or (value == "" and part.kind == "text"):
            if part.required:
                found[name] = part.meaning
        elif not _is(part.kind, value):
            found[name] = f"It takes {part.kind}. {part.meaning}"
        elif not _is_text(value):
            found[name] = f"It is blank, or holds half a character. {part.meaning}"
        elif len(json.dumps(value)) > (LONGEST_NAME if part.shown else LONGEST_TEXT):
            found[name] = f"It is too long. {part.meaning}"
    for name in order.keys() - parts.keys() - {"action"}:
        found[_printable(name)] = f"There is no such field here; there are: {', '.join(parts)}."
    return found


def _is(kind: Kind, value: Any) -> bool:
    if kind == "a list of names":
        return isinstance(value, list) and bool(value) and all(isinstance(each, str) and each for each in value)
    return isinstance(value, TYPES[kind]) and (kind == "yes or no" or not isinstance(value, bool))


def _is_text(value: Any) -> bool:
    """Whether it can be read, and stored."""
    texts = value if isinstance(value, list) else [value]
    return all(
        not isinstance(each, str) or (bool(each.strip()) and not any("\ud800" <= sign <= "\udfff" for sign in each))
        for each in texts
    )


def _printable(name: str) -> str:
    """A field's name, unless somebody wrote a person where a name belongs."""
    return name if name.isidentifier() and len(name) <= 40 else "(a field that has no name of ours)"
