"""Fronts, hypervolumes, spaces and candidates by their definitions."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from bitsmith.flows.config import HardwareConfig, TaskConfig, read_config
from bitsmith.flows.search.candidate import config_of, fingerprint
from bitsmith.flows.search.goals import Axes, front_of
from bitsmith.flows.search.space import (
    ArchitecturePart,
    HardwarePart,
    Parameter,
    Space,
    parameters,
    read_space,
    space_names,
)
from bitsmith.models.ir.errors import InputError
from bitsmith.models.zoo import task_path, tasks

AXES = Axes(("accuracy", "lut", "latency_ns"), {"accuracy": 1.0, "lut": 10.0, "latency_ns": 5.0},
            {"accuracy": 0.5, "lut": 1000.0, "latency_ns": 500.0})  # fmt: skip

points = st.lists(st.tuples(*[st.integers(0, 5)] * 3), min_size=1, max_size=30)
measures = st.builds(
    lambda a, lut, ns: {"accuracy": a, "lut": lut, "latency_ns": ns},
    st.floats(0.4, 1.0),
    st.floats(10.0, 2000.0),
    st.floats(5.0, 900.0),
)


def dominates(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and one != other


@seed(1)
@settings(max_examples=200, deadline=None)
@given(points)
def test_the_front_is_what_nobody_dominates(found: list[tuple[int, ...]]) -> None:
    kept = front_of(np.array(found, np.float64))
    assert kept.tolist() == [not any(dominates(other, one) for other in found) for one in found]


@seed(2)
@settings(max_examples=100, deadline=None)
@given(measures)
def test_one_point_dominates_the_product_of_its_sides(point: dict[str, float]) -> None:
    """By the definition of the axes: errors over those of the reference, logarithms between ideal and reference."""
    sides = (
        1 - (1 - point["accuracy"]) / 0.5,
        1 - math.log(point["lut"] / 10) / math.log(100),
        1 - math.log(point["latency_ns"] / 5) / math.log(100),
    )
    wanted = math.prod(sides) if min(sides) > 0 else 0.0
    assert AXES.hypervolume([point]) == pytest.approx(wanted, rel=1e-9, abs=1e-12)  # sums of floats


@seed(3)
@settings(max_examples=100, deadline=None)
@given(st.lists(measures, min_size=1, max_size=8), st.data())
def test_a_dominated_point_changes_nothing(front: list[dict[str, float]], data: st.DataObject) -> None:
    better = data.draw(st.sampled_from(front))
    worse = {
        "accuracy": better["accuracy"] - data.draw(st.floats(0, 0.2)),
        "lut": better["lut"] * data.draw(st.floats(1, 3)),
        "latency_ns": better["latency_ns"] * data.draw(st.floats(1, 3)),
    }
    assert AXES.hypervolume([*front, worse]) == pytest.approx(AXES.hypervolume(front), rel=1e-9, abs=1e-12)


@seed(4)
@settings(max_examples=100, deadline=None)
@given(st.lists(measures, min_size=2, max_size=8))
def test_hypervolume_grows_with_points_whatever_their_order(found: list[dict[str, float]]) -> None:
    volumes = [AXES.hypervolume(found[:n]) for n in range(1, len(found) + 1)]
    assert all(b >= a - 1e-12 for a, b in pairwise(volumes)) and volumes[-1] <= 1.0
    assert AXES.hypervolume(found[::-1]) == pytest.approx(volumes[-1], rel=1e-9, abs=1e-12)


def spaces_of(task: str) -> list[tuple[str, TaskConfig, tuple[Parameter, ...]]]:
    config = read_config(task_path(task))
    config = config.model_copy(
        update={"hardware": config.hardware.model_copy(update={"backends": config.hardware.backends[:1]})}
    )
    return [(name, config, parameters(read_space(name), config)) for name in space_names()]


def drawn(found: tuple[Parameter, ...], rng: np.random.Generator) -> dict[str, int | float | bool | str]:
    return {p.name: p.values[rng.integers(len(p.values))] for p in found}


@pytest.mark.parametrize("task", tasks())
def test_every_value_of_every_space_makes_a_config_or_says_why_not(task: str, rng: np.random.Generator) -> None:
    """Each value of each parameter in turn, the others drawn: a valid config that comes back from its JSON, or
    ValueError; and the same choices make the same candidate."""
    for space, config, found in spaces_of(task):
        made = 0
        for parameter in found:
            for value in parameter.values:
                choices = {**drawn(found, rng), parameter.name: value}
                try:
                    candidate = config_of(config, choices)
                except ValueError as error:
                    assert str(error), space
                    continue
                made += 1
                plain = candidate.model_dump(mode="json", by_alias=True)
                assert fingerprint(TaskConfig.model_validate(plain)) == fingerprint(candidate), (space, choices)
                assert fingerprint(config_of(config, dict(reversed(choices.items())))) == fingerprint(candidate)
        assert made > sum(len(p.values) for p in found) / 2, f"{space}: most of a space can be built"


@pytest.mark.parametrize("task", tasks())
def test_every_parameter_has_an_effect_somewhere(task: str, rng: np.random.Generator) -> None:
    """Of two of its values, other choices alike, one makes another candidate: in one of 60 draws at least."""
    for space, config, found in spaces_of(task):
        for parameter in found:
            assert any(differs(config, drawn(found, rng), parameter) for _ in range(60)), (space, parameter.name)


def differs(config: TaskConfig, choices: dict[str, int | float | bool | str], parameter: Parameter) -> bool:
    seen = set()
    for value in parameter.values:
        try:
            seen.add(fingerprint(config_of(config, {**choices, parameter.name: value})))
        except ValueError:
            continue
    return len(seen) > 1


@pytest.mark.parametrize(
    ("space", "names"),
    [
        (Space(hardware=HardwarePart(target_ii=(1, 16), clock_mhz=(50.0, 100.0))), ["clock_mhz"]),
        (Space(hardware=HardwarePart(reuse=(1, 4), clock_mhz=(50.0, 100.0))), ["clock_mhz"]),
        (
            Space(hardware=HardwarePart(backends=("rtl-unrolled", "rtl-folded"), target_ii=(1, 16))),
            ["backend", "target_ii"],
        ),
        (Space(hardware=HardwarePart(backends=("hls4ml", "rtl-unrolled"), reuse=(1, 4))), ["backend", "reuse"]),
        (Space(architecture=ArchitecturePart(skip=(False, True), depth=(0, 1))), ["hidden.depth"]),
        (Space(architecture=ArchitecturePart(skip=(False, True), depth=(1, 2))), ["hidden.depth", "hidden.skip"]),
    ],
)
def test_what_could_change_nothing_is_no_parameter(space: Space, names: list[str]) -> None:
    config = read_config(task_path("digits"))
    found = parameters(space, config)
    assert [p.name for p in found] == names


def test_a_space_in_which_nothing_may_vary(tmp_path: Path) -> None:
    config = read_config(task_path("digits"))
    with pytest.raises(InputError, match="nothing may vary in this space"):
        parameters(Space(hardware=HardwarePart(target_ii=(1, 16))), config)


def test_a_choice_that_a_backend_does_not_read_makes_no_other_candidate() -> None:
    config = read_config(task_path("digits"))
    for backend, name, same in (("rtl-unrolled", "reuse", True), ("hls4ml", "reuse", False)):
        hardware = HardwareConfig(backends=(backend,))
        task = config.model_copy(update={"hardware": hardware})
        one, other = (fingerprint(config_of(task, {name: value})) for value in (1, 4))
        assert (one == other) is same
