"""What a design is built for: the device, the board, the hardware choices."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    """A chip.  ``bram`` counts 18-kbit halves on AMD parts, the family's own blocks elsewhere."""

    name: str
    family: str  # "xc7" | "xcup" | "ecp5" | "ice40" | "gowin" | "cyclonev" | ...
    part: str  # the vendor's ordering name
    lut: int
    lut_inputs: int
    ff: int
    dsp: int
    bram: int
    bram_kbit: float  # capacity of one such block
    source: str
    uram: int = 0  # 288-kbit UltraRAM blocks


@dataclass(frozen=True)
class Board:
    """A board that one can buy: the chip, its clock, and what the tools need to know."""

    name: str
    title: str
    device: Device
    clock_mhz: float  # oscillator on the board; a customary target where clock_pin is "none"
    clock_pin: str  # "PS:..." where the processing system brings the clock, "none" for a part without a board
    tool: str  # "vivado" | "nextpnr-ice40" | ...: what ends in a bitstream
    source: str


@dataclass(frozen=True)
class HwConfig:
    """Choices that change the hardware but never the integers."""

    board: Board
    clock_mhz: float
    backend: str = "rtl-unrolled"
    reuse: int = 1  # hls4ml's reuse factor
    io: str = "io_parallel"  # hls4ml: io_parallel | io_stream
    strategy: str = "latency"  # hls4ml: latency | resource
    hls_tool: str = "vitis"  # hls4ml: vitis | vivado | quartus | oneapi | catapult | libero
    seed: int = 0
    target_ii: int | None = None  # most cycles between two results; None: as fast as fits the board (finn, rtl-folded)
    target_latency: int | None = None  # rtl-folded: most cycles from the first beat taken to the result complete
    # rtl-folded: (op, pe, simd) that are given, not searched, and the way of multiplying (Fold.mult); pe and simd
    # of one that is "unrolled" are not looked at
    folding: tuple[tuple[str, int, int] | tuple[str, int, int, str], ...] = ()

    @property
    def clock_ns(self) -> float:
        """Target period."""
        return 1e3 / self.clock_mhz
