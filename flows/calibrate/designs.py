"""The designed set of networks, boards and foldings whose real synthesis the estimator learns from.

A recipe holds all that a design follows from; nothing in it depends on prices,
so a design stays the same when the estimator changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from bitsmith.flows.calibrate.nets import LayerSpec, NetSpec, net_of, spec_from
from bitsmith.hls.backends.rtl.folded.folding import Fold
from bitsmith.hls.backends.rtl.folded.solve import Solver
from bitsmith.hls.backends.rtl.unrolled.adder_graph import signed_digits
from bitsmith.hls.backends.rtl.unrolled.check import problems as unrolled_problems
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.models.ir import Conv, Dense, QNet

BOARDS = {
    "ecp5": ("ulx3s-85f",),
    "xc7": ("arty-a7-100t",),
    "ice40": ("hx8k-breakout", "icebreaker"),
    "gowin": ("tang-nano-20k",),
}
"""Families with ground truth; yosys counts xcup as xc7, so that one brings no information."""

MOST_LUTS = {"ecp5": 2500, "xc7": 2500, "ice40": 2000, "gowin": 2500}
"""By the estimate: a synthesis is to end within a minute or so."""

LEAST_BITS = 32
"""Bits of an input, at least."""

MOST_DIGITS = {"ecp5": 450, "xc7": 700, "ice40": 350, "gowin": 450}
"""Signed digits of an unrolled design, copies included."""

CLOCKS = {"ecp5": (25, 50, 75, 100), "xc7": (50, 100, 150, 200), "ice40": (12, 25, 40, 60), "gowin": (27, 50, 75)}


@dataclass(frozen=True)
class Recipe:
    """A design: network, board, clock, backend, and for ``rtl-folded`` the folding of every op."""

    id: str
    backend: str
    board: str
    clock_mhz: float
    net: NetSpec
    folding: dict[str, Fold] | None = None

    def as_json(self) -> dict[str, Any]:
        """For a line of the data file."""
        return asdict(self)

    def build(self) -> tuple[QNet, HwConfig]:
        """The network and the hardware that it is made for."""
        hw = HwConfig(load_board(self.board), self.clock_mhz, self.backend)
        return net_of(self.net, self.id), hw


def recipe_from(data: dict[str, Any]) -> Recipe:
    """The inverse of :meth:`Recipe.as_json`."""
    folding = data["folding"]
    folds = None if folding is None else {name: Fold(**fold) for name, fold in folding.items()}
    fields = {key: data[key] for key in ("id", "backend", "board", "clock_mhz")}
    return Recipe(**fields, net=spec_from(data["net"]), folding=folds)


def recipes(family: str, backend: str) -> Iterator[Recipe]:
    """An endless row of designs, the same every time."""
    index = 0
    while True:
        rng = np.random.default_rng([list(BOARDS).index(family), backend == "rtl-folded", index])
        found = _folded(rng, family, index) if backend == "rtl-folded" else _unrolled(rng, family, index)
        if found is not None:
            yield found
        index += 1


def designed_set(pairs: Sequence[tuple[str, str]], each: int) -> Iterator[Recipe]:
    """The first ``each`` designs of every (family, backend), taking turns."""
    rows = [recipes(family, backend) for family, backend in pairs]
    for _ in range(each):
        yield from (next(row) for row in rows)


def _folded(rng: np.random.Generator, family: str, index: int) -> Recipe | None:
    """A network at a rate, or with some of its foldings drawn; None where it turns out too large or too small."""
    boards = BOARDS[family]
    board = boards[index % len(boards)]
    clock = float(rng.choice(CLOCKS[family]))
    recipe = Recipe(f"{family}_folded_{index:04d}", "rtl-folded", board, clock, random_spec(rng, large=True))
    net, hw = recipe.build()
    solver = Solver(net, hw)
    if rng.random() < 0.4:
        drawn = [_drawn(rng, solver, op.name) for op in solver.ops if isinstance(op, Dense | Conv)]
        solver = Solver(net, replace(hw, folding=tuple(drawn)))
    candidates = solver.candidates()
    ii = candidates[min(len(candidates) - 1, int(len(candidates) * rng.random() ** 0.7))]
    folding = solver.choose(ii)
    if folding is None:
        return None
    prices = {o.fold: o.cost.lut for options in solver.options.values() for o in options}
    total = sum(prices.get(fold, 0.0) for fold in folding.values())
    return replace(recipe, folding=dict(folding)) if 100 <= total <= MOST_LUTS[family] else None


def _drawn(rng: np.random.Generator, solver: Solver, name: str) -> tuple[str, int, int, str]:
    options = [o for o in solver.options[name] if o.cost.lut <= 2000] or solver.options[name]
    fold = options[rng.integers(len(options))].fold
    return name, fold.pe, fold.simd, fold.mult


def _unrolled(rng: np.random.Generator, family: str, index: int) -> Recipe | None:
    board = BOARDS[family][0]
    clock = float(rng.choice(CLOCKS[family]))
    recipe = Recipe(f"{family}_unrolled_{index:04d}", "rtl-unrolled", board, clock, random_spec(rng, large=False))
    net, hw = recipe.build()
    digits = sum(signed_digits(op.weight) * math.prod(op.shape[:-1]) for op in net.ops if isinstance(op, Dense | Conv))
    if not 40 <= digits <= MOST_DIGITS[family] or unrolled_problems(net, hw):
        return None
    return recipe


def random_spec(rng: np.random.Generator, large: bool) -> NetSpec:
    """A multilayer perceptron, an image or a signal network, with skips in some; ``large`` for folded designs."""
    kind = rng.choice(["vector", "image", "signal"], p=[0.55, 0.27, 0.18])
    bits = int(rng.integers(1, 9))
    style = _Style(rng, bits, float(rng.choice([0.0, 0.0, 0.5, 0.75, 0.9])) if bits > 1 else 0.0, large)
    if kind == "vector":
        shape, layers = _vector(rng, style)
    elif kind == "image":
        shape, layers = _image(rng, style)
    else:
        shape, layers = _signal(rng, style)
    least = max(1, math.ceil(LEAST_BITS / math.prod(shape)))  # of fewer input bits any function is a small table
    in_bits = int(rng.integers(min(least, 8), 9))
    return NetSpec(int(rng.integers(2**31)), shape, in_bits, layers, bool(rng.random() < 0.3))


@dataclass(frozen=True)
class _Style:
    """What the layers of a network have in common."""

    rng: np.random.Generator
    bits: int
    zeros: float
    large: bool

    def layer(self, kind: str, units: int = 0, kernel: int = 0, stride: int = 1) -> LayerSpec:
        """A layer, its widths one off the network's at most."""
        act = str(self.rng.choice(["relu", "relu", "scaled", "thresholds"]))
        bits = int(np.clip(self.bits + self.rng.integers(-1, 2), 1, 8))
        act_bits = int(np.clip(self.bits + self.rng.integers(-1, 2), 1, 8))
        return LayerSpec(kind, units, kernel, stride, bits, self.zeros if bits > 1 else 0.0, act, act_bits)

    def head(self, units: int) -> LayerSpec:
        """The last layer: sums without an activation."""
        return replace(self.layer("dense", units), act="none")

    def pick(self, small: tuple[int, ...], large: tuple[int, ...]) -> int:
        """One of the sizes that suit the kind of design."""
        return int(self.rng.choice(large if self.large else small))


