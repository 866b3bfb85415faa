"""The house: who may import whom, packages as listed, sizes of files and functions."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("models", "hls", "flows", "reports")
FILES = sorted(p for f in FOLDERS for p in (ROOT / f).rglob("*.py"))
HEAVY = {
    "tensorflow", "tf_keras", "keras", "qkeras", "tensorflow_model_optimization", "torch", "brevitas", "onnx", "qonnx",
    "hls4ml", "finn", "da4ml", "alkaid", "optuna", "ray", "matplotlib", "pyosys", "pandas", "sklearn",
}  # fmt: skip
# package -> what of bitsmith it may import
ALLOWED = {
    "models/ir": ("models.ir",),
    "models": ("models",),
    "hls": ("models.ir", "hls"),
    "reports": ("models.ir", "hls.results", "hls.config", "reports"),
    "flows": ("models", "hls", "reports", "flows"),
}


def imports(path: Path, top_only: bool = False) -> list[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_only else list(ast.walk(tree))
    found = []
    for node in nodes:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return found


def allowed_for(path: Path) -> tuple[str, ...]:
    where = path.relative_to(ROOT).as_posix()
    return next(names for prefix, names in ALLOWED.items() if where.startswith(prefix + "/"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_import_direction(path: Path) -> None:
    allowed = allowed_for(path)
    for module in imports(path):
        if module.startswith("bitsmith."):
            inner = module.removeprefix("bitsmith.")
            assert any(inner == a or inner.startswith(a + ".") for a in allowed), f"imports {module}"
    if "ir" in path.relative_to(ROOT).parts[:2]:
        outside = {m.split(".")[0] for m in imports(path)} - set(sys.stdlib_module_names)
        assert outside <= {"numpy", "bitsmith"}, "the ground floor needs numpy only"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_frameworks_are_imported_inside_functions_only(path: Path) -> None:
    assert not {m.split(".")[0] for m in imports(path, top_only=True)} & HEAVY


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_sizes(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 400, "a file has at most 400 lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.end_lineno:
            assert node.end_lineno - node.lineno < 100, f"{node.name} is longer than 100 lines"


def test_the_package_list_is_the_disk() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    on_disk = {"bitsmith"} | {
        "bitsmith." + ".".join(p.parent.relative_to(ROOT).parts)
        for f in FOLDERS
        for p in (ROOT / f).rglob("__init__.py")
    }
    assert set(listed) == on_disk
    for path in FILES:
        assert (path.parent / "__init__.py").exists(), f"{path.parent} is no package"


def test_links_point_at_the_folders() -> None:
    for folder in FOLDERS:
        assert (ROOT / "bitsmith" / folder).resolve() == ROOT / folder


def test_help_is_fast_since_nothing_heavy_is_loaded() -> None:
    code = "import sys, bitsmith.flows.cli; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & (HEAVY - {"sklearn"}) and "sklearn" not in done.stdout.split()
