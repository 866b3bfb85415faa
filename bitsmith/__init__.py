"""Bitsmith: few-bit neural networks as FPGA IP that is proved bit-exact."""

__version__ = "0.1.0"
