"""Replaces the values that identify a person, and leaves the rest of the record as useful as it was. Pure.

Every strategy but `null` keeps a value's type, so that sets stay of one kind and index keys stay valid. The same value
gives the same result everywhere, so that records that were joined by it still are (`redact` and `null` join nothing).
Running twice changes nothing more with `null`, `redact` and `truncate`; `hmac` and `fake` would give a new value, which
is why connectors mark a record they anonymised.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

from rightful import paths
from rightful.model import Strategy

Hmac = Callable[[str, str], str]
"""(purpose, value) -> keyed hash, as `Vault.digest`."""

PURPOSE: Final = "anonymise"
REDACTED: Final = "[redacted]"
KEEP: Final = 3
"""Leading characters of a text that stay when the map does not say: the ZIP3 of 45 CFR 164.514(b)(2)(i)(B)."""
DIGITS: Final = 38
"""The most that a number of DynamoDB has."""
_DATE: Final = re.compile(r"([0-9]{4}-(?:0[1-9]|1[0-2]))-[0-9]{2}(?:[T ][0-9:.,]+(Z|[+-][0-9:]+)?)?", re.ASCII)
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def anonymise(data: Mapping[str, Any], strategies: Mapping[str, Strategy], hmac: Hmac) -> dict[str, Any]:
    """The top-level attributes of `data` that change, with their new values; None for one that goes."""
    changed = dict(data)
    for path, strategy in strategies.items():
        changed = paths.replace(changed, path, partial(_replace, path, strategy, hmac))
    return {name: changed.get(name) for name, value in data.items() if name not in changed or changed[name] != value}


def stands(data: Mapping[str, Any], strategies: Mapping[str, Strategy]) -> bool:
    """Whether nothing is left to anonymise: the application may have written into the record since, and the map may
    name more fields by now. What `hmac` and `fake` leave looks like any other value, so it cannot be told."""
    told = {path: rule for path, rule in strategies.items() if rule.strategy in ("null", "redact", "truncate")}
    return not anonymise(data, told, lambda _, value: value)


def _replace(path: str, strategy: Strategy, hmac: Hmac, value: Any) -> Any:
    if strategy.strategy == "null":
        return paths.REMOVE if path.endswith("[]") else None
    return _each(value, partial(_change, strategy, hmac))


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """Applied to every element of a list or set. A map is emptied: its keys may say as much as its values, so a map
    to be kept in part has its parts named in the data map."""
    match value:
        case list():
            return [_each(element, change) for element in value]
        case set() | frozenset():
            return {change(element) for element in value}
        case Mapping():
            return {}
        case None | "" | b"":
            return value
        case _:
            return change(value)


def _change(strategy: Strategy, hmac: Hmac, value: Any) -> Any:
    if isinstance(value, bool):  # cannot be made vaguer, and the opposite would be a lie
        return None
    match strategy.strategy:
        case "redact":
            return _redact(value)
        case "truncate":
            return _truncate(value, strategy.keep)
        case "hmac":
            return _pseudonym(value, hmac)
        case _:
            return _fake(value, hmac(PURPOSE, _text(value)))


def _text(value: Any) -> str:
    match value:
        case bytes():
            return value.hex()
        case int() | Decimal():  # 7, 7.0 and 7E0 are one number
            return format(Decimal(value).normalize(), "f")
        case _:
            return str(value)


def _redact(value: Any) -> Any:
    match value:
        case int() | Decimal():
            return type(value)(0)
        case bytes():
            return REDACTED.encode()
        case date():
            return value.replace(year=1970, month=1, day=1)
        case _:
            return REDACTED


def _truncate(value: Any, keep: int | None) -> Any:
    match value:
        case str() if keep is None:
            return _vaguer(value)
        case str() | bytes():
            return value[: KEEP if keep is None else keep]
        case int() | Decimal():
            return _round_down(value, KEEP if keep is None else keep)
        case datetime():
            return value.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        case date():
            return value.replace(day=1)
        case _:
            return None


def _vaguer(text: str) -> str:
    """An address without its host (IPv4 /24, IPv6 /48), the first day of a date's month, the start of other text."""
    if dated := _DATE.fullmatch(text):
        month, zone = dated.groups()
        return f"{month}-01" if len(text) == len("2027-01-31") else f"{month}-01{text[10]}00:00:00{zone or ''}"
    if address := _address(text):
        bits = 24 if address.version == 4 else 48
        return str(ip_network(f"{address}/{bits}", strict=False).network_address)
    return text[:KEEP]


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _round_down(value: int | Decimal, keep: int) -> int | Decimal:
    """The leading digits, zeros after them; no fraction."""
    digits = str(abs(int(value)))
    kept = int(digits[:keep].ljust(len(digits), "0"))
    return type(value)(-kept if value < 0 else kept)


def _pseudonym(value: Any, hmac: Hmac) -> Any:
    digest = hmac(PURPOSE, _text(value))
    match value:
        case int() | Decimal():
            return type(value)(_number(digest, 15))
        case bytes():
            return digest.encode()
        case date():
            return _day(value, digest)
        case _:
            return digest


def _fake(value: Any, digest: str) -> Any:
    """A value that looks like the old one, made from its keyed hash, in ranges that belong to nobody."""
    match value:
        case int() | Decimal():
            return type(value)(_number(digest, min(len(str(abs(int(value)))), DIGITS)))
        case bytes():
            return _stream(digest, len(value))
        case date():
            return _day(value, digest)
        case str() if "@" in value:
            return f"person-{_shaped('a' * 12, digest)}@example.invalid"  # RFC 2606
        case str() if address := _address(value):
            host = _stream(digest, 1)[0]
            return f"192.0.2.{host}" if address.version == 4 else f"2001:db8::{host:x}"  # RFC 5737, RFC 3849
        case str() if _DATE.fullmatch(value):
            return _day(date(1970, 1, 1), digest).isoformat() + value[10:]
        case _:
            return _shaped(str(value), digest)


def _shaped(text: str, digest: str) -> str:
    """Letters for letters, digits for digits, the rest as it was."""
    out = []
    for character, byte in zip(text, _stream(digest, len(text)), strict=True):
        if character.isdigit():
            out.append(str(byte % 10))
        elif character.isalpha():
            letter = _LETTERS[byte % 26]
            out.append(letter.upper() if character.isupper() else letter)
        else:
            out.append(character)
    return "".join(out)


def _day(like: date, digest: str) -> date:
    """A day between 1950 and 1999, of the same type."""
    year, month, day = _stream(digest, 3)
    return like.replace(year=1950 + year % 50, month=month % 12 + 1, day=day % 28 + 1)


def _number(digest: str, digits: int) -> int:
    """Of that many digits, the first not zero."""
    first, *rest = _stream(digest, digits)
    return int("".join([str(first % 9 + 1), *(str(byte % 10) for byte in rest)]))


def _stream(digest: str, size: int) -> bytes:
    """As many bytes as are asked for, all drawn from the keyed hash."""
    return hashlib.shake_256(digest.encode()).digest(size)
