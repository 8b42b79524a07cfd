"""However a token of the company's sign-in is changed, it counts no more."""

from __future__ import annotations

import string
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rightful.oidc import Untrusted
from tests.unit.test_oidc import SIGNS, believed, put_together, refusal, token

GOOD = token()
LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
"""Of base64url, in their order."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def cut(text: str, at: int, length: int, put: str) -> str:
    return text[:at] + put + text[at + length :]


MUTATIONS: st.SearchStrategy[Callable[[str], str]] = st.builds(
    lambda at, length, put: lambda text: cut(text, at, length, put),
    st.integers(0, len(GOOD)),
    st.integers(0, 40),
    st.text(LETTERS + ".=+/ \u0000é", max_size=40),
)


@given(st.lists(MUTATIONS, min_size=1, max_size=4))
def test_however_a_token_is_changed_it_counts_no_more(mutations: list[Callable[[str], str]]) -> None:
    text = GOOD
    for mutate in mutations:
        text = mutate(text)
    if text != GOOD:
        refusal(text)


@given(st.integers(0, len(GOOD.replace(".", "")) * 6 - 1))
def test_no_bit_of_it_can_be_changed(bit: int) -> None:
    """Bits that mean nothing in base64 too."""
    at, inside = divmod(bit, 6)
    places = [place for place, letter in enumerate(GOOD) if letter != "."]
    changed = LETTERS[LETTERS.index(GOOD[places[at]]) ^ (1 << inside)]
    refusal(cut(GOOD, places[at], 1, changed))


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "jku", "zip", "enc"]), JSON), JSON)
def test_nothing_that_the_provider_did_not_sign_counts(header: dict[str, Any], claims: Any) -> None:
    header = {"alg": "ES256", "kid": "ES256", **header}
    refusal(put_together(header, claims))
    refusal(put_together(header, SIGNS.claims("ada@example.org", "acct-1")))


@given(st.dictionaries(st.sampled_from(sorted(SIGNS.claims("a", "b"))), JSON, min_size=1))
def test_odd_claims_never_break_it(claims: dict[str, Any]) -> None:
    """Signed by the provider all the same: it is believed or refused, and nothing else is raised."""
    text = SIGNS.signed({**SIGNS.claims("ada@example.org", "acct-1"), **claims})
    with suppress(Untrusted):
        believed(text)
