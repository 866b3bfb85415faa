"""Prices projects of hls4ml on Vivado HLS and Vitis HLS; csynth's figures and Vivado's are separate targets."""

from bitsmith.hls.estimate.hls4ml.price import price_hls4ml

__all__ = ["price_hls4ml"]
