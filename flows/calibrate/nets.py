"""Random networks that look like trained ones, each made anew from a small description and a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bitsmith.models.ir import NetBuilder, QNet, QuantType, Rounding
from bitsmith.models.ir.execute import apply_op
from bitsmith.models.ir.types import IntArray

SAMPLES = 128
"""Random inputs that biases and scales follow from."""


@dataclass(frozen=True)
class LayerSpec:
    """One layer.  ``kind``: dense | conv | depthwise | pool | flatten | residual (a convolution or dense layer whose
    input is added to it); ``act`` behind it: relu (power-of-two scale), scaled (a multiplier per channel),
    thresholds (per channel) or none."""

    kind: str
    units: int = 0
    kernel: int = 0
    stride: int = 1
    bits: int = 4
    zeros: float = 0.0  # share of the weights, the smallest ones
    act: str = "relu"
    act_bits: int = 4


@dataclass(frozen=True)
class NetSpec:
    """A network: shape (channels last) and bits of its input, layers, seed of its weights."""

    seed: int
    shape: tuple[int, ...]
    in_bits: int
    layers: tuple[LayerSpec, ...]
    argmax: bool = False


def spec_from(data: dict[str, Any]) -> NetSpec:
    """The inverse of ``dataclasses.asdict``, from JSON."""
    layers = tuple(LayerSpec(**layer) for layer in data["layers"])
    return NetSpec(**{**data, "shape": tuple(data["shape"]), "layers": layers})


def net_of(spec: NetSpec, name: str) -> QNet:
    """The QNet of ``spec``; the same on every machine."""
    rng = np.random.default_rng(spec.seed)
    walk = _Walk(NetBuilder(name), rng)
    x = walk.b.input("x", spec.shape, QuantType(spec.in_bits, False))
    walk.values[x] = rng.integers(0, 1 << spec.in_bits, (SAMPLES, *spec.shape))
    for layer in spec.layers:
        x = walk.layer(layer, x)
    if spec.argmax:
        x = walk.b.argmax("best", x)
    return walk.b.build(x)


@dataclass
class _Walk:
    """Biases and scales follow from what a few random inputs become: no activation is stuck, as in trained nets."""

    b: NetBuilder
    rng: np.random.Generator
    values: dict[str, IntArray] = field(default_factory=dict)
    made: int = field(default=0)

    def layer(self, spec: LayerSpec, x: str) -> str:
        self.made += 1
        name = f"l{self.made}"
        shape = self.b.ops[x].shape
        if spec.kind == "flatten":
            return self._known(self.b.reshape(name, x, (int(np.prod(shape)),)))
        if spec.kind == "pool":
            return self._known(self.b.pool(name, x, "max", (spec.kernel,) * (len(shape) - 1)))
        y = self._matrix(spec, name, x)
        if spec.kind == "residual":
            bits = self.b.ops[x].type.bits
            y = self._act(spec, f"{name}_mid", y, bits)
            y = self._known(self.b.add(f"{name}_sum", [x, y], 1.0))
        return self._act(spec, f"{name}_act", y, spec.act_bits)

    def _known(self, y: str) -> str:
        """``y`` with its values for the samples."""
        op = self.b.ops[y]
        args = [self.values[i] for i in op.inputs]
        self.values[y] = apply_op(op, args, [self.b.spans[i] for i in op.inputs])
        return y

    def _matrix(self, spec: LayerSpec, name: str, x: str) -> str:
        shape = self.b.ops[x].shape
        n_in, axes = shape[-1], len(shape) - 1
        n_out = n_in if spec.kind in ("residual", "depthwise") else spec.units
        if spec.kind == "dense" or not axes or not spec.kernel:
            y = self._known(self.b.dense(name, x, self._weights(spec, n_in, n_out)))
        else:
            side = spec.kernel
            pads = ((side // 2, side // 2),) * axes
            groups = n_in if spec.kind == "depthwise" else 1
            weight = self._weights(spec, *(side,) * axes, n_in // groups, n_out)
            stride = 1 if spec.kind == "residual" else spec.stride
            y = self._known(self.b.conv(name, x, weight, None, 1.0, (stride,) * axes, pads, groups=groups))
        if spec.act == "none":
            return y
        sums = self.values[y].reshape(-1, n_out)
        share = self.rng.uniform(0.3, 0.6, n_out)  # of the sums that a ReLU is to leave at zero
        middle = np.array([np.quantile(sums[:, k], share[k]) for k in range(n_out)])
        self.b.add_bias(y, -np.rint(middle).astype(np.int64))
        return self._known(y)

    def _weights(self, spec: LayerSpec, *shape: int) -> IntArray:
        """Bell-shaped, the smallest zeroed, rounded to ``spec.bits`` bits; of one bit: -1 and 1, of two: -1, 0, 1."""
        w = self.rng.normal(size=shape)
        if spec.bits == 1:
            return np.where(w < 0, -1, 1).astype(np.int64)
        top = (1 << (spec.bits - 1)) - 1
        kept = np.abs(w) >= np.quantile(np.abs(w), spec.zeros)
        kept |= np.abs(w) == np.abs(w).max(axis=tuple(range(w.ndim - 1)))  # no output without a weight
        found = np.clip(np.rint(w * top / 2.2), -top, top).astype(np.int64)
        found = np.where(kept & (found == 0), np.where(w < 0, -1, 1), found)
        return np.where(kept, found, 0)

    def _act(self, spec: LayerSpec, name: str, x: str, bits: int) -> str:
        values, channels = self.values[x], self.b.ops[x].shape[-1]
        if spec.act == "none":
            return x
        if spec.act == "thresholds" and bits <= 5:
            levels = (1 << bits) - 1
            asked = (np.arange(levels) + self.rng.uniform(0.8, 1.2, levels)) / (levels + 1)
            steps = np.quantile(values.reshape(-1, channels), asked, axis=0).T
            return self._known(self.b.thresholds(name, x, 1.0, np.sort(np.rint(steps).astype(np.int64), axis=1)))
        top = (1 << bits) - 1
        reach = max(1, int(np.quantile(values, 0.98)))
        if spec.act == "scaled":
            mult = self.rng.integers(100, 256, channels)
            shift = max(0, round(np.log2(reach * 180 / top)))
            add = self.rng.integers(-(1 << shift), 1 << shift, channels) // 2
            return self._known(self.b.requant(name, x, 1.0, 0, top, shift, mult, add, Rounding.HALF_UP))
        shift = max(0, round(np.log2(reach / top)))
        return self._known(self.b.requant(name, x, 1.0, 0, top, shift))
