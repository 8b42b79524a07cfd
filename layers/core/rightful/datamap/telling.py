"""Whether each recipient of a data map can be told of an erasure: by exactly one way, at an address that can be one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from rightful.datamap.problems import Finding, Loc
from rightful.errors import Invalid
from rightful.identities import checked_email
from rightful.model import DataMap, Recipient

WAYS = ("mail", "webhook", "not_told")
_HOST = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.ASCII)
_SECRET = re.compile(
    r"arn:(aws[a-z-]*|\$\{AWS::Partition\}):secretsmanager:([a-z]{2}(-[a-z]+)+-\d|\$\{AWS::Region\}):"
    r"(\d{12}|\$\{AWS::AccountId\}):secret:[\w/+=.@-]+-[A-Za-z0-9]{6}",
    re.ASCII,
)
"""Source: Secrets Manager user guide, "What's in a secret?": the ARN ends in a hyphen and six random characters."""


def ways(datamap: DataMap) -> Iterator[Finding]:
    """`title`, one way, and what that way needs."""
    for name, recipient in datamap.recipients.items():
        loc: Loc = ("recipients", name)
        if not recipient.title.strip():
            yield Finding((*loc, "title"), "`title` is empty", "Write what the person will read there.")
        said = [way for way in WAYS if getattr(recipient, way).strip()]
        if len(said) != 1:
            what = " and ".join(f"`{way}`" for way in said) if said else "neither `mail` nor `webhook` nor `not_told`"
            cure = "Write one of them: the address to mail, the https address to post to, or why it is not told."
            yield Finding(loc, f"recipient `{name}` has {what}", cure)
            continue
        yield from _known(loc, name, recipient)
        yield from _addressed(loc, recipient)


def _known(loc: Loc, name: str, recipient: Recipient) -> Iterator[Finding]:
    if recipient.not_told and recipient.knows:
        cure = "Remove `knows`, or tell it by `mail` or `webhook`."
        yield Finding((*loc, "knows"), "`knows` has no meaning for one that is not told", cure)
    if not recipient.not_told and not recipient.knows:
        cure = "Add `knows:` with the identities by which it can find the person, such as `knows: [email]`."
        yield Finding(loc, f"recipient `{name}` would be told of an erasure, but not whose", cure)


def _addressed(loc: Loc, recipient: Recipient) -> Iterator[Finding]:
    if recipient.mail and (cure := _cure(recipient.mail)):
        yield Finding((*loc, "mail"), "`mail` is not an e-mail address", cure)
    if recipient.webhook and (fault := _fault(recipient.webhook)):
        cure = "Write it as `https://api.example.com/privacy`."
        yield Finding((*loc, "webhook"), f"`webhook` {fault}", cure)
    if recipient.webhook and not recipient.secret:
        cure = "Add `secret:` with the ARN of the secret in Secrets Manager that both of you know."
        yield Finding(
            (*loc, "webhook"), "`webhook` without `secret`: nobody could tell that the message is yours", cure
        )
    if recipient.secret and not recipient.webhook:
        yield Finding((*loc, "secret"), "`secret` without `webhook`", "Add `webhook`, or remove `secret`.")
    if recipient.secret and not _SECRET.fullmatch(recipient.secret):
        cure = "Copy it whole from Secrets Manager: `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-a1B2c3`."
        yield Finding((*loc, "secret"), "`secret` is not the ARN of one secret", cure)


def _cure(address: str) -> str:
    """What to write instead, or an empty text for an address that can be mailed."""
    try:
        checked_email(address)
    except Invalid as error:
        return error.errors[0][1]
    return ""


def _fault(url: str) -> str:
    """Why nothing can be posted there, or an empty text. The address is not repeated: its query may be secret."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not an address"
    if parts.scheme != "https":
        return "is not an https address"
    if parts.username is not None or parts.password is not None:
        return "holds a user's name or password"
    if port == 0 or not _HOST.fullmatch(parts.hostname or ""):
        return "does not name a host of the public DNS"
    if parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        return "holds what cannot be posted to"
    return ""
