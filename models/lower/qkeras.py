"""Keras and QKeras models to a QNet, and the comparison with what the framework computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir import ArgMax, InputError, QNet, QuantType, UnsupportedError, execute, random_inputs
from bitsmith.models.ir.types import IntArray
from bitsmith.models.lower.compare import Comparison, compare_outputs
from bitsmith.models.lower.functions import Quantizer, Refusal, Rounder
from bitsmith.models.lower.keras.activations import HEADS, interpret
from bitsmith.models.lower.keras.check import raise_all, refuse_unsupported
from bitsmith.models.lower.keras.graph import first_layer, graph_of, is_identity, last_layer, walk
from bitsmith.models.lower.keras.io import check_finite, import_tensorflow, load_model
from bitsmith.models.lower.keras.layers import HANDLERS
from bitsmith.models.lower.lowering import Lowering, Value
from bitsmith.models.lower.weights import is_power_of_two

__all__ = [
    "Comparison",
    "LoweredKeras",
    "compare",
    "compare_on",
    "compare_outputs",
    "load_model",
    "lower",
    "lowered",
    "reference",
]

Floats = npt.NDArray[np.float64]
Head = Literal["logits", "argmax"]

DECISION = "decision"
"""Name of the output that says whether a single sigmoid exceeds one half."""
BATCH_VALUES = 1 << 22


def lower(model: Any, *, name: str, input_type: QuantType | None = None, head: Head = "logits") -> QNet:
    """The QNet that computes what ``model`` computes at inference.

    A quantizer right behind the model's input becomes the net's Input.  Without
    one, the Input is of ``input_type``; its default is 8 unsigned bits of scale
    2**-8 for images (three axes), 8 signed bits of scale 2**-7 otherwise.

    A final softmax or sigmoid is left out and named in ``net.head``; the output is
    the integer logits.  With ``head="argmax"`` it is the index of the largest logit,
    or for one sigmoid whether its logit is at least 0.

    UnsupportedError listing every layer that cannot be lowered and why; InputError
    for NaN or infinite weights, and for models without exactly one input and output.
    """
    graph_of(model)
    check_finite(model)
    refuse_unsupported(model)
    n = Lowering(name)
    value, absorbed = _input(n, model, input_type)
    problems: list[tuple[Any, Refusal]] = []
    to_absorb = [absorbed]

    def visit(layer: Any, xs: Sequence[Value]) -> Value:
        if is_identity(layer):
            return xs[0]
        if layer is to_absorb[-1]:  # at its first use only, which reads the input: a layer may be shared
            to_absorb.append(None)
            return xs[0]
        try:
            return HANDLERS[type(layer).__name__](n, layer, xs)
        except Refusal as refusal:
            problems.append((layer, refusal))
        except OverflowError as error:
            problems.append((layer, Refusal(str(error), "use fewer bits for its weights and inputs")))
        return _stand_in(n, layer, xs)  # any integers, so that every problem is found in one run

    value = walk(model, value, visit)
    raise_all(model, problems)
    return _finish(n, model, value, head)


def _input(n: Lowering, model: Any, input_type: QuantType | None) -> tuple[Value, Any]:
    """The Input, and the layer that it stands for if it is that layer's quantizer."""
    shape = tuple(model.inputs[0].shape[1:])
    if not shape or any(d is None for d in shape):
        raise InputError(f"model {model.name} takes inputs of shape {shape}; hardware needs every size to be known")
    shape = tuple(int(d) for d in shape)
    rounder = input_rounder(model) if input_type is None else None
    if rounder is not None:
        kind = QuantType.for_range(rounder.lo, rounder.hi, rounder.step)
        return Value(n.builder.input("input", shape, kind, rounder.lo, rounder.hi)), first_layer(model)
    if input_type is None:
        input_type = QuantType(8, False, 2.0**-8) if len(shape) == 3 else QuantType(8, True, 2.0**-7)
    return Value(n.builder.input("input", shape, input_type)), None


def input_rounder(model: Any) -> Rounder | None:
    """The quantizer that ``model`` itself puts on its input; None if it takes its input as it is."""
    layer = first_layer(model)
    if layer is None or type(layer).__name__ not in ("QActivation", "QAdaptiveActivation"):
        return None
    meaning = interpret(layer.quantizer)
    if isinstance(meaning, Quantizer) and meaning.rounder and meaning.scale == meaning.rounder.step:
        return meaning.rounder
    return None


def _stand_in(n: Lowering, layer: Any, xs: Sequence[Value]) -> Value:
    given = [(None, *n.shape(x)) for x in xs]
    shape = tuple(int(d) for d in layer.compute_output_shape(given[0] if len(given) == 1 else given)[1:])
    return Value(n.builder.input(f"{layer.name}_stand_in", shape, QuantType(8, True, 2.0**-7)))


