"""Finding e-mail addresses and phone numbers in text that people wrote.

Made to miss nothing rather than to be exact: what is found here and is not the person's own is masked in an export
(Article 15(4) GDPR), so a doubtful case counts as found. Dates, amounts, IP addresses and UUIDs are told apart from
phone numbers, because masking those would take from the person what is theirs. The time needed grows with the length
of the text, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff"
"""Characters that show nothing, often carried along when a number is copied out of an address book."""

_AT = re.compile(
    r"@|＠|﹫|%40(?![^\s@]{0,80}@)|&#0*64;|&#x0*40;|&commat;"
    r"|\s{0,3}[(\[{<]\s{0,3}(?:at|arobase|@)\s{0,3}[)\]}>]\s{0,3}"
    r"|\s{1,3}at\s{1,3}(?=[^\s@.]{1,63}\s{1,3}dot\s)",
    re.IGNORECASE,
)
_STOPS = r"\s@＠﹫<>()\[\],;:\"“”„«»\\\\"
_NOT_LOCAL = re.compile(f"[{_STOPS}]")
_DOMAIN = re.compile(
    rf"(?:[^{_STOPS}{{}}'‘’/?&=#!|*%`]+"
    r"(?:\s{0,3}[(\[{]\s{0,3}(?:dot|point)\s{0,3}[)\]}]\s{0,3}|\s{1,3}dot\s{1,3}(?=\w))?)+",
    re.IGNORECASE,
)
_LITERAL = re.compile(r"\[[0-9a-fA-F.:xXvIP]{3,60}\]")
_QUOTED = 66
"""Longest quoted local part, quotes included (RFC 5321 allows 64 octets)."""

_TOLD_APART = re.compile(
    r"""(?<![\w.+])(?:
      \d{4}-\d\d-\d\d(?:[T\ ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|\ ?[+-]\d\d:?\d\d)?)?      # ISO date and time
    | (?:0?[1-9]|[12]\d|3[01])([./-])(?:0?[1-9]|1[0-2])\1(?:19|20)\d\d                      # 31.12.2026
    | (?:0?[1-9]|1[0-2])([/-])(?:0?[1-9]|[12]\d|3[01])\2(?:19|20)\d\d                       # 12/31/2026
    | [0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}                                  # UUID
    | (?:\d{1,3}\.){3}\d{1,3}                                                               # IPv4
    | (?!0\d)\d+\.\d+                                                                       # 48.858370
    | [1-9]\d?(?:[\ .\u00a0\u202f]\d{3}){2}(?:,\d+)?                                        # 1 234 567,00
    )(?![\w-]|\.\d)""",
    re.VERBOSE,
)
_GAP = rf"[\s.()/\-\u2010-\u2015\u2212{INVISIBLE}]"
_NUMBER = re.compile(rf"(?<!\w)(?:[+＋]{_GAP}{{0,2}})?\(?\d(?:{_GAP}{{0,3}}\d){{6,}}(?!\w)")


@dataclass(frozen=True, slots=True)
class Contact:
    """Where one address or number stands in a text, and its canonical form."""

    kind: Literal["email", "phone"]
    start: int
    end: int
    value: str


def find(text: str) -> Iterator[Contact]:
    """Addresses and numbers in the order of the text, none overlapping another."""
    done = 0
    for address in _addresses(text):
        yield from _numbers(text, done, address.start)
        yield address
        done = address.end
    yield from _numbers(text, done, len(text))


class Own:
    """The person's own addresses and numbers, compared in their canonical form."""

    def __init__(self, values: Iterable[str]) -> None:
        """`values`: any identities; those that are neither an address nor written as a phone number match nothing. A
        short customer number is none: it might be the end of somebody else's."""
        self._emails = {_canonical_email(value) for value in values if "@" in value}
        numbers = {value.strip() for value in values}
        self._phones = {_canonical_phone(value) for value in numbers if _NUMBER.fullmatch(value) and _is_phone(value)}

    def has(self, contact: Contact) -> bool:
        if contact.kind == "email":
            return contact.value in self._emails or _unwrapped(contact.value) in self._emails
        national = contact.value.lstrip("0")
        return any(own == contact.value or _same_subscriber(own.lstrip("0"), national) for own in self._phones)


def _same_subscriber(one: str, other: str) -> bool:
    """Whether two numbers differ at most by the country code: +33 6 12 34 56 78 and 06 12 34 56 78."""
    return min(len(one), len(other)) >= 8 and (one.endswith(other) or other.endswith(one))


