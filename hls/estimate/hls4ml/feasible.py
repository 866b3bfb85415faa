"""Will HLS finish?  What stops it, read off designs that did not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitsmith.hls.estimate.hls4ml.area import block_factor, folded
from bitsmith.hls.estimate.hls4ml.layers import Columns, HlsDesign, columns

UNROLL_LIMIT = 4096
"""Vivado HLS unrolls no loop, and partitions no array, of so many elements (UG902: "Unroll limit"; all of 1,281
reports with as many products side by side failed, none below for that reason).  Vitis HLS has no such limit."""

SLOW_SUMS = 200_000
"""inputs**2 * outputs from which the latency strategy of Vivado HLS did not end in time: 131,072 did, 294,912 not."""

REASONS = ("", "unroll limit", "partition limit", "too slow")


def verdicts(c: Columns) -> NDArray[np.int64]:
    """Index into REASONS for every design, 0 where HLS finishes; of shape (designs,)."""
    vivado = ~c.of_layers(c.vitis)
    parallel = ~c.of_layers(c.stream)
    unfolded = c.matrix & ~folded(c)
    too_many = vivado & unfolded & (c.n_in * c.n_out >= UNROLL_LIMIT)
    wide = vivado & (folded(c) & (block_factor(c) >= UNROLL_LIMIT) | c.matrix & parallel & (c.n_in > UNROLL_LIMIT))
    slow = vivado & c.matrix & ~c.resource & (c.n_in**2 * c.n_out >= SLOW_SUMS)
    found = np.zeros(c.designs, dtype=np.int64)
    for code, rows in ((3, slow), (2, wide), (1, too_many)):
        found[c.design[rows]] = code
    return found


def why_not(design: HlsDesign) -> str:
    """What keeps HLS from finishing ``design``, or nothing: which layer, which limit, which remedy."""
    code = int(verdicts(columns([design]))[0])
    if code == 0:
        return ""
    layer = max((x for x in design.layers if x.kind in ("dense", "conv")), key=lambda x: x.n_in * x.n_out)
    size = f"layer {layer.name or layer.kind} multiplies {layer.n_in} x {layer.n_out} values"
    return (
        f"{REASONS[code]}: {size}, and Vivado HLS ends below {UNROLL_LIMIT} side by side; "
        "take a larger reuse factor with the resource strategy, or Vitis"
    )
