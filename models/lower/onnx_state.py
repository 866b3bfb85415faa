"""What is known while an ONNX graph is lowered, node by node."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir.ops import Add, Concat, Conv, Dense, Pad, Pool, Reshape, Upsample
from bitsmith.models.lower.lowering import Lowering, Value
from bitsmith.models.lower.onnx_graph import Graph
from bitsmith.models.lower.onnx_values import Constant, Tensor
from bitsmith.models.lower.weights import is_power_of_two

Given = Tensor | Constant | None


@dataclass(frozen=True, eq=False)
class State:
    """The graph, the net under construction, and every value by ONNX's name.

    ``absorbed`` is the quantizer that became the net's Input.
    """

    graph: Graph
    n: Lowering
    absorbed: str | None
    values: dict[str, Tensor | Constant] = field(default_factory=dict)

    def precision(self, v: Value) -> npt.DTypeLike:
        """Of the real arithmetic behind ``v``: float32 as a framework computes it, float64 where that is only noise.

        A framework's sum of products with real scales depends on the order of the
        summation; the exact integer sum times its scale has no such noise to follow.
        """
        summed = self._is_sum(v.op) and not is_power_of_two(self.n.channel_scales(v)).all()
        return np.float64 if summed else np.float32

    def _is_sum(self, name: str) -> bool:
        op = self.n.builder.ops[name]
        if isinstance(op, Dense | Conv | Add) or (isinstance(op, Pool) and op.mode == "sum"):
            return True
        return isinstance(op, Reshape | Pool | Pad | Upsample | Concat) and any(self._is_sum(i) for i in op.inputs)

    def reads_alone(self, op: str) -> bool:
        """Whether only one node still to come reads the integers of ``op``."""
        names = [k for k, v in self.values.items() if isinstance(v, Tensor) and v.value.op == op]
        readers = Counter(i for node in self.graph.nodes for i in node.inputs)
        return len(names) == 1 and readers[names[0]] == 1 and names[0] != self.graph.output