def _finish(n: Lowering, model: Any, value: Value, head: Head) -> QNet:
    last = value.chain[-1].name if value.chain else ""
    if last in HEADS:
        value = replace(value, chain=value.chain[:-1])
    try:
        value = n.settle(value, "output")
        if head == "argmax" or is_power_of_two(n.channel_scales(value)).all():
            value = n.uniform(value, "output")  # logits that can be compared as integers
    except Refusal as refusal:
        raise UnsupportedError(
            f"model {model.name} cannot be lowered: its output {refusal.why}; "
            f"put a QActivation('quantized_bits(...)') behind its last layer"
        ) from refusal
    if head == "logits":
        return n.builder.build(value.op, last if last in HEADS else "none")
    if n.shape(value)[-1] > 1:
        return n.builder.build(n.builder.argmax("classes", value.op))
    if last != "sigmoid":
        raise InputError(
            f"model {model.name} has one output without a sigmoid: there is no class to name; use head='logits'"
        )
    return n.builder.build(n.builder.thresholds(DECISION, value.op, 1.0, [[0]], [0], [1]))


def reference(model: Any, net: QNet, x: npt.ArrayLike) -> Floats:
    """What the framework computes at the point of ``net.output``, in float32, for real inputs (n, *input shape).

    A final softmax or sigmoid is left out as in the net; where the net ends in a
    class, so does the result.
    """
    tf = import_tensorflow()
    real = np.asarray(x, np.float32)
    headless = isinstance(net.output, ArgMax) or net.output.name == DECISION or net.head in HEADS
    forward = _without_head(model) if headless else lambda t: model(t, training=False)
    rows = max(1, BATCH_VALUES // max(int(np.prod(op.shape)) for op in net.ops))
    if len(real) > rows:  # a graph pays from the second batch on
        forward = tf.function(forward, autograph=False)
    outs = [np.asarray(forward(tf.constant(real[i : i + rows]))) for i in range(0, len(real), rows)]
    y = np.concatenate(outs).astype(np.float64)
    if isinstance(net.output, ArgMax):
        y = np.argmax(y, axis=-1, keepdims=True).astype(np.float64)
    return (y >= 0).astype(np.float64) if net.output.name == DECISION else y


def _without_head(model: Any) -> Any:
    """The model as a function, its last softmax or sigmoid taken out."""
    tf = import_tensorflow()
    last = last_layer(model)
    fused = getattr(getattr(last, "activation", None), "__name__", "")
    alone = type(last).__name__ in ("Activation", "Softmax")

    def visit(layer: Any, xs: Sequence[Any]) -> Any:
        if layer is last and alone and (fused in HEADS or type(last).__name__ == "Softmax"):
            return xs[0]
        given = xs[0] if len(xs) == 1 else list(xs)
        if layer is not last or fused not in HEADS:
            return layer(given, training=False) if _knows_training(layer) else layer(given)
        activation, last.activation = last.activation, tf.keras.activations.linear
        try:
            return layer(given)
        finally:
            last.activation = activation

    return lambda x: walk(model, x, visit)


def _knows_training(layer: Any) -> bool:
    return "training" in layer._call_spec.arg_names


@dataclass(frozen=True, eq=False)
class LoweredKeras:
    """A net with the Keras model that it was made from."""

    net: QNet
    model: Any
    framework: str = "QKeras"

    @property
    def rounds_input(self) -> bool:
        """Whether the model itself rounds its input to the net's grid."""
        return input_rounder(self.model) is not None

    @property
    def left_out(self) -> tuple[str, ...]:
        """The head, if there is one."""
        return () if self.net.head == "none" else (f"the final {self.net.head}",)

    def reference(self, x: npt.ArrayLike) -> Floats:
        """See :func:`reference`."""
        return reference(self.model, self.net, x)

    def reference_float64(self, x: npt.ArrayLike) -> None:
        """Keras computes in float32 only."""
        return None


def lowered(model: Any, *, name: str, input_type: QuantType | None = None, head: Head = "logits") -> LoweredKeras:
    """The net of ``model`` (see ``lower``), and ``model`` as its reference."""
    return LoweredKeras(lower(model, name=name, input_type=input_type, head=head), model)


def compare(model: Any, net: QNet, rows: int = 1000, seed: int = 0) -> Comparison:
    """Run framework and net on inputs of the net's grid and compare integers."""
    return compare_on(model, net, random_inputs(net, rows, seed))


def compare_on(model: Any, net: QNet, x: IntArray) -> Comparison:
    """As ``compare``, for given input integers (n, *input shape)."""
    return compare_outputs(net, execute(net, x), reference(model, net, net.input.type.real(x)))
