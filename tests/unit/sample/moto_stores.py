"""What the sample's template describes, for stores that moto makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import yaml

REGION: Final = "eu-west-1"
TEMPLATE = Path(__file__).parents[3] / "infra" / "sample" / "template.yaml"
PEOPLE = 40


class _Short(yaml.SafeLoader):
    """Reads !Sub as its text."""


_Short.add_multi_constructor("!", lambda loader, _tag, node: loader.construct_scalar(node))


def described(kind: str) -> list[dict[str, Any]]:
    """Properties of the template's resources of a kind."""
    template = yaml.load(TEMPLATE.read_text("utf-8"), Loader=_Short)
    return [found["Properties"] for found in template["Resources"].values() if found["Type"] == kind]
