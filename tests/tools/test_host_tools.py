"""The board tops in other people's tools: PLL calculators, yosys, place and route."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bitsmith.hls.backends.base import read_manifest
from bitsmith.hls.backends.rtl.host.clock import clock_for, ecp5_mhz, gowin_mhz, ice40_mhz
from bitsmith.hls.backends.rtl.host.project import HERE
from bitsmith.hls.backends.rtl.host.run import ask_board
from bitsmith.hls.backends.rtl.host.simulate import FAST_DIVIDER, SimulatedBoard
from bitsmith.hls.backends.rtl.unrolled.backend import RtlUnrolled
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.synth import synthesize
from bitsmith.hls.tools.netlist import HERE as TOOLS
from bitsmith.hls.tools.netlist import MODELS
from bitsmith.hls.tools.run import find_tool
from bitsmith.hls.tools.yosys import run_yosys
from bitsmith.models.ir import NetBuilder, QNet, QuantType, random_inputs

WANTED = (18.0, 20.0, 24.0, 33.3, 48.0, 60.0, 75.0, 100.0, 133.0)


def said(*command: str, cwd: Path) -> str:
    program = find_tool(command[0])
    if program is None:
        pytest.skip(f"{command[0]} is not installed")
    return subprocess.run([program, *command[1:]], cwd=cwd, capture_output=True, text=True, check=True).stdout


def number(name: str, text: str) -> float:
    found = re.search(rf"{name}\D*?(\d+(?:\.\d+)?)", text)
    assert found, (name, text)
    return float(found[1])


def literal(text: str) -> int:
    return int(text.rpartition("d")[2])


@pytest.mark.parametrize("wanted", WANTED)
def test_icepll_agrees(wanted: float, tmp_path: Path) -> None:
    text = said("yowasp-icepll", "-i", "12", "-o", str(wanted), cwd=tmp_path)
    divr, divf, divq = (int(number(name + ":", text)) for name in ("DIVR", "DIVF", "DIVQ"))
    reached = float(re.findall(r"F_PLLOUT:\s+([\d.]+) MHz \(achieved", text)[0]) if "achieved" in text else wanted
    assert abs(ice40_mhz(12.0, divr, divf, divq) - reached) < 0.001  # it prints three decimals
    ours = clock_for("SB_PLL40_PAD", "ice40up5k", 12.0, wanted)
    assert literal(ours.parameters["FILTER_RANGE"]) == int(number("FILTER_RANGE:", text))
    if reached <= wanted:  # the nearest of all is not above: then it is ours
        assert abs(ours.mhz - reached) < 0.001
    own = [literal(ours.parameters[name]) for name in ("DIVR", "DIVF", "DIVQ")]
    assert ice40_mhz(12.0, *own) == ours.mhz


@pytest.mark.parametrize("osc", [25.0, 48.0])
@pytest.mark.parametrize("wanted", WANTED)
def test_ecppll_agrees(osc: float, wanted: float, tmp_path: Path) -> None:
    text = said("yowasp-ecppll", "-i", str(osc), "-o", str(wanted), "-f", "pll.v", cwd=tmp_path)
    clki, clkfb, clkop = (int(number(n, text)) for n in ("Refclk divisor:", "Feedback divisor:", "clkout0 divisor:"))
    reached = number("clkout0 frequency:", text)
    assert abs(ecp5_mhz(osc, clki, clkfb, clkop, clkop) - reached) < 0.001
    assert abs(osc / clki * clkfb * clkop - number("VCO frequency:", text)) < 0.01
    ours = clock_for("EHXPLLL", "lfe5u-85f", osc, wanted)
    assert abs(ours.mhz - wanted) < 0.02 * wanted
    written = (tmp_path / "pll.v").read_text()  # the same parameters are named, the same way round
    assert set(ours.parameters) - {"CLKOS_DIV", "CLKOS_CPHASE"} <= set(re.findall(r"\.(\w+)\(", written))


@pytest.mark.parametrize(("device", "name"), [("gw1nr-9", "GW1NR-LV9QN88PC6/I5"), ("gw2ar-18", "GW2AR-LV18QN88PC8/I7")])
@pytest.mark.parametrize("wanted", WANTED)
def test_gowin_pll_agrees(device: str, name: str, wanted: float, tmp_path: Path) -> None:
    text = said("gowin_pll", "-i", "27", "-o", str(wanted), "-d", name, cwd=tmp_path)
    idiv, fbdiv = (int(number(rf"\.{n}\(", text)) for n in ("IDIV_SEL", "FBDIV_SEL"))
    reached = number("Achieved output frequency:", text)
    assert abs(gowin_mhz(27.0, idiv, fbdiv) - reached) < 0.001
    ours = clock_for("rPLL", device, 27.0, wanted)
    if reached <= wanted:
        assert abs(ours.mhz - reached) < 0.001
    own = [int(ours.parameters[n]) for n in ("IDIV_SEL", "FBDIV_SEL")]
    assert gowin_mhz(27.0, *own) == ours.mhz
    lowest, highest = (float(v) for v in re.findall(r"VCO = .*?range: (\d+)-(\d+)", text)[0])
    assert lowest <= ours.mhz * int(ours.parameters["ODIV_SEL"]) <= highest


def tiny() -> QNet:
    b = NetBuilder("tiny")
    x = b.input("x", (3,), QuantType(4, True))
    d = b.dense("fc", x, [[1, -3], [0, 5], [7, 2]], [4, -9])
    return b.build(b.requant("act", d, 0.5, 0, 7, 3))


def emitted(folder: Path, board: str, clock_mhz: float) -> QNet:
    net = tiny()
    RtlUnrolled().emit(net, HwConfig(load_board(board), clock_mhz), folder, random_inputs(net, 8, 0))
    return net


SYNTH = {
    "icebreaker": ("synth_ice40 -device u -dsp", 20.0),
    "ulx3s-85f": ("synth_lattice -family ecp5 -noiopad", 60.0),
    "tang-nano-9k": ("synth_gowin -noiopads", 40.0),
}


def warnings(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if "Warning" in line and not line.startswith("ABC:")]


@pytest.mark.parametrize(
    "board", ["icebreaker", *(pytest.param(b, marks=pytest.mark.nightly) for b in SYNTH if b != "icebreaker")]
)
def test_the_mapped_top_answers_like_the_net(board: str, tmp_path: Path) -> None:
    """The whole top as the family's cells, PLL apart; its rates are made quick before it is mapped."""
    synth, clock_mhz = SYNTH[board]
    net = emitted(tmp_path, board, clock_mhz)
    manifest = read_manifest(tmp_path)
    entry = manifest["board_top"]
    top, mapped = entry["top"], "mapped"
    mapped_file = tmp_path / "board" / f"{mapped}.v"
    quick = f"-set DIVIDER {FAST_DIVIDER} -set TIMEOUT_LOG2 16 -set RESET_LOG2 4"
    commands = [
        *(f"read_verilog -sv {tmp_path / name}" for name in (*manifest["rtl"], *entry["rtl"])),
        f"chparam {quick} {top}",
        f"{synth} -top {top}",
        f"rename -top {mapped}",
        f"write_verilog -noattr {mapped_file}",
    ]
    run_yosys(commands, tmp_path, "map")
    assert warnings(tmp_path / "map.log") == []
    text = (tmp_path / entry["rtl"][-1]).read_text()
    ports = re.findall(r"^ +(?:input|output) +logic (\w+),?$", text, re.MULTILINE)
    head = text[: text.index(");") + 2]
    shell = tmp_path / "board" / "shell.sv"
    shell.write_text(f"{head}\n  {mapped} u_mapped (" + ", ".join(f".{p}({p})" for p in ports) + ");\nendmodule\n")
    family = load_board(board).device.family
    models = [str(TOOLS / "models" / name) for name in MODELS[family]]
    manifest |= {"rtl": [], "board_top": entry | {"rtl": [*models, str(mapped_file), str(shell)]}}
    (tmp_path / "project.json").write_text(json.dumps(manifest))
    simulated = SimulatedBoard(tmp_path)
    assert simulated.lights().passed
    result = ask_board(tmp_path, simulated, random_inputs(net, 40, 1))
    simulated.close()
    assert result.exact and result.resent == 0
    assert result.latency_cycles == result.predicted_cycles


