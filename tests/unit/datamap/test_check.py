"""What the check of a data map says about each mistake: what, in which line, and how to mend it."""

from __future__ import annotations

import pytest

from rightful.datamap.check import check
from tests.unit.datamap.maps import GOOD, KINDS, edited, line_of, outcome

LETTERS_BY_EMAIL = "      - by: email\n        through: {label: email}\n    fields:\n      account:"
ANONYMISE = "      action: anonymise\n      fields: {email: {strategy: hmac}, text: {strategy: redact}}"
SEAT = "  complaint: The authority"
KEEP = "      {action: keep, ground: accounting, law: Some Act, period: P7Y, since: sent_at}"


def test_a_good_map_has_no_problems() -> None:
    result = outcome(GOOD)
    assert result.problems == []
    assert result.datamap is not None
    assert list(result.datamap.stores) == ["accounts", "letters"]


AUTO = "{approval: auto, grace"
ACCOUNT = "account_id: {category"
LETTERS = "title: Your letters"

# (text to replace, its replacement, text of the line complained of, part of what is said, part of the cure)
MISTAKES = [
    # keys and types
    ("title: Your account", "titel: Your account", "titel:", "unknown key `titel`", "Did you mean `title`?"),
    ("    purpose: To answer\n", "", "  letters:", "`purpose` is missing", "Add `purpose"),
    ("    erasure: {action: delete}\n", "", "  accounts:", "`erasure` is missing", "erasure: {action: delete}"),
    ("{action: delete}", "{action: delet}", "delet}", "`delet` is not a choice", "Did you mean `delete`?"),
    ("{action: delete}", "delete", "erasure: delete", "is text", "Write a mapping with `action`"),
    ("{approval: auto,", "{approval: [auto],", "approval", "not a choice", "Did you mean `auto`?"),
    ('version: "1"', "version: 1", "version", "is not text", 'Put it in quotes: "1".'),
    ("name: Shop", "name:", "name:", "is empty", "Write its text"),
    ("free_text: true", "free_text: yes", "free_text", "is text", "Write true or false."),
    ("equals: [on]", "equals: on", "equals", "is text", "Write a list."),
    ("strategy: hmac", "strategy: null", "strategy", "is empty", '"null"'),
    ("  erasure: {approval", "  erase: {approval", "  erase:", "`erase` is not a choice", "`erasure`?"),
    ("identities:\n", "identity:\n", "identity:", "unknown key `identity`", "Did you mean `identities`?"),
    # names
    ("  letters:\n", "  Letters!:\n", "  Letters!:", "cannot be a name", "lower-case"),
    # references
    ("by: account_id", "by: acount_id", "by: acount_id", "no identity is called `acount_id`", "`account_id`?"),
    ("gives: {account_id: id}", "gives: {acount: id}", "gives", "no identity is called `acount`", "`account_id`?"),
    ("gives: {account_id: id}", "gives: {account_id: ids}", "gives", "not among the store's fields", "`id`?"),
    ("gives: {account_id: id}", "gives: {account_id: a..b}", "gives", "is not a path", "dots"),
    ("about: account_id", "about: acount_id", "about", "names nobody", "`account_id`?"),
    (
        "id: {category: user.unique_id}\n      email",
        "id: {category: user.uniqe_id}\n      email",
        "uniqe",
        "no data",
        "`user",
    ),
    (
        "connector: cupboard\n    purpose: To sign",
        "connector: cubpoard\n    purpose: To sign",
        "cubpoard",
        "no conn",
        "`cup",
    ),
    ("form: email, ", "", "  email: {category", "only be sent to an e-mail address", "form: email"),
    (", proven_by: code", "", "identities:", "no identity can be proven", "proven_by: code"),
    ("account_id: {category", "account_id: {most: 0, category", "most: 0", "no value at all", "`most: 20`"),
    ("account_id: {cat", "account_id: {most: many, cat", "most: many", "is text", "Write a whole number."),
    # claims of the company's sign-in
    (ACCOUNT, "account_id: {claim: sub, category", "identities:", "no sign-in could be accepted", "`claim: email`"),
    (ACCOUNT, "account_id: {claim: email, category", "claim: email", "cannot be proven by", "`email_verified`"),
    ("form: email,", "form: email, claim: upn,", "claim: upn", "cannot be proven by the claim `upn`", "`form: email`"),
    (ACCOUNT, "account_id: {claim: nickname, category", "claim: nickname", "proves nobody", "`sub`"),
    (ACCOUNT, "account_id: {claim: auth_time, category", "claim: auth_time", "proves nobody", "`sub`"),
    # the graph
    ("        gives: {account_id: id}\n", "", "  account_id: {", "given by no store", "gives:"),
    # rules
    ("period: P1Y, since: sent_at", "period: 1Y, since: sent_at", "period: 1Y", "not an ISO 8601", "`P1Y`"),
    ("period: P1Y, since: sent_at", "period: P99999Y, since: sent_at", "P99999Y", "not an ISO 8601", "`P1Y`"),
    ("period: P1Y, since: sent_at", "period: P1Y, since: send_at", "send_at", "not among", "`sent_at`?"),
    ("period: P1Y, since: sent_at", "period: P1Y, since: object_age", "object_age", "not among", ""),
    ("attribute: status, ", "", "retention: {period: P1Y, since: used_at", "belong together", "values"),
    ("since: sent_at}", "since: sent_at, brake: 101}", "brake: 101", "is no share of a store", "100 never brakes"),
    ("since: sent_at}", "since: sent_at, brake: -1}", "brake: -1", "is no share of a store", "percent"),
    ("since: sent_at}", "since: sent_at, through: {lst: a}}", "lst", "unknown key `lst`", "Did you mean `list`?"),
    ("since: sent_at}", "since: sent_at, through: {list: none}}", "list: none", "`list` is no list", "Name a list."),
    ("ground: active_service", "ground: activ_service", "activ_service", "not a ground", "`active_service`?"),
    ("attribute: status, equals: [on]", "period: P2Y, since: used_at", "P2Y", "does not say when", "attribute"),
    (ANONYMISE, "      action: anonymise", "action: anonymise", "would change nothing", "`action: delete`"),
    (ANONYMISE, ANONYMISE.replace("anonymise", "delete"), "fields: {email", "no meaning", "anonymise"),
    (ANONYMISE, ANONYMISE.replace("email:", "mail:"), "{mail", "not among", "`email`?"),
    (ANONYMISE, ANONYMISE.replace("hmac}", "hmac, keep: 2}"), "keep: 2", "no meaning", "truncate"),
    (ANONYMISE, ANONYMISE.replace(", text: {strategy: redact}", ""), "anonymise", "`text` is free text", "strategy"),
    (ANONYMISE, ANONYMISE.replace("email: {strategy: hmac}, ", ""), "anonymise", "would stay readable", "redact"),
    (
        ANONYMISE,
        ANONYMISE.replace("text:", "account: {strategy: fake}, text:"),
        "fake",
        "`account` is a key",
        "Leave it.",
    ),
    (ANONYMISE, KEEP.replace("ground: accounting, ", ""), "keep", "`keep` without `ground`", "Add `ground:`"),
    (ANONYMISE, KEEP.replace("law: Some Act, ", ""), "keep", "`keep` without `law`", "Add `law:`"),
    (ANONYMISE, KEEP.replace("period: P7Y, ", ""), "keep", "`keep` without `period`", "Add `period:`"),
    (ANONYMISE, KEEP.replace(", since: sent_at", ""), "keep", "`keep` without `since`", "Add `since:`"),
    (ANONYMISE, KEEP.replace("accounting", "acounting"), "acounting", "not a ground", "`accounting`?"),
    (ANONYMISE, KEEP.replace("sent_at", "object_age"), "keep", "kept for ever", "`last_modified`"),
    (ANONYMISE, KEEP.replace("sent_at", "tag:invoiced"), "keep", "kept for ever", "`last_modified`"),
    (ANONYMISE, KEEP.replace("sent_at", '"key_date:{year}"'), "keep", "kept for ever", "`last_modified`"),
    (ANONYMISE, KEEP.replace("sent_at", "last_modified"), "keep", "not among", "`fields:`"),
    ("{action: delete}", "{action: delete, law: Act}", "law: Act", "no meaning where the action is `delete`", "Remove"),
    ("grace_period: P7D", "grace_period: week", "week", "not an ISO 8601", ""),
    ("  erasure: {approval", "  access: {approval", "access:", "nothing to take back", "Remove"),
    # what people read
    ("purpose: To answer", 'purpose: " "', 'purpose: " "', "`purpose` is empty", "read"),
    ("dpo@example.com", "the DPO", "the DPO", "not an e-mail address", "address"),
    ("https://example.com", "http://example.com", "http:", "not an https address", "https://"),
    ("complaint: The", 'holidays: ["1 May"]\n  complaint: The', "1 May", "not a date", "2027-01-01"),
    ("complaint: The", "time_zone: New York\n  complaint: The", "New York", "no time zone", "`America/New_York`"),
    ("complaint: The", "time_zone: Europe\n  complaint: The", "time_zone", "no time zone", "such as"),
    ("complaint: The", 'time_zone: ""\n  complaint: The', "time_zone", "no time zone", "such as"),
    # the seat
    ("complaint: The", "country: Germany\n  complaint: The", "Germany", "is no country", "`DE`?"),
    ("complaint: The", "country: UK\n  complaint: The", "UK", "is no country", "`GB`?"),
    ("complaint: The", "country: fr\n  complaint: The", "country", "is no country", "`FR`?"),
    ("complaint: The", "country: Itlay\n  complaint: The", "Itlay", "is no country", "`IT`?"),
    ("complaint: The", "country: Q\n  complaint: The", "country: Q", "is no country", "such as `FR`"),
    ("complaint: The", "subdivision: BY\n  complaint: The", "BY", "without `country`", "Add `country:`"),
    (SEAT, f"{SEAT}\n  country: DE\n  subdivision: XY", "XY", "no part of `DE`", "Write one of: Augsburg, BB"),
    (SEAT, f"{SEAT}\n  country: DE\n  subdivision: DE-BY", "DE-BY", "no part of `DE`", "`BY`?"),
    (SEAT, f"{SEAT}\n  country: DE\n  subdivision: Bayern", "Bayern", "no part of `DE`", "`BY`?"),
    (SEAT, f"{SEAT}\n  country: SG\n  subdivision: East", "East", "no part of `SG`", "Remove `subdivision`."),
    # who approves
    (AUTO, "{approvers: 3, grace", "approvers", "cannot be", "Write 1, or 2"),
    (AUTO, "{approvers: 2, grace", "approvers", "one person to give them", "Add `deputy:`"),
    ("complaint: The", "deputy: nobody\n  complaint: The", "deputy", "not an e-mail address", "second person"),
    ("complaint: The", "deputy: DPO@example.com\n  complaint: The", "deputy", "the same mailbox", "another person"),
    (AUTO, "{ask_when: {records: -1}, grace", "records", "no number of records", "0 or more"),
    (AUTO, "{ask_when: {stores: [leters]}, grace", "leters", "no store that requests reach", "`letters`?"),
    (AUTO, "{ask_when: {identities: {mail: 1}}, grace", "mail: 1", "`mail` is no identity", "`email`?"),
    (AUTO, "{ask_when: {identities: {email: 0}}, grace", "email: 0", "always exceeded", "such as 1"),
    (AUTO, "{ask_when: {privileged: true}, grace", "privileged", "no store says which", "`privileged:"),
    (AUTO, "{ask_when: {always: true}, grace", "always", "unknown key `always`", ""),
    (LETTERS, f"{LETTERS}\n    privileged: {{attribute: text}}", "privileged", "belong together", "values"),
    (LETTERS, f"{LETTERS}\n    privileged: {{attribute: txt, values: [x]}}", "txt", "not among", "`text`?"),
    # places
    (
        "settings: {shelf: letters}",
        "role_arn: arn:aws:iam::1:role/x\n    settings: {shelf: l}",
        "role_arn",
        "not the ARN",
        "1234",
    ),
    (
        "settings: {shelf: letters}",
        "external_id: x\n    settings: {shelf: l}",
        "external_id",
        "without `role_arn`",
        "Add",
    ),
    ("settings: {shelf: letters}", "region: Paris\n    settings: {shelf: l}", "region", "not a region", "eu-west-1"),
    # the connector's own
    ("{shelf: letters}", "{shelv: letters}", "shelv", "unknown key `shelv`", "Did you mean `shelf`?"),
    ("{shelf: letters}", '{shelf: ""}', 'shelf: ""', "`shelf` has no name", "Name the shelf."),
    ("{label: account}", "{}", "through: {}", "`label` is missing", "Add `label"),
]


