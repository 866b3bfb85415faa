"""Foldings: what the solver chooses, and what it says where nothing fits."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from bitsmith.hls.backends.rtl.folded.backend import RtlFolded
from bitsmith.hls.backends.rtl.folded.plan import plan
from bitsmith.hls.backends.rtl.folded.solve import RESOURCES, USABLE, Solver
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.models.ir import NetBuilder, QNet, QuantType
from bitsmith.models.ir.errors import DoesNotFitError, InputError

HW = HwConfig(load_board("ulx3s-12f"), 50.0, "rtl-folded")


def two_layers(bits: int = 4, inputs: int = 16, hidden: int = 12) -> QNet:
    rng = np.random.default_rng(1)
    b = NetBuilder("two_layers")
    x = b.input("x", (inputs,), QuantType(4, False))
    half = 1 << (bits - 1)
    x = b.requant("act", b.dense("fc1", x, rng.integers(-half, half, (inputs, hidden))), 1.0, 0, 15, bits)
    return b.build(b.dense("fc2", x, rng.integers(-half, half, (hidden, 4))))


@pytest.mark.parametrize("target", [12, 48, 192, 1000])
def test_a_target_is_met_with_the_smallest_folding(target: int) -> None:
    net = two_layers()
    hw = replace(HW, target_ii=target)
    design = plan(net, hw)
    assert design.cycles.ii_cycles <= target
    solver = Solver(net, hw)
    limits = {name: getattr(hw.board.device, name) * USABLE[name] for name in RESOURCES}

    def price(options: tuple[object, ...]) -> float:
        return sum(getattr(o.cost, name) / limits[name] for o in options for name in RESOURCES)  # type: ignore[attr-defined]

    names = [op.name for op in solver.ops]
    chosen = tuple(next(o for o in solver.options[n] if o.fold == design.folding[n]) for n in names)
    every = product(*([o for o in solver.options[n] if o.cycles <= target] for n in names))
    assert price(chosen) == pytest.approx(min(price(options) for options in every))


def test_without_a_target_the_fastest_that_fits_half_the_board() -> None:
    net = two_layers(8, 64, 64)
    large, small = plan(net, HW), plan(net, replace(HW, board=load_board("icebreaker")))
    assert large.cycles.ii_cycles < small.cycles.ii_cycles


def test_a_latency_is_met() -> None:
    net = two_layers()
    slow = plan(net, replace(HW, target_ii=200))
    fast = plan(net, replace(HW, target_latency=60))
    assert fast.cycles.latency_cycles <= 60 < slow.cycles.latency_cycles


def test_a_latency_out_of_reach_names_the_nearest() -> None:
    with pytest.raises(DoesNotFitError, match=r"nearest target that fits is --target-latency \d+") as error:
        plan(two_layers(), replace(HW, target_latency=3))
    nearest = int(str(error.value).rsplit(" ", 1)[1])
    assert plan(two_layers(), replace(HW, target_latency=nearest)).cycles.latency_cycles <= nearest


def test_a_target_out_of_reach_names_the_resource_and_the_nearest_target() -> None:
    net = two_layers(8, 64, 64)
    hw = replace(HW, board=load_board("icebreaker"), target_ii=16)
    with pytest.raises(
        DoesNotFitError, match=r"(LUT|FF|DSP|BRAM) is binding; the nearest target that fits is --target-ii \d+"
    ) as error:
        plan(net, hw)
    nearest = int(str(error.value).split("--target-ii ")[1].split()[0])
    assert plan(net, replace(hw, target_ii=nearest)).cycles.ii_cycles <= nearest
    with pytest.raises(DoesNotFitError):
        plan(net, replace(hw, target_ii=nearest - 1))


def test_what_no_folding_reaches_is_said_to_be_cycles() -> None:
    rng = np.random.default_rng(2)
    b = NetBuilder("image")
    x = b.input("x", (16, 16, 1), QuantType(2, False))
    net = b.build(b.pool("pool", b.conv("conv", x, rng.integers(-2, 2, (3, 3, 1, 2))), "max", (2, 2)))
    with pytest.raises(DoesNotFitError, match="cycles are binding"):
        plan(net, replace(HW, target_ii=2))


def test_too_large_at_any_folding() -> None:
    net = two_layers(8, 512, 512)
    with pytest.raises(DoesNotFitError, match=r"at any folding: .* BRAM is binding"):
        plan(net, replace(HW, board=load_board("icestick")))


def test_a_given_folding_is_used_and_an_illegal_one_shows_the_legal() -> None:
    net = two_layers()
    design = plan(net, replace(HW, folding=(("fc1", 3, 4),)))
    assert (design.folding["fc1"].pe, design.folding["fc1"].simd) == (3, 4)
    with pytest.raises(
        InputError, match=r"fc1 cannot be folded to pe 5, simd 4; legal are: pe 1 with simd 1, 2, 4, 8, 16;"
    ):
        plan(net, replace(HW, folding=(("fc1", 5, 4),)))
    with pytest.raises(InputError, match="there are: fc1, fc2"):
        plan(net, replace(HW, folding=(("fc9", 1, 1),)))


def test_a_table_too_large_is_refused_in_words(tmp_path: Path) -> None:
    b = NetBuilder("table")
    x = b.input("x", (2,), QuantType(17, False))
    net = b.build(b.lut("sqrt", x, 1.0, np.sqrt(np.arange(1 << 17)).astype(np.int64), 0))
    (problem,) = RtlFolded().check(net, HW)
    assert problem.op == "sqrt" and "17 input bits" in problem.text


def test_a_maximum_over_padding_alone_is_refused_in_words() -> None:
    b = NetBuilder("pads")
    x = b.input("x", (4, 2), QuantType(4, True))
    net = b.build(b.pool("max", x, "max", (2,), (2,), ((0, 2),)))
    (problem,) = RtlFolded().check(net, HW)
    assert problem.op == "max" and "1 of its windows hold padding only" in problem.text
