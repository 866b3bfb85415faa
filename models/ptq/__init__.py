"""Quantization after training: a float ONNX graph and some rows of data to a QONNX graph."""

from bitsmith.models.ptq.quantize import Bits, quantize

__all__ = ["Bits", "quantize"]
