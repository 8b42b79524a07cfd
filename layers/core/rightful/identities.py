"""How two written values are recognised as one identity, and what counts as an e-mail address. Pure.

A code that proves an address goes to its normal form, and records are looked up by that same form. So the normal form
must never join two mailboxes into one: letters are lowered in ASCII only. Unicode case folding would turn the Kelvin
sign into `k` and let the owner of one mailbox act for the owner of another (the way of CVE-2019-19844).

Sources: RFC 5321 section 4.5.3.1 (lengths), RFC 5322 section 3.2.3 (dot-atom), RFC 5891 section 5 (domain labels).
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable
from typing import Final

from rightful.errors import Invalid
from rightful.model import Identity

EMAIL: Final = Identity(category="user.contact.email", form="email", proven_by="code")
MAX_EMAIL: Final = 254
MAX_LOCAL: Final = 64

_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_SPACE: Final = string.whitespace
_ATOM: Final = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def normalise(identity: Identity, value: str) -> str:
    """The one spelling by which this identity is compared. Never fails, whatever a store holds; idempotent."""
    if identity.form == "exact":
        return value
    local, at, domain = _composed(value.strip(_SPACE)).rpartition("@")
    return _composed(local.translate(_LOWER)) + at + ".".join(_label(label) for label in domain.split("."))


def variants(identity: Identity, value: str) -> list[str]:
    """The spellings to look for in stores that compare byte by byte: the normal one, then `value` as it was typed if
    it differs. Both are the same mailbox: one is the normal form of the other."""
    typed = value if identity.form == "exact" else value.strip(_SPACE)
    return list(dict.fromkeys((normalise(identity, typed), typed)))


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """(identity name, value) pairs as identity name -> values."""
    found: dict[str, set[str]] = {}
    for name, value in pairs:
        found.setdefault(name, set()).add(value)
    return found


def checked_email(value: str, field: str = "email") -> str:
    """The normal form of an address that can be mailed. Raises Invalid: `field` and the cure, not the value."""
    address = normalise(EMAIL, value)
    fault = _fault(value.strip(_SPACE), address)
    if fault:
        raise Invalid("The e-mail address cannot be used.", errors=[(field, fault)])
    return address


def _fault(typed: str, address: str) -> str:
    """What is wrong with the address, or an empty string."""
    local, at, domain = address.rpartition("@")
    labels = domain.split(".")
    if not at or not local or not domain or "@" in local:
        return "Write one address, such as name@example.com."
    if len(address) > MAX_EMAIL or len(local) > MAX_LOCAL:
        return f"Too long: at most {MAX_LOCAL} characters before the @ and {MAX_EMAIL} in all."
    if not local.isascii():
        return "Only unaccented letters, digits and common signs can stand before the @: mail cannot be sent to others."
    if not _ATOM.fullmatch(local):
        return "Before the @, use letters, digits, and single dots between them, without spaces or quotes."
    if not _is_plain(typed.rpartition("@")[2]):
        return "The part after the @ holds a character that cannot stand in a domain name."
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        return "After the @, write a full domain name, such as example.com."
    return ""


def _is_plain(domain: str) -> bool:
    """No look-alikes (a character that is another one in disguise), joiners, controls or symbols."""
    return all(
        character in ".-"
        or (unicodedata.category(character)[0] in "LMN" and unicodedata.normalize("NFKC", character) == character)
        for character in _composed(domain)
    )


def _composed(value: str) -> str:
    """NFC, but a character that NFC would turn into an ASCII one (the Kelvin sign) stays what it is."""
    kept = re.split(r"([\u037e\u1fef\u212a])", value)
    return "".join(part if n % 2 else unicodedata.normalize("NFC", part) for n, part in enumerate(kept))


def _label(label: str) -> str:
    """A domain label as DNS has it: lower case, and in Punycode where it is not ASCII. No other mapping is done."""
    if label.isascii():
        return label.translate(_LOWER)
    lowered = _composed("".join(_lower(character) for character in label))
    try:
        return "xn--" + lowered.encode("punycode").decode("ascii")
    except UnicodeError:
        return lowered


def _lower(character: str) -> str:
    lower = character.lower()
    return lower if character.isascii() or (len(lower) == 1 and not lower.isascii()) else character
