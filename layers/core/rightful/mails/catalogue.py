"""The sentences of one language, with its plurals and its dates."""

from __future__ import annotations

import tomllib
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any


class Catalogue:
    """A sentence is named by its section and key, `code.intro`; what stands in braces is filled in."""

    def __init__(self, language: str, entries: dict[str, Any]) -> None:
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
        """A provision as `rightful.refusals` writes it, with the name that its act has in this language."""
        for act, name in self._entries["acts"].items():
            if act in provision:
                return provision.replace(act, str(name))
        return provision

    def plural(self, name: str, number: int) -> str:
        """The sentence `<name>_one` or `<name>_many`."""
        return self.sentence(f"{name}_{'one' if number in self._entries['plural']['one'] else 'many'}")

    def date(self, text: str) -> str:
        """The day of an ISO 8601 moment, in words."""
        moment = datetime.fromisoformat(text)
        form = self._entries["date"]
        day = form["first"] if moment.day == 1 else str(moment.day)
        return str(form["pattern"]).format(day=day, month=form["months"][moment.month - 1], year=moment.year)


@cache
def load(language: str) -> Catalogue:
    source = files("rightful.mails").joinpath("catalogues", f"{language}.toml")
    return Catalogue(language, tomllib.loads(source.read_text("utf-8")))
