"""Number types of the QNet: an integer range and what one step stands for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]

MAX_BITS = 62
"""Widest integer a QNet may hold, so that every sum fits numpy's int64."""


class Rounding(StrEnum):
    """What happens to the bits that a shift drops.  ``v`` is the exact quotient."""

    FLOOR = "floor"  # floor(v): plain truncation of two's complement
    HALF_UP = "half_up"  # floor(v + 1/2): ties towards plus infinity
    HALF_EVEN = "half_even"  # nearest, ties to the even integer (QKeras, numpy, IEEE)


class Overflow(StrEnum):
    """What happens to a value outside of the target range."""

    SATURATE = "saturate"
    WRAP = "wrap"


@dataclass(frozen=True)
class QuantType:
    """Integers of ``bits`` bits, each step standing for ``scale``.

    ``scale`` is a positive float (per tensor) or a tuple of positive floats,
    one per channel of the last axis.  The real value of an integer ``q`` in
    channel ``c`` is ``q * scale[c]``.  There is no zero point: an affine
    quantizer becomes a shifted integer range.
    """

    bits: int
    signed: bool
    scale: float | tuple[float, ...] = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_BITS:
            raise ValueError(f"a QuantType has 1 to {MAX_BITS} bits, not {self.bits}")
        if not all(s > 0 and math.isfinite(s) for s in self.scales):
            raise ValueError(f"every scale is positive and finite, not {self.scale}")

    @classmethod
    def for_range(cls, lo: int, hi: int, scale: float | tuple[float, ...] = 1.0) -> QuantType:
        """The narrowest type that holds every integer from ``lo`` to ``hi``."""
        lo, hi = int(lo), int(hi)
        if lo > hi:
            raise ValueError(f"empty integer range {lo}..{hi}")
        if lo >= 0:
            return cls(max(1, hi.bit_length()), False, scale)
        return cls(max((-lo - 1).bit_length(), max(hi, 0).bit_length()) + 1, True, scale)

    @property
    def min(self) -> int:
        """Smallest integer of the range."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def max(self) -> int:
        """Largest integer of the range."""
        return (1 << (self.bits - self.signed)) - 1

    @property
    def scales(self) -> tuple[float, ...]:
        """The scale as a tuple: of length 1 per tensor, else one per channel."""
        return self.scale if isinstance(self.scale, tuple) else (self.scale,)

    @property
    def is_per_channel(self) -> bool:
        """Whether channels of the last axis have their own scale."""
        return isinstance(self.scale, tuple)

    @property
    def is_power_of_two(self) -> bool:
        """Whether every scale is a power of two."""
        return all(math.frexp(s)[0] == 0.5 for s in self.scales)

    @property
    def fraction_bits(self) -> int:
        """``f`` for a per-tensor scale of ``2**-f``; ValueError otherwise."""
        if self.is_per_channel or not self.is_power_of_two:
            raise ValueError(f"scale {self.scale} is not one power of two")
        return 1 - math.frexp(self.scales[0])[1]

    @property
    def integer_bits(self) -> int:
        """Bits left of the binary point, the sign included (``I`` of ``ap_fixed<W, I>``)."""
        return self.bits - self.fraction_bits

    @property
    def dtype(self) -> np.dtype[np.signedinteger]:
        """The narrowest signed numpy type that holds the range."""
        need = self.bits + (not self.signed)
        return np.dtype(next(f"int{n}" for n in (8, 16, 32, 64) if need <= n))

    @property
    def hdl_width(self) -> int:
        """Width of the signal in HDL, in bits."""
        return self.bits

    def ap_fixed(self, rounding: str = "", overflow: str = "") -> str:
        """The type as AMD's ``ap_[u]fixed`` text; the scale must be one power of two."""
        modes = "".join(f",{m}" for m in (rounding, overflow) if m)
        return f"ap_{'' if self.signed else 'u'}fixed<{self.bits},{self.integer_bits}{modes}>"

    def with_scale(self, scale: float | tuple[float, ...]) -> QuantType:
        """The same integers with another meaning."""
        return QuantType(self.bits, self.signed, scale)

    def contains(self, values: int | npt.NDArray[np.integer]) -> bool:
        """Whether every one of ``values`` lies in the range."""
        array = np.asarray(values)
        return array.size == 0 or bool(array.min() >= self.min and array.max() <= self.max)

    def real(self, values: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
        """Real values of the integers; channels on the last axis."""
        scaled: npt.NDArray[np.float64] = values.astype(np.float64) * np.asarray(self.scale, np.float64)
        return scaled

    def __str__(self) -> str:
        head = f"{'i' if self.signed else 'u'}{self.bits}"
        if self.is_per_channel:
            return f"{head}*[{len(self.scales)} scales]"
        scale = self.scales[0]
        if scale == 1.0:
            return head
        return f"{head}*2^{-self.fraction_bits}" if self.is_power_of_two else f"{head}*{scale:.6g}"
