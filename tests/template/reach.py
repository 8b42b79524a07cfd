"""Which ports each Lambda can reach, read from the source: `deps.<port>.<method>` in every function of
`rightful.service` that its app.py leads to, directly or through others."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "layers/core"

Definition = tuple[str, str]
"""(module, name of a top-level function or class)."""


def ports_reached(function: str) -> set[str]:
    """For example {"table.get", "vault.open"}."""
    return _ports(ROOT / "functions" / function / "app.py")


def _ports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    names = _imported(tree)
    waiting = [found for node in tree.body for found in _leads_to(node, "", names)]
    seen: set[Definition] = set()
    reached = _used(tree)
    while waiting:
        definition = waiting.pop()
        if definition in seen:
            continue
        seen.add(definition)
        module, name = definition
        for node in _definitions(module).get(name, []):
            reached |= _used(node)
            waiting += _leads_to(node, module, _imported(_tree(module)))
    return reached


def _used(node: ast.AST) -> set[str]:
    """`deps.table.get` -> "table.get"; also `self._deps.table.get`."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Attribute):
            owner = part.value.value
            owner_name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
            if owner_name.strip("_") == "deps":
                found.add(f"{part.value.attr}.{part.attr}")
    return found


def _leads_to(node: ast.AST, module: str, names: dict[str, Definition]) -> list[Definition]:
    """Every definition of `rightful` that a piece of code mentions."""
    found: list[Definition] = []
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in names:
            owner, attribute = names[part.value.id]
            found.append((f"{owner}.{attribute}" if owner else attribute, part.attr))
        elif isinstance(part, ast.Name):
            if part.id in names:
                found.append(names[part.id])
            elif module:
                found.append((module, part.id))
    return found


def _imported(tree: ast.Module) -> dict[str, Definition]:
    """Local name -> (module, name), for `from rightful... import name`."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "rightful"
        for alias in node.names
    }


@cache
def _tree(module: str) -> ast.Module:
    path = PACKAGE / Path(*module.split("."))
    source = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
    return ast.parse(source.read_text() if source.exists() else "")


@cache
def _definitions(module: str) -> dict[str, list[ast.stmt]]:
    """Top-level functions, classes and assignments of a module, by name."""
    found: dict[str, list[ast.stmt]] = {}
    for node in _tree(module).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node)
    return found
