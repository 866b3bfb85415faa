"""Constants of a QONNX graph as quantized weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bitsmith.models.lower.functions import Refusal
from bitsmith.models.lower.onnx.graph import QUANTIZERS, Array, Graph, Node
from bitsmith.models.lower.onnx.run import fold
from bitsmith.models.lower.onnx.values import Constant
from bitsmith.models.lower.weights import Weights, dyadic, dyadic_scale, in_steps

FLOAT_BITS = 17
"""Weights without a quantizer count as integers if they need fewer bits than this."""
AFTER_TRAINING = "quantize it after training: bitsmith import MODEL --bits W8A8 --calibration-data DATA"
MOVING = ("Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Expand")
"""Ops that move numbers around without changing them."""


def fold_constants(graph: Graph, node: Node, given: list[Constant | None]) -> list[Constant]:
    """A node all of whose inputs are constants; the step of quantized numbers moves with them."""
    values = [None if c is None else c.values for c in given]
    results = [Constant(v) for v in fold(graph, node, values)]
    first = given[0] if given else None
    if node.op in QUANTIZERS and node.op != "MultiThreshold":
        scale = values[3 if node.op == "Trunc" and len(values) == 6 else 1]
        assert scale is not None
        return [replace(results[0], step=np.broadcast_to(scale, results[0].values.shape).astype(np.float64))]
    if node.op in MOVING and first is not None and first.step is not None:
        moved = fold(graph, node, [first.step.astype(np.float32), *values[1:]])
        return [replace(results[0], step=moved[0].astype(np.float64))]
    if node.op == "Mul" and len(given) == 2:
        for held, factor in ((given[0], values[1]), (given[1], values[0])):
            if held is None or held.step is None or factor is None or not factor.all():
                continue
            if held.values.shape == results[0].values.shape:
                return [replace(results[0], step=np.abs(held.step * factor.astype(np.float64)))]
    return results


def weights(node: Node, constant: Constant, layout: Callable[[Array], Array]) -> Weights:
    """The integers of a constant, brought into ``layout`` (output channels last); Refusal if they are floats."""
    real = layout(constant.real)
    if not np.isfinite(real).all():
        raise Refusal("holds NaN or infinite weights", "the training diverged: train again")
    if constant.step is not None:
        return in_steps(node.name, "the weight", real, layout(constant.step))
    if np.abs(real / dyadic_scale(real)).max(initial=0.0) < 2.0 ** (FLOAT_BITS - 1):
        return dyadic(node.name, "the weight", real)
    smallest = np.abs(real[real != 0]).min()
    steps = real / smallest
    if (steps == np.rint(steps)).all() and np.abs(steps).max() < 2.0 ** (FLOAT_BITS - 1):
        return Weights(steps.astype(np.int64), float(smallest))
    raise Refusal("has float weights", f"put a Quant before them, or {AFTER_TRAINING}")
