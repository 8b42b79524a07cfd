"""Which files of which distributions go into a layer (layers/*/layer.toml).

    [distributions.botocore]
    keep = ["botocore/*.py", "botocore/data/s3/*"]    # patterns of paths; `*` matches `/` too; all files when absent
    drop = ["*/examples-1.json"]                      # taken away again

Of the distribution's own description only the licence texts and METADATA stay.
"""

from __future__ import annotations

import gzip
import importlib.metadata
import shutil
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

Selection = dict[str, dict[str, Any]]
NEVER = ("*/__pycache__/*", "*.pyc", "*.pyi", "*/py.typed", "*.c", "*.h", "../*")
DESCRIPTION = ("*/METADATA", "*LICEN[SC]E*", "*/licenses/*", "*NOTICE*", "*COPYING*")


def read_selection(path: Path) -> Selection:
    """Distribution -> its rules, from a layer.toml."""
    selection: Selection = tomllib.loads(path.read_text())["distributions"]
    return selection


def wanted(path: str, rules: dict[str, Any]) -> bool:
    if any(fnmatch(path, pattern) for pattern in NEVER):
        return False
    if ".dist-info/" in path:
        return any(fnmatch(path, pattern) for pattern in DESCRIPTION)
    kept = any(fnmatch(path, pattern) for pattern in rules.get("keep", ["*"]))
    return kept and not any(fnmatch(path, pattern) for pattern in rules.get("drop", []))


def copy_selected(selection: Selection, site: Path, out: Path) -> None:
    """Copies from `site` what the selection wants. Compressed service descriptions are unpacked: the zip of the
    layer is no larger for it, and a cold start need not do it."""
    found = {_normal(item.name): item for item in importlib.metadata.distributions(path=[str(site)])}
    for name, rules in selection.items():
        for path in found[name].files or []:
            if not wanted(path.as_posix(), rules):
                continue
            source, goal = site / path, out / path
            goal.parent.mkdir(parents=True, exist_ok=True)
            if path.suffixes[-2:] == [".json", ".gz"]:
                goal.with_suffix("").write_bytes(gzip.decompress(source.read_bytes()))
            else:
                shutil.copy(source, goal)


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
