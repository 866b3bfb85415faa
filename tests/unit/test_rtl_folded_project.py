"""Written folded projects: clean in lint, with a testbench that can fail, and a proof that names what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitsmith.hls.backends.base import read_manifest
from bitsmith.hls.backends.rtl.folded.backend import RtlFolded
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.tools import verilator
from bitsmith.hls.tools.run import run_tool
from bitsmith.hls.verify import save_vectors, verify_project
from bitsmith.models.ir import NetBuilder, QNet, QuantType, random_inputs
from bitsmith.models.ir.errors import InputError, ToolError

BACKEND = RtlFolded()
GOLDEN = Path(__file__).parents[1] / "golden"
HW = HwConfig(load_board("ulx3s-12f"), 50.0, "rtl-folded", folding=(("conv", 2, 1), ("fc", 1, 4)), target_ii=600)


def small() -> QNet:
    rng = np.random.default_rng(3)
    b = NetBuilder("small")
    x = b.input("x", (5, 4, 2), QuantType(3, True))
    y = b.conv("conv", x, rng.integers(-4, 4, (3, 3, 2, 4)), rng.integers(-5, 6, 4), pads=((1, 1), (0, 1)))
    y = b.requant("act", y, 1.0, 0, 7, 3)
    y = b.pool("pool", y, "max", (2, 1))
    y = b.dense("fc", b.reshape("flat", y, (24,)), rng.integers(-4, 4, (24, 3)))
    return b.build(y)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "project"
    x = random_inputs(small(), 30, 0)
    BACKEND.emit(small(), HW, folder, x)
    save_vectors(folder, x)
    return folder


def test_lint_is_clean(project: Path) -> None:
    manifest = read_manifest(project)
    sources = [project / name for name in manifest["rtl"]]
    verilator.lint(sources, manifest["top"], project / "lint.log")


def test_modules_are_as_they_were(project: Path, update_golden: bool) -> None:
    for module in ("small_conv", "small_core", "small_axis"):
        text = (project / "rtl" / f"{module}.sv").read_text()
        golden = GOLDEN / f"folded_{module}.sv"
        if update_golden:
            golden.write_text(text)
        assert text == golden.read_text(), f"{module} is not that of {golden}; --update-golden takes the new one"


def test_the_proof_holds_and_says_the_predicted_cycles(project: Path) -> None:
    manifest = read_manifest(project)
    found = verify_project(project, BACKEND, 40)
    assert found.exact and found.samples == 40
    assert (found.latency_cycles, found.ii_cycles) == (manifest["latency_cycles"], manifest["ii_cycles"])


def test_a_wrong_weight_is_found_and_its_op_named(project: Path) -> None:
    rom = project / "rtl" / "small_fc_0_weights.hex"
    right = rom.read_text()
    words = right.split()
    words[0] = f"{int(words[0], 16) ^ 1:0{len(words[0])}x}"
    rom.write_text("\n".join(words) + "\n")
    try:
        found = verify_project(project, BACKEND, 40)
    finally:
        rom.write_text(right)
    assert found.mismatch is not None and found.mismatch.op == "fc"


def test_cycles_other_than_predicted_are_an_error(project: Path) -> None:
    manifest = project / "project.json"
    right = manifest.read_text()
    latency = read_manifest(project)["latency_cycles"]
    manifest.write_text(right.replace(f"  {latency}", f"  {latency + 1}", 1))
    try:
        with pytest.raises(ToolError, match=f"after {latency} cycles, predicted were {latency + 1}"):
            verify_project(project, BACKEND, 20)
    finally:
        manifest.write_text(right)


def test_testbench_passes_and_can_fail(project: Path) -> None:
    manifest = read_manifest(project)
    bench = [*(project / name for name in manifest["rtl"]), project / "tb" / "small_tb.sv"]
    program = verilator.build(bench, "small_tb", project / "bench", None)
    command, cwd, log = [program, f"+data={project}/tb"], project / "rtl", project / "tb.log"
    assert "PASS: 30 frames, twice" in run_tool(command, cwd, log)
    results = project / "tb" / "results.hex"
    lines = results.read_text().split()
    lines[4] = f"{int(lines[4], 16) ^ 1:0{len(lines[4])}x}"
    results.write_text("\n".join(lines) + "\n")
    assert "FAIL: 2 errors" in run_tool(command, cwd, log)


def test_a_missing_rom_and_a_damaged_manifest_are_named(tmp_path: Path) -> None:
    BACKEND.emit(small(), HW, tmp_path, random_inputs(small(), 4, 0))
    (tmp_path / "rtl" / "small_fc_0_weights.hex").unlink()
    with pytest.raises(InputError, match=r"small_fc_0_weights\.hex missing; emit it anew"):
        verify_project(tmp_path, BACKEND, 2)
    for text in ("[]", "{}"):
        (tmp_path / "project.json").write_text(text)
        with pytest.raises(InputError, match="damaged"):
            verify_project(tmp_path, BACKEND, 2)


def test_a_second_project_in_a_folder_leaves_no_rtl_of_the_first(tmp_path: Path) -> None:
    x = random_inputs(small(), 4, 0)
    BACKEND.emit(small(), HW, tmp_path, x)
    (tmp_path / "rtl" / "mine.sv").write_text("// not ours\n")
    other = QNet("1 a/net", small().ops)
    board = HwConfig(load_board("icebreaker"), 12.0, "rtl-folded", target_ii=600)
    BACKEND.emit(other, board, tmp_path, x)
    rtl = {path.name for path in (tmp_path / "rtl").iterdir()}
    assert rtl == {Path(n).name for k in ("rtl", "data") for n in read_manifest(tmp_path)[k]} | {"mine.sv"}
    assert "synth/net_1_a_net.bin" in (tmp_path / "board" / "README.md").read_text()
