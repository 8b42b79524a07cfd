"""The whole check of a data map, from a file's text to its problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rightful.datamap import choices, document, graph, kinds, load, references, rules, seats, telling
from rightful.datamap.problems import Finding, Problem
from rightful.errors import Invalid
from rightful.model import DataMap

_Check = Callable[[DataMap], Iterator[Finding]]
CHECKS: tuple[_Check, ...] = (
    references.names,
    references.identities,
    references.claims,
    references.locators,
    references.fields,
    references.recipients,
    references.accounts,
    rules.texts,
    seats.seat,
    rules.erasure,
    rules.retention,
    rules.requests,
    rules.privileged,
    rules.places,
    telling.ways,
    choices.topics,
    choices.accounts,
    choices.translations,
)
GRAPH_CHECKS: tuple[_Check, ...] = (graph.unreachable, graph.orphans)
"""These follow paths and names, so they run only where those are right."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`datamap` is None exactly when there are problems."""

    datamap: DataMap | None
    problems: list[Problem]


def check(text: str, connectors: kinds.Kinds, sweepers: kinds.SweepKinds) -> Outcome:
    """Read and check a data map. Problems come in the order of lines, all that can be told at once."""
    source = document.read(text)
    if source.problems:
        return Outcome(None, sorted(source.problems))
    datamap, findings = load.load(source.value)
    if datamap is not None:
        findings = list(kinds.complaints(datamap, connectors, sweepers))
        findings += (finding for rule in CHECKS for finding in rule(datamap))
        if not findings:
            findings = [finding for rule in GRAPH_CHECKS for finding in rule(datamap)]
    problems = {Problem(source.line(finding.loc), finding.what, finding.cure) for finding in findings}
    return Outcome(None if problems else datamap, sorted(problems))


def read(path: Path) -> str:
    """A file's text. Raises Invalid, with the cure, for one that cannot be read."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(f"{path}:1: the file is not UTF-8 text. Save it as UTF-8.") from None
    except OSError as error:
        raise Invalid(f"{path}:1: {error.strerror or 'cannot be read'}. Name a file that can be read.") from None


def load_file(path: Path, connectors: kinds.Kinds, sweepers: kinds.SweepKinds) -> DataMap:
    """The checked data map of a file. Raises Invalid with one line for each problem."""
    outcome = check(read(path), connectors, sweepers)
    if outcome.datamap is None:
        raise Invalid("\n".join(problem.text(str(path)) for problem in outcome.problems))
    return outcome.datamap
