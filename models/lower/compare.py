"""A net beside what its source framework computes: integers compared with ``==``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir import QNet, execute, random_inputs
from bitsmith.models.ir.types import IntArray
from bitsmith.models.lower.weights import is_power_of_two

Floats = npt.NDArray[np.float64]


FLOAT64_NOISE = 2.0**-20
"""Of an output integer: what float64 sums, and a bias in steps of a scale that was rounded to float32, may add."""


class Lowered(Protocol):
    """A net, and its source framework as a function."""

    @property
    def net(self) -> QNet:
        """The net."""

    @property
    def framework(self) -> str:
        """Name of what ``reference`` runs."""

    @property
    def rounds_input(self) -> bool:
        """Whether the source itself rounds its input to the net's grid."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """What of the source's output the net does not compute, in words."""

    def reference(self, x: npt.ArrayLike) -> Floats:
        """What the source computes at the point of ``net.output``, for real inputs (n, *net.input.shape)."""

    def reference_float64(self, x: npt.ArrayLike) -> Floats | None:
        """The same in float64, where the source can; it settles what the noise of float32 sums decided."""


@dataclass(frozen=True)
class Proof:
    """A comparison whose differing rows were looked at again in float64.

    ``mismatching`` rows differ there too; ``noisy`` ones differed only because the
    source's own float32 sums were rounded the other way.
    """

    samples: int
    max_abs_error: float
    mismatching: tuple[int, ...]
    noisy: tuple[int, ...]

    @property
    def exact(self) -> bool:
        """Whether the net computes what the source means, on every row."""
        return not self.mismatching


@dataclass(frozen=True)
class Comparison:
    """How a net compares with its source framework on the same inputs.

    ``max_abs_error`` is the largest difference of real output values;
    ``mismatching`` are the rows in which any integer differs.
    """

    samples: int
    exact: bool
    max_abs_error: float
    mismatching: tuple[int, ...]


def compare_random(lowered: Lowered, rows: int = 1000, seed: int = 0) -> Comparison:
    """Run source and net on random inputs of the net's grid and compare integers."""
    x = random_inputs(lowered.net, rows, seed)
    return compare_outputs(lowered.net, execute(lowered.net, x), lowered.reference(lowered.net.input.type.real(x)))


def prove(lowered: Lowered, integers: IntArray, real: Floats) -> tuple[Proof, IntArray, Floats]:
    """The net on ``integers`` against the source on ``real``, row by row the same inputs; with both outputs."""
    ours, theirs = execute(lowered.net, integers), lowered.reference(real)
    first = compare_outputs(lowered.net, ours, theirs)
    rows = np.array(first.mismatching, np.int64)
    again = lowered.reference_float64(real[rows]) if len(rows) else None
    if again is None:
        return Proof(first.samples, first.max_abs_error, first.mismatching, ()), ours, theirs
    steps = again / np.asarray(lowered.net.output.type.scale)
    off = np.abs(steps - ours[rows]) > FLOAT64_NOISE * (1 + np.abs(ours[rows]))
    wrong = off.reshape(len(rows), -1).any(axis=1)
    error = (
        first.max_abs_error if wrong.any() else float(np.abs(lowered.net.output.type.real(ours[rows]) - again).max())
    )
    return Proof(first.samples, error, *(tuple(int(r) for r in rows[which]) for which in (wrong, ~wrong))), ours, theirs


def compare_outputs(net: QNet, got: IntArray, expected: Floats) -> Comparison:
    """Output integers of ``net`` against the framework's real outputs, both (n, *output shape).

    With an output scale that is a power of two, the framework's float32 must be the
    integers times the scale, bit for bit.  With any other scale the framework's own
    sums are rounded, so its output is taken to the nearest integer first.

    Inside of the net, weights of other scales (``alpha="auto"``, 0.3) have the same
    effect: where terms cancel to an exact tie of the next quantizer, the rounding of
    float32 sums decides in the framework, and half-even in the net.
    """
    scale = np.asarray(net.output.type.scale)
    real = got * scale
    on_grid = is_power_of_two(scale).all()
    same = real.astype(np.float32) == expected if on_grid else got == np.rint(expected / scale)
    rows = np.flatnonzero(~same.reshape(len(got), -1).all(axis=1))
    error = float(np.abs(real - expected).max(initial=0.0))
    return Comparison(len(got), not len(rows), error, tuple(int(r) for r in rows))
