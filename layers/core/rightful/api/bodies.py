"""The bodies that the API accepts and the answers it gives. The one source of both validation and OpenAPI."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rightful.errors import Invalid, Refused
from rightful.lifecycle import Status
from rightful.model import IssueKind, Regime, RequestType

Id = Annotated[str, Field(description="Opaque and unguessable.", examples=["n3nVUmKbd7Qk2xYw9cGfPzRt5LhJ8aSe"])]
Time = Annotated[str, Field(description="RFC 3339, UTC.", examples=["2027-01-31T09:30:00Z"])]
Email = Annotated[str, Field(max_length=320, examples=["name@example.com"])]
Locale = Annotated[
    str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$", examples=["en", "fr-CA"], description="BCP 47.")
]


Body = TypeVar("Body", bound=BaseModel)


class _Body(BaseModel):
    """Nothing unknown, and no value taken for another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class VerificationStart(_Body):
    """Where a sign-in code shall be sent."""

    email: Email
    locale: Locale = "en"


class VerificationCheck(_Body):
    """The code as it was mailed; spaces and hyphens in it do not matter."""

    code: Annotated[str, Field(min_length=1, max_length=64, examples=["31415926"])]


class NewRequest(_Body):
    """A privacy request. Without a token it names an address, to which a code is sent."""

    type: RequestType
    email: Email | None = None
    regime: Annotated[Regime, Field(description="The law it is made under.")] | None = None
    locale: Locale = "en"
    details: Annotated[str, Field(max_length=4000, description="For the data protection officer.")] = ""


class NewPreferences(_Body):
    """What shall be changed. Topics that are not named stay as they are."""

    topics: Annotated[dict[str, bool], Field(examples=[{"newsletter": True}])]


class NewIssue(_Body):
    """A privacy issue. Attachments are not taken."""

    kind: IssueKind
    message: Annotated[str, Field(min_length=1, max_length=4000, description="For the data protection officer.")]
    email: Annotated[
        Email | None,
        Field(
            description="Where an answer reaches you: with a token it is yours, unless you give another. Of `under_18` "
            "it is the address of the account, and needed for that without a token."
        ),
    ] = None
    locale: Locale = "en"
    website: Annotated[str, Field(max_length=4000, description="Leave it empty: people do not see it.")] = ""


class Health(BaseModel):
    status: Literal["ok"]
    version: str


class VerificationStarted(BaseModel):
    """The same whether or not the address is known."""

    verification_id: Id
    expires_at: Time


class TokenIssued(BaseModel):
    token: str
    expires_at: Time


class RequestTaken(BaseModel):
    request_id: Id
    status: Status
    verification_id: Id | None = None
    due_at: Time


class IssueTaken(BaseModel):
    """The same whoever is named."""

    issue_id: Id


class RequestSummary(BaseModel):
    request_id: Id
    type: RequestType
    status: Status
    received_at: Time
    due_at: Time


class RequestList(BaseModel):
    requests: list[RequestSummary]


class Progress(BaseModel):
    total: int
    done: int


class Entry(BaseModel):
    at: Time
    what: str


class Refusal(BaseModel):
    ground: Annotated[str, Field(description="A key, such as `legal_claims`.")]
    law: Annotated[str, Field(description="The provision that allows it.")]
    reason: str
    complaint: Annotated[str, Field(description="The authority that takes a complaint.")]


class RequestView(RequestSummary):
    extended_until: Time | None = None
    paused_since: Time | None = None
    follows: Annotated[Id, Field(description="The erasure that left something for a legal hold.")] | None = None
    withdrawable: Annotated[bool, Field(description="Whether it may still be withdrawn.")]
    reported: Annotated[
        bool, Field(description="Whether nobody but a report that the person is under 18 asked for it.")
    ]
    stores: Progress
    events: list[Entry]
    refusal: Refusal | None = None
    result: Annotated[dict[str, Any], Field(description="What was done in each store.")] | None = None


class Download(BaseModel):
    url: str
    expires_at: Time


class PolicyVersion(BaseModel):
    """Of a policy that was published before versions were, only the address is known."""

    version: str | None
    effective_from: Annotated[
        date | None, Field(description="The day from whose beginning it applies.", examples=["2027-03-01"])
    ]
    url: str


class Policies(BaseModel):
    """What applies today at the controller's seat, and what was announced, the soonest first."""

    current: PolicyVersion
    upcoming: list[PolicyVersion]


class Signal(BaseModel):
    """Global Privacy Control."""

    signal: Annotated[bool, Field(description="Whether this call carries `Sec-GPC: 1`.")]
    sale_or_sharing: Annotated[bool, Field(description="False: this person opted out, now or before.")]


class Preferences(BaseModel):
    topics: Annotated[
        dict[str, bool],
        Field(description="What may be chosen; false until it is agreed to.", examples=[{"newsletter": False}]),
    ]
    mandatory: Annotated[list[str], Field(description="What comes with the service or by law.")]
    gpc: Signal
    texts: Annotated[dict[str, str], Field(description="What is agreed to, topic by topic, as `Accept-Language` asks.")]


class Key(BaseModel):
    """A public key that verifies receipts (RFC 7517)."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: str
    y: str
    use: Literal["sig"]
    alg: Literal["ES256"]
    kid: Annotated[str, Field(description="The key's thumbprint (RFC 7638).")]


class KeySet(BaseModel):
    """The key that signs now comes first; every other one that ever did stays."""

    keys: list[Key]


class FieldProblem(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = None
    max_age: Annotated[int, Field(description="401: the most seconds that the proof may be old.")] | None = None


def parse(model: type[Body], raw: bytes) -> Body:
    """The body, validated. Raises Refused (400) when it is not JSON, Invalid (422) naming each field and its cure;
    neither repeats a value."""
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
    if any(fault["type"] == "json_invalid" for fault in faults):
        raise Refused("The body is not JSON. Send a JSON object in UTF-8.")
    known = ", ".join(model.model_fields)
    raise Invalid("The body cannot be used.", errors=[(_field(fault["loc"]), _cure(fault, known)) for fault in faults])


def _field(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc)[:100] or "body"


def _cure(fault: Any, known: str) -> str:
    context = fault.get("ctx", {})
    match fault["type"]:
        case "extra_forbidden":
            return f"There is no such field; leave it out. Fields: {known}."
        case "missing":
            return "This field is needed."
        case "literal_error":
            return f"Must be {context['expected']}."
        case "string_too_long":
            return f"At most {context['max_length']} characters."
        case "string_too_short":
            return "Must not be empty."
        case "string_pattern_mismatch":
            return "Write a language tag, such as en or fr-CA."
        case "string_type" | "string_unicode":
            return "Must be text in quotes."
        case "bool_type":
            return "Must be true or false."
    return f"Must be a JSON object with the fields: {known}."