@pytest.mark.parametrize(("old", "new", "line", "what", "cure"), MISTAKES)
def test_each_mistake_is_told_with_line_and_cure(old: str, new: str, line: str, what: str, cure: str) -> None:
    text = edited(old, new)
    result = outcome(text)
    assert result.datamap is None
    told = [problem for problem in result.problems if what in problem.what and cure in problem.cure]
    assert told, result.problems
    assert told[0].line == line_of(text, line)
    assert told[0].cure.endswith((".", "?"))
    assert not told[0].what.endswith(".")


def test_an_identity_may_not_take_a_word_of_the_map() -> None:
    text = edited("  account_id: {", "  other: {category: user.unique_id}\n  account_id: {")
    assert any("cannot be called `other`" in problem.what for problem in outcome(text).problems)


def test_a_locator_may_not_hand_on_someone_elses_identity() -> None:
    text = edited(
        LETTERS_BY_EMAIL, LETTERS_BY_EMAIL.replace("    fields", "        gives: {account_id: account}\n    fields")
    )
    (problem,) = outcome(text).problems
    assert "about someone else" in problem.what
    assert problem.line == line_of(text, "gives: {account_id: account}")


def test_about_an_identity_that_never_locates_is_told() -> None:
    text = edited(
        "id: {category: user.unique_id}\n      email", "id: {category: user.unique_id, about: account_id}\n      email"
    )
    assert any("never applies" in problem.what for problem in outcome(text).problems)


