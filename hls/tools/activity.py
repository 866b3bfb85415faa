"""Simulates a written RTL project at full load in Verilator and counts how often its signals change."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bitsmith.hls.tools import verilator
from bitsmith.hls.tools.render import render
from bitsmith.hls.tools.run import run_tool
from bitsmith.hls.tools.saif import Toggles, read_steps

OPTIONS = ("-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert", "--output-split", "5000", "-Wno-fatal")

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Load:
    """Input of a run at full load: ``beats`` (frames, beats, bytes of tdata), sent over and over.

    Changes are counted in ``cycles`` steps after ``warm_up`` cycles.
    """

    beats: Bytes
    warm_up: int
    cycles: int


def count_toggles(
    sources: Iterable[Path],
    data: Iterable[Path],
    top: str,
    load: Load,
    folder: Path,
    options: tuple[str, ...] = OPTIONS,
) -> Iterable[Toggles]:
    """Every bit of every signal of ``top`` with its changes in ``load.cycles`` cycles, memories excepted.

    ``top`` has the ports aclk, aresetn, s_axis and m_axis; ``data`` are the files of
    its $readmemh.  ToolError if Verilator or g++ is missing or fails.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    frames, beats, size = load.beats.shape
    harness = folder / "activity.cpp"
    text = render("activity.cpp.j2", module=top, beats=beats, bytes=size)
    if not harness.exists() or harness.read_text() != text:
        harness.write_text(text)
    program = verilator.build(
        [source.resolve() for source in sources],
        top,
        folder / "build",
        harness,
        (*options, *verilator.TOGGLE_OPTIONS),
        model_flags=verilator.TOGGLE_FLAGS,
        runtime=verilator.RUNTIME_SAIF,
    )
    for path in data:
        shutil.copy(path, folder)
    rows = folder / "in.bin"
    rows.write_bytes(np.ascontiguousarray(load.beats, np.uint8).tobytes())
    first, whole = folder / "first.saif", folder / "whole.saif"
    for cycles, target in ((0, first), (load.cycles, whole)):
        command: list[str | Path] = [program, str(frames), rows, str(load.warm_up), str(cycles), target]
        run_tool(command, folder, folder / "run.log")
    return read_steps(first, whole)
