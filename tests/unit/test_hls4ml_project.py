"""What an hls4ml project holds, that its emulation runs what lies in the folder, and what happens without the tools."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitsmith.hls.backends.base import read_manifest
from bitsmith.hls.backends.hls4ml import emulate
from bitsmith.hls.backends.hls4ml.backend import Hls4ml, status, version
from bitsmith.hls.backends.hls4ml.tools import TOOLS
from bitsmith.hls.config import Board, Device, HwConfig
from bitsmith.models.ir import NetBuilder, QNet, QuantType, ToolError, content_hash, execute

DEVICE = Device("xc7a35t", "xc7", "xc7a35ticsg324-1L", 1, 6, 1, 1, 1, 18.0, "test")
HW = HwConfig(Board("arty-a7-35t", "Arty", DEVICE, 100.0, "E3", "vivado", "test"), 100.0, backend="hls4ml")


def small() -> QNet:
    rng = np.random.default_rng(5)
    b = NetBuilder("small")
    x = b.input("x", (4,), QuantType(4, True, 0.3), lo=-7)
    x = b.requant("act", b.dense("fc", x, rng.integers(-4, 4, (4, 3)), scale=0.5), 0.25, 0, 7, 2)
    return b.build(b.dense("out", x, rng.integers(-4, 4, (3, 2)), [1, -1]), head="softmax")


def rows(net: QNet, n: int = 16) -> np.ndarray:
    return np.random.default_rng(6).integers(net.input.lo, net.input.hi + 1, (n, *net.input.shape))


@pytest.fixture(scope="module")
def emitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    Hls4ml().emit(small(), HW, folder, rows(small()))
    return folder


def test_golden_vectors_are_the_integers_of_execute(emitted: Path) -> None:
    x = np.loadtxt(emitted / "tb_data/tb_input_features.dat", dtype=np.int64)
    y = np.loadtxt(emitted / "tb_data/tb_output_predictions.dat", dtype=np.int64)
    assert (x == rows(small())).all()
    assert (y == execute(small(), x)).all()


def test_manifest_and_readme(emitted: Path) -> None:
    manifest = read_manifest(emitted)
    assert manifest["net_sha256"] == content_hash(small())
    assert (manifest["hls_tool"], manifest["io"], manifest["strategy"], manifest["reuse"]) == (
        "vitis", "io_parallel", "latency", 1,
    )  # fmt: skip
    assert manifest["versions"] == {"hls4ml": version()}
    readme = (emitted / "README.md").read_text()
    assert "| input | 4 | `ap_fixed<4,4>` | 4 | 0.3 |" in readme
    assert "clip(round(x / step), -7, 7)" in readme
    assert "vitis-run" in readme and "softmax" in readme


def test_types_are_those_of_the_net(emitted: Path) -> None:
    defines = (emitted / "firmware/defines.h").read_text()
    for op, name in (("fc", "layer2_t"), ("act", "layer3_t"), ("out", "result_t")):
        kind = small()[op].type
        assert f"typedef ap_{'' if kind.signed else 'u'}fixed<{kind.bits},{kind.bits}> {name};" in defines


def test_the_same_net_gives_the_same_files(emitted: Path, tmp_path: Path) -> None:
    project = Hls4ml().emit(small(), HW, tmp_path, rows(small()))
    for name in project.files:
        if name != "net/net.npz":  # a zip file carries the time
            data = (tmp_path / name).read_bytes()
            assert data == (emitted / name).read_bytes(), name


def test_emit_prints_nothing_and_loads_no_framework(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_hls4ml_project as t; from pathlib import Path;"
        "hw = t.replace(t.HW, strategy='resource', reuse=5);"
        "t.Hls4ml().emit(t.small(), hw, Path(sys.argv[2]), t.rows(t.small()));"
        "assert not {'tensorflow', 'keras', 'tf_keras', 'qkeras', 'torch'} & set(sys.modules)"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "ReuseFactor" in (tmp_path / "hls4ml.log").read_text(), "hls4ml's remarks are kept"


def test_the_emulation_runs_what_lies_in_the_folder(emitted: Path, tmp_path: Path) -> None:
    net, x = small(), rows(small())
    folder = tmp_path / "moved"
    shutil.copytree(emitted, folder)
    result = Hls4ml().simulate(folder, net, x, taps=True)
    assert (result.outputs == execute(net, x)).all()
    assert result.values.keys() == {"fc", "act", "out"}
    assert result.engine.startswith(f"hls4ml {version()} C++ emulation (vitis, g++ ")
    assert (folder / "emulation/compile.log").exists()
    compiled = (folder / "emulation/run").stat().st_mtime_ns
    assert Hls4ml().simulate(folder, net, x[:1], taps=False).outputs.shape == (1, 2)
    assert (folder / "emulation/run").stat().st_mtime_ns == compiled, "nothing changed, nothing is compiled"
    bias = folder / "firmware/weights/b4.txt"
    bias.write_text(bias.read_text().replace("1, -1", "1, 0"))
    changed = Hls4ml().simulate(folder, net, x, taps=False).outputs - execute(net, x)
    assert (changed == [0, 1]).all(), "a change in the firmware shows"


def test_no_rows(emitted: Path) -> None:
    assert Hls4ml().simulate(emitted, small(), rows(small())[:0], taps=False).outputs.shape == (0, 2)


@pytest.mark.parametrize("tool", TOOLS)
def test_no_paths_of_this_machine(tool: str, tmp_path: Path) -> None:
    project = Hls4ml().emit(small(), replace(HW, hls_tool=tool), tmp_path, rows(small()))
    for name in project.files:
        assert str(tmp_path).encode() not in (tmp_path / name).read_bytes(), name


@pytest.mark.parametrize(("tool", "compiler"), [("oneapi", "icpx"), ("libero", "shls")])
def test_projects_that_need_the_vendors_compiler(tool: str, compiler: str, tmp_path: Path) -> None:
    net = small()
    project = Hls4ml().emit(net, replace(HW, hls_tool=tool), tmp_path, rows(net))
    sources = [tmp_path / name for name in project.files if name.endswith("firmware/small_ip.cpp")]
    assert "bitsmith::requant<" in sources[0].read_text()
    with pytest.raises(ToolError, match=compiler):
        Hls4ml().simulate(tmp_path, net, rows(net), taps=False)


def test_without_gxx(emitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"g\+\+ is missing; install it with: apt install g\+\+"):
        Hls4ml().simulate(emitted, small(), rows(small()), taps=False)
    assert [(s.name, s.usable, s.remedy) for s in status()] == [
        ("hls4ml", True, ""), ("g++", False, emulate.GXX_INSTALL),
    ]  # fmt: skip


def test_without_hls4ml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in sys.modules if n == "hls4ml" or n.startswith("hls4ml.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "hls4ml", None)
    with pytest.raises(ToolError, match=r"pip install 'bitsmith\[hls4ml\]'"):
        Hls4ml().emit(small(), HW, tmp_path, rows(small()))


def test_a_compiler_error_shows_its_last_lines(emitted: Path, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(emitted, folder)
    with (folder / "firmware/defines.h").open("a") as file:
        file.write("\nthis is no C++\n")
    with pytest.raises(ToolError, match=r"g\+\+ failed.*compile\.log"):
        Hls4ml().simulate(folder, small(), rows(small()), taps=False)


ONEAPI_CHECK = """
#include <array>
#include <iostream>
#include "ac_fixed.h"
#include "bitsmith_oneapi.h"
typedef std::array<ac_fixed<6, 6, true>, 64> x_t;
typedef std::array<ac_fixed<4, 4, true>, 64> y_t;
int main() {
    x_t x; y_t y; std::array<ac_fixed<2, 2, false>, 1> mult = {3}, add = {1};
    for (int i = 0; i < 64; i++) x[i] = i - 32;
    bitsmith::requant<x_t, y_t, config7>(x, y, mult, add);
    for (auto v : y) std::cout << v.to_int() << std::endl; }
