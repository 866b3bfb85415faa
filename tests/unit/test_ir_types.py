from __future__ import annotations

import numpy as np
import pytest

from bitsmith.models.ir import QuantType


@pytest.mark.parametrize(
    ("lo", "hi", "bits", "signed"),
    [
        (0, 0, 1, False),
        (0, 1, 1, False),
        (0, 255, 8, False),
        (0, 256, 9, False),
        (-1, 0, 1, True),
        (-1, 1, 2, True),
        (-2, 1, 2, True),
        (-128, 127, 8, True),
        (-128, 128, 9, True),
        (-129, 0, 9, True),
        (5, 5, 3, False),
        (-5, -3, 4, True),
    ],
)
def test_for_range_is_the_narrowest(lo: int, hi: int, bits: int, signed: bool) -> None:
    kind = QuantType.for_range(lo, hi)
    assert (kind.bits, kind.signed) == (bits, signed)
    assert kind.min <= lo <= hi <= kind.max


def test_texts_and_formats() -> None:
    kind = QuantType(6, True, 2.0**-4)
    assert str(kind) == "i6*2^-4"
    assert (kind.fraction_bits, kind.integer_bits) == (4, 2)
    assert kind.ap_fixed("RND_CONV", "SAT") == "ap_fixed<6,2,RND_CONV,SAT>"
    assert QuantType(4, False, 2.0).ap_fixed() == "ap_ufixed<4,5>"
    assert str(QuantType(8, False, 1 / 255)) == "u8*0.00392157"
    assert QuantType(8, False).dtype == np.int16
    assert QuantType(8, True).dtype == np.int8


def test_only_sensible_types() -> None:
    with pytest.raises(ValueError, match="1 to 62 bits, not 63"):
        QuantType(63, True)
    with pytest.raises(ValueError, match="positive and finite"):
        QuantType(8, True, 0.0)
    with pytest.raises(ValueError, match="not one power of two"):
        _ = QuantType(8, True, 1 / 255).fraction_bits
    with pytest.raises(ValueError, match="empty integer range"):
        QuantType.for_range(1, 0)


def test_real_and_contains() -> None:
    kind = QuantType(4, True, (0.5, 0.25))
    assert kind.real(np.array([[2, 2], [-8, 7]])).tolist() == [[1.0, 0.5], [-4.0, 1.75]]
    assert kind.contains(np.array([-8, 7])) and not kind.contains(8)
    assert kind.is_power_of_two and kind.is_per_channel
