"""The cell models: small circuits, the netlist that yosys makes of them against their RTL."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from mapped_bench import DEVICES, Unit, compare, stimuli, write_bench

from bitsmith.hls.tools.netlist import MODELS, netlist_simulation, simulate_netlist
from bitsmith.hls.tools.render import HERE
from bitsmith.models.ir import ToolError


def rom(width: int, depth: int, **style: str) -> Unit:
    return Unit("unit_rom", width, {"WIDTH": width, "DEPTH": depth, **style}, (depth, width))


def ram(width: int, depth: int, byte: int, **style: str) -> Unit:
    return Unit("unit_ram", width, {"WIDTH": width, "DEPTH": depth, "BYTE": byte, **style}, (depth, width))


def port(width: int, mode: int, **style: str) -> Unit:
    return Unit("unit_port", width, {"WIDTH": width, "DEPTH": 512, "MODE": mode, **style}, (512, width))


def lutram(width: int, depth: int) -> Unit:
    return Unit("unit_lutram", width, {"WIDTH": width, "DEPTH": depth}, (depth, width))


def mul(a: int, b: int, signs: int, stages: int = 0) -> Unit:
    params: dict[str, int | str] = {"A": a, "B": b, "A_SIGNED": signs & 1, "B_SIGNED": signs >> 1, "STAGES": stages}
    return Unit("unit_mul", a + b, params)


def mac(w: int, total: int, signed: int, subtract: int) -> Unit:
    return Unit("unit_mac", total, {"W": w, "SUM": total, "IS_SIGNED": signed, "SUBTRACT": subtract})


def delay(length: int, reset: int = 0) -> Unit:
    return Unit("unit_delay", 4, {"WIDTH": 4, "LENGTH": length, "RESET": reset})


LOGIC = Unit("unit_logic", 64, {})
BLOCK = {"STYLE": "block"}


def memories() -> list[Unit]:
    shapes = ((1, 16), (2, 64), (5, 128), (8, 512), (9, 256), (12, 128), (18, 1024), (36, 512), (40, 1024))
    units = [rom(w, d) for w, d in shapes]
    units += [rom(w, 512, **BLOCK) for w in (3, 8, 18)]
    for w, d, b in ((4, 64, 4), (8, 512, 8), (16, 256, 8), (18, 512, 9), (32, 256, 8), (36, 512, 9), (64, 256, 8)):
        units += [ram(w, d, b), ram(w, d, b, **BLOCK)]
    units += [ram(2, 2048, 2, **BLOCK), ram(1, 4096, 1, **BLOCK)]
    units += [port(w, mode, **BLOCK) for mode in (0, 1, 2) for w in (4, 9, 16)]
    return units + [lutram(w, d) for w, d in ((1, 16), (2, 16), (4, 16), (6, 32), (8, 64), (3, 128))]


def sums() -> list[Unit]:
    units = [mac(w, s, signed, sub) for w, s in ((8, 24), (13, 32)) for signed in (0, 1) for sub in (0, 1)]
    return [*units, *(delay(n) for n in (3, 16, 17, 33, 70)), delay(10, 1), LOGIC]


# What must turn up in the netlist, or the test would not test it.
FEW = [
    rom(8, 512),
    ram(18, 512, 9),
    ram(4, 1024, 4),
    lutram(4, 16),
    mul(8, 8, 3),
    mul(9, 7, 1),
    mac(8, 24, 1, 0),
    LOGIC,
]
FEW_CELLS = {
    "ecp5": {"DP16KD", "MULT18X18D", "TRELLIS_DPR16X4", "TRELLIS_FF", "CCU2C", "LUT4"},
    "ice40": {"SB_RAM40_4K", "SB_MAC16", "SB_LUT4", "SB_CARRY", "SB_DFFESR"},
    "gowin": {"DPX9B", "RAM16SDP4", "ALU", "LUT4", "DFFE", "MULT9X9"},
    "xc7": {"RAMB18E1", "DSP48E1", "CARRY4", "LUT6", "FDRE"},
}


@pytest.mark.parametrize("family", ["ecp5", "ice40"])
def test_a_few_of_all(tmp_path, family):
    assert FEW_CELLS[family] <= set(compare(tmp_path, FEW, family, 1000))


@pytest.mark.nightly
@pytest.mark.parametrize("family", ["gowin", "xc7"])
def test_a_few_of_all_in_the_other_families(tmp_path, family):
    assert FEW_CELLS[family] <= set(compare(tmp_path, FEW, family, 1000))


@pytest.mark.nightly
@pytest.mark.parametrize("family", DEVICES)
def test_memories(tmp_path, family):
    cells = compare(tmp_path, memories(), family)
    kinds = {"ecp5": "DP16KD", "ice40": "SB_RAM40_4K", "gowin": "DPX9B", "xc7": "RAMB36E1", "xcup": "RAMB36E2"}
    assert cells[kinds[family]] > 0


@pytest.mark.nightly
@pytest.mark.parametrize("family", DEVICES)
def test_products_of_all_widths(tmp_path, family):
    pairs = [(w, w) for w in range(2, 21)] + [(7, 9), (12, 5), (18, 4), (3, 17)]
    units = [mul(a, b, signs) for (a, b), signs in itertools.product(pairs, range(4))]
    # Not 18 bits unsigned: there yosys loses the initial value of a register that it takes out of a DSP48E1.
    units += [mul(w, w, signs, 1) for w in (8, 16) for signs in range(4)]
    cells = compare(tmp_path, units, family, 1000)
    kinds = {"ecp5": "MULT18X18D", "ice40": "SB_MAC16", "gowin": "MULT18X18", "xc7": "DSP48E1", "xcup": "DSP48E2"}
    assert cells[kinds[family]] > 0


@pytest.mark.nightly
@pytest.mark.parametrize("family", DEVICES)
def test_sums_delays_and_logic(tmp_path, family):
    compare(tmp_path, sums(), family)


# ---- loud where it must be


def small(folder: Path, text: str) -> None:
    netlist = folder / "netlist.v"
    netlist.write_text(text)
    simulate_netlist(netlist, "top", "ecp5", [stimuli(4, 0)], 1, 1, folder)


TOP = """
module top(input aclk, aresetn, input [63:0] s_axis_tdata, input s_axis_tvalid, s_axis_tlast, m_axis_tready,
           output [7:0] m_axis_tdata, output s_axis_tready, m_axis_tvalid, m_axis_tlast);
  assign s_axis_tready = {ready};
  assign m_axis_tvalid = s_axis_tvalid && {ready};
  assign m_axis_tlast = {last};
  assign m_axis_tdata[7:1] = 7'd0;
  {cell} (.A(s_axis_tdata[0]), .Z(m_axis_tdata[0]));
