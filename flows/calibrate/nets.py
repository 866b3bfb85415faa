"""Random networks that look like trained ones, each made anew from a small description and a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bitsmith.models.ir import NetBuilder, QNet, QuantType, Rounding
from bitsmith.models.ir.types import IntArray


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
    walk = _Walk(NetBuilder(name), np.random.default_rng(spec.seed))
    x = walk.b.input("x", spec.shape, QuantType(spec.in_bits, False))
    for layer in spec.layers:
        x = walk.layer(layer, x)
    if spec.argmax:
        x = walk.b.argmax("best", x)
    return walk.b.build(x)


@dataclass
class _Walk:
    b: NetBuilder
    rng: np.random.Generator
    made: int = field(default=0)

    def layer(self, spec: LayerSpec, x: str) -> str:
        self.made += 1
        name = f"l{self.made}"
        shape = self.b.ops[x].shape
        if spec.kind == "flatten":
            return self.b.reshape(name, x, (int(np.prod(shape)),))
        if spec.kind == "pool":
            return self.b.pool(name, x, "max", (spec.kernel,) * (len(shape) - 1))
        y = self._matrix(spec, name, x)
        if spec.kind == "residual":
            kind = self.b.ops[x].type
            y = self._act(spec, f"{name}_mid", y, kind.bits)
            y = self.b.add(f"{name}_sum", [x, y], 1.0)
        return self._act(spec, f"{name}_act", y, spec.act_bits)

    def _matrix(self, spec: LayerSpec, name: str, x: str) -> str:
        shape = self.b.ops[x].shape
        n_in, axes = shape[-1], len(shape) - 1
        n_out = n_in if spec.kind in ("residual", "depthwise") else spec.units
        bias = self.rng.integers(-(1 << spec.bits), 1 << spec.bits, n_out) if spec.act != "none" else None
        if spec.kind == "dense" or not axes or not spec.kernel:
            return self.b.dense(name, x, self._weights(spec, n_in, n_out), bias)
        side = spec.kernel
        pads = ((side // 2, side // 2),) * axes
        groups = n_in if spec.kind == "depthwise" else 1
        weight = self._weights(spec, *(side,) * axes, n_in // groups, n_out)
        stride = 1 if spec.kind == "residual" else spec.stride
        return self.b.conv(name, x, weight, bias, 1.0, (stride,) * axes, pads, groups=groups)

    def _weights(self, spec: LayerSpec, *shape: int) -> IntArray:
        """Bell-shaped, the smallest zeroed, rounded to ``spec.bits`` bits; of one bit: -1 and 1, of two: -1, 0, 1."""
        w = self.rng.normal(size=shape)
        if spec.bits == 1:
            return np.where(w < 0, -1, 1).astype(np.int64)
        top = (1 << (spec.bits - 1)) - 1
        kept = np.abs(w) >= np.quantile(np.abs(w), spec.zeros)
        found = np.clip(np.rint(w * top / 2.2), -top, top).astype(np.int64)
        found = np.where(kept & (found == 0), np.where(w < 0, -1, 1), found)
        found = np.where(kept, found, 0)
        return found if found.any() else np.ones_like(found)

    def _act(self, spec: LayerSpec, name: str, x: str, bits: int) -> str:
        span, channels = self.b.spans[x], self.b.ops[x].shape[-1]
        wide = max(1, (span.max - span.min).bit_length())
        shift = max(0, wide - bits - 2)
        if spec.act == "none":
            return x
        if spec.act == "thresholds" and bits <= 5:
            steps = np.sort(
                self.rng.integers(span.min // 4, max(2, span.max // 2), (channels, (1 << bits) - 1)), axis=1
            )
            return self.b.thresholds(name, x, 1.0, steps)
        if spec.act == "scaled":
            mult = self.rng.integers(100, 256, channels)
            add = self.rng.integers(-(64 << shift), 64 << shift, channels)
            rounding = Rounding.HALF_UP
            return self.b.requant(name, x, 1.0, 0, (1 << bits) - 1, shift + 8, mult, add, rounding)
        return self.b.requant(name, x, 1.0, 0, (1 << bits) - 1, shift)
