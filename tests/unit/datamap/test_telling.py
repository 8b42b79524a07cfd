"""What the check of a data map says about recipients: who they are, and how they are told of an erasure."""

from __future__ import annotations

import pytest

from tests.unit.datamap.maps import GOOD, RECIPIENTS, SECRET, WITH_RECIPIENTS, line_of, outcome

NAMED = "[hosting, desk, billing]"
HOST = "api.billing.example:8443"
OF_NO_HOST = "does not name a host of the public DNS"


def test_a_map_with_every_way_of_telling_is_right() -> None:
    result = outcome(WITH_RECIPIENTS)
    assert result.problems == []
    assert result.datamap is not None
    assert result.datamap.stores["letters"].recipients == list(result.datamap.recipients)


# (text to replace, its replacement, text of the line complained of, part of what is said, part of the cure)
MISTAKES = [
    (NAMED, "[hosting, dsk, desk, billing]", "[hosting", "no recipient is called `dsk`", "`desk`?"),
    (NAMED, "[hosting, desk]", "  billing:", "no store has the recipient `billing`", "remove it"),
    ("  desk:\n", "  Desk:\n", "  Desk:", "`Desk` cannot be a name", "lower-case"),
    ("knows: [email]", "knows: [emial]", "emial", "no identity is called `emial`", "`email`?"),
    ("title: Our support desk", 'title: " "', 'title: " "', "`title` is empty", "read"),
    ("title: Our support desk\n    ", "", "  desk:", "`title` is missing", "Add `title"),
    ("mail: privacy", "post: privacy", "post:", "unknown key `post`", "Write one of: "),
    # exactly one way
    ("    mail: privacy@desk.example\n", "", "  desk:", "neither `mail` nor", "why it is not told"),
    ("mail: privacy@desk.example", 'mail: ""', "  desk:", "neither `mail` nor", "why it is not told"),
    ("    mail: privacy", "    not_told: no\n    mail: privacy", "  desk:", "`mail` and `not_told`", "one of them"),
    ("    secret:", "    mail: a@b.example\n    secret:", "  billing:", "`mail` and `webhook`", "one of them"),
    # what is sent
    ("    knows: [email]\n", "", "  desk:", "would be told of an erasure, but not whose", "`knows: [email]`"),
    ("    not_told: It", "    knows: [account_id]\n    not_told: It", "knows: [acc", "has no meaning", "`webhook`"),
    # addresses
    ("privacy@desk.example", "the desk", "mail: the desk", "`mail` is not an e-mail", "name@example.com"),
    ("privacy@desk.example", "a@b.example, c@d.example", "mail: a@b", "`mail` is not an e-mail", "one address"),
    ("https://api", "http://api", "webhook:", "is not an https address", "https://api.example.com"),
    ("https://api", "https://me:pass@api", "webhook:", "holds a user's name or password", "https://"),
    (HOST, "api.billing.example:84430", "webhook:", "is not an address", "https://"),
    (HOST, "api.billing.example:0", "webhook:", OF_NO_HOST, "https://"),
    (HOST, "localhost", "webhook:", OF_NO_HOST, "https://"),
    (HOST, "10.0.0.1", "webhook:", OF_NO_HOST, "https://"),
    (HOST, "[::1]", "webhook:", OF_NO_HOST, "https://"),
    (HOST, "169.254.169.254", "webhook:", OF_NO_HOST, "https://"),
    (HOST, "2130706433", "webhook:", OF_NO_HOST, "https://"),
    (HOST, "a.example.", "webhook:", OF_NO_HOST, "https://"),
    (HOST, "bücher.example", "webhook:", OF_NO_HOST, "https://"),
    ("?team=1", "#part", "webhook:", "holds what cannot be posted to", "https://"),
    ("?team=1", "/a b", "webhook:", "holds what cannot be posted to", "https://"),
    (f"    secret: {SECRET}\n", "", "webhook:", "nobody could tell", "Add `secret:`"),
    ("    mail: privacy", f"    secret: {SECRET}\n    mail: privacy", "secret: arn", "without `webhook`", "remove"),
    ("billing-a1B2c3", "billing", "secret: arn", "is not the ARN of one secret", "NAME-a1B2c3"),
    ("secret:rightful", "secret:*", "secret: arn", "is not the ARN of one secret", "Copy it whole"),
    (SECRET, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "secret: whsec", "is not the ARN of one secret", "Copy"),
]


@pytest.mark.parametrize(("old", "new", "line", "what", "cure"), MISTAKES)
def test_each_mistake_is_told_with_line_and_cure(old: str, new: str, line: str, what: str, cure: str) -> None:
    before, recipients, after = WITH_RECIPIENTS.partition(RECIPIENTS)
    assert (recipients + after).count(old) == 1
    text = before + (recipients + after).replace(old, new)
    result = outcome(text)
    assert result.datamap is None
    told = [problem for problem in result.problems if what in problem.what and cure in problem.cure]
    assert told, result.problems
    assert told[0].line == line_of(text, line)
    assert told[0].cure.endswith((".", "?"))
    assert not told[0].what.endswith(".")


def test_a_name_where_no_recipient_is_described_is_told_what_to_do() -> None:
    text = GOOD.replace(
        "    settings: {shelf: letters}\n", f"    settings: {{shelf: letters}}\n    recipients: {NAMED}\n"
    )
    problem, *_ = outcome(text).problems
    assert problem.line == line_of(text, "recipients: [")
    assert "Describe it under `recipients:`" in problem.cure


@pytest.mark.parametrize(
    "arn",
    [
        "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:billing-a1B2c3",
        "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:a/b+c=d.e@f_g-a1B2c3",
    ],
)
def test_a_secret_of_this_account_and_of_another_partition_can_be_named(arn: str) -> None:
    assert outcome(WITH_RECIPIENTS.replace(SECRET, arn)).problems == []


def test_an_address_is_never_repeated_as_its_query_may_be_secret() -> None:
    text = WITH_RECIPIENTS.replace("https://api", "http://api").replace("team=1", "token=s3cret")
    problems = outcome(text).problems
    assert problems
    assert [problem for problem in problems if "s3cret" in problem.text("map")] == []
