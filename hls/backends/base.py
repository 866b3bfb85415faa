"""The contract that every backend keeps; ``tests/conformance`` runs one suite against all of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Problem, Project, Simulation
from bitsmith.models.ir import QNet, content_hash, save
from bitsmith.models.ir.errors import InputError, UnsupportedError
from bitsmith.models.ir.types import IntArray

MANIFEST = "project.json"


class Backend(Protocol):
    """Writes a net as firmware, and runs what it wrote."""

    name: str

    def check(self, net: QNet, hw: HwConfig) -> list[Problem]:
        """Everything that stands in the way of ``emit``; empty if nothing does."""
        ...

    def emit(self, net: QNet, hw: HwConfig, out: Path, vectors: IntArray) -> Project:
        """Write the project into ``out``.

        ``vectors`` (n, *input shape) are input integers for the testbench's
        golden vectors.  UnsupportedError with all problems if ``check`` finds any.
        """
        ...

    def simulate(self, project: Path, net: QNet, x: IntArray, taps: bool) -> Simulation:
        """Run the written project on input integers ``x`` (n, *input shape).

        ``taps`` asks for the outputs of inner ops too.  ToolError if the engine
        is missing or fails.
        """
        ...


def refuse(backend: Backend, net: QNet, hw: HwConfig) -> None:
    """UnsupportedError listing every problem that ``backend`` has with ``net``."""
    found = backend.check(net, hw)
    if found:
        lines = "\n  ".join(str(p) for p in found)
        raise UnsupportedError(f"{backend.name} cannot take net {net.name}:\n  {lines}")


def write_manifest(folder: Path, net: QNet, hw: HwConfig, extra: dict[str, Any]) -> None:
    """``project.json`` and the net itself in ``net/``, so that the folder can be verified on its own."""
    save(net, folder / "net")
    manifest = {
        "backend": hw.backend,
        "net": net.name,
        "net_sha256": content_hash(net),
        "board": hw.board.name,
        "part": hw.board.device.part,
        "clock_mhz": hw.clock_mhz,
        "seed": hw.seed,
        **extra,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n")


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a project folder; InputError if ``folder`` holds none."""
    try:
        data: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError as error:
        raise InputError(f"{folder} is not a project: it has no {MANIFEST}; make one with bitsmith emit") from error
    except ValueError as error:
        raise InputError(f"{folder / MANIFEST} is damaged ({error}); emit the project anew") from error
    if not isinstance(data, dict) or "backend" not in data:
        raise InputError(f"{folder / MANIFEST} is damaged (it names no backend); emit the project anew")
    return data


def project_files(folder: Path, names: Iterable[str]) -> list[Path]:
    """The files of a project that the manifest names; InputError if some are missing."""
    files = [folder / name for name in names]
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        raise InputError(f"{folder} is not complete: {', '.join(missing)} missing; emit it anew")
    return files


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write ``files`` (path in the project to text); RTL and ROMs of an earlier project in ``folder`` go."""
    for name in _named_before(folder) - set(files):
        (folder / name).unlink(missing_ok=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _named_before(folder: Path) -> set[str]:
    """Files below rtl/ and board/ that the manifest in ``folder`` names; a damaged one names none."""
    try:
        manifest = read_manifest(folder)
    except InputError:
        return set()
    parts = [manifest, manifest.get("board_top") or {}]
    names = [str(name) for part in parts for key in ("rtl", "data") for name in part.get(key) or ()]
    return {name for name in names if name.split("/")[0] in ("rtl", "board") and name.count("/") == 1}
