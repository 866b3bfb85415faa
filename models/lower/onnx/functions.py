"""Elementwise ONNX nodes and QONNX quantizers: onnxruntime and qonnx compute them, this file knows their grids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bitsmith.models.lower.functions import Floats, Function, Quantizer, Refusal, Rounder, Scale
from bitsmith.models.lower.onnx.graph import Array, Graph, Node, text
from bitsmith.models.lower.onnx.run import applied, runner

RISING = {
    *(
        "Relu",
        "Elu",
        "Selu",
        "Celu",
        "Sigmoid",
        "HardSigmoid",
        "Tanh",
        "Softplus",
        "Softsign",
        "Erf",
        "Exp",
        "Log",
        "Sqrt",
    ),
    *("Floor", "Ceil", "Round", "Sign", "ThresholdedRelu", "Clip", "Max", "Min"),
}
BENT = {"Abs", "HardSwish", "Gelu", "Mish", "Swish", "Reciprocal", "Pow", "Cos", "Sin"}  # neither rise nor fall
LINEAR = {"Add", "Sub", "Mul", "Div", "Neg", "BatchNormalization"}
SLOPED = {"LeakyRelu", "PRelu"}
ELEMENTWISE = RISING | BENT | LINEAR | SLOPED
HALF_EVEN = ("ROUND", "HALF_EVEN")


def function(
    graph: Graph, node: Node, constants: Sequence[Array | None], at: int, precision: npt.DTypeLike
) -> Function:
    """The node as a function of its input number ``at``; the other inputs are ``constants``: scalars or per channel."""
    given = [c for c in constants if c is not None]
    separate = any(c.ndim for c in given)
    apply = applied(runner(graph, node), constants, at, precision)
    if node.op in LINEAR:
        a, b = _affine(node, constants, at)
        if (a == 0).any():
            raise Refusal("multiplies by zero", "remove the channels that it blanks")
        return Function(node.name, apply, np.sign(a).astype(np.int64), per_channel=separate, affine=(a, b))
    name = node.op.lower()
    if node.op in SLOPED:
        slope = np.asarray(node.attributes.get("alpha", 0.01)) if node.op == "LeakyRelu" else given[0]
        return Function(name, apply, np.array(1 if (slope >= 0).all() else 0), per_channel=separate)
    direction = np.array(1 if node.op in RISING else 0)
    return Function(name, apply, direction, per_channel=separate, clip=_clip(node, constants))


def _affine(node: Node, constants: Sequence[Array | None], at: int) -> tuple[Floats, Floats]:
    """(a, b) of the node's a x + b, in float64."""
    c = [np.zeros(()) if k is None else k.astype(np.float64) for k in constants]
    one, zero = np.ones(()), np.zeros(())
    if node.op == "BatchNormalization":
        gamma, beta, mean, variance = c
        a = gamma / np.sqrt(variance + float(node.attributes.get("epsilon", 1e-5)))
        return a, beta - mean * a
    if node.op == "Neg":
        return -one, zero
    if node.op == "Add":
        return one, c[0]
    if node.op == "Sub":
        return (one, -c[0]) if at == 0 else (-one, c[0])
    if node.op == "Mul":
        return c[0], zero
    if at:
        raise Refusal("divides a constant by a value", "bring it into a table activation, or leave it out")
    return 1.0 / c[0], zero


def _clip(node: Node, constants: Sequence[Array | None]) -> tuple[float, float] | None:
    if node.op == "Relu":
        return 0.0, np.inf
    if node.op == "Clip":
        ends = [*constants, None, None][:2]
        low, high = (
            node.attributes.get(key, default) if end is None else float(end)
            for key, end, default in zip(("min", "max"), ends, (-np.inf, np.inf), strict=True)
        )
        return float(low), float(high)
    if node.op in ("Max", "Min") and len(constants) == 1 and constants[0] is not None and constants[0].ndim == 0:
        bound = float(constants[0])
        return (bound, np.inf) if node.op == "Max" else (-np.inf, bound)
    return None


def _scale(values: Array) -> tuple[Scale, bool]:
    """One number or one per channel, and whether channels differ; Refusal if it is not above zero."""
    real = np.atleast_1d(values.astype(np.float64))
    if not (np.isfinite(real).all() and (real > 0).all()):
        raise Refusal("has a scale that is not above zero", "train the quantizer anew, its scale collapsed")
    return (float(real[0]), False) if (real == real[0]).all() else (tuple(real.tolist()), True)


def _whole(values: Array, what: str) -> int:
    number = float(np.asarray(values).reshape(-1)[0])
    if np.asarray(values).size > 1 and len(np.unique(values)) > 1:
        raise Refusal(f"has another {what} for every channel", f"give all channels one {what}")
    if number != round(number):
        raise Refusal(f"has the {what} {number}", f"export it with a whole {what}")
    return int(number)


def integer_range(bits: int, signed: bool, narrow: bool) -> tuple[int, int]:
    """Smallest and largest integer of a QONNX quantizer."""
    if signed:
        return -(1 << (bits - 1)) + int(narrow), (1 << (bits - 1)) - 1
    return 0, (1 << bits) - 1 - int(narrow)


def quantizer(graph: Graph, node: Node, constants: Sequence[Array], precision: npt.DTypeLike) -> Quantizer:
    """A QONNX quantizer behind an activation; ``constants`` are its parameters: scalars or per channel."""
    apply = applied(runner(graph, node), constants, 0, precision)
    if node.op == "MultiThreshold":
        step, bias = (float(node.attributes.get(k, d)) for k, d in (("out_scale", 1.0), ("out_bias", 0.0)))
        whole = bool(step) and bias / step == round(bias / step)
        return Quantizer(node.name, apply, abs(step) if whole else None, per_channel=len(constants[0]) > 1)
    scale, separate = _scale(constants[0])
    if node.op == "BipolarQuant":
        return Quantizer(node.name, apply, scale, per_channel=separate)
    zero = _whole(constants[1], "zero point")
    if node.op == "Trunc":
        if len(constants) == 5 and zero:
            raise Refusal(f"truncates around the zero point {zero}", "use a zero point of 0")
        scale, separate = _scale(constants[3] if len(constants) == 5 else constants[0])
        return Quantizer(node.name, apply, scale, per_channel=separate)
    return Quantizer(node.name, apply, scale, per_channel=separate, rounder=_rounder(node, scale, zero, constants[2]))


def _rounder(node: Node, scale: Scale, zero: int, bits: Array) -> Rounder | None:
    """The plain half-to-even quantizer that the node is, if it is one; ties go elsewhere for odd zero points."""
    width = _whole(bits, "bit width")
    if not 1 <= width <= 32:
        raise Refusal(f"has {width} bits", "use 1 to 32 bits")
    signed = bool(node.attributes.get("signed", 1))
    mode = text(node.attributes.get("rounding_mode", "ROUND")).upper()
    if not {"signed", "narrow"} <= node.attributes.keys():
        return None  # running it will say it
    if mode not in HALF_EVEN or zero % 2 or (width == 1 and signed):
        return None
    lo, hi = integer_range(width, signed, bool(node.attributes.get("narrow", 1)))
    return Rounder(scale, lo - zero, hi - zero)