def test_an_unreachable_store_is_told_at_its_locators() -> None:
    text = edited("  account_id: {", "  ghost_id: {category: user.unique_id}\n  account_id: {")
    text = text.replace("by: account_id", "by: ghost_id").replace(LETTERS_BY_EMAIL, "    fields:\n      account:")
    text = text.replace(", about: account_id", "")
    whats = [problem.what for problem in outcome(text).problems]
    assert any("store `letters` cannot be reached" in what for what in whats)
    assert any("identity `ghost_id` is given by no store" in what for what in whats)


def test_a_cycle_of_stores_that_give_each_others_identities_reaches_nothing() -> None:
    text = edited(
        "      - by: email\n        through: {label: email}\n        gives",
        "      - by: account_id\n        through: {label: email}\n        gives",
    )
    text = text.replace(LETTERS_BY_EMAIL, "    fields:\n      account:")
    whats = [problem.what for problem in outcome(text).problems]
    assert any("store `accounts` cannot be reached" in what for what in whats)
    assert any("store `letters` cannot be reached" in what for what in whats)


def only_through_accounts(text: str) -> str:
    return text.replace(LETTERS_BY_EMAIL, "    fields:\n      account:")


def test_records_that_survive_an_erasure_must_stay_findable() -> None:
    (problem,) = outcome(only_through_accounts(GOOD)).problems
    assert "a later request could not find them" in problem.what
    assert "`email`" in problem.cure


