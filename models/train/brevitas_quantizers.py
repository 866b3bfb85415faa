"""Brevitas quantizers with a given step, as injectors for its layers."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

from bitsmith.models.train.torch_framework import framework

BIAS_BITS = 24
"""Of a bias in steps of its accumulator, which are small; a float32 holds as many exactly."""


@cache
def _bases() -> Any:
    """The common part of all injectors; ``let`` completes them."""
    fw = framework()

    class Integers(fw.ExtendedInjector):  # type: ignore[misc, name-defined]  # a class of an untyped library
        tensor_quant = fw.RescalingIntQuant
        int_quant = fw.IntQuant
        int_scaling_impl = fw.SingleArgStatelessBuffer(1.0)  # what a step is divided by
        zero_point_impl = fw.ZeroZeroPoint
        float_to_int_impl = fw.RoundSte  # half to even
        bit_width_impl = fw.BitWidthConst
        input_view_impl = fw.Identity
        scaling_per_output_channel = False

    class Weights(Integers):
        proxy_class = fw.WeightQuantProxyFromInjector
        tensor_clamp_impl = fw.TensorClampSte

    class Biases(Integers):
        proxy_class = fw.BiasQuantProxyFromInjector
        tensor_clamp_impl = fw.TensorClampSte
        requires_input_scale = False
        narrow_range = False
        signed = True

    class Values(Integers):
        proxy_class = fw.ActQuantProxyFromInjector
        tensor_clamp_impl = fw.TensorClamp
        narrow_range = False

    return SimpleNamespace(Weights=Weights, Biases=Biases, Values=Values)


def weights(bits: int, step: Any, narrow: bool) -> Any:
    """Signed; one bit is plus or minus a step, two bits with ``narrow`` are ternary."""
    base = _bases().Weights.let(bit_width=bits, signed=True, narrow_range=narrow, scaling_impl=step)
    return base.let(tensor_quant=framework().BinaryQuant) if bits == 1 else base


def biases(bits: int, step: Any) -> Any:
    """Signed, full range."""
    base = _bases().Biases.let(bit_width=bits, scaling_impl=step)
    return base.let(tensor_quant=framework().BinaryQuant) if bits == 1 else base


def values(bits: int, step: Any, signed: bool) -> Any:
    """Activations, full range; one signed bit is plus or minus a step."""
    base = _bases().Values.let(bit_width=bits, signed=signed, scaling_impl=step)
    return base.let(tensor_quant=framework().ClampedBinaryQuant) if bits == 1 else base
