"""Random networks at random foldings through the folded backend.

For every one: all integers exact, at full load and under random stalls on both sides; no
deadlock; every result in the very cycle that was predicted (``simulate`` raises if not).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from bitsmith.hls.backends.rtl.folded.folding import Fold, is_unit, legal_folds, takes_whole_windows
from bitsmith.hls.backends.rtl.folded.plan import design_of
from bitsmith.hls.backends.rtl.folded.project import write_project
from bitsmith.hls.backends.rtl.folded.simulate import simulate
from bitsmith.hls.backends.rtl.folded.unrolled import UNROLLED
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.models.ir import NetBuilder, Overflow, QNet, QuantType, Rounding, execute, random_inputs
from bitsmith.models.ir.ops import Op

BOARDS = ("ulx3s-85f", "icebreaker", "arty-a7-35t", "tang-nano-9k")
FRAMES = 20
CHANNELS = (1, 2, 3, 4, 6, 8)


class Walk:
    """Builds a net step by step from drawn choices."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        self.b = NetBuilder("random_net")

    def integer(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def shape(self, value: str) -> tuple[int, ...]:
        return self.b.ops[value].shape

    def weights(self, *shape: int) -> np.ndarray:
        bits = self.integer(1, 8)
        if bits == 1:
            return self.rng.choice([-1, 1], shape)
        w = self.rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), shape)
        return np.where(self.rng.random(shape) < self.draw(st.sampled_from((0.0, 0.5))), 0, w)

    def narrow(self, x: str, scale: float = 1.0) -> str:
        """Some function to few bits, so that widths stay small."""
        span, bits = self.b.spans[x], self.integer(1, 8)
        kind = self.draw(st.sampled_from(("requant", "thresholds", "lut")))
        channels = self.shape(x)[-1]
        rows = self.draw(st.sampled_from((1, channels)))
        if kind == "thresholds":
            levels = self.integer(1, 20)
            steps = np.sort(self.rng.integers(span.min - 1, span.max + 2, (rows, levels)), axis=1)
            base, step = self.rng.integers(-3, 4, rows), self.rng.choice([-1, 1], rows)
            return self.b.thresholds("steps", x, scale, steps, base, step)
        if kind == "lut" and span.max - span.min < 1 << 8:
            table = self.rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), span.max - span.min + 1)
            return self.b.lut("table", x, scale, table, span.min)
        wide = max(1, (span.max - span.min).bit_length())
        signed = bits > 1 and self.draw(st.booleans())
        lo, hi = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
        mult = self.rng.integers(-20, 21, rows) if self.draw(st.booleans()) else np.ones(rows, np.int64)
        add = self.rng.integers(-30, 31, rows)
        return self.b.requant(
            "act",
            x,
            scale,
            lo,
            hi,
            max(0, wide - bits + int(np.abs(mult).max()).bit_length() - 1),
            mult=mult if rows > 1 else int(mult[0]),
            add=add if rows > 1 else int(add[0]),
            rounding=self.draw(st.sampled_from(Rounding)),
            overflow=self.draw(st.sampled_from(Overflow)),
        )

    def matrix(self, x: str) -> str:
        shape, n_out = self.shape(x), self.draw(st.sampled_from(CHANNELS))
        n_in, bias = shape[-1], self.draw(st.booleans())
        if len(shape) == 1 or self.draw(st.booleans()):
            return self.b.dense("fc", x, self.weights(n_in, n_out), self.rng.integers(-9, 10, n_out) if bias else None)
        groups = self.draw(st.sampled_from([g for g in (1, 2, 3, n_in) if n_in % g == 0]))
        n_out = groups * self.draw(st.sampled_from((1, 2)))
        kernel, strides, dilations, pads = [], [], [], []
        for size in shape[:-1]:
            k, d = self.integer(1, 3), self.integer(1, 2)
            reach = d * (k - 1) + 1
            before, after = self.integer(0, k - 1), self.integer(0, k - 1)
            if size + before + after < reach:
                k, d, before, after = 1, 1, 0, 0
            kernel.append(k), strides.append(self.integer(1, 3)), dilations.append(d), pads.append((before, after))
        w = self.weights(*kernel, n_in // groups, n_out)
        b = self.rng.integers(-9, 10, n_out) if bias else None
        return self.b.conv("conv", x, w, b, 1.0, tuple(strides), tuple(pads), tuple(dilations), groups)

    def pool(self, x: str) -> str:
        window = tuple(self.integer(1, min(3, n)) for n in self.shape(x)[:-1])
        strides = tuple(self.integer(1, 3) for _ in window)
        return self.b.pool("pool", x, self.draw(st.sampled_from(("max", "sum"))), window, strides)

    def step(self, x: str) -> str:
        """One more layer behind ``x``."""
        choices = ["matrix", "matrix", "skip", "split"]
        choices += ["pool", "places"] if len(self.shape(x)) > 1 else []
        kind = self.draw(st.sampled_from(choices))
        if kind == "matrix":
            return self.narrow(self.matrix(x))
        if kind == "pool":
            return self.narrow(self.pool(x))
        if kind == "places":
            axes = len(self.shape(x)) - 1
            if self.draw(st.booleans()) or np.prod(self.shape(x)) > 200:
                return self.b.pad("pad", x, tuple((self.integer(0, 1), self.integer(0, 2)) for _ in range(axes)))
            return self.b.upsample("up", x, tuple(self.integer(1, 2) for _ in range(axes)))
        if kind == "skip":
            factor = self.draw(st.sampled_from((-3, -1, 1, 2)))
            y = self.same_shape(x, float(abs(factor)))
            return self.narrow(self.b.add("sum", [x, y], 1.0, [1, factor]))
        return self.b.concat("both", [self.narrow(x), self.same_shape(x)], 1.0)

    def same_shape(self, x: str, scale: float = 1.0) -> str:
        """A branch of some depth that ends in the shape of ``x``."""
        shape = self.shape(x)
        if len(shape) == 1 or self.draw(st.booleans()):
            return self.narrow(self.b.dense("branch", x, self.weights(shape[-1], shape[-1])), scale)
        w = self.weights(*((3,) * (len(shape) - 1)), shape[-1], shape[-1])
        return self.narrow(self.b.conv("branch", x, w, pads=((1, 1),) * (len(shape) - 1)), scale)


@st.composite
def nets(draw: st.DrawFn) -> QNet:
    """A net of one to five layers on a vector, a signal or an image."""
    walk = Walk(draw)
    spatial = draw(st.sampled_from(((), (7,), (5, 4), (6, 6))))
    signed = draw(st.booleans())
    kind = QuantType(max(1 + signed, draw(st.integers(1, 8))), signed)
    x = walk.b.input("x", (*spatial, draw(st.sampled_from(CHANNELS))), kind)
    for _ in range(draw(st.integers(1, 5))):
        x = walk.step(x)
    if draw(st.booleans()):
        size = int(np.prod(walk.shape(x)))
        x = walk.b.dense("head", walk.b.reshape("flat", x, (size,)), walk.weights(size, 4))
    if draw(st.booleans()):
        x = walk.b.argmax("best", x)
    return walk.b.build(x)


@st.composite
def designs(draw: st.DrawFn) -> tuple[QNet, str, dict[str, Fold]]:
    """A net, a board, and some legal folding of every op."""
    net = draw(nets())
    units = [op for op in net.ops if is_unit(net, op)]
    return net, draw(st.sampled_from(BOARDS)), {op.name: some_fold(draw, net, op) for op in units}


def some_fold(draw: st.DrawFn, net: QNet, op: Op) -> Fold:
    """One tap at a time, whole windows from line buffers, or unrolled, each as often where ``op`` can be folded so."""
    kinds: dict[str, list[Fold]] = {}
    for fold in legal_folds(net, op):
        kind = "unrolled" if fold.mult == UNROLLED else "lines" if takes_whole_windows(op, fold) else "serial"
        kinds.setdefault(kind, []).append(fold)
    return draw(st.sampled_from(kinds[draw(st.sampled_from(sorted(kinds)))]))


def prove(case: tuple[QNet, str, dict[str, Fold]]) -> None:
    net, board, folding = case
    hw = HwConfig(load_board(board), clock_mhz=20.0, backend="rtl-folded")
    x = random_inputs(net, FRAMES, 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_project(design_of(net, hw, folding), hw, folder, x)
        assert (simulate(folder, net, x, taps=False).outputs == execute(net, x)).all()


OPTIONS = {
    "deadline": None,
    "database": None,
    "phases": (Phase.explicit, Phase.generate),
    "suppress_health_check": list(HealthCheck),
}


@settings(max_examples=20, derandomize=True, **OPTIONS)
@given(designs())
def test_random_designs(case: tuple[QNet, str, dict[str, Fold]]) -> None:
    prove(case)


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(5))
def test_many_random_designs(part: int) -> None:
    @seed(part)
    @settings(max_examples=40, **OPTIONS)
    @given(designs())
    def run(case: tuple[QNet, str, dict[str, Fold]]) -> None:
        prove(case)

    run()
