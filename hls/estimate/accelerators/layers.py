"""A net as the layers that an accelerator runs: each head op with the quantizers that follow it, and what is stored."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bitsmith.models.ir import (
    Add,
    ArgMax,
    Concat,
    Conv,
    Dense,
    Input,
    Lut,
    Op,
    Pool,
    QNet,
    Requant,
    Reshape,
    Thresholds,
)

ACTIVATIONS = (Requant, Thresholds, Lut)
"""Ops that every accelerator does on the way out of the layer before."""


@dataclass(frozen=True)
class Tensor:
    """An array of integers that lies in memory between layers."""

    name: str  # of the op whose output it is
    shape: tuple[int, ...]  # without the batch
    bits: int
    signed: bool

    @property
    def elements(self) -> int:
        """How many integers."""
        return math.prod(self.shape)

    @property
    def channels(self) -> int:
        """Size of the last axis."""
        return self.shape[-1]

    @property
    def places(self) -> int:
        """Product of the spatial axes."""
        return math.prod(self.shape[:-1])


@dataclass(frozen=True)
class Layer:
    """One step of an accelerator.

    ``kind`` is ``conv``, ``pointwise``, ``depthwise``, ``dense``, ``pool``, ``add``,
    ``concat``, ``pad``, ``upsample``, ``activation`` or ``argmax``.
    """

    op: Op  # the head
    kind: str
    fused: tuple[Op, ...]  # quantizers that follow it
    inputs: tuple[Tensor, ...]
    output: Tensor
    flattened_places: int = 1  # dense: places of the feature map whose channels it takes one after another

    @property
    def name(self) -> str:
        """Of the head."""
        return self.op.name

    @property
    def macs(self) -> int:
        """Multiplications per inference, those on padding too."""
        return self.head_places * self.weights

    @property
    def head_places(self) -> int:
        """Spatial places of the head's own output."""
        return math.prod(self.op.shape[:-1])

    @property
    def weights(self) -> int:
        """Elements of the weight array."""
        return int(self.op.weight.size) if isinstance(self.op, Conv | Dense) else 0

    @property
    def weight_bits(self) -> int:
        """Bits that one weight takes as a signed integer; 0 without weights."""
        if not isinstance(self.op, Conv | Dense):
            return 0
        return self.op.weight_type.bits + (0 if self.op.weight_type.signed else 1)

    @property
    def biases(self) -> int:
        """Outputs that get something added; 0 if none does.  A requantizer's addend counts as one."""
        if not isinstance(self.op, Conv | Dense):
            return 0
        added = self.op.bias.any() or any(isinstance(op, Requant) and op.add.any() for op in self.fused)
        return self.op.shape[-1] if added else 0

    @property
    def in_channels(self) -> int:
        """Channels that one output sums over."""
        if isinstance(self.op, Conv | Dense):
            return int(self.op.weight.shape[-2])
        return self.inputs[0].channels

    @property
    def kernel(self) -> tuple[int, ...]:
        """Spatial size of the kernel or the pooling window; (1,) for anything else."""
        if isinstance(self.op, Conv):
            return self.op.kernel
        return self.op.window if isinstance(self.op, Pool) else (1,)

    @property
    def strides(self) -> tuple[int, ...]:
        """Spatial strides; (1,) for anything that has none."""
        return self.op.strides if isinstance(self.op, Conv | Pool) else (1,)


def layers_of(net: QNet) -> tuple[Layer, ...]:
    """The layers in the order of the net.  Input and Reshape are none: they name tensors."""
    stored = _stored(net)
    layers = []
    for op in net.ops:
        if isinstance(op, Input | Reshape) or stored[op.name].head != op.name:
            continue
        chain = [
            o for o in net.ops if o.name != op.name and stored[o.name].head == op.name and isinstance(o, ACTIVATIONS)
        ]
        last = chain[-1] if chain else op
        inputs = tuple(_tensor(net, name) for name in op.inputs)
        layers.append(Layer(op, _kind(net, op), tuple(chain), inputs, _tensor(net, last.name), _flattened(net, op)))
    return tuple(layers)


@dataclass(frozen=True)
class _Home:
    """The layer that an op belongs to."""

    head: str


def _stored(net: QNet) -> dict[str, _Home]:
    homes: dict[str, _Home] = {}
    for op in net.ops:
        head = op.name
        if isinstance(op, ACTIVATIONS):
            before = net[op.inputs[0]]
            alone = len(net.users(before.name)) == 1
            if alone and not isinstance(before, Input | Reshape):
                head = homes[before.name].head
        homes[op.name] = _Home(head)
    return homes


def _tensor(net: QNet, name: str) -> Tensor:
    """What is stored under ``name``: a Reshape names the tensor before it, in the shape that that has.

    The input is loaded in whatever shape its first layer wants.
    """
    op = net[name]
    while isinstance(op, Reshape):
        op = net[op.inputs[0]]
    shape = net[name].shape if isinstance(op, Input) else op.shape
    return Tensor(op.name, shape, op.type.bits, op.type.signed)


def _flattened(net: QNet, op: Op) -> int:
    return _tensor(net, op.inputs[0]).places if isinstance(op, Dense) and len(op.shape) == 1 else 1


def _kind(net: QNet, op: Op) -> str:
    if isinstance(op, Conv):
        if op.groups > 1:
            return "depthwise"
        return "pointwise" if all(k == 1 for k in op.kernel) else "conv"
    if isinstance(op, Dense):
        return "dense" if len(op.shape) == 1 else "pointwise"
    if isinstance(op, ACTIVATIONS):
        return "activation"
    known = {Pool: "pool", Add: "add", Concat: "concat", ArgMax: "argmax"}
    return known.get(type(op), op.kind)


def readers(layers: tuple[Layer, ...], layer: Layer) -> tuple[Layer, ...]:
    """The layers that read what ``layer`` writes."""
    return tuple(other for other in layers if any(t.name == layer.output.name for t in other.inputs))


def in_flight(layers: tuple[Layer, ...], layer: Layer) -> bool:
    """Whether a pool or a sum is only read by layers with weights, so that MAX7800x does it on the way into them."""
    found = readers(layers, layer)
    return layer.kind in ("pool", "add") and bool(found) and all(other.weights for other in found)


def peak_tensors(net: QNet, layers: tuple[Layer, ...]) -> tuple[tuple[str, tuple[Tensor, ...]], ...]:
    """Per layer: its name and the tensors that lie in memory while it runs (inputs, output, kept branches)."""
    last_use = {t.name: i for i, layer in enumerate(layers) for t in layer.inputs}
    first = _tensor(net, net.input.name)
    alive: dict[str, Tensor] = {first.name: first}
    found = []
    for i, layer in enumerate(layers):
        alive[layer.output.name] = layer.output
        found.append((layer.name, tuple(alive.values())))
        alive = {name: t for name, t in alive.items() if last_use.get(name, -1) > i}
    return tuple(found)


def is_linear(op: Thresholds) -> bool:
    """Whether the steps are as good as evenly spaced: a scale and a shift then come within one integer of them."""
    if op.thresholds.shape[-1] < 3:
        return True
    gaps = np.diff(op.thresholds, axis=-1)
    return bool((gaps.max(axis=-1) - gaps.min(axis=-1) <= 1).all())
