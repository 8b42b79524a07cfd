"""Fills one layer or function folder for `sam build`.

    python -m infra.packaging.build layer NAME ARTIFACTS_DIR
    python -m infra.packaging.build function FOLDER ARTIFACTS_DIR

Wheels come from requirements.txt, the one lock, with its hashes; layers/NAME/layer.toml says which distributions
and which of their files. What was built is kept under build/layers by a digest of everything that went into it.
Modules are shipped with bytecode that is never checked against its source (`unchecked-hash`): a zip changes file
times, and a Lambda cannot write the bytecode itself.
"""

from __future__ import annotations

import hashlib
import importlib.metadata as metadata
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.packaging.lock import pinned, subset
from infra.packaging.select_files import Selection, copy_selected, read_selection
from infra.packaging.target import ROOT, Target, read_target

HERE = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.txt"
CACHE = ROOT / "build" / "layers"
NOT_SHIPPED = ("__pycache__", "*.pyc", "py.typed", "__main__.py", "datamap")
"""Parts of the package that no function uses: the command line, and the reading of data maps (PyYAML, Pydantic)."""


def build_layer(name: str, artifacts: Path, target: Target) -> None:
    out = artifacts / "python"
    if name == "core":
        shutil.copytree(
            ROOT / "layers/core/rightful",
            out / "rightful",
            ignore=shutil.ignore_patterns(*NOT_SHIPPED),
            dirs_exist_ok=True,
        )
        compile_bytecode(out, target)
    elif name == "datamap":
        package = out / "rightful_datamap"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "layers/core")}
        compile_map = [sys.executable, "-m", "rightful", "datamap", "compile"]
        arguments = [str(ROOT / "infra/datamap.yaml"), str(package / "datamap.json")]
        subprocess.run([*compile_map, *arguments], check=True, env=environment, cwd=ROOT)
    else:
        shutil.copytree(wheels(name, target), out, dirs_exist_ok=True)


def build_function(folder: Path, artifacts: Path, target: Target) -> None:
    artifacts.mkdir(parents=True, exist_ok=True)
    for source in sorted(folder.glob("*.py")):
        shutil.copy(source, artifacts)
    compile_bytecode(artifacts, target)


def wheels(name: str, target: Target) -> Path:
    """The folder of a layer of third-party wheels, built now or earlier."""
    selection = read_selection(ROOT / "layers" / name / "layer.toml")
    requirements = subset(LOCK.read_text(), selection)
    scripts = [path.read_bytes() for path in sorted(HERE.glob("*.py"))]
    parts = [requirements.encode(), repr(selection).encode(), repr(target).encode(), *scripts]
    built = CACHE / f"{name}-{hashlib.sha256(b'|'.join(parts)).hexdigest()[:16]}"
    if built.exists():
        return built
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        site = installed(requirements, selection) if target.native else None
        if site is None:
            site = Path(scratch, "site")
            download(requirements, site, target)
        chosen = Path(scratch, "python")
        copy_selected(selection, site, chosen)
        compile_bytecode(chosen, target)
        try:
            chosen.rename(built)
        except OSError:
            if not built.exists():  # else a build beside this one was first, with the same content
                raise
    return built


def installed(requirements: str, selection: Selection) -> Path | None:
    """Where this interpreter has its own packages, when they are exactly what the lock pins: nothing to download."""
    pins = pinned(requirements)
    try:
        found = {name: metadata.distribution(name) for name in selection}
    except metadata.PackageNotFoundError:
        return None
    if any(item.version != pins[name] for name, item in found.items()):
        return None
    places = {Path(str(item.locate_file(""))) for item in found.values()}
    return places.pop() if len(places) == 1 else None


def download(requirements: str, site: Path, target: Target) -> None:
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile", "--quiet", "--target", str(site)]
    if not target.native:
        options += ["--implementation", "cp", "--python-version", target.python_version]
        options += [word for tag in target.platforms for word in ("--platform", tag)]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(requirements)
        file.flush()
        subprocess.run([sys.executable, "-m", "pip", "install", *options, "-r", file.name], check=True)


def compile_bytecode(folder: Path, target: Target) -> None:
    if target.interpreter is None:
        print(f"no {target.runtime} here to compile with: {folder} ships without bytecode and starts slower")
        return
    options = ["-q", "-s", str(folder), "-p", "/opt/python", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([target.interpreter, "-m", "compileall", *options, str(folder)], check=True)


def main(arguments: list[str]) -> None:
    kind, what, artifacts = arguments
    target = read_target()
    if kind == "layer":
        build_layer(what, Path(artifacts), target)
    else:
        build_function(Path(what), Path(artifacts), target)


if __name__ == "__main__":
    main(sys.argv[1:])
