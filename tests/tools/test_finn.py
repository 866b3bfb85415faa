"""FINN+ itself, in its own environment: our graph through its steps and its Python models, its estimate beside ours."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitsmith.flows.cli import main
from bitsmith.hls.backends.finn.backend import FinnBackend, status
from bitsmith.hls.backends.finn.check import folding_of
from bitsmith.hls.backends.finn.plan import plan
from bitsmith.hls.backends.finn.simplify import simplify
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.tools import finn
from bitsmith.hls.verify import verify_project
from bitsmith.models.ir import InputError, NetBuilder, QNet, QuantType, ToolError, execute, save, trace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "conformance"))
from nets import NETS, inputs, weights

HW = HwConfig(load_board("pynq-z2"), clock_mhz=100.0, backend="finn")
REFUSED = {"requants_wrap", "odd_range", "lut", "wide", "huge"}
ENVIRONMENT = finn.find_environment()
needs_finn = pytest.mark.skipif(
    ENVIRONMENT is None, reason="FINN+ is not here: scripts/finn-env makes its environment (.finn-venv, about 2 GB)"
)


def every_layer() -> QNet:
    """Convolution with padding, a bias and a residual, pooling, a falling activation, classes, a winner."""
    rng = np.random.default_rng(31)
    b = NetBuilder("every_layer")
    x = b.input("x", (6, 6, 2), QuantType(4, False))
    y = b.conv("conv", x, weights(rng, 3, 3, 2, 4), rng.integers(-9, 9, 4), pads=((1, 1), (1, 1)))
    y = b.requant("act", y, 1.0, -8, 7, 2)
    z = b.conv("point", y, weights(rng, 1, 1, 4, 4), rng.integers(-9, 9, 4))
    z = b.requant("act2", z, 1.0, -8, 7, 2, mult=[1, -1, 3, 1])
    y = b.pool("pool", b.requant("act3", b.add("sum", [y, z], 1.0), 1.0, 0, 7, 1), "max", (2, 2))
    y = b.dense("fc", b.reshape("flat", y, (36,)), weights(rng, 36, 5, bits=4), rng.integers(-20, 20, 5))
    return b.build(b.argmax("winner", y))


def compare(net: QNet, folder: Path, hw: HwConfig = HW) -> None:
    """FINN's integers are the net's, inner ones too; its layers are those that the folding file names."""
    backend = FinnBackend()
    x = inputs(net, 6)
    backend.emit(net, hw, folder, x)
    run = backend.simulate(folder, net, x, taps=True)
    assert (run.outputs == execute(net, x)).all()
    assert f"FINN+ {status()[1].version}" in run.engine and "no RTL" in run.engine
    inner = trace(net, x)
    assert run.values
    for op, values in run.values.items():
        assert (values == inner[op]).all(), op

    theirs = finn.estimate(folder)
    assert json.loads((folder / "finn_estimate.json").read_text()) == theirs
    folding = folding_of(simplify(plan(net)), hw)
    assert folding is not None
    assert theirs["folding_applied"], "every layer has the name and the factors that we wrote"
    assert theirs["ii_cycles"] == folding.ii_cycles
    assert theirs["layers"].keys() == folding.as_json().keys() - {"Defaults"}
    for choice in folding.choices:
        assert max(theirs["layers"][name]["cycles"] for name in choice.settings) == choice.cycles


@needs_finn
def test_finn_computes_the_net_and_its_estimate_has_our_cycles(tmp_path: Path) -> None:
    compare(every_layer(), tmp_path)
    estimate = json.loads((tmp_path / "finn_estimate.json").read_text())
    assert estimate["version"] == status()[1].version and "nothing was synthesized" in estimate["basis"]
    assert estimate["throughput_per_s"] == pytest.approx(1e8 / estimate["ii_cycles"], rel=1e-9)  # a float of FINN's
    assert "tool_version" not in estimate, "FINN would name a Vivado that never ran"


@needs_finn
@pytest.mark.nightly
@pytest.mark.parametrize("name", sorted(NETS.keys() - REFUSED))
def test_finn_computes_every_net(name: str, tmp_path: Path) -> None:
    compare(NETS[name](), tmp_path)


@needs_finn
@pytest.mark.nightly
@pytest.mark.parametrize("board", ["arty-a7-35t", "zcu102", "alveo-u250"])
def test_other_boards_and_a_target(board: str, tmp_path: Path) -> None:
    compare(every_layer(), tmp_path, replace(HW, board=load_board(board), target_ii=400))


def wide_products() -> QNet:
    """Weights that FINN's DSP product takes everywhere, only on UltraScale+ (the lowest of their type), and nowhere."""
    rng = np.random.default_rng(8)
    narrow, full, positive = (rng.integers(lo, hi + 1, (6, 6)) for lo, hi in ((-15, 15), (-16, 15), (0, 15)))
    narrow[0, 0], full[0, 0] = -15, -16
    b = NetBuilder("wide_products")
    x = b.input("x", (6,), QuantType(6, True))
    for i, weight in enumerate((narrow, full, positive)):
        x = b.requant(f"act{i}", b.dense(f"fc{i}", x, weight), 1.0, -32, 31, 5)
    return b.build(x)