def test_a_surviving_store_may_lead_to_another() -> None:
    keep = "{action: keep, ground: accounting, law: Some Act, period: P7Y, since: used_at}"
    assert outcome(only_through_accounts(edited("{action: delete}", keep))).problems == []


def test_an_anonymised_link_leads_nowhere() -> None:
    blot = "{action: anonymise, fields: {id: {strategy: hmac}, email: {strategy: hmac}}}"
    (problem,) = outcome(only_through_accounts(edited("{action: delete}", blot))).problems
    assert "store that leads to them" in problem.what


def test_a_store_that_only_a_planned_store_leads_to_is_an_orphan() -> None:
    planned = edited("connector: cupboard\n    purpose: To sign", "connector: planned\n    purpose: To sign")
    whats = [problem.what for problem in outcome(only_through_accounts(planned)).problems]
    assert any("reached only through a store that is `planned`" in what for what in whats)


def test_a_planned_store_needs_no_settings_and_no_locators() -> None:
    text = edited("connector: cupboard\n    purpose: To answer", "connector: planned\n    purpose: To answer")
    start, end = text.index("    settings: {shelf: letters}"), text.index("    fields:\n      account:")
    assert outcome(text[:start] + text[end:]).problems == []


def test_a_covered_store_without_locators_is_told() -> None:
    start = GOOD.index("    locate:\n      - by: account_id")
    result = outcome(GOOD[:start] + GOOD[GOOD.index("    fields:\n      account:") :])
    assert any("no way to find a person's records" in problem.what for problem in result.problems)


