"""Packaging: what the folders map to, and that every tool sees every file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("models", "hls", "flows", "reports")


def shell(*command: str | Path, cwd: Path = ROOT, **env: str) -> str:
    """Output of a command, with an environment of its own: what is installed counts, not the caller's PYTHONPATH."""
    env = env or {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([str(c) for c in command], cwd=cwd, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def sources() -> set[str]:
    """Every Python file of the package, as it is called inside of a wheel."""
    files = {"bitsmith/__init__.py", "bitsmith/__main__.py"}
    return files | {f"bitsmith/{p.relative_to(ROOT).as_posix()}" for f in FOLDERS for p in (ROOT / f).rglob("*.py")}


def data_files() -> set[str]:
    """Everything in the folders that is not Python."""
    found = {"bitsmith/py.typed"}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                found.add(f"bitsmith/{path.relative_to(ROOT).as_posix()}")
    return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    clone = out / "source"
    shell("git", "clone", "-q", ROOT, clone)
    # the working tree as it is, so that a forgotten `git add` shows up in the comparison below, not as a stale pass
    shell(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", out, clone)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_every_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        inside = {n for n in file.namelist() if n.startswith("bitsmith/")}
    tracked = set(shell("git", "ls-files", *FOLDERS, "bitsmith").split())
    wanted = {f for f in sources() | data_files() if f.removeprefix("bitsmith/") in tracked or f in tracked}
    assert wanted - inside == set()
    assert "bitsmith/models/ir/ops.py" in inside and "bitsmith/py.typed" in inside


def test_the_wheel_works_away_from_the_source(wheel: Path, tmp_path: Path) -> None:
    shell(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", tmp_path / "site", wheel)
    code = "import bitsmith, bitsmith.models.ir as ir; print(bitsmith.__file__, ir.__file__)"
    places = shell(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(tmp_path / "site")).split()
    assert all(Path(p).is_relative_to(tmp_path / "site") for p in places)
    command = "import sys; from bitsmith.flows.cli import main; sys.exit(main(['boards', '--json']))"
    boards = json.loads(shell(sys.executable, "-c", command, cwd=tmp_path, PYTHONPATH=str(tmp_path / "site")))
    assert "arty-a7-35t" in {b["name"] for b in boards}, "data files are found in the installed package"


@pytest.mark.nightly
def test_a_clean_virtual_environment(wheel: Path, tmp_path: Path) -> None:
    shell(sys.executable, "-m", "venv", tmp_path / "venv")
    shell(tmp_path / "venv/bin/pip", "install", "-q", wheel)
    assert "usage: bitsmith" in shell(tmp_path / "venv/bin/bitsmith", "--help", cwd=tmp_path)
    doctor = json.loads(shell(tmp_path / "venv/bin/bitsmith", "doctor", "--json", cwd=tmp_path))
    assert doctor["backends"]["hls4ml"]["usable"] is False, "the core brings no framework along"


@pytest.mark.nightly
def test_an_editable_install(tmp_path: Path) -> None:
    clone = tmp_path / "source"
    shell("git", "clone", "-q", ROOT, clone)
    shell(sys.executable, "-m", "venv", tmp_path / "venv")
    shell(tmp_path / "venv/bin/pip", "install", "-q", "-e", clone)
    code = "import bitsmith.models.ir, bitsmith.hls.verify as v; print(v.__file__)"
    place = Path(shell(tmp_path / "venv/bin/python", "-c", code, cwd=tmp_path).strip())
    assert place.resolve() == (clone / "hls/verify.py").resolve()
    code = "import importlib.util as u; print(u.find_spec('models'), u.find_spec('hls'))"
    assert shell(tmp_path / "venv/bin/python", "-c", code, cwd=tmp_path).split() == ["None", "None"]


def test_mypy_sees_every_file() -> None:
    done = subprocess.run([sys.executable, "-m", "mypy", "-v"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    seen = set(re.findall(r"BuildSource\(path='([^']+)'", done.stderr))
    assert {str(Path(p).relative_to(ROOT)) for p in seen if p.endswith(".py")} == sources()


@pytest.mark.nightly
def test_pyright_sees_every_file() -> None:
    pyright = Path(sys.executable).parent / "basedpyright"
    done = subprocess.run([pyright, "--outputjson", "--level", "error"], cwd=ROOT, capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == len(sources())
