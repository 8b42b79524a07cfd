"""The grounds of refusals: the table, and what the DPO may write for them."""

from __future__ import annotations

from contextlib import suppress
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.errors import Invalid
from rightful.model import Regime, RequestType
from rightful.refusals import GROUNDS, Ground, find, fitting

REGIMES: tuple[Regime, ...] = get_args(Regime)
KINDS: tuple[RequestType, ...] = get_args(RequestType)
ALWAYS = {"identity_not_proven", "manifestly_unfounded", "excessive"}
OF_ERASURE = {"freedom_of_expression", "legal_obligation", "public_health", "archiving_or_research", "legal_claims"}
ALWAYS_IN_CALIFORNIA = {"not_verifiable", "unfounded_or_excessive", "conflicts_with_law"}


@pytest.mark.parametrize(
    ("regime", "kind", "keys"),
    [
        ("gdpr", "access", ALWAYS | {"rights_of_others"}),
        ("gdpr", "erasure", ALWAYS | OF_ERASURE),
        ("uk_gdpr", "access", ALWAYS | {"rights_of_others"}),
        ("uk_gdpr", "erasure", ALWAYS | OF_ERASURE),
        ("ccpa", "access", ALWAYS_IN_CALIFORNIA | {"twice_in_twelve_months"}),
        ("ccpa", "erasure", ALWAYS_IN_CALIFORNIA | {"exempt_from_deletion"}),
    ],
)
def test_the_grounds_of_each_regime_and_type(regime: Regime, kind: RequestType, keys: set[str]) -> None:
    assert {ground.key for ground in fitting(kind, regime)} == keys
    assert len(fitting(kind, regime)) == len(keys)


@pytest.mark.parametrize(
    ("text", "kind", "regime", "key", "law"),
    [
        ("legal_claims", "erasure", "gdpr", "legal_claims", "Article 17(3)(e) GDPR"),
        (" Legal Claims ", "erasure", "uk_gdpr", "legal_claims", "Article 17(3)(e) UK GDPR"),
        ("LEGAL-CLAIMS", "erasure", "gdpr", "legal_claims", "Article 17(3)(e) GDPR"),
        ("17(3)(e)", "erasure", "gdpr", "legal_claims", "Article 17(3)(e) GDPR"),
        ("Art. 17(3)(e) GDPR", "erasure", "gdpr", "legal_claims", "Article 17(3)(e) GDPR"),
        ("article 17 (3) (E) of the UK GDPR", "erasure", "uk_gdpr", "legal_claims", "Article 17(3)(e) UK GDPR"),
        ("Art. 17 Abs. 3 lit. e DSGVO", "erasure", "gdpr", "legal_claims", "Article 17(3)(e) GDPR"),
        ("art. 17, §3, b) RGPD", "erasure", "gdpr", "legal_obligation", "Article 17(3)(b) GDPR"),
        ("12(6)", "erasure", "gdpr", "identity_not_proven", "Articles 11(2), 12(2), 12(6) GDPR"),
        ("Article 11(2)", "access", "gdpr", "identity_not_proven", "Articles 11(2), 12(2), 12(6) GDPR"),
        ("15(4)", "access", "gdpr", "rights_of_others", "Article 15(4) GDPR"),
        ("1798.105(d)", "erasure", "ccpa", "exempt_from_deletion", "California Civil Code § 1798.105(d)"),
        (
            "Cal. Civ. Code § 1798.105(d)(8)",
            "erasure",
            "ccpa",
            "exempt_from_deletion",
            "California Civil Code § 1798.105(d)",
        ),
        (
            "Section 1798.145(h)(3)",
            "access",
            "ccpa",
            "unfounded_or_excessive",
            "California Civil Code § 1798.145(h)(3)",
        ),
        ("1798.140(ak)", "access", "ccpa", "not_verifiable", "California Civil Code § 1798.140(ak)"),
        ("1798.145(a)(1)", "access", "ccpa", "conflicts_with_law", "California Civil Code § 1798.145(a)"),
    ],
)
def test_a_ground_is_found_as_people_write_it(text: str, kind: RequestType, regime: Regime, key: str, law: str) -> None:
    ground = find(text, kind, regime)
    assert (ground.key, ground.law, ground.regime) == (key, law, regime)


def cure(text: str, kind: RequestType, regime: Regime) -> str:
    with pytest.raises(Invalid) as refused:
        find(text, kind, regime)
    ((field, told),) = refused.value.errors
    assert field == "ground"
    assert told.startswith("Write one of: ")
    return told


@pytest.mark.parametrize(
    ("text", "kind", "regime", "keys"),
    [
        ("12(5)", "access", "gdpr", {"manifestly_unfounded", "excessive"}),
        ("Article 12(5)(b) GDPR", "erasure", "uk_gdpr", {"manifestly_unfounded", "excessive"}),
        ("17(3)", "erasure", "gdpr", OF_ERASURE),
        ("12", "erasure", "gdpr", ALWAYS),
        ("Article 15", "access", "gdpr", {"rights_of_others"}),  # the right itself: asked, not taken for an exception
        ("1798.145", "access", "ccpa", {"unfounded_or_excessive", "conflicts_with_law"}),
    ],
)
def test_where_a_provision_has_several_grounds_it_asks_which(
    text: str, kind: RequestType, regime: Regime, keys: set[str]
) -> None:
    told = cure(text, kind, regime)
    assert {ground.key for ground in GROUNDS if f" {ground.key} (" in told} == keys


@pytest.mark.parametrize(
    ("text", "kind", "regime"),
    [
        ("", "erasure", "gdpr"),
        ("  ", "erasure", "gdpr"),
        ("GDPR", "erasure", "gdpr"),
        ("()", "erasure", "gdpr"),
        ("because", "access", "gdpr"),
        ("17(3)(f)", "erasure", "gdpr"),
        ("17(3)(e)", "access", "gdpr"),
        ("legal_claims", "access", "gdpr"),
        ("twice_in_twelve_months", "access", "gdpr"),
        ("legal_claims", "erasure", "ccpa"),
        ("12(5) and 17(3)(e)", "erasure", "gdpr"),
        ("17(3)(e) and 12(5)", "erasure", "gdpr"),
        ("17(3)(e): a case is open", "erasure", "gdpr"),
        ("1798.105(d)", "access", "ccpa"),
    ],
)
def test_what_is_no_ground_here_is_answered_with_those_that_are(text: str, kind: RequestType, regime: Regime) -> None:
    told = cure(text, kind, regime)
    assert all(f"{ground.key} ({ground.law})" in told for ground in fitting(kind, regime))


def test_what_was_written_is_not_repeated() -> None:
    with pytest.raises(Invalid) as refused:
        find("ada@example.com is a nuisance", "access", "gdpr")
    assert "ada@" not in str(refused.value) + str(refused.value.errors)


@given(st.sampled_from(GROUNDS), st.data())
def test_each_is_found_by_its_key_and_its_law(ground: Ground, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(ground.kinds))
    assert find(ground.key.upper(), kind, ground.regime) == ground
    if ground.key not in ("manifestly_unfounded", "excessive", "identity_not_proven"):
        assert find(ground.law, kind, ground.regime) == ground


@given(st.text(), st.sampled_from(KINDS), st.sampled_from(REGIMES))
def test_whatever_is_written_it_is_a_ground_that_fits_or_refused(text: str, kind: RequestType, regime: Regime) -> None:
    with suppress(Invalid):
        assert find(text, kind, regime) in fitting(kind, regime)
