"""template.yaml as data."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


class Loader(yaml.SafeLoader):
    """Reads `!Ref X` as {"Ref": "X"}, `!Sub X` as {"Fn::Sub": "X"}."""


def _short_form(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", _short_form)


@cache
def template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), Loader)
    return loaded


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """Logical id -> properties, for one resource type."""
    found = template()["Resources"].items()
    return {name: resource["Properties"] for name, resource in found if resource["Type"] == kind}


def functions() -> dict[str, dict[str, Any]]:
    """Folder name -> properties."""
    found = resources("AWS::Serverless::Function").values()
    return {properties["CodeUri"].removeprefix("functions/").rstrip("/"): properties for properties in found}


def logical_id(folder: str) -> str:
    """`mail_events` -> `MailEventsFunction`."""
    return "".join(word.capitalize() for word in folder.split("_")) + "Function"


def in_words(value: Any) -> str:
    """The text of a !Ref, !GetAtt or !Sub, or of both that an !If may be, to compare and to show."""
    if not isinstance(value, dict):
        return str(value)
    [(function, said)] = value.items()
    return " or ".join(in_words(each) for each in said[1:]) if function == "Fn::If" else str(said)
