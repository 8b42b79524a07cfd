"""The grounds on which a request may be refused, whole. Pure.

Sources: GDPR and UK GDPR, Articles 11(2), 12, 15(4) and 17(3); California Civil Code sections 1798.105(d), 1798.130(b),
1798.140(ak) and 1798.145; 11 CCR sections 7022(a) and 7024(a). Who refuses must be able to demonstrate the ground, and
tells the person why, and where to complain (Article 12(4) and (5); section 1798.145(h)).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, get_args

from rightful.errors import Invalid
from rightful.model import Regime, RequestType


@dataclass(frozen=True, slots=True)
class Ground:
    """One ground under one regime."""

    key: str
    """What the DPO writes, and under which `refusals` of the mails' catalogues has words for the person."""
    law: str
    """The provision, with its act, as the person reads it."""
    kinds: tuple[RequestType, ...]
    """The types of request that may be refused on it."""
    regime: Regime


_ANY: Final[tuple[RequestType, ...]] = get_args(RequestType)
_EUROPE: Final[tuple[tuple[str, str, tuple[RequestType, ...]], ...]] = (
    ("identity_not_proven", "Articles 11(2), 12(2), 12(6)", _ANY),
    ("manifestly_unfounded", "Article 12(5)", _ANY),
    ("excessive", "Article 12(5)", _ANY),
    ("rights_of_others", "Article 15(4)", ("access",)),
    ("freedom_of_expression", "Article 17(3)(a)", ("erasure",)),
    ("legal_obligation", "Article 17(3)(b)", ("erasure",)),
    ("public_health", "Article 17(3)(c)", ("erasure",)),
    ("archiving_or_research", "Article 17(3)(d)", ("erasure",)),
    ("legal_claims", "Article 17(3)(e)", ("erasure",)),
)
_CALIFORNIA: Final[tuple[tuple[str, str, tuple[RequestType, ...]], ...]] = (
    ("not_verifiable", "1798.140(ak)", _ANY),
    ("unfounded_or_excessive", "1798.145(h)(3)", _ANY),
    ("conflicts_with_law", "1798.145(a)", _ANY),
    ("exempt_from_deletion", "1798.105(d)", ("erasure",)),
    ("twice_in_twelve_months", "1798.130(b)", ("access",)),
)
GROUNDS: Final = (
    *(Ground(key, f"{law} GDPR", kinds, "gdpr") for key, law, kinds in _EUROPE),
    *(Ground(key, f"{law} UK GDPR", kinds, "uk_gdpr") for key, law, kinds in _EUROPE),
    *(Ground(key, f"California Civil Code § {law}", kinds, "ccpa") for key, law, kinds in _CALIFORNIA),
)

_Provision = tuple[str, ...]
"""`17(3)(e)` as ("17", "3", "e")."""
_FILLING: Final = re.compile(
    r"\b(?:articles?|arts?|sections?|secs?|paragraphs?|paras?|points?|abs|lit|of|the|uk|gdpr|rgpd|dsgvo|cal(?:ifornia)?"
    r"|civ(?:il)?|code|ccpa)\b"
)


def fitting(kind: RequestType, regime: Regime) -> tuple[Ground, ...]:
    """The grounds for which a request of that type may be refused."""
    return tuple(ground for ground in GROUNDS if ground.regime == regime and kind in ground.kinds)


def find(text: str, kind: RequestType, regime: Regime) -> Ground:
    """The ground that is meant by its key or by its provision as people write it: `legal_claims`, `17(3)(e)`,
    `Art. 17(3)(e) GDPR`, `Cal. Civ. Code § 1798.105(d)(8)`. Raises Invalid for anything else, for a ground of another
    type or regime, and for a provision with several grounds; its cure lists those that can be meant."""
    fit = fitting(kind, regime)
    word = re.sub(r"[\s-]+", "_", text.strip().lower())
    if known := next((ground for ground in fit if ground.key == word), None):
        return known
    if any(word == ground.key for ground in GROUNDS):
        raise _invalid(f"`{word}` is no ground to refuse this request.", fit)
    given = _provision(_FILLING.sub(" ", text.lower()))
    meant = [ground for ground in fit if any(_inside(given, provision) for provision in _provisions(ground.law))]
    if len(meant) == 1:
        return meant[0]
    around = [ground for ground in fit if any(_inside(provision, given) for provision in _provisions(ground.law))]
    if given and (meant or around):
        raise _invalid("That provision does not say which ground is meant.", meant or around)
    raise _invalid("That is no ground to refuse this request.", fit)


def _inside(inner: _Provision, outer: _Provision) -> bool:
    """`1798.105(d)(8)` lies inside `1798.105(d)`; what follows may only be numbers or letters of points."""
    return inner[: len(outer)] == outer and all(len(point) <= 2 for point in inner[len(outer) :])


def _provision(text: str) -> _Provision:
    return tuple(re.findall(r"[^\W\d_]+|\d+", text))


def _provisions(law: str) -> Iterator[_Provision]:
    """`Articles 11(2), 12(2), 12(6) GDPR` has three."""
    return (_provision(text) for text in re.findall(r"[\d.]+(?:\(\w+\))*", law))


def _invalid(detail: str, grounds: tuple[Ground, ...] | list[Ground]) -> Invalid:
    listed = ", ".join(f"{ground.key} ({ground.law})" for ground in grounds)
    return Invalid(detail, errors=[("ground", f"Write one of: {listed}.")])