@needs_finn
@pytest.mark.nightly
@pytest.mark.parametrize(("board", "styles"), [("pynq-z2", "rtl hls hls"), ("zcu102", "rtl rtl hls")])
def test_products_on_dsps(board: str, styles: str, tmp_path: Path) -> None:
    compare(wide_products(), tmp_path, replace(HW, board=load_board(board)))
    chosen = json.loads((tmp_path / "specialize.json").read_text())
    assert [v["preferred_impl_style"] for k, v in chosen.items() if k != "Defaults"] == styles.split()


@needs_finn
@pytest.mark.nightly
def test_verify_project_proves_a_net(tmp_path: Path) -> None:
    net = NETS["dense"]()
    FinnBackend().emit(net, HW, tmp_path, inputs(net, 8))
    result = verify_project(tmp_path, FinnBackend(), samples=500)
    assert result.exact and result.samples == 500


@needs_finn
def test_what_finn_refuses_comes_back_in_its_words(tmp_path: Path) -> None:
    net = NETS["dense"]()
    FinnBackend().emit(net, HW, tmp_path, inputs(net, 4))
    (tmp_path / "finn.yaml").write_text("no_such_key: 1\n")
    with pytest.raises(ToolError, match=r"(?s)FINN\+ cannot take .*no_such_key.*finn\.log"):
        finn.estimate(tmp_path)


def test_no_environment_is_said_with_the_remedy(tmp_path: Path) -> None:
    assert finn.find_environment(tmp_path) is None
    assert finn.status(tmp_path).remedy == "scripts/finn-env" and not finn.status(tmp_path).usable
    with pytest.raises(ToolError, match="scripts/finn-env"):
        finn.need_environment(tmp_path)


def test_a_folder_that_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no FINN project"):
        finn.estimate(tmp_path)


@needs_finn
@pytest.mark.nightly
def test_build_shows_finns_estimate_beside_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bitsmith.hls.tools.finn.find_environment", lambda explicit=None: ENVIRONMENT)
    save(NETS["dense"](), tmp_path / "dense")
    command = ["build", "dense", "--backend", "finn", "--board", "pynq-z2", "--target-ii", "8", "--samples", "50"]
    assert main([*command, "--out", "run", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["verify"]["exact"] and "FINN+" in result["verify"]["engine"]
    kept = json.loads((tmp_path / "run/finn/finn_estimate.json").read_text())
    assert kept["version"] == "1.6.1" and kept["ii_cycles"] == result["estimate"]["ii_cycles"]["value"] <= 8
    page = (tmp_path / "run/report.html").read_text()
    assert "FINN+ 1.6.1&#39;s own model" in page or "FINN+ 1.6.1's own model" in page
