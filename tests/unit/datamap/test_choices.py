"""What the check of a data map says about topics, accounts and translations."""

from __future__ import annotations

import pytest

from tests.unit.datamap.maps import WITH_CHOICES, line_of, outcome


def test_a_map_with_topics_accounts_and_translations_is_right() -> None:
    result = outcome(WITH_CHOICES)
    assert result.problems == []
    assert result.datamap is not None
    assert result.datamap.said("Your letters", "fr") == "Vos lettres"
    assert result.datamap.said("Your letters", "de") == "Your letters"


# (text to replace, its replacement, text of the line complained of, part of what is said, part of the cure)
MISTAKES = [
    ("  news:\n", "  News-1:\n", "  News-1:", "`News-1` cannot be a name", "lower-case"),
    ("  news:\n", "  sale_or_sharing:\n", "  sale_or_sharing:", "no topic can be called", "another name"),
    ("title: Rewards", 'title: " "', 'title: " "', "`title` is empty", "read"),
    ("text: That a reward is ready.", 'text: ""', 'text: ""', "`text` is empty", "read"),
    ("kind: optional", "kind: maybe", "kind: maybe", "`kind`", "optional"),
    ("    kind: optional\n", "", "  news:", "`kind` is missing", "Add `kind"),
    ("    kind: mandatory\n", "    kind: optional\n", "contacts_in:", "nobody gets it who did not", "mandatory"),
    ("[letters]", "[lettres]", "contacts_in:", "no store is called `lettres`", "`letters`?"),
    ("by: email\n        through: {label: email}\n    fields:\n      account:",
     "by: account_id\n        through: {label: email}\n    fields:\n      account:",
     "contacts_in:", "`letters` has no way to find an e-mail address", "proven_by: code"),
    ("settings: {shelf: letters}", "settings: {shelf: letters}\n    requests: planned", "contacts_in:",
     "`letters` is not covered", "reach"),
    ("settings: {shelf: accounts}", "settings: {shelf: accounts}\n    requests: planned", "accounts: {",
     "`accounts` is not covered", "reach"),
    ("  fr:", "  French:", "  French:", "in the language `French`", "fr, de, es"),
    ("    Newsletter: L", "    Newsletters: L", "    Newsletters: L", "`Newsletters` is no text", "`Newsletter`?"),
    ("Lettre d'information", '" "', "    Newsletter:", "the translation of `Newsletter` is empty", "leave it out"),
    ("    Newsletter: L", '    "": L', '    "": L', "is no text of this map", "Write a text of this map"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "what", "cure"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_told_with_its_line_and_cure(old: str, new: str, line: str, what: str, cure: str) -> None:
    assert WITH_CHOICES.count(old) == 1, old
    text = WITH_CHOICES.replace(old, new)
    problems = outcome(text).problems
    assert [(line_of(text, line), True, True)] == [
        (problem.line, what in problem.what, cure in problem.cure) for problem in problems
    ], problems
