"""The heads of the folded library that move and combine beats, against ``execute``, and their steps to the cycle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rtl_bench import DEVICES, full_load, map_everywhere, run_netlist, run_stages
from rtl_units import OUT_BEATS, Case, argmax_case, concat_case, narrow_case, reduce_case, widen_case


def check(folder: Path, cases: list[Case]) -> None:
    results = run_stages(folder, [c.stage for c in cases], OUT_BEATS)
    for number, (case, got) in enumerate(zip(cases, results[0].outputs, strict=True)):
        assert (got == case.expected).all(), f"stage {number}: {case.stage.head.module} {case.stage.head.params}"


def cases(seed: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    shapes = [(1, 1), (1, 5), (2, 1), (3, 4), (5, 2), (8, 3)]
    return [
        *(widen_case(rng, ratio) for ratio in (2, 3, 5)),
        *(narrow_case(rng, ratio) for ratio in (2, 3, 4, 12)),
        *(argmax_case(rng, lanes, folds) for lanes, folds in shapes),
        *(reduce_case(rng, mode, *size) for mode in ("max", "sum") for size in ((1, 3, 2), (2, 1, 5), (3, 2, 1))),
        *(concat_case(rng, counts, lanes) for counts, lanes in (((1, 2), 2), ((3, 1, 2), 1), ((1, 1), 3))),
    ]


def test_heads(tmp_path):
    check(tmp_path, cases(1))


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 10))
def test_many(tmp_path, seed):
    check(tmp_path, cases(seed))


EXACT = {
    "widen": lambda rng: widen_case(rng, 3),
    "narrow": lambda rng: narrow_case(rng, 4),
    "narrow by shifting": lambda rng: narrow_case(rng, 12),
    "argmax": lambda rng: argmax_case(rng, 3, 4),
    "reduce": lambda rng: reduce_case(rng, "max", 2, 1, 5),
    "concat": lambda rng: concat_case(rng, (3, 1, 2), 1),
}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in ("narrow", "concat") else pytest.mark.nightly) for n in EXACT]
)
def test_steps_are_met_to_the_cycle(tmp_path, name):
    case = EXACT[name](np.random.default_rng(6))
    result = run_stages(tmp_path, [case.stage], OUT_BEATS)[0]
    assert (result.outputs[0] == case.expected).all()
    assert result.done == full_load(result, case.stage.head, [])


@pytest.mark.nightly
@pytest.mark.parametrize("name", list(EXACT))
def test_mapping_on_every_family(tmp_path, name):
    stage = EXACT[name](np.random.default_rng(7)).stage
    width = sum(s.values.shape[-1] * s.bits for s in stage.inputs)
    found = map_everywhere(tmp_path, stage.head, width, len(stage.inputs))
    assert all(used.ff > 0 for used in found.values())


@pytest.mark.nightly
@pytest.mark.parametrize("device", list(DEVICES))
def test_netlists_on_every_family(tmp_path, device):
    own = cases(3)
    for run in run_netlist(tmp_path, [c.stage for c in own], OUT_BEATS, device):
        for case, got in zip(own, run, strict=True):
            assert (got == case.expected[: len(got)]).all(), f"{device}: {case.stage.head.module}"
