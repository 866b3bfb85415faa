"""The exact schedule: against cycles counted by hand, and against a simulation cycle by cycle."""

from __future__ import annotations

import numpy as np
import pytest

from bitsmith.hls.backends.rtl.folded.cycles import Cycles, _repeating, busiest, exact_cycles, fifo_depths
from bitsmith.hls.backends.rtl.folded.folding import Fold
from bitsmith.hls.backends.rtl.folded.schedule import Process, Times, Wait
from bitsmith.hls.backends.rtl.folded.stages import Builder
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.models.ir import NetBuilder, QNet, QuantType


def steps(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_a_reader_waits_for_its_producer() -> None:
    # A makes a beat every cycle, each 3 cycles on its way; B takes 2 cycles for each.
    a = Process("a", 4)
    b = Process("b", 4, gap=2, waits=(Wait(steps(0, 1, 2, 3), 0, steps(0, 1, 2, 3), 3),))
    times = Times([a, b], 1)
    assert times.at(0, steps(0, 1, 2, 3)).tolist() == [[0, 1, 2, 3]]
    assert times.at(1, steps(0, 1, 2, 3)).tolist() == [[3, 5, 7, 9]]


def test_a_producer_waits_for_room() -> None:
    # One place only: the next beat is started in the cycle after the one before was taken, 0 -> 3 taken, 4 -> 7, ...
    a = Process("a", 3, waits=(Wait(steps(0, 1, 2), 1, steps(-1, 0, 1), 1),))
    b = Process("b", 3, waits=(Wait(steps(0, 1, 2), 0, steps(0, 1, 2), 3),))
    times = Times([a, b], 2)
    assert times.at(0, steps(0, 1, 2)).tolist() == [[0, 4, 8], [12, 16, 20]]
    assert times.at(1, steps(2)).tolist() == [[11], [23]]


def test_latest_times_leave_the_last_process_as_it_is() -> None:
    a = Process("a", 3)
    b = Process("b", 3, gap=5, waits=(Wait(steps(0, 1, 2), 0, steps(0, 1, 2), 2),))
    times = Times([a, b], 1)
    late = times.latest(1)
    assert times.at(0, steps(0, 1, 2)).tolist() == [[0, 1, 2]]
    assert times.at(0, steps(0, 1, 2), late).tolist() == [[0, 5, 10]]
    assert times.at(1, steps(0, 1, 2), late).tolist() == times.at(1, steps(0, 1, 2)).tolist()


def test_a_deadlock_is_found() -> None:
    # Each waits for the other's step of the same number.
    a = Process("a", 2, waits=(Wait(steps(0, 1), 1, steps(0, 1), 1),))
    b = Process("b", 2, waits=(Wait(steps(0, 1), 0, steps(0, 1), 1),))
    with pytest.raises(AssertionError, match="deadlock"):
        Times([a, b], 2)


def test_patterns_of_distances() -> None:
    assert _repeating([9, 7, 5, 5, 5, 5]) == (2, 1)
    assert _repeating([9, 4, 5, 4, 5, 4, 5, 4, 5]) == (1, 2)
    assert _repeating([1, 2, 3, 4, 5]) is None
    assert Cycles((10, 19), (4, 5)).predict(6) == [10, 19, 23, 28, 32, 37]
    assert Cycles((10, 19), (4, 5)).ii_cycles == 5
    assert Cycles((10, 19), (4, 5)).latency_cycles == 10


def skip_net(depth: int) -> QNet:
    """A skip around ``depth`` convolutions, each of which waits for rows to come."""
    rng = np.random.default_rng(depth)
    b = NetBuilder("skip")
    x = y = b.input("x", (8, 6, 2), QuantType(3, True))
    for n in range(depth):
        y = b.conv(f"conv{n}", y, rng.integers(-2, 3, (3, 3, 2, 2)), pads=((1, 1), (1, 1)))
        y = b.requant(f"act{n}", y, 1.0, -4, 3, 4)
    return b.build(b.add("sum", [x, y], 1.0))


@pytest.mark.parametrize("depth", [1, 3])
def test_a_skip_gets_the_places_that_its_other_branch_takes_in(depth: int) -> None:
    net = skip_net(depth)
    folding = {op.name: Fold(1) for op in net.ops}
    structure = Builder(net, HwConfig(load_board("ulx3s-85f"), 50.0, "rtl-folded"), folding).build()
    depths = fifo_depths(structure)
    skip = next(e for e in structure.edges if e.consumer == "sum" and e.port == 0)
    # Before its first result a convolution takes two of its rows in (12 beats of a place's two channels each), and
    # all rows that the layers behind it still need: what the skip keeps meanwhile grows with each.
    assert depths[skip] >= depth * 2 * 6
    cycles = exact_cycles(structure, depths)
    assert cycles.ii_cycles <= busiest(structure) * 1.05
    fewer = {**depths, skip: depth * 6}
    with pytest.raises(AssertionError, match="deadlock"):
        exact_cycles(structure, fewer)