def test_the_host_link_is_small_and_clean(tmp_path: Path) -> None:
    """At most 400 of the UP5K's 5,280 LUTs, with a folded net's narrow beats."""
    for file in (HERE / "lib").glob("*.sv"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "rom.hex").write_text("".join(f"{int(v):02x}\n" for v in np.arange(64 + 19)))
    host = tmp_path / "bitsmith_host.sv"  # yosys's -chparam takes no text
    host.write_text(host.read_text().replace('ROM          = ""', 'ROM          = "rom.hex"'))
    chparam = "-chparam IN_BYTES 1 -chparam IN_BEATS 64 -chparam OUT_BYTES 1 -chparam OUT_BEATS 1"
    commands = [
        *(f"read_verilog -sv {file.name}" for file in sorted((HERE / "lib").glob("*.sv"))),
        f"hierarchy -check -top bitsmith_host {chparam}",
        "synth_ice40 -device u -dsp -top bitsmith_host",
        "tee -q -o stat.json stat -json",
    ]
    run_yosys(commands, tmp_path, "area")
    assert warnings(tmp_path / "area.log") == []
    cells = json.loads((tmp_path / "stat.json").read_text())["design"]["num_cells_by_type"]
    luts = cells["SB_LUT4"]
    assert 100 < luts <= 400 - 15  # the reset counter stands beside it
    assert not any(name.startswith("$_") for name in cells)


@pytest.mark.nightly
@pytest.mark.parametrize("board", SYNTH)
def test_bitstreams(board: str, tmp_path: Path) -> None:
    emitted(tmp_path, board, SYNTH[board][1])
    report = synthesize(tmp_path, load_board(board))
    assert report.fits and report.fmax_mhz is not None and report.fmax_mhz >= SYNTH[board][1]
    assert report.bitstream is not None and (tmp_path / report.bitstream).stat().st_size > 10_000