endmodule
"""


def test_a_cell_without_a_model_is_an_error(tmp_path):
    with pytest.raises(ToolError, match="CLKDIVF"):
        small(tmp_path, TOP.format(cell="CLKDIVF u", ready="m_axis_tready", last="s_axis_tlast"))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('TRELLIS_FF #(.SRMODE("OTHER")) u', "unknown SRMODE"),
        ('TRELLIS_FF #(.LSRMODE("PRLD")) u', "unknown LSRMODE"),
        ('DP16KD #(.REGMODE_A("OUTREG")) u', "output registers are not known"),
        ('MULT18X18D #(.REG_OUTPUT_CLK("CLK0")) u', "only the combinational mode is known"),
    ],
)
def test_a_mode_without_a_model_is_an_error(tmp_path, cell, text):
    source = TOP.format(cell=cell, ready="m_axis_tready", last="s_axis_tlast").replace(".A(s_axis_tdata[0]), .Z(", "")
    with pytest.raises(ToolError, match=text):
        small(tmp_path, source.replace("m_axis_tdata[0]));", ");"))


def test_a_netlist_that_hangs_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("bitsmith.hls.tools.netlist.PATIENCE", 1000)
    with pytest.raises(ToolError, match="frame 0, beat 0: no beat moved for too long: the handshake hangs"):
        small(tmp_path, TOP.format(cell="INV u", ready="1'b0", last="s_axis_tlast"))


def test_a_last_beat_that_is_not_marked_is_an_error(tmp_path):
    with pytest.raises(ToolError, match="frame 0, beat 0: m_axis_tlast is wrong"):
        small(tmp_path, TOP.format(cell="INV u", ready="m_axis_tready", last="1'b0"))


def test_family_without_models(tmp_path):
    files, size = write_bench(tmp_path, [LOGIC])
    with pytest.raises(ToolError, match="no open synthesis for the family max10"):
        netlist_simulation(files, "top", "max10", "10m50", [stimuli(4, 0)], 1, size, tmp_path)


def test_every_model_names_its_document():
    for name in {name for names in MODELS.values() for name in names} - {"block_ram.sv"}:
        head = (HERE / "models" / name).read_text().splitlines()[:4]
        assert any(word in "".join(head) for word in ("FPGA-", "UG")), name
