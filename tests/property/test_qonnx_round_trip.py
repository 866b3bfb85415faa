"""Laws of the QONNX export on random nets of all ops: it comes back the same, and qonnx computes the same."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from bitsmith.hls.backends.qonnx.check import find_problems
from bitsmith.hls.backends.qonnx.encode import encode
from bitsmith.hls.backends.qonnx.run import real_inputs, run_file
from bitsmith.models.ir import (
    NetBuilder,
    Overflow,
    QNet,
    QuantType,
    Rounding,
    content_hash,
    execute,
    random_inputs,
    to_text,
    verify,
)
from bitsmith.models.ir.ops import KINDS, Conv, Dense, Op
from bitsmith.models.ir.verify import times
from bitsmith.models.lower.exported.net import decode

Scale = float | tuple[float, ...]
LARGE = 1 << 12
"""Values beyond are brought back to few bits, so that no sum leaves float32."""


class Maker:
    """Appends random ops to a net; numbers from a seeded generator, the ops themselves drawn by hypothesis."""

    def __init__(self, seed: int, rank: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.b = NetBuilder("random")
        shape = {1: (6,), 2: (7, 3), 3: (5, 6, 2)}[rank]
        kind = QuantType(self.int(1, 6), self.flag(), self.scale(shape[-1]))
        full = self.flag()
        lo, hi = (None, None) if full else self.ends(kind.min, kind.max)
        self.values = [self.b.input("x", shape, kind, lo, hi, rounding=self.rounding())]
        if full and self.flag():
            op = self.b.ops["x"]
            self.b.ops["x"] = replace(op, overflow=Overflow.WRAP)  # type: ignore[call-arg]

    def int(self, lo: int, hi: int) -> int:
        return int(self.rng.integers(lo, hi + 1))

    def flag(self) -> bool:
        return bool(self.rng.random() < 0.5)

    def ends(self, lo: int, hi: int) -> tuple[int, int]:
        a, b = sorted((self.int(lo, hi), self.int(lo, hi)))
        return a, b

    def rounding(self) -> Rounding:
        return list(Rounding)[self.int(0, 2)]

    def scale(self, channels: int) -> Scale:
        choice = self.int(0, 3)
        if choice == 0:
            return 1.0
        if choice == 1:
            return 2.0 ** self.int(-9, 3)
        if choice == 2:
            return float(self.rng.uniform(1e-4, 3.0))
        return tuple(float(v) for v in self.rng.uniform(1e-4, 3.0, channels))

    def shape(self, v: str) -> tuple[int, ...]:
        return self.b.ops[v].shape

    def requant(self, v: str, scale: Scale | None = None) -> str:
        channels, span = self.shape(v)[-1], self.b.spans[v]
        mult = self.rng.integers(-3, 4, channels) if self.flag() else self.int(1, 3)
        add = self.rng.integers(-90, 90, channels) if self.flag() else self.int(-1, 1)
        shift = self.int(0, 5) + max(0, int(span.magnitude.max()).bit_length() - 9)
        wrap, signed, bits = self.rng.random() < 0.3, self.flag(), self.int(1, 6)
        kind = QuantType(bits, signed)
        lo, hi = (kind.min, kind.max) if self.flag() else self.ends(-20, 20)
        if wrap:
            lo = self.int(-9, 9) if self.flag() else kind.min
            hi = lo + (1 << bits) - 1
        overflow = Overflow.WRAP if wrap else Overflow.SATURATE
        scale = self.scale(channels) if scale is None else scale
        return self.b.requant("q", v, scale, lo, hi, shift, mult, add, self.rounding(), overflow)

    def plain(self, v: str) -> str:
        """The same shape, with one scale for all channels."""
        return self.requant(v, 0.37) if self.b.ops[v].type.is_per_channel else v

    def weights(self, *shape: int) -> np.ndarray:
        bits = self.int(1, 4)
        return self.rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), shape)

    def bias(self, channels: int) -> np.ndarray | None:
        return self.rng.integers(-99, 99, channels) if self.flag() else None

    def dense(self, v: str) -> str:
        v, n = self.plain(v), self.int(1, 5)
        return self.b.dense("dense", v, self.weights(self.shape(v)[-1], n), self.bias(n), self.scale(n))

    def conv(self, v: str) -> str:
        v = self.plain(v)
        *places, channels = self.shape(v)
        groups = channels if self.flag() else 1
        n, dilations = groups * self.int(1, 3), tuple(self.int(1, 2) for _ in places)
        kernel = tuple(self.int(1, max(1, min(3, size // d))) for size, d in zip(places, dilations, strict=True))
        w = self.weights(*kernel, channels // groups, n)
        strides, pads = self.each(places, 1, 2), self.pads(places)
        return self.b.conv("conv", v, w, self.bias(n), self.scale(n), strides, pads, dilations, groups)

    def each(self, places: list[int], lo: int, hi: int) -> tuple[int, ...]:
        return tuple(self.int(lo, hi) for _ in places)

    def pads(self, places: list[int]) -> tuple[tuple[int, int], ...]:
        return tuple((self.int(0, 1), self.int(0, 2)) for _ in places)

    def pool(self, v: str) -> str:
        *places, channels = self.shape(v)
        window = tuple(self.int(1, min(3, size)) for size in places)
        mode = "max" if self.flag() else "sum"
        pads = tuple((self.int(0, w - 1), self.int(0, w - 1)) for w in window) if self.flag() else None
        scale = self.scale(channels) if mode == "sum" else None
        return self.b.pool("pool", v, mode, window, self.each(places, 1, 2), pads, scale)

    def thresholds(self, v: str) -> str:
        channels = self.shape(v)[-1]
        rows, bases, steps = (channels if self.flag() else 1 for _ in range(3))
        levels = np.sort(self.rng.integers(-60, 60, (rows, self.int(1, 5))), axis=1)
        base, step = self.rng.integers(-5, 6, bases), self.rng.integers(-3, 4, steps)
        return self.b.thresholds("levels", v, self.scale(channels), levels, base, step)

    def lut(self, v: str) -> str:
        span = self.b.spans[v]
        offset = span.min - self.int(0, 3)
        table = self.rng.integers(-99, 99, span.max - offset + 1 + self.int(0, 3))
        return self.b.lut("lut", v, self.scale(self.shape(v)[-1]), table, offset)

    def add(self, v: str) -> str:
        scale = self.scale(self.shape(v)[-1])
        factors = [self.int(1, 3) * (1 if self.flag() else -1) for _ in range(self.int(1, 3))]
        return self.b.add("sum", [self.requant(v, times(scale, abs(f))) for f in factors], scale, factors)

    def concat(self, v: str) -> str:
        branches = [v, *(self.requant(v) for _ in range(self.int(0, 2)))]
        kinds = [self.b.ops[x].type for x in branches]
        scales = [np.broadcast_to(k.scale, self.shape(v)[-1]) for k in kinds]
        common = kinds[0].scale
        if len({k.scale for k in kinds}) > 1 or kinds[0].is_per_channel:
            common = tuple(float(s) for s in np.concatenate(scales))
        return self.b.concat("joined", branches, common)

    def reshape(self, v: str) -> str:
        v, size = self.plain(v), int(np.prod(self.shape(v)))
        half = (size // 2, 2) if size % 2 == 0 else (size, 1)
        return self.b.reshape("cut", v, [(size,), half, (1, *half)][self.int(0, 2)])

    def pad(self, v: str) -> str:
        return self.b.pad("pad", v, self.pads(list(self.shape(v)[:-1])))

    def upsample(self, v: str) -> str:
        return self.b.upsample("larger", v, self.each(list(self.shape(v)[:-1]), 1, 3))

    def argmax(self, v: str) -> str:
        return self.b.argmax("winner", self.plain(v))

    def step(self, kind: str, v: str) -> str:
        """One more op of ``kind``, and a Requant behind it where values have grown."""
        spatial = kind in ("conv", "pool", "pad", "upsample")
        if spatial and len(self.shape(v)) == 1:
            kind = "dense"
        if np.prod(self.shape(v)) > 400 and kind in ("upsample", "pad", "concat"):
            kind = "requant"
        v = getattr(self, kind)(v)
        return self.requant(v) if int(self.b.spans[v].magnitude.max()) > LARGE else v


@st.composite
def nets(draw: st.DrawFn) -> QNet:
    maker = Maker(draw(st.integers(0, 2**32)), draw(st.integers(1, 3)))
    v = "x"
    for kind in draw(st.lists(st.sampled_from(sorted(KINDS.keys() - {"input"})), max_size=5)):
        v = maker.step(kind, v)
    net = maker.b.build(v, draw(st.sampled_from(["none", "softmax", "sigmoid"])))
    return verify(net.with_ops(tuple(_wider(op, maker) for op in net.ops)))


def _wider(op: Op, maker: Maker) -> Op:
    """``op``, some with types wider than they need to be."""
    if maker.rng.random() < 0.7:
        return op
    if isinstance(op, Dense | Conv):
        w = op.weight_type
        op = replace(op, weight_type=QuantType(w.bits + 1, True, w.scale))
    return replace(op, type=QuantType(op.type.bits + maker.int(1, 3), True, op.type.scale))


@given(net=nets())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_exported_comes_back_the_same(net: QNet) -> None:
    back = decode(encode(net))
    assert back is not None, to_text(net)
    assert content_hash(back) == content_hash(net), f"{to_text(net)}\n{to_text(back)}"
    assert back.name == net.name


@given(net=nets())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
def test_qonnx_computes_what_execute_defines(net: QNet, tmp_path: Path) -> None:
    assert not find_problems(net)
    file = tmp_path / "model.onnx"
    file.write_bytes(encode(net).SerializeToString())
    x = random_inputs(net, 20, seed=1)
    outputs, _ = run_file(file, net, x, taps=False)
    assert (outputs == execute(net, x)).all(), to_text(net)


@given(net=nets())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_file_as_it_is_keeps_to_its_stated_types(net: QNet) -> None:
    """qonnx warns where a value leaves the type that its tensor is annotated with: no row may."""
    model = encode(net)
    onnx.checker.check_model(model)
    rows = real_inputs(net.input, random_inputs(net, 3, seed=2))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for row in rows:
            execute_onnx(ModelWrapper(model, make_deepcopy=True), {model.graph.input[0].name: row[np.newaxis]})
