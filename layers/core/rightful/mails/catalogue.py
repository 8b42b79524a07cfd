"""The sentences of one language, with its plurals and its dates."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Final

from rightful import languages
from rightful.model import Language

_ARTICLES: Final = re.compile(r"Articles? (\d[\d(), a-z]*) (UK GDPR|GDPR)")
_ARTICLE: Final = re.compile(r"(\d+)(?:\((\d+)\))?(?:\(([a-z]+)\))?")
_SECTION: Final = re.compile(r"(California Civil Code) (?:§|section) (\S+)")


class Catalogue:
    """A sentence is named by its section and key, `code.intro`; what stands in braces is filled in."""

    def __init__(self, language: Language, entries: dict[str, Any]) -> None:
        self.language = language
        self._entries = entries

    def sentence(self, name: str) -> str:
        """KeyError when the language lacks it."""
        section, key = name.split(".")
        return str(self._entries[section][key])

    def words(self, section: str, key: str) -> str:
        """The words for a value, or the value itself when there are none (a ground the operator made up)."""
        return str(self._entries[section].get(key, key))

    def law(self, provision: str) -> str:
        """A provision as `rightful.refusals` and `rightful.recipients` write it, as this language cites it; anything
        else as it stands."""
        said = self._entries["law"]
        if match := _SECTION.fullmatch(provision):
            return str(said["section"]).format(act=self._entries["acts"][match[1]], number=match[2])
        match = _ARTICLES.fullmatch(provision)
        if match is None:
            return provision
        cited = []
        for number, paragraph, point in _ARTICLE.findall(match[1]):
            parts = [("article", number), ("paragraph", paragraph), ("point", point)]
            cited.append("".join(str(said[part]).format(n=n) for part, n in parts if n))
        close = said["close"] if "(" in match[1] else ""
        *most, last = cited
        listed = f"{', '.join(most)} {said['and']} {last}" if most else last
        return f"{listed}{close} {self._entries['acts'][match[2]]}"

    def plural(self, name: str, number: int) -> str:
        """The sentence `<name>_one` or `<name>_many`."""
        return self.sentence(f"{name}_{'one' if number in self._entries['plural']['one'] else 'many'}")

    def date(self, text: str) -> str:
        """The day of an ISO 8601 moment, in words."""
        return languages.day(text, self.language)


@cache
def load(language: Language) -> Catalogue:
    source = files("rightful.mails").joinpath("catalogues", f"{language}.toml")
    return Catalogue(language, tomllib.loads(source.read_text("utf-8")))
