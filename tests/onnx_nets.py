"""Small QONNX graphs for tests, written node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bitsmith.models.ir import random_inputs
from bitsmith.models.lower.compare import prove
from bitsmith.models.lower.onnx.io import OnnxModel, check_model
from bitsmith.models.lower.qonnx import LoweredOnnx, lowered

QONNX = "qonnx.custom_op.general"
ROWS = 300


class Graph:
    """Every method adds a node and returns the name of its output."""

    def __init__(self, *shape: int, seed: int = 0, domain: str = QONNX, opset: int = 13) -> None:
        self.shape, self.domain, self.opset = shape, domain, opset
        self.rng = np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.version = 1

    def const(self, value: Any, dtype: Any = np.float32) -> str:
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def node(self, op: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any) -> str:
        names = [f"{op.lower()}_{len(self.nodes)}" + (f"_{i}" if i else "") for i in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, name=names[0], domain=domain, **attributes))
        return names[-1]

    def quant(
        self, x: str, scale: Any, bits: int, signed: int = 1, narrow: int = 0, zero: float = 0, mode: str = "ROUND"
    ) -> str:
        given = [x, self.const(scale), self.const(zero), self.const(bits)]
        return self.node("Quant", *given, domain=self.domain, signed=signed, narrow=narrow, rounding_mode=mode)

    def weight(self, *shape: int, scale: Any = 0.25, bits: int = 3, narrow: int = 1) -> str:
        value = self.rng.normal(size=shape) * np.asarray(scale) * 2.0 ** (bits - 2)
        return self.quant(self.const(value), scale, bits, 1, narrow)

    def batchnorm(self, x: str, channels: int) -> str:
        r = self.rng
        parts = (r.normal(size=channels), r.normal(size=channels), r.normal(size=channels), r.uniform(0.3, 2, channels))
        return self.node("BatchNormalization", x, *(self.const(p) for p in parts), epsilon=1e-5)

    def model(self, output: str, batch: int | str = 1, kind: int = TensorProto.FLOAT) -> OnnxModel:
        graph = helper.make_graph(
            self.nodes,
            "graph",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *self.shape])],
            [helper.make_tensor_value_info(output, kind, None)],
            self.initializers,
        )
        opsets = [helper.make_opsetid("", self.opset)]
        if self.domain:
            opsets.append(helper.make_opsetid(self.domain, self.version))
        proto = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        check_model(proto, "test")
        return OnnxModel("test", proto)


def real_scales(rng: np.random.Generator, channels: int) -> list[float]:
    """One real scale per channel."""
    return [float(v) for v in rng.uniform(0.05, 0.4, channels)]


def per_axis(values: Sequence[float], *shape: int) -> np.ndarray:
    """Values of an axis, ready to be broadcast."""
    return np.asarray(values, np.float32).reshape(shape)


def exact(model: OnnxModel, noise: int = 6, rows: int = ROWS, **options: Any) -> LoweredOnnx:
    """Exact on every row; at most ``noise`` of them only in float64, where qonnx's float32 sums decide a tie."""
    low = lowered(model, name="test", **options)
    x = random_inputs(low.net, rows, seed=3)
    done = prove(low, x, low.net.input.type.real(x))[0]
    assert done.mismatching == () and done.samples == rows
    assert len(done.noisy) <= noise
    return low


__all__ = ["QONNX", "ROWS", "Graph", "exact", "onnx", "per_axis", "real_scales"]
