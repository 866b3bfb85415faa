"""The element-wise pipes of the folded library against ``execute``: many random one-op nets to a build."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rtl_bench import DEVICES, full_load, map_everywhere, map_part, run_netlist, run_stages
from rtl_units import FOLDS, UNITS, Case, add_case, lut_case, one_op, pipe_case, requant_case, thresholds_case

from bitsmith.hls.backends.rtl.folded.levels import COMPARATORS, SEARCH, SERIAL, levels_pipe
from bitsmith.models.ir import Overflow, QuantType, Rounding


def check(folder: Path, cases: list[Case]) -> None:
    results = run_stages(folder, [c.stage for c in cases], FOLDS)
    for number, (case, got) in enumerate(zip(cases, results[0].outputs, strict=True)):
        assert (got == case.expected).all(), f"stage {number}: {case.pipe.module} {case.pipe.params}"


def requants(seed: int, times: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    return [requant_case(rng, r, o) for _ in range(times) for r in Rounding for o in Overflow]


def thresholds(seed: int, levels: tuple[int, ...]) -> list[Case]:
    rng = np.random.default_rng(seed)
    return [thresholds_case(rng, n, unit) for n in levels for unit in UNITS]


def others(seed: int, times: int) -> list[Case]:
    rng = np.random.default_rng(seed)
    return [lut_case(rng) for _ in range(3 * times)] + [add_case(rng, n) for _ in range(times) for n in (1, 2, 3, 5)]


def test_requant(tmp_path):
    check(tmp_path, requants(1, 4))


def test_thresholds(tmp_path):
    check(tmp_path, thresholds(2, (1, 2, 3, 6, 15, 40)))


@pytest.mark.parametrize("unit", [COMPARATORS, SEARCH, SERIAL])
def test_thresholds_whose_steps_are_all_positive(tmp_path, unit):
    """Steps without a sign fill their bits: the topmost of them is none of a sign."""
    rng, kind, channels = np.random.default_rng(6), QuantType(8, True), 2 * FOLDS
    rows = np.sort(rng.integers(-128, 128, (channels, 7)), axis=1)
    steps = np.array([0, 4, 5, 7, 1, 3])
    net = one_op(rng, 2, kind, lambda b, x: b.thresholds("y", x, 1.0, rows, 0, steps))
    pipe = pipe_case(net, lambda op, x, span, n: levels_pipe(op, x, span, n, "ecp5", 99, unit), 2, rng)
    check(tmp_path, [pipe])


def test_tables_and_sums(tmp_path):
    check(tmp_path, others(3, 2))


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(10, 22))
def test_many(tmp_path, seed):
    rng = np.random.default_rng(seed)
    levels = tuple(int(n) for n in rng.choice([1, 2, 3, 5, 7, 8, 15, 16, 31, 50, 100, 255, 300], 4))
    check(tmp_path / "requant", requants(seed, 5))
    check(tmp_path / "thresholds", thresholds(seed, levels))
    check(tmp_path / "others", others(seed, 3))


def test_a_serial_search_keeps_its_pace(tmp_path):
    rng = np.random.default_rng(4)
    case = next(c for c in iter(lambda: thresholds_case(rng, 40, 2), None) if c.pipe.interval == 6)
    result = run_stages(tmp_path, [case.stage], FOLDS)[0]
    assert (result.outputs[0] == case.expected).all()
    assert result.done == full_load(result, case.stage.head, [case.pipe])
    assert set(np.diff(result.done)) == {FOLDS * 6}  # six bits of the count: a beat every six cycles


def mapped_cases() -> dict[str, Case]:
    rng = np.random.default_rng(5)
    return {
        "requant": requant_case(rng, Rounding.HALF_EVEN, Overflow.SATURATE),
        "wrap": requant_case(rng, Rounding.FLOOR, Overflow.WRAP),
        **{f"thresholds{unit}": thresholds_case(rng, 15, unit) for unit in UNITS},
        "lut": lut_case(rng),
        "add": add_case(rng, 3),
    }


def width_in(case: Case) -> int:
    return sum(s.values.shape[-1] * s.bits for s in case.stage.inputs)


@pytest.mark.parametrize("name", ["requant", "thresholds2"])
def test_mapping(tmp_path, name):
    case = mapped_cases()[name]
    found = map_part(tmp_path, case.pipe, width_in(case), "up5k").used
    assert found.lut > 0 and found.ff > 0


@pytest.mark.nightly
@pytest.mark.parametrize("name", list(mapped_cases()))
def test_mapping_on_every_family(tmp_path, name):
    case = mapped_cases()[name]
    found = map_everywhere(tmp_path, case.pipe, width_in(case))
    assert all(used.ff + used.bram > 0 for used in found.values())


def check_netlist(folder: Path, cases: list[Case], device: str) -> None:
    for run in run_netlist(folder, [c.stage for c in cases], FOLDS, device):
        for case, got in zip(cases, run, strict=True):
            assert (got == case.expected[: len(got)]).all(), f"{device}: {case.pipe.module} {case.pipe.params}"


def test_netlist(tmp_path):
    check_netlist(tmp_path, [mapped_cases()["requant"]], "up5k")


@pytest.mark.nightly
@pytest.mark.parametrize("device", list(DEVICES))
def test_netlists_on_every_family(tmp_path, device):
    check_netlist(tmp_path, list(mapped_cases().values()), device)
