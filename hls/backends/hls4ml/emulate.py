"""Compiles a project's C++ with g++ and runs it on integers, in a process of its own."""

from __future__ import annotations

import hashlib
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitsmith.hls.backends.hls4ml.extension import CPP
from bitsmith.hls.tools.run import need_tool, run_tool
from bitsmith.models.ir.ops import Shape
from bitsmith.models.ir.types import IntArray

GXX_INSTALL = "apt install g++"
EMULATION = "emulation"
INCLUDES = {
    "vitis": ("firmware/ap_types",),
    "vivado": ("firmware/ap_types",),
    "quartus": ("firmware/ac_types", "firmware/ap_types"),
    "catapult": (
        "firmware/ac_types/include",
        "firmware/ac_math/include",
        "firmware/ac_simutils/include",
        "firmware/nnet_utils",
    ),
}
OPTIMIZE = "-O1"


@dataclass(frozen=True)
class Emulation:
    """A compiled project: ``run`` takes rows of integers."""

    program: Path
    n_in: int
    output: Shape
    taps: dict[str, Shape]  # layers that can be recorded, in hls4ml's names

    def run(self, x: IntArray, record: bool) -> tuple[IntArray, dict[str, IntArray]]:
        """Outputs (n, *output) and, if asked, every recorded layer's values by hls4ml's name."""
        rows = len(x)
        folder = self.program.parent
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            given, result, taps, names = (Path(scratch) / n for n in ("in", "out", "taps", "sizes"))
            np.ascontiguousarray(x, np.float64).tofile(given)
            numbers = [str(n) for n in (rows, self.n_in, math.prod(self.output))]
            command: list[str | Path] = [self.program, *numbers, given, result]
            if record:
                names.write_text("".join(f"{name} {math.prod(shape)}\n" for name, shape in self.taps.items()))
                command += [taps, names]
            run_tool(command, folder.parent / "firmware", folder / "run.log")
            outputs = _integers(result).reshape(rows, *self.output)
            if not record:
                return outputs, {}
            return outputs, _split(_integers(taps).reshape(rows, -1), self.taps)


def _integers(path: Path) -> IntArray:
    values = np.fromfile(path, np.float64)
    integers = values.astype(np.int64)
    assert (integers == values).all(), "the emulation gave a value that is no integer"
    return integers


def _split(values: IntArray, taps: dict[str, Shape]) -> dict[str, IntArray]:
    ends = np.cumsum([math.prod(shape) for shape in taps.values()])
    parts = np.split(values, ends[:-1], axis=1)
    return {name: part.reshape(-1, *shape) for (name, shape), part in zip(taps.items(), parts, strict=True)}


def gxx_version(gxx: str, folder: Path) -> str:
    """Version of g++, such as ``12.2.0``."""
    return run_tool([gxx, "-dumpfullversion", "-dumpversion"], folder, folder / "gxx.log").split()[0]


def build(project: Path, name: str, tool: str) -> tuple[Path, str]:
    """Compile the project unless its sources are those of the last time; returns the program and g++'s version.

    ToolError if g++ is missing or fails; its output is kept in ``emulation/``.
    """
    gxx = need_tool("g++", GXX_INSTALL)
    project = project.resolve()  # the tools run in other folders
    folder = project / EMULATION
    folder.mkdir(exist_ok=True)
    version = gxx_version(gxx, folder)
    program, stamp = folder / "run", folder / "sources.sha256"
    digest = _digest(project, name, version)
    if program.exists() and stamp.exists() and stamp.read_text() == digest:
        return program, version
    parts = {
        "TOP_DOUBLE": f"{name}_double",
        "TOP_SOURCE": f'"firmware/{name}.cpp"',
        "BRIDGE_SOURCE": f'"{name}_bridge.cpp"',
    }
    flags = [OPTIMIZE, "-std=c++14", "-w", *(f"-D{key}={value}" for key, value in parts.items())]
    includes = [f"-I{place}" for place in (".", *INCLUDES[tool])]
    command = [gxx, *flags, *includes, str(CPP / "runner.cpp"), "-o", str(program.relative_to(project))]
    run_tool(command, project, folder / "compile.log")
    stamp.write_text(digest)
    return program, version


def _digest(project: Path, name: str, version: str) -> str:
    """Hash of everything that the program is made from."""
    digest = hashlib.sha256(f"{version} {OPTIMIZE}".encode())
    files = [*sorted((project / "firmware").rglob("*")), project / f"{name}_bridge.cpp", CPP / "runner.cpp"]
    for path in files:
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
