"""What one step of a quantizer stands for: a power of two, or a learned number that two factors keep exact.

A learned step has 12 significant bits.  The product of two of them then has 24,
as many as a float32 holds: the step of an accumulator, which its bias is rounded
to, is exact in the framework, in the exported file and in the QNet.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from bitsmith.models.ptq.steps import best_step
from bitsmith.models.train.torch_framework import framework

STEP_BITS = 12
Floats = npt.NDArray[np.floating]


@cache
def step_classes() -> Any:
    """``Fixed``, ``Learned`` and ``Product``: modules whose value is a step; Brevitas calls them scaling_impl."""
    fw = framework()
    torch = fw.torch

    class Fixed(fw.nn.Module):  # type: ignore[misc, name-defined]  # a class of an untyped library
        """Always ``value``."""

        def __init__(self, value: float) -> None:
            super().__init__()
            self.register_buffer("value", torch.tensor(value), persistent=False)

        def forward(self, x: Any = None, threshold: Any = None) -> Any:
            return self.value

    class Learned(fw.nn.Module):  # type: ignore[misc, name-defined]
        """2**log2 to ``bits`` significant bits (one: a power of two); the rounding is ignored by the gradient."""

        def __init__(self, shape: tuple[int, ...] = (), bits: int = STEP_BITS) -> None:
            super().__init__()
            self.bits = bits
            self.log2 = fw.nn.Parameter(torch.full(shape, -3.0))

        def set(self, steps: Floats) -> None:
            """Start from ``steps``, all positive."""
            with torch.no_grad():
                self.log2.copy_(torch.tensor(np.log2(steps), dtype=torch.float32).reshape(self.log2.shape))

        def forward(self, x: Any = None, threshold: Any = None) -> Any:
            value = torch.exp2(self.log2)
            mantissa, exponent = torch.frexp(value.detach())
            rounded = torch.ldexp(torch.round(mantissa * 2**self.bits), exponent - self.bits)
            return value + (rounded - value).detach()  # the difference is exact, so the sum is `rounded` itself

    class Product(fw.nn.Module):  # type: ignore[misc, name-defined]
        """Of an input's step and of weights' steps: (channels,) or ()."""

        def __init__(self, first: Any, second: Any) -> None:
            super().__init__()
            self.first, self.second = first, second

        def forward(self, x: Any = None, threshold: Any = None) -> Any:
            second = self.second()
            return self.first() * (second.reshape(-1) if second.ndim else second)

    return SimpleNamespace(Fixed=Fixed, Learned=Learned, Product=Product)


def fit_steps(model: Any, baseline: Any, x: Any) -> None:
    """Start every learned step where it rounds the baseline best: its weights, and its values on the rows ``x``.

    Where several activations share a step, the largest of their own is taken.
    """
    torch = framework().torch
    for module in model.modules():
        if hasattr(module, "weight_quant"):
            step = module.weight_quant.tensor_quant.scaling_impl
            if hasattr(step, "log2"):
                _fit_weights(module.weight.detach().numpy(), step, int(module.weight_quant.bit_width()))
    with torch.no_grad():
        values = baseline.eval().values(x)
    wanted: dict[Any, float] = {}
    for node in model.plan:
        quantizer: Any = getattr(model.modules_of(node), "quant", None)
        if quantizer is None:
            continue
        step = quantizer.act_quant.fused_activation_quant_proxy.tensor_quant.scaling_impl
        if hasattr(step, "log2"):
            own = _fit(
                values[node.name].numpy(), node.activation_grid.bits, quantizer.act_quant.is_signed, narrow=False
            )
            wanted[step] = max(own, wanted.get(step, 0.0))
    for step, value in wanted.items():
        step.set(np.array(value))


def _fit_weights(weight: Floats, step: Any, bits: int) -> None:
    rows = weight.reshape(len(weight), -1) if step.log2.ndim else weight.reshape(1, -1)
    step.set(np.array([_fit(row, bits, signed=True, narrow=True) for row in rows]))


def _fit(values: Floats, bits: int, signed: bool, narrow: bool) -> float:
    if bits == 1:
        return float(np.abs(values).mean()) or 1.0  # plus or minus the mean has the least square error
    half = 1 << (bits - 1)
    return best_step(values.astype(np.float64), narrow - half if signed else 0, half - 1 if signed else 2 * half - 1)
