"""The most parallel hls4ml project of a net that fits a board: the smallest reuse factor for which it does."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.hls4ml.coefficients import load_calibration
from bitsmith.hls.estimate.hls4ml.feasible import REASONS, verdicts
from bitsmith.hls.estimate.hls4ml.from_net import design_of_net
from bitsmith.hls.estimate.hls4ml.layers import columns
from bitsmith.hls.estimate.hls4ml.model import AREAS, predict
from bitsmith.models.ir import Conv, Dense, QNet
from bitsmith.models.ir.errors import DoesNotFitError


@dataclass(frozen=True)
class Largest:
    """The choice, and what stands in the way of the next more parallel one (empty if there is none)."""

    hw: HwConfig
    areas: dict[str, float]
    blocked_by: str


def largest_that_fits(net: QNet, hw: HwConfig) -> Largest:
    """The smallest reuse factor with which HLS ends and the central estimate fits ``hw.board``; else DoesNotFitError.

    The latency strategy at reuse 1 is tried first, then the resource strategy at rising powers of two.
    """
    sizes = [int(op.weight.size) for op in net.ops if isinstance(op, Dense | Conv)]
    reuses = [2**i for i in range(max(sizes, default=1).bit_length() + 1)]
    tried = [replace(hw, strategy="latency", reuse=1), *(replace(hw, strategy="resource", reuse=r) for r in reuses)]
    c = columns([design_of_net(net, choice) for choice in tried])
    found = predict(c, load_calibration().coefficients, vivado=True, worst=False).designs
    device = hw.board.device
    have = np.array([[getattr(device, name)] for name in AREAS], dtype=np.float64)
    shares = np.stack([found[name] for name in AREAS]) / np.maximum(have, 1e-9)
    verdict = verdicts(c)
    blocked = ""
    for i, choice in enumerate(tried):
        worst = int(shares[:, i].argmax())
        if verdict[i] == 0 and shares[worst, i] <= 1.0:
            return Largest(choice, {name: float(found[name][i]) for name in AREAS}, blocked)
        blocked = REASONS[verdict[i]] if verdict[i] else AREAS[worst]
    raise DoesNotFitError(
        f"{net.name} does not fit {hw.board.name} with hls4ml at any reuse factor ({blocked} binds); "
        "take a larger board, fewer bits, or --io io_stream"
    )
