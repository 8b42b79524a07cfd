"""index.html: the whole package at a glance, for someone who only ever double-clicks it.

It runs no script and loads nothing: its Content-Security-Policy allows the hash of its one style sheet and no more, and
whatever people or operators wrote is escaped. It is rendered in one go from surveys, which are small.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rightful import languages
from rightful.archive import names
from rightful.archive.survey import Survey
from rightful.model import Language

if TYPE_CHECKING:
    from jinja2 import Template

COLUMNS, CELL = 7, 80
"""A sample with at most so many columns, of texts of at most so many characters, is a table; else it is a list."""
_HERE = Path(__file__).parent
_MASK = re.compile(r"\[(someone else's|withheld)\b[^\[\]]*\]")


def page(
    locale: str,
    information: Mapping[str, Any],
    surveys: Mapping[str, Survey],
    *,
    left_out: Mapping[str, str],
    received_at: str,
    made_at: str,
    reference: str,
) -> Iterator[bytes]:
    """The page as chunks of UTF-8, in the language of `locale` or in English.

    `information`: see `article15`. `surveys`: every covered store. `left_out`: store -> why it could not be read,
    or not all of it. Times are RFC 3339."""
    language = languages.language_of(locale)
    words = _words(language)
    about = information["stores"]
    stores = [{"id": name, "survey": found, **_view(name, found), **about[name]} for name, found in surveys.items()]
    text = _template().generate(
        language=language,
        w=words,
        css=_css(),
        css_hash=base64.b64encode(hashlib.sha256(_css().encode()).digest()).decode(),
        controller=information["controller"],
        found=[store for store in stores if store["survey"].count],
        empty=[store for store in stores if not store["survey"].count and store["id"] not in left_out],
        incomplete=[
            {"title": about[name]["title"], "reason": left_out.get(name), "files": surveys[name].unreadable()}
            for name in surveys
            if name in left_out or surveys[name].unreadable()
        ],
        uncovered=[store["title"] for store in about.values() if not store["covered"]],
        about=about,
        rights=words["rights"]["ccpa" if information["controller"]["regime"] == "ccpa" else "gdpr"],
        day=lambda stamp: languages.day(stamp, language),
        period=lambda text: _period(text, words),
        since=lambda text: _since(text, words),
        size=lambda count: _size(count, words),
        number=lambda count: f"{count:,}".replace(",", words["thousands"]),
        category=lambda text: " · ".join(text.removeprefix("user.").replace("_", " ").split(".")),
        peek=_peek,
        is_mask=lambda value: bool(_MASK.fullmatch(value)),
        received_at=received_at,
        made_at=made_at,
        reference=reference,
        names=names,
    )
    return (chunk.encode("utf-8", "replace") for chunk in text)


def _view(name: str, found: Survey) -> dict[str, Any]:
    """How a store's sample is laid out."""
    columns = list(dict.fromkeys(column for record in found.sample for column in record))
    flat = len(columns) <= COLUMNS and all(_is_short(value) for record in found.sample for value in record.values())
    return {
        "columns": columns if flat else None,
        "json": names.json_name(name),
        "csv": names.csv_name(name),
    }


def _peek(record: Mapping[str, Any]) -> list[str]:
    """A few first words of a record, by which to tell it from its neighbours."""
    texts = [value for value in record.values() if isinstance(value, str) and value]
    return [f"{text[:40]}…" if len(text) > 40 else text for text in texts[:3]]


def _is_short(value: Any) -> bool:
    return value is None or isinstance(value, bool) or (isinstance(value, str) and len(value) <= CELL)


@cache
def _words(language: Language) -> dict[str, Any]:
    words: dict[str, Any] = json.loads((_HERE / "words" / f"{language}.json").read_text(encoding="utf-8"))
    return words


@cache
def _css() -> str:
    return (_HERE / "viewer.css").read_text(encoding="utf-8")


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("viewer.html")


_PERIOD = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")


def _period(text: str, words: Mapping[str, Any]) -> str:
    """`P1Y6M` -> `1 year and 6 months`."""
    match = _PERIOD.fullmatch(text)
    counts = [int(count or 0) for count in match.groups()] if match else []
    named = zip(counts, words["units"], strict=False)
    units = [f"{count} {one if count == 1 else many}" for count, (one, many) in named if count]
    return f" {words['and']} ".join(units) or text


def _since(text: str, words: Mapping[str, Any]) -> str:
    """The date a period counts from, as words: `last_used_at` -> `last used at`."""
    kind = text.partition(":")[0]
    return str(words["since"].get(kind) or words["since"]["path"].format(path=text.replace("_", " ")))


def _size(count: int, words: Mapping[str, Any]) -> str:
    size, unit = float(count), 0
    while size >= 1000 and unit < len(words["bytes"]) - 1:
        size, unit = size / 1000, unit + 1
    text = f"{size:.1f}" if unit and size < 100 else f"{size:.0f}"
    return f"{text.removesuffix('.0').replace('.', words['point'])}\u00a0{words['bytes'][unit]}"
