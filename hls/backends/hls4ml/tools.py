"""What differs between the HLS tools that hls4ml writes for."""

from __future__ import annotations

from dataclasses import dataclass, field

from bitsmith.models.ir.types import QuantType


@dataclass(frozen=True, kw_only=True)
class HlsTool:
    """One tool: its name in hls4ml, its number types, and what of ours works with it."""

    name: str  # as in HwConfig.hls_tool
    backend: str  # hls4ml's name of it
    title: str
    run: str  # how to go on in the vendor's tool
    parts: tuple[str, ...]  # how the part numbers begin that it can target
    default_part: str = ""  # for boards of other vendors; empty: refuse them
    emulator: str = "g++"  # compiler of its C++ emulation
    number: str = "ap_{u}fixed<{bits},{bits}>"  # an integer type of its library
    depthwise: bool = False  # hls4ml has a depthwise convolution for it
    streams: bool = False  # our layers exist for its streams
    dense_only: bool = False  # hls4ml has no other layers for it that are of use here
    header: str = "parallel"  # which of cpp/bitsmith_*.h our layers come from in io_parallel
    options: dict[str, str] = field(default_factory=dict)  # of hls4ml's create_initial_config
    convolution: str = "LineBuffer"  # hls4ml's ConvImplementation; its Winograd form is not exact in integers

    def part_for(self, part: str) -> str:
        """``part`` if the tool can target it, else its default."""
        return part if part.startswith(self.parts) else self.default_part

    def cpp_type(self, kind: QuantType) -> str:
        """An integer type in this tool's C++."""
        return self.number.format(bits=kind.bits, u="" if kind.signed else "u", signed=str(kind.signed).lower())


TOOLS = {
    tool.name: tool
    for tool in (
        HlsTool(
            name="vitis",
            backend="Vitis",
            title="AMD Vitis HLS",
            run="vitis-run --mode hls --tcl build_prj.tcl",
            parts=("xc",),
            depthwise=True,
            streams=True,
        ),
        HlsTool(
            name="vivado",
            backend="Vivado",
            title="AMD Vivado HLS",
            run="vivado_hls -f build_prj.tcl",
            parts=("xc",),
            depthwise=True,
            streams=True,
        ),
        HlsTool(
            name="quartus",
            backend="Quartus",
            title="Intel HLS Compiler",
            run="make {project}-fpga",
            parts=("5C", "10M"),
            default_part="Arria10",
            number="ac_fixed<{bits},{bits},{signed}>",
            convolution="im2col",
        ),
        HlsTool(
            name="catapult",
            backend="Catapult",
            title="Siemens Catapult",
            run="catapult -product ultra -shell -f build_prj.tcl",
            parts=("xc",),
            default_part="xcku115-flvb2104-2-i",
            number="ac_fixed<{bits},{bits},{signed}>",
        ),
        HlsTool(
            name="oneapi",
            backend="oneAPI",
            title="Intel oneAPI",
            run="mkdir build && cd build && cmake .. && make fpga",
            parts=("5C", "10M"),
            default_part="Agilex7",
            emulator="icpx",
            header="oneapi",
            number="ac_fixed<{bits},{bits},{signed}>",
            convolution="im2col",
        ),
        HlsTool(
            name="libero",
            backend="Libero",
            title="Microchip SmartHLS",
            run="shls -a hw",
            parts=("MPF",),
            default_part="MPF300",
            emulator="shls",
            header="libero",
            dense_only=True,
            number="hls::ap_{u}fixpt<{bits},{bits}>",
            options={"smarthls_path": "SmartHLS"},  # else hls4ml looks for the tool while writing
        ),
    )
}
