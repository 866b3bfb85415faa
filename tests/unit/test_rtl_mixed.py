"""Designs of folded and unrolled layers, and convolutions from line buffers: integers, cycles, refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitsmith.flows.config import HardwareConfig
from bitsmith.flows.options import Options, hw_config, read_folding, resolve_hardware
from bitsmith.hls.backends.rtl.folded.backend import RtlFolded
from bitsmith.hls.backends.rtl.folded.plan import plan
from bitsmith.hls.backends.rtl.folded.project import write_project
from bitsmith.hls.backends.rtl.folded.simulate import simulate
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.synth import synthesize
from bitsmith.models.ir import NetBuilder, QNet, QuantType, execute, random_inputs
from bitsmith.models.ir.errors import InputError, UnsupportedError

HW = HwConfig(load_board("ulx3s-85f"), 50.0, "rtl-folded")


def image_net() -> QNet:
    """Two convolutions and a dense layer, with biases."""
    rng = np.random.default_rng(5)
    b = NetBuilder("image")
    x = b.input("x", (6, 5, 2), QuantType(3, True))
    w = rng.integers(-4, 4, (3, 3, 2, 4))
    x = b.requant("a1", b.conv("c1", x, w, rng.integers(-9, 9, 4), pads=((1, 1), (1, 1))), 1.0, 0, 7, 3)
    w = rng.integers(-4, 4, (3, 2, 4, 4))
    x = b.requant("a2", b.conv("c2", x, w, rng.integers(-9, 9, 4), strides=(2, 1)), 1.0, 0, 7, 4)
    x = b.reshape("flat", x, (int(np.prod(b.ops[x].shape)),))
    return b.build(b.dense("fc", x, rng.integers(-4, 4, (b.ops[x].shape[0], 3)), rng.integers(-9, 9, 3)))


def modules_of(design: object) -> dict[str, str]:
    return {name: s.head.module for name, s in design.structure.stages.items()}  # type: ignore[attr-defined]


def test_a_mixed_design_is_exact_and_on_time(tmp_path: Path) -> None:
    net = image_net()
    folding = (("c1", 0, 0, "unrolled"), ("c2", 2, 12), ("fc", 0, 0, "unrolled"))
    hw = replace(HW, folding=folding, target_ii=200)
    x = random_inputs(net, 9, 3)
    design = plan(net, hw)
    heads = modules_of(design)
    assert heads["c1_lines"] == heads["c2_lines"] == "bitsmith_line_window"
    assert heads["c1"] == heads["fc"] == "bitsmith_join" and heads["c2"] == "bitsmith_mvu"
    write_project(design, hw, tmp_path, x)
    assert (simulate(tmp_path, net, x, taps=False).outputs == execute(net, x)).all()
    rtl = json.loads((tmp_path / "project.json").read_text())["rtl"]
    assert {"rtl/image_c1_unrolled.sv", "rtl/image_c1_unrolled_graph.sv", "rtl/image_fc_unrolled.sv"} <= set(rtl)


@pytest.mark.nightly
def test_its_mapped_netlist_is_exact(tmp_path: Path) -> None:
    net, board = image_net(), load_board("ulx3s-12f")
    folding = (("c1", 0, 0, "unrolled"), ("c2", 2, 12), ("fc", 0, 0, "unrolled"))
    hw = replace(HW, board=board, clock_mhz=25.0, folding=folding, target_ii=200)
    design = plan(net, hw)
    write_project(design, hw, tmp_path, random_inputs(net, 9, 3))
    report = synthesize(tmp_path, board)
    assert report.netlist_exact and report.fmax_mhz is not None and report.fmax_mhz > 25.0
    assert report.lut == pytest.approx(sum(row.cost.lut for row in design.rows()), rel=0.25)


def test_one_window_per_cycle_is_found_by_the_solver() -> None:
    net = image_net()
    design = plan(net, replace(HW, target_ii=49))
    assert design.cycles.ii_cycles == 49 == 1 + 8 * 6  # eight rows, a column of padding in each and one before
    assert "c1_lines" in design.structure.stages


def test_what_cannot_be_unrolled_is_said_in_words(tmp_path: Path) -> None:
    net = image_net()
    x = random_inputs(net, 2, 1)
    asked = replace(HW, folding=(("c1", 0, 0, "unrolled"),))
    device = replace(HW.board.device, family="other")
    strange = replace(asked, board=replace(HW.board, device=device))
    (problem,) = RtlFolded().check(net, strange)
    assert problem.op == "c1" and "no delay table for the family other" in problem.text
    with pytest.raises(UnsupportedError, match=r"an addition of .* bits takes"):
        RtlFolded().emit(net, replace(asked, clock_mhz=900.0), tmp_path, x)
    with pytest.raises(InputError, match=r"a1 cannot be unrolled|a1, which has no units"):
        plan(net, replace(HW, folding=(("a1", 0, 0, "unrolled"),)))


def test_a_matrix_too_large_to_unroll() -> None:
    rng = np.random.default_rng(1)
    b = NetBuilder("large")
    net = b.build(b.dense("fc", b.input("x", (128,), QuantType(8, True)), rng.integers(-128, 128, (128, 128))))
    (problem,) = RtlFolded().check(net, replace(HW, folding=(("fc", 0, 0, "unrolled"),)))
    assert "signed digits, at most 20000 are unrolled" in problem.text
    with pytest.raises(InputError, match="fc cannot be unrolled: a matrix of"):
        plan(net, replace(HW, folding=(("fc", 0, 0, "unrolled"),)))


def test_a_folding_file_can_ask_for_it(tmp_path: Path) -> None:
    path = tmp_path / "folding.json"
    path.write_text('{"fc1": {"unrolled": true}, "fc2": {"pe": 2, "simd": 4, "mult": "dsp"}, "fc3": {"pe": 2}}')
    hardware = resolve_hardware(None, Options(folding=path))
    assert hw_config(hardware, "rtl-folded", 0).folding == (
        ("fc1", 0, 0, "unrolled"),
        ("fc2", 2, 4, "dsp"),
        ("fc3", 2, 1),
    )
    with pytest.raises(ValueError, match="pe is missing"):
        HardwareConfig.model_validate({"folding": {"fc1": {"simd": 2}}})
    path.write_text('{"fc1": {"lanes": 2}}')
    with pytest.raises(InputError, match="every entry is an op with pe and simd"):
        read_folding(path)


def test_a_way_of_multiplying_can_be_given() -> None:
    net = image_net()
    design = plan(net, replace(HW, target_ii=500, folding=(("fc", 3, 4, "dsp"),)))
    assert design.folding["fc"].mult == "dsp" and (design.folding["fc"].pe, design.folding["fc"].simd) == (3, 4)
