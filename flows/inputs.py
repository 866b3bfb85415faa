"""Number types as the user writes them: ``u8``, ``i8``, ``u8/255``, ``i16*2^-10``, ``u8*0.5``."""

from __future__ import annotations

import re

from bitsmith.models.ir.errors import InputError
from bitsmith.models.ir.types import MAX_BITS, QuantType

PATTERN = re.compile(r"(?P<sign>[iu])(?P<bits>\d+)(?:/(?P<over>[\d.]+)|\*2\^(?P<power>-?\d+)|\*(?P<times>[\d.e+-]+))?")


def parse_type(text: str) -> QuantType:
    """The QuantType that ``text`` names; InputError with examples if it names none."""
    found = PATTERN.fullmatch(text.strip())
    try:
        if not found:
            raise ValueError("not of the form")
        scale = 1.0
        if found["over"]:
            scale = 1.0 / float(found["over"])
        elif found["power"]:
            scale = 2.0 ** int(found["power"])
        elif found["times"]:
            scale = float(found["times"])
        return QuantType(int(found["bits"]), found["sign"] == "i", scale)
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise InputError(
            f"{text} is no number type; write i (signed) or u (unsigned), 1 to {MAX_BITS} bits, and the scale: "
            "u8, i8*2^-7, u8/255"
        ) from error
