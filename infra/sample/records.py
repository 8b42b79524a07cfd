"""What SalesCookie stores about one person, and what must become of it.

The truth stands beside each record at the moment it is made, from what the record is made for; it is not computed
with the data map, so that an error there shows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from infra.sample.holding import After, Event, Holding, Row, Stored, Version
from infra.sample.people import Person

_NO_ACCOUNT = ("forms_only", "listed_only", "invoices_only")
_YEAR = 365
LANGUAGES = ("en", "fr", "de", "es", "fr-CA")
"""Of the accounts, in turn. Not thrown with the dice: the rest of the sample is as it was."""
_LARGE = 390_000
"""Characters; an item holds 400 KB with its names."""


class Maker:
    """Makes one person's holding. `rng` is this person's own, so that nobody's data depends on another's."""

    def __init__(self, person: Person, team: Sequence[Person], rng: random.Random, as_of: datetime, lock: bool) -> None:
        self._person, self._team, self._rng, self._as_of, self._lock = person, team, rng, as_of, lock
        self._holding = Holding(person)

    def make(self) -> Holding:
        trait = self._person.trait
        if trait == "invoices_only":
            self._invoices(self._customer_id(), 5)
        elif trait not in _NO_ACCOUNT and (trait != "ordinary" or self._rng.random() < 0.95):
            for suffix in ("", "-b") if trait == "two_accounts" else ("",):
                self._account(f"acct-{self._person.index}{suffix}")
        if trait != "listed_only":
            self._letters()
        return self._holding

    def _account(self, account_id: str) -> None:
        trait, rng = self._person.trait, self._rng
        self._holding.account_ids.append(account_id)
        self._account_row(account_id)
        customers = 0 if trait == "no_invoices" else 2 if trait == "many_subscriptions" else 1
        for number in range(max(customers, 1)):
            customer_id = self._customer_id()
            for plan in ("team", "api") if trait == "many_subscriptions" else ("team",):
                self._subscription(account_id, customer_id, f"sub-{number}-{plan}")
            if customers:
                self._invoices(customer_id, 6 if trait == "everything" else rng.randint(0, 4))
        self._tickets(account_id)
        self._contacts(account_id)
        self._files(account_id)
        self._events(account_id)

    def _account_row(self, account_id: str) -> None:
        person, rng = self._person, self._rng
        used, past = self._used(recent=0.8)
        active = not past and not person.trait.startswith("last_used")
        if person.trait == "last_used_a_year_ago":
            used, past = self._as_of.replace(year=self._as_of.year - 1), True
        if person.trait == "last_used_almost_a_year_ago":
            used, past = self._as_of.replace(year=self._as_of.year - 1) + timedelta(seconds=1), False
        if past and rng.random() < 0.3:
            active, past = True, False  # long unused, but still paid for: the service is delivered
        item: dict[str, Any] = {
            "account_id": account_id,
            "email": person.email,
            "email_lower": person.email_lower,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "phone": f"+33 6 {rng.randint(10, 99)} {rng.randint(10, 99)} 00 {rng.randint(10, 99)}",
            "address": {"street": f"{rng.randint(1, 99)} rue des Biscuits", "city": "Lyon", "lines": ["2e étage", ""]},
            "status": "active" if active else "closed",
            "settings": {
                "theme": "dark",
                "digest": rng.random() < 0.5,
                "columns": ["deal", "amount"],
                "language": LANGUAGES[person.index % len(LANGUAGES)],
            },
            "roles": {"owner", "admin"} if rng.random() < 0.5 else {"owner"},
            "password_hash": rng.randbytes(32),
            "created_at": _text(self._ago(11 * _YEAR + rng.randint(0, 300))),
            "last_used_at": _text(used),
        }
        if person.trait == "odd_values":
            item |= {"phone": None, "address": {}, "settings": {"-": "", "a.b": [[], {}], "n": Decimal("1E-100")}}
        self._add("accounts", item, past=past)

    def _customer_id(self) -> str:
        customer_id = f"cus_{self._person.index}_{self._rng.getrandbits(40):010x}"
        self._holding.customer_ids.append(customer_id)
        return customer_id

    def _subscription(self, account_id: str, customer_id: str, subscription_id: str) -> None:
        used, past = self._used(recent=0.8)
        item: dict[str, Any] = {
            "account_id": account_id,
            "subscription_id": subscription_id,
            "customer_id": customer_id,
            "plan": self._rng.choice(["starter", "team", "enterprise"]),
            "status": "ended" if past else "active",
            "price": Decimal(self._rng.randint(900, 99900)) / 100,
            "card_last4": f"{self._rng.randint(0, 9999):04}",
            "billing": [{"name": self._person.name, "lines": ["1 rue des Biscuits", "69001 Lyon"]}],
            "started_at": _text(self._ago(4 * _YEAR)),
            "last_used_at": _text(used),
        }
        self._add("subscriptions", item, past=past)

    def _invoices(self, customer_id: str, count: int) -> None:
        """Every third invoice is older than the seven years for which accounts are kept; none is near the day."""
        person = self._person
        for number in range(count):
            old = number % 3 == 2
            issued = self._ago(self._rng.randint(8 * _YEAR, 10 * _YEAR) if old else self._rng.randint(1, 6 * _YEAR))
            item: dict[str, Any] = {
                "customer_id": customer_id,
                "invoice_number": f"{issued.year}-{person.index:06}-{number}",
                "billing_name": person.name,
                "billing_email": person.email,
                "billing_email_lower": person.email_lower,
                "billing_address": {"street": "1 rue des Biscuits", "city": "Lyon", "country": "FR"},
                "currency": "EUR",
                "total": Decimal(self._rng.randint(100, 999900)) / 100,
                "lines": [{"what": "Team plan, one month", "quantity": 1}],
                "issued_at": _text(issued),
            }
            self._add("invoices", item, after="gone" if old else "kept", past=old)

    def _tickets(self, account_id: str) -> None:
        trait, rng = self._person.trait, self._rng
        count = 120 if trait == "many_tickets" else rng.choice([0, 1, 1, 2]) + (trait in ("everything", "huge_ticket"))
        for number in range(count):
            used, past = self._used(recent=0.6)
            still_open = rng.random() < 0.1
            other = self._team[(self._person.index + 1) % len(self._team)]
            item: dict[str, Any] = {
                "pk": f"ACCOUNT#{account_id}",
                "sk": f"TICKET#{number:05}",
                "subject": f"Question {number} of {self._person.first_name}",
                "messages": [
                    {"from": "person", "text": f"My colleague {other.email} (+33 6 12 34 56 78) cannot sign in."},
                    {"from": "agent", "text": "We have sent them a new link."},
                ],
                "status": "open" if still_open else "closed",
                "tags": {"sign-in", "sso"},
                "created_at": _text(used - timedelta(days=3)),
                "last_used_at": _text(used),
            }
            if number == 0:
                item["screenshot"] = rng.randbytes(64)
            if number == 0 and trait == "huge_ticket":
                item["messages"] = [{"from": "person", "text": "very long " * (_LARGE // 10)}]
            self._add("tickets", item, past=past and not still_open)

    def _contacts(self, account_id: str) -> None:
        """The next people of the team, and some whom nobody else knows."""
        person, rng = self._person, self._rng
        at = self._team.index(person)
        near = [self._team[(at + step) % len(self._team)] for step in (1, 2)][: rng.randint(0, 2)]
        if person.trait == "lists_self":
            near.append(person)
        if self._team[(at + 1) % len(self._team)].trait == "listed_only":
            near.append(self._team[(at + 1) % len(self._team)])
        listed = {other.email_lower: (other.email, other.name) for other in near}
        for number in range(rng.randint(0, 2)):
            stranger = f"friend.{number}.of.{person.index}@example.org"
            listed[stranger] = (stranger, f"Friend {number}")
        for email_lower, (email, name) in listed.items():
            used, past = self._used(recent=0.7)
            item: dict[str, Any] = {
                "account_id": account_id,
                "contact_email_lower": email_lower,
                "contact_email": email,
                "contact_name": name,
                "owner_note": f"Asked by {person.email} to be told",
                "notify_on": {"reward_ready"},
                "created_at": _text(used - timedelta(days=30)),
                "last_used_at": _text(used),
            }
            of = tuple(dict.fromkeys((person.email_lower, email_lower)))
            self._holding.rows.append(Row("shared_contacts", item, past=past, of=of))

    def _letters(self) -> None:
        """What a person sends us with nothing but an address."""
        person, rng, all_of_it = self._person, self._rng, self._person.trait in ("everything", "forms_only")
        for number in range(rng.choice([0, 0, 1, 2]) + all_of_it):
            sent, past = self._used(recent=0.6)
            item: dict[str, Any] = {
                "submission_id": f"form-{person.index}-{number}",
                "email": person.email,
                "email_lower": person.email_lower,
                "name": person.name,
                "company": "Biscuits & Fils",
                "phone": None,
                "message": f"Please call {person.name}. Or write to someone.else@example.org.",
                "ip_address": f"203.0.113.{rng.randint(1, 254)}",
                "submitted_at": _text(sent),
            }
            self._add("form_submissions", item, past=past)
        if rng.random() < 0.4 or all_of_it:
            self._survey()
        if rng.random() < 0.1 or all_of_it:
            self._application()

    def _survey(self) -> None:
        person, rng = self._person, self._rng
        sent, past = self._used(recent=0.6)
        item: dict[str, Any] = {
            "response_id": f"resp-{person.index}-{rng.getrandbits(32):08x}",
            "email": person.email,
            "email_lower": person.email_lower,
            "name": person.name,
            "phone": "+33 6 98 76 54 32",
            "device_id": f"device-{rng.getrandbits(48):012x}",
            "ip_address": f"198.51.100.{rng.randint(1, 254)}",
            "postcode": f"69{rng.randint(1, 999):03}",
            "country": "FR",
            "score": rng.randint(0, 10),
            "answers": [
                {"question": "How likely are you to recommend us?", "answer": rng.randint(0, 10)},
                {"question": "Why?", "answer": None, "comment": f"Ask {person.first_name} at {person.email}"},
            ],
            "topics": {"speed", "price"},
            "answered_at": _text(sent),
        }
        self._add("survey_responses", item, after="anonymised", past=past)

    def _application(self) -> None:
        person, rng = self._person, self._rng
        sent, past = self._used(recent=0.6)
        item: dict[str, Any] = {
            "application_id": f"job-{person.index}-{rng.getrandbits(32):08x}",
            "email": person.email,
            "email_lower": person.email_lower,
            "name": person.name,
            "position": "Baker of Cookies",
            "cover_letter": f"My name is {person.name}; {person.email} reaches me.",
            "skills": {"python", "patience"},
            "referees": [{"name": "Former Boss", "email": "boss@example.org", "phone": "+44 20 7946 0000"}],
            "status": "rejected" if past or rng.random() < 0.5 else "in_process",
            "applied_at": _text(sent),
        }
        self._add("job_applications", item, past=past)

    def _files(self, account_id: str) -> None:
        trait, prefix = self._person.trait, f"accounts/{account_id}/"
        add = self._holding.files.append
        if trait in ("everything", "odd_files") or self._rng.random() < 0.35:
            for number in range(self._rng.randint(1, 2)):
                body = f"deal,amount\nof {account_id},{number}\n".encode()
                add(Stored(f"{prefix}report-{number}.csv", (Version(body),)))
        if trait in ("everything", "odd_files"):
            body = b"a new version of what was there before"
            add(Stored(f"{prefix}history.txt", (Version(b"first"), Version(body), Version(None), Version(b"again"))))
            add(Stored(f"{prefix}hidden.txt", (Version(b"deleted, they thought"), Version(None))))
            add(Stored(f"{prefix}unfinished.bin", (), unfinished=2))
        if trait == "odd_files":
            for name in _ODD_NAMES:
                add(Stored(f"{prefix}{name}", (Version(f"content of {name!r}".encode()),)))
        if trait == "locked_file":
            after: After = "blocked" if self._lock else "gone"
            add(Stored(f"{prefix}locked.txt", (Version(b"under lock", locked=self._lock),), after=after))

    def _events(self, account_id: str) -> None:
        for number in range(self._rng.choice([0, 1, 2, 4]) + (self._person.trait == "everything")):
            past = self._rng.random() < 0.2
            at = self._ago(self._rng.randint(400, 410) if past else self._rng.randint(0, 20))
            line = {
                "event_id": f"evt-{account_id}-{number}",
                "account_id": account_id,
                "at": _text(at),
                "action": self._rng.choice(["sign_in", "open_report", "export"]),
                "path": "/reports",
                "ip_address": f"192.0.2.{self._rng.randint(1, 254)}",
                "user_agent": "Mozilla/5.0",
            }
            self._holding.events.append(Event(at.date().isoformat(), line, past))

    def _add(self, store: str, item: dict[str, Any], *, after: After = "gone", past: bool) -> None:
        self._holding.rows.append(Row(store, item, after, past, (self._person.email_lower,)))

    def _used(self, recent: float) -> tuple[datetime, bool]:
        """A last use, and whether it is more than a year ago; never within a month of that."""
        past = self._rng.random() >= recent
        return self._ago(self._rng.randint(400, 1000) if past else self._rng.randint(0, 330)), past

    def _ago(self, days: int) -> datetime:
        return self._as_of - timedelta(days=days, seconds=self._rng.randint(0, 86_399))


_ODD_NAMES = (
    "with space.txt",
    "../other/escape.txt",
    "ünïcode/ファイル 🍪.txt",
    "=cmd|calc.csv",
    "quote'\"<b>.txt",
    "double//slash.txt",
    "folder/",
    "percent%20plus+.txt",
    "CON.txt",
    "no-extension",
)


def nobodys() -> Iterator[Stored]:
    """Files that lie beside people's and belong to none of them."""
    for key in ("accounts/acct-0", "accounts/acct-0.txt", "accounts/", "public/logo.png"):
        yield Stored(key, (Version(f"not a person's: {key}".encode()),))


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
