"""Which step every quantizer of a net has, so that the net is one of integers.

With fixed grids all steps are powers of two, and any of them fit together.  A
learned step fits no other.  So branches that meet share one, what goes into
weights has one step for all channels, and a bias counts the steps of its
accumulator.  Where a spec leaves no room for that, the message says what to change.
"""

from __future__ import annotations

from typing import Any

from bitsmith.models.ir.errors import InputError
from bitsmith.models.train.brevitas_quantizers import BIAS_BITS
from bitsmith.models.train.brevitas_steps import step_classes
from bitsmith.models.zoo.graph import INPUT, Grid, Node, Shape, nodes
from bitsmith.models.zoo.spec import MergeSpec, NetSpec, PoolSpec, WeightedSpec

LEARNABLE = ("linear", "relu")  # tanh and sigmoid have a range of their own


def fixed_step(grid: Grid, signed: bool) -> float:
    """QKeras's: a power of two, but a single signed bit is plus or minus 1 whatever its integer bits."""
    if signed and grid.bits == 1:
        return 1.0
    return float(2.0 ** (grid.integer_bits - grid.bits + signed))


class Steps:
    """Steps by node, asked for in the order of the nodes: weights, bias, then :meth:`value`."""

    def __init__(self, spec: NetSpec) -> None:
        self.spec = spec
        self.make = step_classes()
        self.real = spec.weight_scales != "fixed" or spec.activation_scales != "fixed"
        source = spec.input
        self.input = self.make.Fixed(fixed_step(Grid(source.bits, source.integer_bits), source.signed))
        self.of: dict[str, Any] = {INPUT: self.input}  # None: more than one step, or none that is exact
        self.nodes = {node.name: node for node in nodes(spec)}
        self.shared = self._shared() if spec.activation_scales == "tensor" else {}

    def weight(self, node: Node, shape: Shape, inner: bool) -> Any:
        """The step of the node's weights; ``shape`` has one entry per output channel, ``inner`` feeds more weights."""
        kind = self.spec.weight_scales
        if kind == "fixed":
            step = self.make.Fixed(fixed_step(node.weight_grid, signed=True))
        elif inner:
            step = self.make.Learned((), bits=1)  # of three factors only two may have a mantissa
        else:
            step = self.make.Learned(shape if kind == "channel" else ())
        if self.real:
            source = self.of[node.name] if node.name in self.of else self._single(node)
            self.of[node.name] = self.make.Product(source, step)
        return step

    def bias(self, node: Node) -> tuple[int, Any]:
        """Bits and step of the node's bias."""
        if not self.real:
            return node.bias_grid.bits, self.make.Fixed(fixed_step(node.bias_grid, signed=True))
        return BIAS_BITS, self.of[node.name]

    def value(self, node: Node) -> Any:
        """The step of the node's activation, None if it has none."""
        before, step = self._unchanged(node), self._activation(node)
        self.of[node.name] = before if step is None else step
        return step

    def _activation(self, node: Node) -> Any:
        grid = node.activation_grid
        if node.activation == "none":
            return None
        if node.activation in LEARNABLE and self.spec.activation_scales == "tensor":
            if node.activation == "relu" and grid.bits == 1:
                raise InputError(
                    f"layer {node.name}: Brevitas exports no single bit of 0 and 1 with a learned scale; "
                    f"use 2 bits, activation = 'linear' (plus or minus one step) or activation_scales = 'fixed'"
                )
            return self.shared.get(node.name) or self.make.Learned()
        signed = node.activation in ("linear", "tanh")
        own = Grid(grid.bits, 0) if node.activation in ("tanh", "sigmoid") else grid
        plain = node.activation == "tanh" and grid.bits == 1  # QKeras's single bit of tanh is -1 or 0
        return self.make.Fixed(1.0 if plain else fixed_step(own, signed))

    def _unchanged(self, node: Node) -> Any:
        """The step of a node without activation, if all its channels have one."""
        if isinstance(node.layer, WeightedSpec):
            return None  # a product of steps, or what BatchNorm made of it
        steps = [self.of[name] for name in node.inputs]
        if isinstance(node.layer, MergeSpec) and self.real:
            return self._common(node, steps)
        if node.layer.kind == "globalavgpool" or (isinstance(node.layer, PoolSpec) and node.layer.kind == "avgpool"):
            return None
        return steps[0]

    def _common(self, node: Node, steps: list[Any]) -> Any:
        for name, step in zip(node.inputs, steps, strict=True):
            if step is None:
                raise InputError(
                    f"{node.layer.kind} {node.name} reads {name}, whose channels have no common step; "
                    f"give {name} activation = 'linear', or set weight_scales = 'fixed' and activation_scales = 'fixed'"
                )
        if all(step is steps[0] for step in steps):
            return steps[0]
        if all(isinstance(step, self.make.Fixed) for step in steps):
            return self.make.Fixed(min(float(step()) for step in steps))
        raise InputError(
            f"{node.layer.kind} {node.name} joins steps that fit no common one ({', '.join(node.inputs)}); let each "
            f"end in relu or linear, or set activation_scales = 'fixed'"
        )

    def _single(self, node: Node) -> Any:
        """The step of what goes into the node's weights."""
        step = self.of[node.inputs[0]]
        if step is None:
            raise InputError(
                f"layer {node.name} reads {node.inputs[0]}, whose channels have no common step; give "
                f"{node.inputs[0]} an activation ('linear' only requantizes), or set weight_scales = 'fixed' "
                f"and activation_scales = 'fixed'"
            )
        return step

    def _shared(self) -> dict[str, Any]:
        """One learned step for all activations that meet in an add or a concat, by node."""
        groups = {name: {name} for name in self.nodes}
        for node in self.nodes.values():
            if isinstance(node.layer, MergeSpec):
                joined: set[str] = set()
                for name in node.inputs:
                    for source in self._sources(name):
                        joined |= groups[source]
                for name in joined:
                    groups[name] = joined
        steps = {id(group): self.make.Learned() for group in groups.values() if len(group) > 1}
        return {name: steps[id(group)] for name, group in groups.items() if len(group) > 1}

    def _sources(self, name: str) -> set[str]:
        """The nodes whose activation gives ``name`` its step."""
        if name == INPUT:
            return set()
        node = self.nodes[name]
        if node.activation in LEARNABLE:
            return {name}
        if node.activation == "none" and node.layer.kind in ("maxpool", "flatten", "add", "concat"):
            return set().union(*(self._sources(source) for source in node.inputs))
        return set()
