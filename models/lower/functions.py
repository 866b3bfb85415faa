"""What stands between an accumulator and its next integer: real functions, and the quantizer that ends them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Scale = float | tuple[float, ...]
Apply = Callable[[Floats], Floats]
"""(n, channels) real numbers to (n, channels), as the source framework computes it, in its own precision."""


@dataclass(frozen=True, eq=False)
class Function:
    """An elementwise real function of every channel.

    ``direction`` is +1 where it rises, -1 where it falls, 0 where neither is
    known; a scalar or one per channel.  ``clip`` is given if the function only
    clips, ``affine`` = (a, b) if it is a x + b.  ``is_noise`` marks an identity but
    for float32 rounding.
    """

    name: str
    apply: Apply
    direction: npt.NDArray[np.int64]
    per_channel: bool = False
    clip: tuple[float, float] | None = None
    is_noise: bool = False
    affine: tuple[Floats, Floats] | None = None  # scalars or one per channel


@dataclass(frozen=True)
class Rounder:
    """clip(round_half_even(x / step), lo, hi): the shape of most quantizers.  ``step`` may differ per channel."""

    step: Scale
    lo: int
    hi: int


@dataclass(frozen=True, eq=False)
class Quantizer:
    """A function onto few values.

    ``scale`` is the step of the values, None if they have no uniform step (powers
    of two).  ``rounder`` is given where the quantizer is one.
    """

    name: str
    apply: Apply
    scale: Scale | None
    is_monotone: bool = True
    per_channel: bool = False
    rounder: Rounder | None = None


class Refusal(Exception):
    """Something cannot be lowered: what stands in the way, and what helps."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(f"{why}; {remedy}")
        self.why, self.remedy = why, remedy
