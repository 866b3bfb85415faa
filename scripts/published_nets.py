"""Published networks with random weights of the published widths: what a price follows from, where no file is at hand.

Weights are bell-shaped with 2.2 standard deviations at the largest integer, the smallest share of them zero where
the publication prunes; a scale or a threshold follows from what random inputs of full range would give.  One seed.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from bitsmith.models.ir import NetBuilder, QNet, QuantType
from bitsmith.models.ir.types import IntArray

SIGMAS = 2.2
"""Standard deviations of a weight up to its largest integer."""


class _Net:
    """A builder that knows about how far its values spread."""

    def __init__(self, name: str, shape: tuple[int, ...], kind: QuantType) -> None:
        self.b, self.rng = NetBuilder(name), np.random.default_rng(0)
        self.x = self.b.input("x", shape, kind)
        self.made = 0

    def weights(self, shape: tuple[int, ...], bits: int, zeros: float) -> IntArray:
        w = self.rng.normal(size=shape)
        if bits == 1:
            return np.where(w < 0, -1, 1).astype(np.int64)
        top = (1 << (bits - 1)) - 1
        kept = np.abs(w) >= np.quantile(np.abs(w), zeros)
        return np.where(kept, np.clip(np.rint(w * top / SIGMAS), -top, top), 0).astype(np.int64)

    def spread(self, weight: IntArray) -> IntArray:
        """Standard deviation of every output if the inputs are uniform, at least 1; of shape (n_out,)."""
        kind = self.b.ops[self.x].type
        span = (kind.max - kind.min) / np.sqrt(12.0)
        norm = np.sqrt((weight.reshape(-1, weight.shape[-1]).astype(np.float64) ** 2).sum(axis=0))
        return np.maximum(1, np.rint(norm * span)).astype(np.int64)

    def layer(self, weight: IntArray, pads: int | tuple[int, int] = 0, stride: int = 1) -> IntArray:
        """A matrix or a convolution, by the axes of ``weight``; the spread of its outputs."""
        self.made += 1
        spread = self.spread(weight)
        if weight.ndim == 2:
            self.x = self.b.dense(f"dense{self.made}", self.x, weight)
        else:
            pad = (pads, pads) if isinstance(pads, int) else pads
            self.x = self.b.conv(f"conv{self.made}", self.x, weight, strides=(stride, stride), pads=(pad, pad))
        return spread

    def relu(self, bits: int, spread: IntArray) -> None:
        """A ReLU of ``bits`` bits on a power-of-two grid, two spreads at its top."""
        top = (1 << bits) - 1
        shift = max(0, round(float(np.log2(2.0 * np.median(spread) / top))))
        self.x = self.b.requant(f"relu{self.made}", self.x, 1.0, 0, top, shift)

    def steps(self, bits: int, spread: IntArray) -> None:
        """An activation of ``bits`` bits with thresholds per channel, from -1.5 to 1.5 spreads around a middle."""
        levels = (1 << bits) - 1
        asked = np.linspace(-1.5, 1.5, levels) if levels > 1 else np.zeros(1)
        middle = self.rng.normal(0.0, 0.3, spread.size)
        rows = np.rint((asked[None, :] + middle[:, None]) * spread[:, None]).astype(np.int64)
        self.x = self.b.thresholds(f"steps{self.made}", self.x, 1.0, np.sort(rows, axis=1))

    def flat(self) -> None:
        self.x = self.b.reshape("flat", self.x, (int(np.prod(self.b.ops[self.x].shape)),))


def _mlp(name: str, kind: QuantType, widths: tuple[int, ...], bits: int, act: int, zeros: float = 0.0) -> QNet:
    """Dense layers with ReLUs on a power-of-two grid between them, as QKeras has them."""
    n = _Net(name, widths[:1], kind)
    for i, (a, b) in enumerate(pairwise(widths)):
        spread = n.layer(n.weights((a, b), bits, zeros))
        if i + 2 < len(widths):
            n.relu(act, spread)
    return n.b.build(n.x)


def _finn_mlp(name: str, kind: QuantType, widths: tuple[int, ...], bits: int, act: int, best: bool = True) -> QNet:
    """Dense layers with thresholds, the index of the largest output at the end, as FINN builds classifiers.

    Activations of one bit are 0 and 1 in place of -1 and 1: the same function with other thresholds.
    """
    n = _Net(name, widths[:1], kind)
    for i, (a, b) in enumerate(pairwise(widths)):
        spread = n.layer(n.weights((a, b), bits, 0.0))
        if i + 2 < len(widths) or not best:
            n.steps(act if i + 2 < len(widths) else 1, spread)
    return n.b.build(n.b.argmax("best", n.x) if best else n.x)


JETS = (16, 64, 32, 32, 5)


def jets_16() -> QNet:
    """ap_fixed<16,6>: inputs of 16 bits; weights below 1 with 10 fraction bits, so 11 bits; sums cut to 16 bits."""
    return _mlp("jets_16", QuantType(16, True, 2.0**-10), JETS, 11, 15)


def jets_16_pruned() -> QNet:
    """The same, 70 % of the weights zero."""
    return _mlp("jets_16_pruned", QuantType(16, True, 2.0**-10), JETS, 11, 15, 0.7)


def jets_6() -> QNet:
    """Weights and activations of 6 bits, inputs of 16."""
    return _mlp("jets_6", QuantType(16, True, 2.0**-10), JETS, 6, 6)


def jets_6_pruned() -> QNet:
    """The same, 75 % of the weights zero."""
    return _mlp("jets_6_pruned", QuantType(16, True, 2.0**-10), JETS, 6, 6, 0.75)


def ad08() -> QNet:
    """MLPerf Tiny AD08: 64-72-72-8-72-72-64, weights of 13 bits, activations of 7, inputs of 8."""
    return _mlp("ad08", QuantType(8, True), (64, 72, 72, 8, 72, 72, 64), 13, 7)


def rn07() -> QNet:
    """MLPerf Tiny RN07: five convolutions on 32 x 32 x 3 and a dense layer, weights and activations of 8 bits."""
    n = _Net("rn07", (32, 32, 3), QuantType(8, False))
    same = (1, 2)  # a kernel of 4 in TensorFlow's ``same``
    for side, before, after, stride, pads in (
        *((1, 3, 32, 1, 0), (4, 32, 4, 1, same), (4, 4, 32, 1, same)),
        *((4, 32, 32, 4, 0), (4, 32, 32, 1, same)),
    ):
        n.relu(8, n.layer(n.weights((side, side, before, after), 8, 0.0), pads, stride))
    n.flat()
    n.layer(n.weights((2048, 10), 8, 0.0))
    return n.b.build(n.x)


def kws_w3a3() -> QNet:
    """MLPerf Tiny KWS-W3A3: 490-256-256-256-12, weights and activations of 3 bits, inputs of 8."""
    return _finn_mlp("kws_w3a3", QuantType(8, True), (490, 256, 256, 256, 12), 3, 3)


def cnv_w1a1() -> QNet:
    """CNV: six 3 x 3 convolutions (64, 64, pool, 128, 128, pool, 256, 256), 512-512-10; one bit, inputs of 8 bits."""
    n = _Net("cnv_w1a1", (32, 32, 3), QuantType(8, False))
    for i, (before, after) in enumerate(((3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256))):
        n.steps(1, n.layer(n.weights((3, 3, before, after), 1, 0.0)))
        if i in (1, 3):
            n.x = n.b.pool(f"pool{i}", n.x, "max", (2, 2))
    n.flat()
    for i, (a, b) in enumerate(((256, 512), (512, 512), (512, 10))):
        spread = n.layer(n.weights((a, b), 1, 0.0))
        if i < 2:
            n.steps(1, spread)
    return n.b.build(n.b.argmax("best", n.x))


def sfc_w1a1() -> QNet:
    """FINN's SFC: 784 - 3 x 256 - 10, one bit throughout."""
    return _finn_mlp("sfc_w1a1", QuantType(1, False), (784, 256, 256, 256, 10), 1, 1)


def lfc_w1a1() -> QNet:
    """FINN's LFC: 784 - 3 x 1024 - 10, one bit throughout."""
    return _finn_mlp("lfc_w1a1", QuantType(1, False), (784, 1024, 1024, 1024, 10), 1, 1)


def unsw_w2a2() -> QNet:
    """FINN's intrusion detector: 600 - 3 x 64 - 1, two bits, inputs and output of one bit."""
    return _finn_mlp("unsw_w2a2", QuantType(1, False), (600, 64, 64, 64, 1), 2, 2, best=False)


NETS: dict[str, Callable[[], QNet]] = {
    build.__name__: build
    for build in (
        *(jets_16, jets_16_pruned, jets_6, jets_6_pruned, ad08, rn07),
        *(kws_w3a3, cnv_w1a1, sfc_w1a1, lfc_w1a1, unsw_w2a2),
    )
}
