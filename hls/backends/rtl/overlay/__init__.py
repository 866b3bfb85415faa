"""Overlays of Zynq boards: the network behind an AXI DMA, Vivado's script that builds it, and its PYNQ driver."""