"""


def test_the_oneapi_header_with_gxx(tmp_path: Path) -> None:
    """All of it that can be tried without icpx: the arithmetic on ac_fixed in std::array."""
    from importlib.util import find_spec

    import jinja2

    from bitsmith.hls.backends.hls4ml.extension import CPP, TEMPLATES

    values = {
        "index": 7, "n_in": 64, "n_chan": 1, "n_mult": 1, "n_add": 1, "shift": 3, "rounding": "half_even",
        "plain": False, "wraps": False, "lo": -8, "hi": 7, "mult_t": "ac_fixed<2,2,false>",
        "add_t": "ac_fixed<2,2,false>", "wide_t": "ac_fixed<9,9,true>", "wrap_t": "ac_fixed<4,4,false>",
    }  # fmt: skip
    config = jinja2.Template((TEMPLATES / "requant.j2").read_text(), undefined=jinja2.StrictUndefined).render(values)
    main = ONEAPI_CHECK.replace("int main", config + "int main")
    (tmp_path / "check.cpp").write_text(main)
    spec = find_spec("hls4ml")
    assert spec is not None and spec.origin is not None
    ac_types = Path(spec.origin).parent / "templates/quartus/ac_types"
    command = ["g++", "-std=c++17", "-w", f"-I{ac_types}", f"-I{CPP}", "check.cpp", "-o", "check"]
    subprocess.run(command, cwd=tmp_path, check=True)
    done = subprocess.run(["./check"], cwd=tmp_path, check=True, capture_output=True, text=True)
    expected = np.clip(np.rint((np.arange(-32, 32) * 3 + 1) / 8), -8, 7).astype(int)
    assert done.stdout.split() == [str(v) for v in expected]
