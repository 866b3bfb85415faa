"""Keras activations and QKeras quantizers as functions: the framework computes, this file knows their grids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bitsmith.models.lower.functions import Apply, Floats, Function, Quantizer, Refusal, Rounder, Scale
from bitsmith.models.lower.keras.io import import_qkeras, import_tensorflow

HEADS = ("softmax", "sigmoid")
RISING = {
    *("relu", "relu6", "leaky_relu", "elu", "selu", "softplus", "softsign", "tanh", "sigmoid", "hard_sigmoid"),
    *("exponential", "log_sigmoid", "smooth_sigmoid", "binary_sigmoid", "hard_tanh", "smooth_tanh", "binary_tanh"),
}
BENT = {"swish", "silu", "gelu", "mish"}  # neither rise nor fall


def called(function: Callable[[Any], Any]) -> Apply:
    """``function`` of the framework as a function on float64 arrays, computed in float32 as the framework does."""
    tf = import_tensorflow()

    def apply(x: Floats) -> Floats:
        return np.asarray(function(tf.constant(x, tf.float32)), np.float64)

    return apply


def interpret(activation: Any) -> Function | Quantizer | None:
    """An ``activation`` argument, or the quantizer of a QActivation; None for the identity.

    Refusal if it is neither a known function nor an integer grid.
    """
    if activation is None:
        return None
    if isinstance(activation, import_qkeras().BaseQuantizer):
        return interpret_quantizer(activation)
    name = getattr(activation, "__name__", type(activation).__name__)
    if name == "linear":
        return None
    if name == "softmax":
        return softmax()
    if name in RISING or name in BENT:
        clip = {"relu": (0.0, np.inf), "relu6": (0.0, 6.0)}.get(name)
        return Function(name, called(activation), np.array(1 if name in RISING else 0), clip=clip)
    raise Refusal(f"activation {name!r} is not known", f"use a QKeras quantizer or one of {', '.join(sorted(RISING))}")


def softmax() -> Function:
    """A placeholder: softmax belongs to the end of a network, where it is taken off."""

    def apply(x: Floats) -> Floats:
        raise Refusal("softmax mixes channels, which no op does", "leave it to the end of the network")

    return Function("softmax", apply, np.array(0))


def interpret_quantizer(quantizer: Any) -> Quantizer:
    """The grid of a QKeras quantizer as an activation, at inference."""
    name = type(quantizer).__name__
    refuse_unfit(quantizer)
    apply = called(quantizer)
    makers: dict[str, Callable[[str, Any, Apply], Quantizer]] = {
        "quantized_bits": _bits,
        "quantized_hswish": _hswish,
        "quantized_relu": _relu,
        "quantized_tanh": _tanh,
        "quantized_sigmoid": _sigmoid,
        "binary": _binary,
        "stochastic_binary": _binary,
        "ternary": _binary,
        "stochastic_ternary": _binary,
        "quantized_po2": _powers,
        "quantized_relu_po2": _powers,
        "quantized_ulaw": _powers,
    }
    if name not in makers:
        raise Refusal(f"quantizer {name} is not known", f"use one of {', '.join(makers)}")
    return makers[name](name, quantizer, apply)


def refuse_unfit(quantizer: Any, data: bool = True) -> None:
    """Refusal if a quantizer is no fixed function: of ``data``, or else of the layer's own weights."""
    name = type(quantizer).__name__
    if name == "bernoulli":
        raise Refusal("bernoulli draws random numbers at inference too", "use binary(use_01=True)")
    if data and isinstance(getattr(quantizer, "alpha", None), str):
        raise Refusal(
            f"{name} with alpha={quantizer.alpha!r} takes its scale from each batch of data", "give alpha a number"
        )
    if float(np.asarray(getattr(quantizer, "qnoise_factor", 1.0))) != 1.0:
        raise Refusal(f"{name} mixes in unquantized values (qnoise_factor below 1)", "set qnoise_factor to 1")


def _alpha(quantizer: Any) -> Floats:
    alpha = getattr(quantizer, "alpha", None)
    return np.asarray(1.0 if alpha is None else alpha, np.float32).reshape(-1).astype(np.float64)


def _scale(values: Floats) -> tuple[Scale, bool]:
    """One number if all channels agree, and whether they do not."""
    if (values == values[0]).all():
        return float(values[0]), False
    return tuple(float(v) for v in values), True


def _bits(name: str, q: Any, apply: Apply) -> Quantizer:
    unsigned_bits = int(q.bits) - int(q.keep_negative)
    scale, alpha = np.asarray(q.integer, np.float64).reshape(-1), _alpha(q)
    if unsigned_bits <= 0:  # one bit: the sign, or 0 and 1
        value, per_channel = _scale(alpha)
        return Quantizer(name, apply, value, per_channel=per_channel)
    step, steps_differ = _scale(np.exp2(scale - unsigned_bits))
    value, values_differ = _scale(np.exp2(scale - unsigned_bits) * alpha)
    lo = int(q.keep_negative) * (-(1 << unsigned_bits) + int(q.symmetric))
    rounder = Rounder(step, lo, (1 << unsigned_bits) - 1)
    return Quantizer(name, apply, value, per_channel=steps_differ or values_differ, rounder=rounder)


def _hswish(name: str, q: Any, apply: Apply) -> Quantizer:
    inner = _bits(name, q, apply)
    return Quantizer(name, apply, inner.scale, is_monotone=False, per_channel=inner.per_channel)


def _relu(name: str, q: Any, apply: Apply) -> Quantizer:
    positive_bits = int(q.bits) - (q.negative_slope != 0)
    step, per_channel = _scale(np.exp2(np.asarray(q.integer, np.float64).reshape(-1) - positive_bits))
    lowest = q.negative_slope * 2.0**positive_bits or 1.0  # of the negative side, in steps: may be a part of one
    scale: Scale | None = _scale(np.atleast_1d(step) * min(1.0, lowest))[0]
    bound = None if q.is_quantized_clip else q.relu_upper_bound
    if bound and (np.remainder(bound, step) != 0).any():
        scale = None  # the bound is a level of its own
    plain = not q.use_sigmoid and not q.negative_slope and not bound
    rounder = Rounder(step, 0, (1 << positive_bits) - 1) if plain else None
    return Quantizer(name, apply, scale, per_channel=per_channel, rounder=rounder)


def _tanh(name: str, q: Any, apply: Apply) -> Quantizer:
    return Quantizer(name, apply, 2.0 ** (1 - int(q.bits)))


def _sigmoid(name: str, q: Any, apply: Apply) -> Quantizer:
    return Quantizer(name, apply, 2.0 ** -int(q.bits))


def _binary(name: str, q: Any, apply: Apply) -> Quantizer:
    value, per_channel = _scale(_alpha(q))
    return Quantizer(name, apply, value, per_channel=per_channel)


def _powers(name: str, q: Any, apply: Apply) -> Quantizer:
    return Quantizer(name, apply, None)