def _addresses(text: str) -> Iterator[Contact]:
    floor = 0  # nothing before it is looked at again
    for at in _AT.finditer(text):
        if at.start() < floor:
            continue
        start, spaced = _local(text, floor, at.start())
        end = _domain_end(text, at.end(), spaced)
        floor = at.end()
        if start is not None and end is not None:
            floor = end
            yield Contact("email", start, end, _canonical_email(text[start : at.start()] + "@" + text[at.end() : end]))


def _local(text: str, floor: int, end: int) -> tuple[int | None, bool]:
    """Where the part before the @ begins (None: nowhere), and whether a space parts it from the @."""
    spaced = False
    if end - 1 > floor and text[end - 1] in " \t\u00a0":
        end, spaced = end - 1, True
    if end > floor and text[end - 1] == '"':
        opening = text.rfind('"', max(floor, end - _QUOTED), end - 1)
        return (opening if opening >= 0 else None), spaced
    if end > floor and text[end - 1] == ")":  # john(a comment)@example.com
        opening = text.rfind("(", max(floor, end - _QUOTED), end - 1)
        end = opening if opening >= 0 else end
    start = end
    while start > floor and not _NOT_LOCAL.match(text, start - 1):
        start -= 1
    return (start if start < end else None), spaced


def _domain_end(text: str, start: int, spaced: bool) -> int | None:
    """Where the part after the @ ends; None when what follows is no domain."""
    if literal := _LITERAL.match(text, start):
        return literal.end()
    if text[start : start + 1] in (" ", "\t", "\u00a0"):
        start, spaced = start + 1, True
    match = _DOMAIN.match(text, start)
    if match is None:
        return None
    domain = match[0].rstrip(".-_~+$^…。！？、，；")
    if not any(map(str.isalpha, domain)) or (spaced and "." not in domain and "。" not in domain):
        return None
    return start + len(domain)


def _numbers(text: str, start: int, end: int) -> Iterator[Contact]:
    for apart, piece_start, piece_end in _pieces(_TOLD_APART, text, start, end):
        if apart:
            continue
        for run in _NUMBER.finditer(text, piece_start, piece_end):
            yield from _phones(run[0], run.start())


def _pieces(pattern: re.Pattern[str], text: str, start: int, end: int) -> Iterator[tuple[bool, int, int]]:
    """The text cut into what the pattern matches (True) and what lies between (False)."""
    for match in pattern.finditer(text, start, end):
        yield False, start, match.start()
        yield True, match.start(), match.end()
        start = match.end()
    yield False, start, end


def _phones(run: str, offset: int) -> Iterator[Contact]:
    """The numbers in one run of digits and gaps. Where several stand side by side, each is its own."""
    tokens = list(re.finditer(r"\S+", run))
    if len(_canonical_phone(run)) > 15 and all(len(_digits(token[0])) >= 7 for token in tokens):
        runs = [(token[0], token.start()) for token in tokens]
    else:
        runs = [(run, 0)]
    for number, at in runs:
        if _is_phone(number):
            yield Contact("phone", offset + at, offset + at + len(number), _canonical_phone(number))


def _is_phone(number: str) -> bool:
    digits = _digits(number)
    if len(digits) != len(number):  # written with gaps, brackets or a plus
        return len(digits) >= 7
    return len(digits) in (10, 11) or (digits.startswith("0") and 9 <= len(digits) <= 17)


def _digits(number: str) -> str:
    """The digits in any script, as ASCII."""
    return "".join(str(int(character)) for character in number if character.isdecimal())


def _canonical_phone(number: str) -> str:
    """The digits without the international prefix."""
    digits = _digits(number)
    return digits.removeprefix("00")


_PERCENT_AT = re.compile("%40|＠|﹫", re.IGNORECASE)
_UNSEEN = re.compile(f"[{INVISIBLE}]|^\\s+|\\s+$")
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_WRAPPING = re.compile(r"^.*[=?&|{}'*`/#!$^~%.]", re.DOTALL)


def _canonical_email(address: str) -> str:
    """ASCII case and unseen characters do not count; anything more might make two people one."""
    return _UNSEEN.sub("", _PERCENT_AT.sub("@", address)).translate(_ASCII_LOWER)


def _unwrapped(address: str) -> str:
    """`'anna@example.com` and `?to=anna@example.com` without what stands before the address."""
    local, _, domain = address.rpartition("@")
    return _WRAPPING.sub("", local) + "@" + domain
