"""Each function as Lambda unpacks it: its own folder, and its layers laid over one another."""

from __future__ import annotations

import io
import shutil
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from infra.packaging.build import build_function, build_layer
from infra.packaging.target import ROOT, Target, local_architecture, local_runtime
from tests.template.loading import Loader, functions

CLIENTS: Final = {
    "dynamodb": "dynamodb",
    "events": "events",
    "kms": "kms",
    "s3": "s3",
    "ses": "sesv2",
    "states": "stepfunctions",
}
"""Prefix of an IAM action -> botocore's name of the service."""
NATIVE: Final = Target(local_runtime(), local_architecture(), native=True)


@dataclass(frozen=True, slots=True)
class Package:
    """One function. `path` is what Lambda puts on `sys.path`; `services` are the clients it may call."""

    name: str
    module: str
    path: tuple[Path, Path]
    services: tuple[str, ...]


def build_all(folder: Path) -> list[Package]:
    """Builds every function of template.yaml, as `sam build` does, into `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    packages = []
    for name, properties in sorted(functions().items()):
        task, opt = folder / name / "task", folder / name / "opt"
        build_function(ROOT / properties["CodeUri"], task, NATIVE)
        for layer in properties["Layers"]:
            shutil.copytree(_layer(folder, layer["Ref"]) / "python", opt, dirs_exist_ok=True)
        module = properties.get("Handler", "app.handler").partition(".")[0]
        packages.append(Package(name, module, (task, opt), _services(name, properties)))
    return packages


def zipped_size(folder: Path) -> int:
    """Bytes of a deflated ZIP of everything in the folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return buffer.tell()


def _layer(folder: Path, logical_id: str) -> Path:
    name = logical_id.removesuffix("Layer").lower()
    built = folder / "layers" / name
    if not built.exists():
        build_layer(name, built, NATIVE)
    return built


def _services(name: str, properties: dict[str, Any]) -> tuple[str, ...]:
    """The services that the function's role may call: what it was given in the template, and by the data map."""
    documents = [*properties["Policies"], *_store_access(f"{name.title()}Role")]
    actions = {
        action
        for document in documents
        for statement in document["Statement"]
        for action in _listed(statement["Action"])
    }
    return tuple(sorted({CLIENTS[prefix] for action in actions if (prefix := action.partition(":")[0]) in CLIENTS}))


@cache
def _store_access(role: str) -> list[dict[str, Any]]:
    template = yaml.load((ROOT / "infra/store_access.yaml").read_text(), Loader)
    policies = [resource["Properties"] for resource in template["Resources"].values()]
    return [policy["PolicyDocument"] for policy in policies if {"Ref": role} in policy["Roles"]]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