def test_what_is_kept_of_a_bucket_may_be_dated_by_its_objects() -> None:
    kept = edited(ANONYMISE, KEEP.replace("sent_at", "last_modified"))
    before, letters = kept.split("  letters:")
    assert outcome(f"{before}  letters:{letters.replace('cupboard', 'planned')}").problems == []


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Paris", "UTC", "Etc/UTC"])
def test_the_controllers_time_zone_is_one_that_exists(zone: str) -> None:
    result = outcome(edited("complaint: The", f"time_zone: {zone}\n  complaint: The"))
    assert result.datamap is not None
    assert result.datamap.controller.time_zone == zone


def test_all_mistakes_are_told_at_once_in_the_order_of_lines() -> None:
    text = GOOD.replace("by: account_id", "by: nobody").replace("period: P1Y, since: sent_at", "period: x, since: y")
    problems = outcome(text).problems
    assert len(problems) >= 3
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)


@pytest.mark.parametrize("pattern", ["events/", "events/%d", "%Y/%d", "%Y/%Q", "%m/%Y/%Y"])
def test_a_date_in_a_key_says_when(pattern: str) -> None:
    text = GOOD.replace("sent_at}", f'"key_date:{pattern}"}}').replace("connector: cupboard", "connector: planned")
    (problem,) = [each for each in outcome(text).problems if "key_date" in each.what]
    assert problem.line == line_of(text, "key_date")
    assert "names no date in a key" in problem.what
    assert "key_date:events/%Y/%m/%d" in problem.cure


def test_a_store_that_nothing_reaches_otherwise_takes_no_way_through() -> None:
    text = edited("since: sent_at}", "since: sent_at, through: {list: a}}")
    (problem,) = check(text, KINDS, {}).problems
    assert problem.line == line_of(text, "through: {list")
    assert "is not reached through anything" in problem.what
    assert problem.cure == "Remove `through`."


def test_what_a_sign_in_may_prove() -> None:
    claims = edited("form: email,", "form: email, claim: email,").replace(ACCOUNT, "account_id: {claim: sub, category")
    assert outcome(claims).problems == []
    line = "  account_id: {claim: sub, category: user.unique_id}\n"
    twice = claims.replace(line, line + line.replace("account_id", "customer_id"))
    assert "the claim `sub` cannot give two identities" in [problem.what for problem in outcome(twice).problems]


ACCOUNTS = "accounts: {store: accounts, email: email, locale: status}\n"


def test_who_has_an_account_stands_in_a_store_at_paths_that_it_describes() -> None:
    assert outcome(GOOD + ACCOUNTS).problems == []
    assert outcome(GOOD + "accounts: {}\n").problems == []


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("store: accounts, ", "", "`accounts` names no store"),
        ("store: accounts", "store: acounts", "no store is called `acounts`"),
        ("email: email, ", "", "`accounts` says not where the address stands"),
        ("email: email", "email: mail", "`mail` is not among the store's fields"),
        ("locale: status", "locale: settings.language", "`settings.language` is not among the store's fields"),
    ],
)
def test_what_is_wrong_about_the_accounts_is_told(old: str, new: str, what: str) -> None:
    (problem,) = outcome(GOOD + ACCOUNTS.replace(old, new)).problems
    assert problem.what == what


def test_files_are_no_accounts() -> None:
    planned = GOOD.replace("connector: cupboard", "connector: planned", 1) + ACCOUNTS
    assert any("nobody's address is read from `accounts`" in problem.what for problem in outcome(planned).problems)
