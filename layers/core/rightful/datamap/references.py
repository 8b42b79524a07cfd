"""Whether what a data map names exists: identities, categories, fields."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rightful import paths
from rightful.datamap.categories import CATEGORIES
from rightful.datamap.problems import Finding, Loc, nearest
from rightful.errors import Invalid
from rightful.model import DataMap, Field, Store

NOT_NAMES = frozenset(
    (
        *("iss", "aud", "exp", "nbf", "iat", "auth_time", "nonce", "acr", "amr", "azp", "jti", "sid", "at_hash"),
        *("email_verified", "phone_number", "phone_number_verified", "name", "given_name", "family_name", "nickname"),
        *("middle_name", "preferred_username", "profile", "picture", "website", "gender", "birthdate", "zoneinfo"),
        *("locale", "address", "updated_at"),
    )
)
"""Claims of OpenID Connect Core 1.0 (sections 2 and 5.1) that are about the token, or that people choose themselves."""
PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
OF_AN_OBJECT = re.compile(r"object_age|tag:.+|key_date:.+")
"""Dates that stand beside an object, not in the record of it."""
OF_OBJECTS = ("s3_objects", "planned")
"""Connectors whose records can have a date that is not in the record."""


def names(datamap: DataMap) -> Iterator[Finding]:
    """Names go into S3 keys, policy names and state names, so they are plain; two words are taken."""
    for kind in ("identities", "stores", "recipients"):
        for name in getattr(datamap, kind):
            if not PLAIN_NAME.fullmatch(name):
                cure = "Use lower-case letters, digits and `_`, a letter first, at most 48 in all."
                yield Finding((kind, name), f"`{name}` cannot be a name", cure)
    for name in {"person", "other"} & datamap.identities.keys():
        cure = "Choose another: `about: person` and `about: other` have a meaning of their own."
        yield Finding(("identities", name), f"an identity cannot be called `{name}`", cure)


def identities(datamap: DataMap) -> Iterator[Finding]:
    """Categories are known; something can be proven."""
    for name, identity in datamap.identities.items():
        yield from _category(("identities", name, "category"), identity.category)
        if identity.proven_by == "code" and identity.form != "email":
            yield Finding(
                ("identities", name, "proven_by"),
                f"identity `{name}` is `proven_by: code`, but a code can only be sent to an e-mail address",
                "Add `form: email`, or let a store give this identity.",
            )
        if identity.most < 1:
            cure = "Write how many one person can have, such as `most: 20`, or leave it out."
            yield Finding(("identities", name, "most"), f"identity `{name}` may have no value at all", cure)
    if not any(identity.proven_by == "code" for identity in datamap.identities.values()):
        cure = "Add `proven_by: code` to the e-mail address, where every request begins."
        yield Finding(("identities",), "no identity can be proven by a person", cure)


def claims(datamap: DataMap) -> Iterator[Finding]:
    """What the company's sign-in says of a person proves an identity only where the person could not say it: an e-mail
    address that is confirmed (`email_verified` is about the claim `email` and no other), and names that the company
    gives. OpenID Connect Core 1.0, section 5.7."""
    seen: dict[str, str] = {}
    for name, identity in datamap.identities.items():
        claim, loc = identity.claim, ("identities", name, "claim")
        if not claim:
            continue
        if claim in seen:
            cure = f"`{seen[claim]}` has it already: remove one of the two."
            yield Finding(loc, f"the claim `{claim}` cannot give two identities", cure)
        seen.setdefault(claim, name)
        if (claim == "email") is not (identity.form == "email"):
            cure = "`claim: email` and `form: email` belong together: only that claim is confirmed by `email_verified`."
            yield Finding(loc, f"identity `{name}` cannot be proven by the claim `{claim}`", cure)
        elif claim in NOT_NAMES:
            cure = "Use one that your provider alone gives and never changes, such as `sub`."
            yield Finding(loc, f"the claim `{claim}` proves nobody's identity", cure)
    if seen and seen.get("email") != "email":
        cure = "Add `claim: email` to the identity `email`: by it a person is known, however they sign in."
        yield Finding(("identities",), "no sign-in could be accepted, as none gives the identity `email`", cure)


def locators(datamap: DataMap) -> Iterator[Finding]:
    """`by` and `gives` name identities, and no locator hands on an identity of someone else."""
    for name, store in datamap.stores.items():
        if store.covered and not store.locate:
            cure = "Add `locate:` with the identity and the key or index that finds a person's records."
            yield Finding(("stores", name), f"store `{name}` has no way to find a person's records", cure)
        for number, locator in enumerate(store.locate):
            loc = ("stores", name, "locate", number)
            if locator.by not in datamap.identities:
                cure = nearest(locator.by, datamap.identities)
                yield Finding((*loc, "by"), f"no identity is called `{locator.by}`", cure)
            for identity, path in locator.gives.items():
                here = (*loc, "gives", identity)
                if identity not in datamap.identities:
                    cure = nearest(identity, datamap.identities)
                    yield Finding(here, f"no identity is called `{identity}`", cure)
                yield from declared(here, path, store)
                about = [field.about for over, field in store.fields.items() if _below(path, over)]
                if others := [who for who in about if who not in ("person", locator.by)]:
                    yield Finding(
                        here,
                        f"the locator by `{locator.by}` gives `{path}`, which is about someone else "
                        f"(`about: {others[0]}`), so this person's request would walk into the other's records",
                        "Remove it from `gives:`.",
                    )


def fields(datamap: DataMap) -> Iterator[Finding]:
    """Each field has a path, a known category, and is about someone whom the map knows."""
    for name, store in datamap.stores.items():
        by = {locator.by for locator in store.locate}
        for path, field in store.fields.items():
            loc = ("stores", name, "fields", path)
            yield from _well_formed(loc, path)
            yield from _category((*loc, "category"), field.category)
            yield from _about((*loc, "about"), field, datamap, by if store.covered else set())
            if not field.export and not field.note.strip():
                cure = "Add `note:` with the reason, which the person reads in the export."
                yield Finding(loc, f"`{path}` is withheld without a reason", cure)


def recipients(datamap: DataMap) -> Iterator[Finding]:
    """Stores name recipients that are described, each of which some store names; what one knows is an identity."""
    for store_name, store in datamap.stores.items():
        for number, name in enumerate(store.recipients):
            if name not in datamap.recipients:
                cure = nearest(name, datamap.recipients)
                if not datamap.recipients:
                    cure = "Describe it under `recipients:`, beside `stores:`, with `title` and how it is told."
                loc: Loc = ("stores", store_name, "recipients", number)
                yield Finding(loc, f"no recipient is called `{name}`", cure)
    named = {name for store in datamap.stores.values() for name in store.recipients}
    for name, recipient in datamap.recipients.items():
        if name not in named:
            cure = "Name it under `recipients:` of the stores whose data it gets, or remove it."
            yield Finding(("recipients", name), f"no store has the recipient `{name}`", cure)
        for number, identity in enumerate(recipient.knows):
            if identity not in datamap.identities:
                cure = nearest(identity, datamap.identities)
                yield Finding(("recipients", name, "knows", number), f"no identity is called `{identity}`", cure)


def accounts(datamap: DataMap) -> Iterator[Finding]:
    """Who has an account stands in a store that can be gone through, at paths that it describes."""
    named, loc = datamap.accounts, ("accounts",)
    if not named.store:
        if named.email or named.locale:
            cure = "Name the store of the accounts, or remove `accounts:`."
            yield Finding(loc, "`accounts` names no store", cure)
        return
    store = datamap.stores.get(named.store)
    if store is None:
        yield Finding((*loc, "store"), f"no store is called `{named.store}`", nearest(named.store, datamap.stores))
    elif store.connector in OF_OBJECTS:
        cure = "Name a store whose records are accounts."
        yield Finding((*loc, "store"), f"nobody's address is read from `{named.store}` ({store.connector})", cure)
    else:
        if not named.email:
            cure = "Write the path of the address, such as `email: email`."
            yield Finding(loc, "`accounts` says not where the address stands", cure)
        for key in ("email", "locale"):
            if path := getattr(named, key):
                yield from declared((*loc, key), path, store)


def declared(loc: Loc, path: str, store: Store, *, date: bool = False) -> Iterator[Finding]:
    """The path is (below) a field of the store; a misspelt one would silently never match."""
    if date and store.connector in OF_OBJECTS and OF_AN_OBJECT.fullmatch(path):
        return
    if broken := list(_well_formed(loc, path)):
        yield from broken
    elif not any(_below(path, field) for field in store.fields):
        cure = nearest(path, store.fields) + " Every path that a rule uses is described under `fields:`."
        yield Finding(loc, f"`{path}` is not among the store's fields", cure)


def steps(path: str) -> tuple[str | None, ...]:
    """The parsed path; none for one that is not a path (which `fields` reports)."""
    try:
        return paths.parse(path)
    except Invalid:
        return ()


def _below(path: str, field: str) -> bool:
    over = steps(field)
    return bool(over) and steps(path)[: len(over)] == over


def _well_formed(loc: Loc, path: str) -> Iterator[Finding]:
    try:
        paths.parse(path)
    except Invalid:
        cure = "Write names with dots between, and `[]` for every element of a list: `contacts[].email`."
        yield Finding(loc, f"`{path}` is not a path", cure)


def _category(loc: Loc, category: str) -> Iterator[Finding]:
    if category not in CATEGORIES:
        yield Finding(loc, f"no data category is called `{category}`", nearest(category, CATEGORIES))


def _about(loc: Loc, field: Field, datamap: DataMap, by: set[str]) -> Iterator[Finding]:
    about = field.about
    if about in ("person", "other"):
        return
    if about not in datamap.identities:
        cure = nearest(about, {"person", "other", *datamap.identities})
        yield Finding(loc, f"`about: {about}` names nobody that the map knows", cure)
    elif by and about not in by:
        cure = f"Add a locator by `{about}`, or write `about: other`."
        yield Finding(loc, f"`about: {about}` never applies, as no locator of this store is by `{about}`", cure)
