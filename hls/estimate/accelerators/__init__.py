"""Prices nets on boards with a fixed low-power accelerator, from their documents."""

from bitsmith.hls.estimate.accelerators.price import estimate_accelerator

__all__ = ["estimate_accelerator"]
