"""How a product is made: from logic, on a multiplier of the device, or two on one multiplier."""

from __future__ import annotations

from dataclasses import dataclass

from bitsmith.models.ir import QuantType

DSP_SIZE = {"ecp5": (18, 18), "ice40": (16, 16), "gowin": (18, 18), "xc7": (25, 18), "xcup": (27, 18)}
"""Bits of the two signed factors of the family's multiplier (not every device of ice40 has them)."""


LEAST_FACTOR = {"gowin": 4}
LEAST_PRODUCT = {"xc7": 9, "xcup": 9, "ice40": 11}
"""Bits of the factors and the products that yosys 0.70 puts on multipliers (its ``mul2dsp`` options, and what it was
seen to do); smaller ones become logic, whatever the source asks for."""


def takes_multiplier(x: QuantType, weight_bits: int, weight_signed: bool, family: str) -> bool:
    """Whether a product is large enough for one.

    A zero above a factor without sign counts for the factor's size beside one with a sign; for the product's only on
    ice40, where its register is kept whole.
    """
    signed = x.signed or weight_signed
    a, w = x.bits + (signed and not x.signed), weight_bits + (signed and not weight_signed)
    size = a + w if family == "ice40" else x.bits + weight_bits
    return min(a, w) >= LEAST_FACTOR.get(family, 2) and size >= LEAST_PRODUCT.get(family, 0)


@dataclass(frozen=True)
class Packing:
    """Two products on one multiplier: the factor ``upper * 2**shift + low``; 2**levels products may be summed so."""

    shift: int
    levels: int
    upper_bits: int  # of high - (low < 0), signed


def packing(x: QuantType, weight_bits: int, simd: int, family: str) -> Packing | None:
    """The packing of two signed weights of ``weight_bits`` bits; None where it is not exact on the family's multiplier.

    The sum of 2**levels products of ``x`` with the low weight must fit ``shift`` bits, signed; the whole factor must
    fit one side of the multiplier, ``x`` (with a sign) the other.
    """
    wide, narrow = DSP_SIZE.get(family, (0, 0))
    x_bits, upper = x.bits + (not x.signed), weight_bits + 1
    for levels in range((simd - 1).bit_length(), -1, -1):
        shift = x.bits + weight_bits + levels
        if shift + upper <= wide and x_bits <= narrow:
            return Packing(shift, levels, upper)
    return None


def choose_mult(x: QuantType, weight_bits: int, family: str) -> str:
    """``lut``, or ``packed`` (one multiplier each where two do not go on one): what a product of these widths suits."""
    if family not in DSP_SIZE or family == "ice40" or min(x.bits, weight_bits) <= 3:
        return "lut"
    return "packed" if x.bits + weight_bits >= 9 else "lut"
