"""The sliding-window head alone: its beats, and the cycles that the schedule predicts for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rtl_bench import DEVICES, Stream, map_everywhere, run_netlist, run_stage
from rtl_bench import Stage as BenchStage

from bitsmith.hls.backends.rtl.folded.cycles import exact_cycles, fifo_depths
from bitsmith.hls.backends.rtl.folded.design import Edge, Stage, StreamType, Structure
from bitsmith.hls.backends.rtl.folded.windows import Window, window_head
from bitsmith.models.ir.types import IntArray

FRAMES = 5

CASES = {
    "same": Window((5, 4), (5, 4), (3, 3), before=(1, 1)),
    "strided": Window((7, 6), (3, 3), (3, 2), (2, 2), before=(0, 1)),
    "dilated": Window((6, 5), (4, 5), (2, 3), dilations=(2, 2), before=(0, 2)),
    "signal": Window((9, 1), (4, 1), (3, 1), (2, 1)),
    "skips": Window((10, 5), (4, 2), (1, 1), (3, 4)),
    "whole": Window((4, 4), (1, 1), (4, 4), (4, 4)),
    "repeats": Window((3, 2), (6, 6), repeats=(2, 3)),
    "pads": Window((2, 3), (5, 6), before=(2, 1)),
    "tall": Window((3, 3), (6, 3), (4, 1), before=(4, 0)),
}


def expected(window: Window, x: IntArray, outer: int, inner: int, pad: int) -> IntArray:
    """(frames, beats, lanes) of windows over ``x`` (frames, rows, cols, outer * inner, lanes)."""
    frames, rows, cols, _, lanes = x.shape
    beats = []
    for oy in range(window.places[0]):
        for ox in range(window.places[1]):
            for o in range(outer):
                for ky in range(window.kernel[0]):
                    for kx in range(window.kernel[1]):
                        for i in range(inner):
                            y = (oy * window.strides[0] + ky * window.dilations[0]) // window.repeats[0]
                            z = (ox * window.strides[1] + kx * window.dilations[1]) // window.repeats[1]
                            y, z = y - window.before[0], z - window.before[1]
                            inside = 0 <= y < rows and 0 <= z < cols
                            outside = np.full((frames, lanes), pad)
                            beats.append(x[:, y, z, o * inner + i] if inside else outside)
    return np.stack(beats, axis=1)


def run(folder: Path, window: Window, outer: int, inner: int, lanes: int, bits: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 1 << bits, (FRAMES, *window.size, outer * inner, lanes))
    pad = int(rng.integers(0, 1 << bits))
    head = window_head(window, outer, inner, lanes, bits, pad)
    beats = window.size[0] * window.size[1] * outer * inner
    want = expected(window, x, outer, inner, pad)
    source = StreamType(beats, lanes, bits, False)
    target = StreamType(want.shape[1], lanes, bits, False)
    stage = Stage("w", head, (), ())
    structure = Structure(None, None, {"w": stage}, (Edge(None, "w", 0, source), Edge("w", None, 0, target)))  # type: ignore[arg-type]
    depths = fifo_depths(structure)
    (depth,) = depths.values()
    values = x.reshape(FRAMES, beats, lanes)
    got, full = run_stage(folder, head, [], [Stream(values, bits)], want.shape[1], False, depth)
    assert (got == want).all()
    assert [d - full.first_taken for d in full.done] == exact_cycles(structure, depths).predict(FRAMES)


@pytest.mark.parametrize("name", ["same", "strided", "repeats"])
def test_windows_and_their_cycles(tmp_path: Path, name: str) -> None:
    run(tmp_path, CASES[name], 1, 2, 2, 3, 7)


@pytest.mark.nightly
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("outer", "inner", "lanes"), [(1, 1, 1), (3, 1, 2), (2, 2, 1)])
def test_all_windows(tmp_path: Path, name: str, outer: int, inner: int, lanes: int) -> None:
    run(tmp_path, CASES[name], outer, inner, lanes, 4, outer)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(25))
def test_random_windows(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng([seed, 4])
    kernel, strides, dilations, before, after = (
        tuple(int(v) for v in rng.integers(lo, hi, 2)) for lo, hi in ((1, 4), (1, 4), (1, 3), (0, 3), (0, 3))
    )
    reach = [d * (k - 1) + 1 for d, k in zip(dilations, kernel, strict=True)]
    size = tuple(int(max(1, r - b - a + rng.integers(0, 6))) for r, b, a in zip(reach, before, after, strict=True))
    padded = [s + b + a for s, b, a in zip(size, before, after, strict=True)]
    places = tuple((p - r) // s + 1 for p, r, s in zip(padded, reach, strides, strict=True))
    window = Window(size, places, kernel, strides, dilations, before)  # type: ignore[arg-type]
    run(tmp_path, window, int(rng.integers(1, 3)), int(rng.integers(1, 3)), int(rng.integers(1, 3)), 3, seed)


@pytest.mark.nightly
def test_maps_everywhere(tmp_path: Path) -> None:
    used = map_everywhere(tmp_path, window_head(CASES["same"], 1, 4, 2, 4), 8, inputs=1)
    assert all(u.lut + u.ff > 0 for u in used.values())


def netlist(folder: Path, name: str, device: str) -> None:
    """What yosys makes of the head on a device computes the same windows."""
    window, outer, inner, lanes, bits = CASES[name], 1, 2, 1, 3
    x = np.random.default_rng(3).integers(0, 1 << bits, (FRAMES, *window.size, outer * inner, lanes))
    want = expected(window, x, outer, inner, 5)
    head = window_head(window, outer, inner, lanes, bits, 5)
    stage = BenchStage(head, [[]], [Stream(x.reshape(FRAMES, -1, lanes), bits)], [False])
    for (got,) in run_netlist(folder, [stage], want.shape[1], device):
        assert (got == want[: len(got)]).all()


def test_its_netlist_is_exact(tmp_path: Path) -> None:
    netlist(tmp_path, "same", "ecp5")


@pytest.mark.nightly
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["same", "strided", "repeats", "tall"])
def test_its_netlists_are_exact_everywhere(tmp_path: Path, name: str, device: str) -> None:
    netlist(tmp_path, name, device)