def _vector(rng: np.random.Generator, s: _Style) -> tuple[tuple[int, ...], tuple[LayerSpec, ...]]:
    layers: list[LayerSpec] = []
    for _ in range(rng.integers(0, 4 if s.large else 3)):
        if layers and rng.random() < 0.25:
            layers.append(s.layer("residual"))
        else:
            layers.append(s.layer("dense", s.pick((4, 6, 8, 12, 16, 24), (8, 12, 16, 24, 32, 48, 64, 96, 128, 256))))
    shape = (s.pick((4, 8, 12, 16, 24), (8, 16, 24, 32, 49, 64, 96, 128, 256)),)
    return shape, (*layers, s.head(int(rng.integers(2, 11))))


def _image(rng: np.random.Generator, s: _Style) -> tuple[tuple[int, ...], tuple[LayerSpec, ...]]:
    side, channels = s.pick((3, 4, 5), (6, 8, 10, 12, 16, 28)), s.pick((1, 2), (1, 1, 2, 3, 4, 8))
    shape = (side, side, channels)
    layers: list[LayerSpec] = []
    for k in range(rng.integers(1, 4 if s.large else 2)):
        kernel = int(rng.choice([1, 3, 3, 5 if s.large else 2]))
        kind = str(rng.choice(["conv", "conv", "residual", "depthwise"])) if k else "conv"
        stride = int(rng.choice([1, 1, 2]))
        layers.append(s.layer(kind, s.pick((2, 3, 4), (4, 6, 8, 12, 16, 32)), kernel, stride))
        side = side if kind == "residual" else -(-side // stride)
        if side >= 4 and rng.random() < 0.5:
            layers.append(LayerSpec("pool", kernel=2))
            side //= 2
    if rng.random() < 0.7:
        layers += [LayerSpec("flatten"), s.head(int(rng.integers(2, 11)))]
    return shape, tuple(layers)


def _signal(rng: np.random.Generator, s: _Style) -> tuple[tuple[int, ...], tuple[LayerSpec, ...]]:
    length = s.pick((5, 8, 10), (16, 24, 32, 64, 128))
    shape = (length, s.pick((1, 2), (1, 2, 3, 6)))
    layers: list[LayerSpec] = []
    for k in range(rng.integers(1, 4 if s.large else 2)):
        kernel = int(rng.choice([3, 5, 7])) if s.large else 3
        kind = str(rng.choice(["conv", "conv", "residual", "depthwise"])) if k else "conv"
        stride = int(rng.choice([1, 2]))
        layers.append(s.layer(kind, s.pick((2, 3, 4), (4, 8, 12, 16, 24)), kernel, stride))
        length = length if kind == "residual" else -(-length // stride)
        if length >= 4 and rng.random() < 0.4:
            layers.append(LayerSpec("pool", kernel=2))
            length //= 2
    if rng.random() < 0.6:
        layers += [LayerSpec("flatten"), s.head(int(rng.integers(2, 9)))]
    return shape, tuple(layers)
