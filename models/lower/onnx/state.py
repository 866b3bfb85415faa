"""What is known while an ONNX graph is lowered, node by node."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir.ops import Add, Concat, Conv, Dense, Pad, Pool, Reshape, Upsample
from bitsmith.models.lower.functions import Refusal
from bitsmith.models.lower.lowering import Lowering, Value
from bitsmith.models.lower.onnx.graph import Graph, Node
from bitsmith.models.lower.onnx.values import Constant, Tensor
from bitsmith.models.lower.weights import dyadic_scale

Given = Tensor | Constant | None


@dataclass(frozen=True, eq=False)
class State:
    """The graph, the net under construction, and every value by ONNX's name.

    ``absorbed`` is the quantizer that became the net's Input; ``single`` collects the
    nodes whose real arithmetic is done in float32.
    """

    graph: Graph
    n: Lowering
    absorbed: str | None
    values: dict[str, Tensor | Constant] = field(default_factory=dict)
    single: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.n.reads_alone = self.reads_alone

    def precision(self, node: Node, v: Value) -> npt.DTypeLike:
        """Of the real arithmetic of ``node`` behind ``v``: float32 as frameworks compute, float64 where that is noise.

        A float32 sum of products with real scales depends on the order of summation;
        the exact integer sum times its scale has no such noise to follow.  Sums that
        float32 holds exactly have none.
        """
        if self._is_sum(v.op) and not self._fits_float32(v):
            return np.float64
        self.single.add(node.name)
        return np.float32

    def _fits_float32(self, v: Value) -> bool:
        """Whether every multiple of the scale that the integers can be is a float32."""
        lo, hi = self.n.bounds(v.op)
        largest = np.maximum(np.abs(lo), np.abs(hi)).astype(np.float64)
        steps = self.n.channel_scales(v)
        odd = np.array([s / dyadic_scale(s) for s in steps])
        return bool((odd * largest < 2.0**24).all())

    def _is_sum(self, name: str) -> bool:
        op = self.n.builder.ops[name]
        if isinstance(op, Dense | Conv | Add) or (isinstance(op, Pool) and op.mode == "sum"):
            return True
        return isinstance(op, Reshape | Pool | Pad | Upsample | Concat) and any(self._is_sum(i) for i in op.inputs)

    def reads_alone(self, op: str) -> bool:
        """Whether of all nodes still to come, the one at hand included, only one reads the integers of ``op``."""
        names = {k for k, v in self.values.items() if isinstance(v, Tensor) and v.value.op == op}
        to_come = (n for n in self.graph.nodes if not any(o in self.values for o in n.outputs))
        readers = sum(i in names for n in to_come for i in n.inputs) + (self.graph.output in names)
        return readers <= 1


def tensor(given: Given) -> Tensor:
    """The input, which must be a value of the net."""
    if not isinstance(given, Tensor):
        raise Refusal("computes with a constant where a value belongs", "fold the constants before export")
    return given


def constant(given: Given, what: str) -> Constant:
    """The input, which must be a constant."""
    if not isinstance(given, Constant):
        raise Refusal(f"takes its {what} from another value, not from a constant", "no op of the net does that")
    return given
