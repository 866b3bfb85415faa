"""The window head with line buffers alone: its beats, and the cycles that the schedule predicts for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rtl_bench import Stream, map_everywhere, run_stage

from bitsmith.hls.backends.rtl.folded.cycles import exact_cycles, fifo_depths
from bitsmith.hls.backends.rtl.folded.design import Edge, Stage, StreamType, Structure
from bitsmith.hls.backends.rtl.folded.line_windows import has_lines, line_memory, line_steps, line_window_head
from bitsmith.hls.backends.rtl.folded.windows import Window
from bitsmith.models.ir.types import IntArray

FRAMES = 5

CASES = {
    "same": Window((5, 4), (5, 4), (3, 3), before=(1, 1)),
    "valid": Window((5, 6), (3, 4), (3, 3)),
    "strided": Window((7, 6), (3, 3), (3, 2), (2, 2), before=(0, 1)),
    "dilated": Window((6, 5), (4, 5), (2, 3), dilations=(2, 2), before=(0, 2)),
    "signal": Window((9, 1), (4, 1), (3, 1), (2, 1)),
    "padded_signal": Window((7, 1), (9, 1), (3, 1), before=(2, 0)),
    "row": Window((1, 7), (1, 5), (1, 3)),
    "one_line": Window((1, 6), (2, 6), (2, 1), before=(1, 0)),
    "whole": Window((4, 4), (1, 1), (4, 4), (4, 4)),
    "skips": Window((10, 5), (4, 2), (1, 1), (3, 4)),
    "below": Window((3, 3), (6, 5), (2, 2), before=(1, 0)),
    "tall": Window((2, 3), (3, 3), (4, 1), before=(3, 0)),
    "column": Window((4, 1), (4, 1), (3, 3), before=(1, 1)),
}


def expected(window: Window, x: IntArray, pad: int) -> IntArray:
    """(frames, windows, taps * lanes) of windows over ``x`` (frames, rows, cols, lanes)."""
    frames, rows, cols, lanes = x.shape
    beats = []
    for oy in range(window.places[0]):
        for ox in range(window.places[1]):
            taps = []
            for ky in range(window.kernel[0]):
                for kx in range(window.kernel[1]):
                    y = oy * window.strides[0] + ky * window.dilations[0] - window.before[0]
                    z = ox * window.strides[1] + kx * window.dilations[1] - window.before[1]
                    inside = 0 <= y < rows and 0 <= z < cols
                    taps.append(x[:, y, z] if inside else np.full((frames, lanes), pad))
            beats.append(np.concatenate(taps, axis=1))
    return np.stack(beats, axis=1)


def run(folder: Path, window: Window, lanes: int, bits: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 1 << bits, (FRAMES, *window.size, lanes))
    pad = int(rng.integers(0, 1 << bits))
    head = line_window_head(window, lanes, bits, pad)
    want = expected(window, x, pad)
    source = StreamType(window.size[0] * window.size[1], lanes, bits, False)
    target = StreamType(want.shape[1], head.lanes, bits, False)
    stage = Stage("w", head, (), ())
    structure = Structure(None, None, {"w": stage}, (Edge(None, "w", 0, source), Edge("w", None, 0, target)))  # type: ignore[arg-type]
    depths = fifo_depths(structure)
    (depth,) = depths.values()
    got, full = run_stage(folder, head, [], [Stream(x.reshape(FRAMES, -1, lanes), bits)], want.shape[1], False, depth)
    assert (got == want).all()
    cycles = exact_cycles(structure, depths)
    assert [d - full.first_taken for d in full.done] == cycles.predict(FRAMES)
    assert cycles.ii_cycles == line_steps(window)


@pytest.mark.parametrize("name", ["same", "strided", "padded_signal"])
def test_windows_and_their_cycles(tmp_path: Path, name: str) -> None:
    run(tmp_path, CASES[name], 2, 3, 7)


def test_one_place_per_cycle() -> None:
    assert line_steps(Window((28, 28), (26, 26), (3, 3))) == 28 * 28
    assert line_steps(Window((28, 28), (28, 28), (3, 3), before=(1, 1))) == 30 * 29 + 1
    assert line_steps(Window((100, 1), (98, 1), (3, 1))) == 100


def test_a_signal_needs_no_lines() -> None:
    assert line_memory(Window((100, 1), (98, 1), (3, 1))) == (0, 0)
    assert line_memory(Window((28, 28), (26, 26), (3, 3))) == (28, 2)


def test_windows_before_their_image_are_not_offered() -> None:
    assert not has_lines(Window((3, 3), (6, 3), (2, 1), before=(2, 0)))
    assert not has_lines(Window((3, 2), (6, 6), repeats=(2, 3)))


@pytest.mark.nightly
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("lanes", [1, 3])
def test_all_windows(tmp_path: Path, name: str, lanes: int) -> None:
    run(tmp_path, CASES[name], lanes, 2, 3)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(30))
def test_random_windows(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kernel, strides, dilations, after = (
        tuple(int(v) for v in rng.integers(lo, hi, 2)) for lo, hi in ((1, 4), (1, 4), (1, 3), (0, 4))
    )
    reach = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
    before = tuple(int(rng.integers(0, r)) for r in reach)
    size = tuple(int(max(1, r - b - a + rng.integers(0, 6))) for r, b, a in zip(reach, before, after, strict=True))
    padded = [s + b + a for s, b, a in zip(size, before, after, strict=True)]
    places = tuple((p - r) // s + 1 for p, r, s in zip(padded, reach, strides, strict=True))
    run(tmp_path, Window(size, places, kernel, strides, dilations, before), int(rng.integers(1, 4)), 3, seed)  # type: ignore[arg-type]


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["same", "signal"])
def test_maps_everywhere(tmp_path: Path, name: str) -> None:
    used = map_everywhere(tmp_path, line_window_head(CASES[name], 2, 4), 8, inputs=1)
    assert all(u.lut + u.ff > 0 for u in used.values())
