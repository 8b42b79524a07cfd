"""The layers hold all that the functions import, for the runtime that was asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infra.packaging import build
from infra.packaging.lock import pinned, subset
from infra.packaging.select_files import read_selection, wanted
from infra.packaging.target import Target, local_architecture, read_target
from tests.template.loading import ROOT, functions, in_words
from tests.template.reach import ports_reached

NATIVE = Target(f"python3.{sys.version_info.minor}", local_architecture(), native=True)
LAZY = {
    "vault.open": "cryptography.hazmat.primitives.ciphers.aead",
    "vault.seal": "cryptography.hazmat.primitives.ciphers.aead",
    "mailer.send": "jinja2",
    "provider.keys": "jwt",
    "reports.uri": "jinja2",
}
"""What is imported at first use only."""
LOCK = """\
one-two==1.0 ; python_version > '3' \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via three
three==2.1 \\
    --hash=sha256:cc
"""


@pytest.fixture(scope="session")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every layer, built for this interpreter; <folder>/<layer>/python."""
    out = tmp_path_factory.mktemp("layers")
    for folder in sorted((ROOT / "layers").iterdir()):
        build.build_layer(folder.name, out / folder.name, NATIVE)
    return out


@pytest.mark.parametrize("folder", sorted(functions()))
def test_a_function_imports_with_its_own_layers_alone(folder: str, layers: Path) -> None:
    """No site-packages: on Lambda there are none, while the emulator's processes see ours."""
    names = [in_words(layer).removesuffix("Layer").lower() for layer in functions()[folder]["Layers"]]
    modules = ["app", "botocore.session", *(LAZY[port] for port in LAZY if port in ports_reached(folder))]
    modules += ["rightful.centre.voices", "rightful.service.visiting.answering"] if folder == "api" else []
    modules += ["msgspec.json", "duckdb"] if folder == "sweep" else ["msgspec.json"] if folder == "announce" else []
    modules += ["aws_lambda_powertools.metrics"] if "entry import Event, measure" in source(folder) else []
    paths = [str(layers / name / "python") for name in names] + [str(ROOT / "functions" / folder)]
    code = f"import sys; sys.path[:0] = {paths!r}; import importlib; [importlib.import_module(m) for m in {modules!r}]"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def source(folder: str) -> str:
    return (ROOT / "functions" / folder / "app.py").read_text()


@pytest.mark.parametrize("folder", sorted(functions()))
def test_the_layers_of_a_function_are_not_too_large(folder: str, layers: Path) -> None:
    """AWS takes 250 MB, unzipped, together with the function (Lambda quotas)."""
    names = [in_words(layer).removesuffix("Layer").lower() for layer in functions()[folder]["Layers"]]
    files = [path for name in names for path in (layers / name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 150_000_000


def test_bytecode_is_there_and_is_trusted(layers: Path) -> None:
    compiled = next((layers / "core/python/rightful/__pycache__").glob("errors.*.pyc")).read_bytes()
    assert int.from_bytes(compiled[4:8], "little") == 0b01, "hash-based, not checked against the source (PEP 552)"


def test_the_command_line_is_not_shipped(layers: Path) -> None:
    assert not (layers / "core/python/rightful/datamap").exists()
    assert not (layers / "core/python/rightful/__main__.py").exists()
    assert (layers / "datamap/python/rightful_datamap/datamap.json").exists()


def test_the_sdk_layer_is_small(layers: Path) -> None:
    files = [path for path in (layers / "sdk").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 16_000_000
    services = {path.name for path in (layers / "sdk/python/botocore/data").iterdir() if path.is_dir()}
    assert services == {"dynamodb", "events", "kms", "s3", "secretsmanager", "sesv2", "stepfunctions", "sts"}


def test_every_shipped_distribution_is_locked() -> None:
    pins = pinned((ROOT / "requirements.txt").read_text())
    for path in (ROOT / "layers").glob("*/layer.toml"):
        assert set(read_selection(path)) <= set(pins), path


def test_a_subset_of_the_lock_keeps_versions_and_hashes() -> None:
    assert pinned(LOCK) == {"one-two": "1.0", "three": "2.1"}
    assert subset(LOCK, ["three"]) == "three==2.1 \\\n    --hash=sha256:cc\n"
    with pytest.raises(KeyError, match="four"):
        subset(LOCK, ["four"])


@pytest.mark.parametrize(
    ("path", "rules", "answer"),
    [
        ("a/b.py", {}, True),
        ("a/b.pyc", {}, False),
        ("../bin/tool", {}, False),
        ("a/data/x.json", {"drop": ["a/data/*"]}, False),
        ("a/data/x.json", {"keep": ["a/*.py"]}, False),
        ("a-1.0.dist-info/RECORD", {}, False),
        ("a-1.0.dist-info/licenses/LICENSE", {"keep": []}, True),
    ],
)
def test_which_files_are_wanted(path: str, rules: dict[str, list[str]], answer: bool) -> None:
    assert wanted(path, rules) is answer


def test_the_target_is_read_where_sam_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text((ROOT / "template.yaml").read_text())
    assert read_target(tmp_path, {}) == Target("python3.14", "arm64", native=False)
    (tmp_path / "samconfig.toml").write_text(
        "version = 0.1\n[default.deploy.parameters]\n"
        'parameter_overrides = \'Stage="prod" Runtime="python3.12" Architecture="x86_64"\'\n'
    )
    assert read_target(tmp_path, {}) == Target("python3.12", "x86_64", native=False)
    assert read_target(tmp_path, {"RIGHTFUL_RUNTIME": "python3.13"}).runtime == "python3.13"
    assert read_target(tmp_path, {"RIGHTFUL_TARGET": "native"}).native


def test_wheels_fit_the_runtime() -> None:
    assert Target("python3.11", "arm64", native=False).platforms[0] == "manylinux_2_26_aarch64"
    assert Target("python3.14", "x86_64", native=False).platforms[0] == "manylinux_2_34_x86_64"
