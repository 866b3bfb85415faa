"""The folding solver: the smallest legal folding that meets a target, or the fastest that fits the device.

Each op with units of its own has a list of legal foldings with their cycles and
their price.  One of each is chosen by integer programming (HiGHS, through
scipy): least area under the device's LUT, FF, DSP and BRAM.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bitsmith.hls.backends.divisors import divisors
from bitsmith.hls.backends.rtl.folded.costs import unit_cost
from bitsmith.hls.backends.rtl.folded.folding import (
    Fold,
    Folding,
    cycles_of,
    is_unit,
    lanes_in,
    legal_folds,
    takes_whole_windows,
)
from bitsmith.hls.backends.rtl.folded.parts import Cost
from bitsmith.hls.backends.rtl.folded.programme import FloatArray, cheapest, chosen_total, leanest
from bitsmith.hls.backends.rtl.folded.stages import StepOp, roots, step_pipe
from bitsmith.hls.backends.rtl.folded.unrolled import OFFERED_DIGITS, UNROLLED, unrolled_fold, unrolled_problems
from bitsmith.hls.config import Device, HwConfig
from bitsmith.models.ir import QNet
from bitsmith.models.ir.errors import DoesNotFitError, InputError
from bitsmith.models.ir.intervals import intervals
from bitsmith.models.ir.ops import Input, Op
from bitsmith.models.ir.types import IntArray

RESOURCES = ("lut", "ff", "dsp", "bram")

USABLE = {"lut": 0.85, "ff": 0.95, "dsp": 1.0, "bram": 1.0}
"""Share of the device that a design may take: placers need some freedom among the LUTs."""

UNASKED = 0.5
"""Without a target the fastest design is taken that fits into this share of the device."""


@dataclass(frozen=True)
class Option:
    """One legal folding of an op: cycles per frame, and price."""

    fold: Fold
    cycles: int
    cost: Cost


class Solver:
    """All options of a net on a device."""

    def __init__(self, net: QNet, hw: HwConfig) -> None:
        self.net = net
        self.hw = hw
        self.device = hw.board.device
        units = [op for op in net.ops if is_unit(net, op) and not isinstance(op, Input)]
        self.spans = intervals(net)
        root = roots(net)
        self.output = root[net.output.name]
        self.readers: dict[str, list[Op]] = {op.name: [] for op in net.ops}
        for op in units:
            for name in op.inputs:
                self.readers[root[name]].append(op)
        self.riders = {op.name for op in units if isinstance(op, StepOp) and self._rides(root[op.inputs[0]])}
        self.ops = [op for op in units if op.name not in self.riders]
        self.options = {op.name: self._options(op) for op in self.ops}
        for name, pe, simd, *mult in hw.folding:
            self._fix(name, pe, simd, mult[0] if mult else "auto")

    def _fix(self, name: str, pe: int, simd: int, mult: str) -> None:
        """Only the given folding of an op is left."""
        if name not in self.options:
            raise InputError(
                f"the folding names {name}, which has no units of its own; there are: {', '.join(self.options)}"
            )
        if mult == UNROLLED:
            self.options[name] = [self._unrolled(name)]
            return
        folded = [o for o in self.options[name] if o.fold.mult != UNROLLED]
        kept = [o for o in folded if (o.fold.pe, o.fold.simd) == (pe, simd) and mult in ("auto", o.fold.mult)]
        if not kept:
            legal = sorted({(o.fold.pe, o.fold.simd) for o in folded})
            pairs = "; ".join(
                f"pe {p} with simd {', '.join(str(s) for q, s in legal if q == p)}"
                for p in sorted({p for p, _ in legal})
            )
            raise InputError(f"{name} cannot be folded to pe {pe}, simd {simd}; legal are: {pairs}")
        self.options[name] = kept

    def _unrolled(self, name: str) -> Option:
        """The option of an op that is asked for unrolled."""
        op = self.net[name]
        shape = self.net[op.inputs[0]].shape
        problems = unrolled_problems(op, shape, self.hw)
        if problems:
            raise InputError(f"{name} cannot be unrolled: {problems[0].text}; {problems[0].remedy}")
        whole = unrolled_fold(op, shape)
        assert whole is not None, f"{name} has no problem and yet no adder graph"
        return self._option(op, Fold(*whole, UNROLLED), self._behind(op, whole[0]))

    def _option(self, op: Op, fold: Fold, behind: Cost) -> Option:
        cost = unit_cost(self.net, op, fold, self.device.family) + behind
        return Option(fold, cycles_of(self.net, op, fold), cost)

    def _options(self, op: Op) -> list[Option]:
        """All foldings; the elementwise ops that only this one feeds are pipes of its stage, and part of its price."""
        behind: dict[int, Cost] = {}
        options = []
        for fold in legal_folds(self.net, op):
            if fold.mult == UNROLLED and not self._may_unroll(op):
                continue
            if fold.pe not in behind:
                behind[fold.pe] = self._behind(op, fold.pe)
            options.append(self._option(op, fold, behind[fold.pe]))
        return options

    def _may_unroll(self, op: Op) -> bool:
        """Whether ``op`` may be unrolled without being asked for."""
        shape = self.net[op.inputs[0]].shape
        return unrolled_fold(op, shape, OFFERED_DIGITS) is not None and not unrolled_problems(op, shape, self.hw)

    def _rides(self, producer: str) -> bool:
        """Whether the one reader of ``producer`` is a pipe of its stage."""
        alone = len(self.readers[producer]) == 1 and producer != self.net.input.name
        return alone and producer != self.output

    def _behind(self, op: Op, lanes: int) -> Cost:
        cost = Cost()
        if isinstance(op, StepOp):
            cost += step_pipe(self.net, op, self.spans[op.inputs[0]], lanes, self.device.family, 1).cost
        while self._rides(op.name) and isinstance(op := self.readers[op.name][0], StepOp) and op.shape[-1] % lanes == 0:
            cost += step_pipe(self.net, op, self.spans[op.inputs[0]], lanes, self.device.family, 1).cost
        return cost

    def fastest(self) -> int:
        """The least II that any folding reaches, whatever it takes."""
        return max((min(o.cycles for o in options) for options in self.options.values()), default=1)

    def slowest(self) -> int:
        """The II of the smallest folding."""
        return max((max(o.cycles for o in options) for options in self.options.values()), default=1)

    def candidates(self) -> list[int]:
        """Every II at which some op's choice changes, ascending, from the fastest on."""
        least = self.fastest()
        found = {o.cycles for options in self.options.values() for o in options if o.cycles >= least}
        return sorted(found | {least})

    def choose(self, ii: int, share: float = 1.0) -> Folding | None:
        """The smallest folding with at most ``ii`` cycles per frame; None if none fits that share of the device."""
        rows = [_front([o for o in self.options[op.name] if o.cycles <= ii]) for op in self.ops]
        if not all(rows):
            return None
        chosen = cheapest(*_table(rows), self.limits(share)) if rows else []
        if chosen is None:
            return None
        folding = {op.name: row[pick].fold for op, row, pick in zip(self.ops, rows, chosen, strict=True)}
        for name in self.riders:  # for those whose producer's lanes do not divide their channels
            own = legal_folds(self.net, self.net[name])
            folding[name] = next((f for f in own if cycles_of(self.net, self.net[name], f) <= ii), own[-1])
        return self._with_input(folding, ii)

    def limits(self, share: float = 1.0) -> FloatArray:
        """What can be used of that share of the device, in the order of RESOURCES."""
        return share * np.array([getattr(self.device, name) * USABLE[name] for name in RESOURCES])

    def _with_input(self, folding: dict[str, Fold], ii: int) -> Folding:
        """The input comes in the lanes that its reader takes; for several, or a graph, in the fewest that keep up."""
        source = self.net.input
        readers = self.readers[source.name]
        if len(readers) == 1:
            fold = folding[readers[0].name]
            lanes = lanes_in(readers[0], fold)
            if fold.mult == UNROLLED and not takes_whole_windows(readers[0], fold):
                size = math.prod(source.shape)
                lanes = next(n for n in divisors(lanes) if n == lanes or size // n <= ii)
            return {source.name: Fold(lanes), **folding}
        fits = [f for f in legal_folds(self.net, source) if cycles_of(self.net, source, f) <= ii]
        return {source.name: fits[0] if fits else legal_folds(self.net, source)[-1], **folding}

    def least(self, ii: int) -> dict[str, float]:
        """Per resource the least that ``ii`` cycles take of it, whatever the others."""
        rows = [[o for o in self.options[op.name] if o.cycles <= ii] for op in self.ops]
        return {name: sum(min(getattr(o.cost, name) for o in row) for row in rows) for name in RESOURCES}


def solve(net: QNet, hw: HwConfig) -> Folding:
    """The folding for ``hw``; DoesNotFitError naming what is short and the nearest target that fits.

    Ops in ``hw.folding`` are folded as it says; InputError where that is not legal.
    """
    solver = Solver(net, hw)
    if hw.target_ii is None:
        return _fastest_that_fits(solver, hw, UNASKED)[1]
    folding = solver.choose(hw.target_ii)
    if folding is None:
        raise _refusal(solver, hw, hw.target_ii)
    return folding


def _fastest_that_fits(solver: Solver, hw: HwConfig, share: float = 1.0) -> tuple[int, Folding]:
    """(II, folding) by bisection: what fits at one II fits at every larger one."""
    candidates = solver.candidates()
    low, high = 0, len(candidates) - 1
    best = solver.choose(candidates[high], share) or solver.choose(candidates[high])
    if best is None:
        raise _too_large(solver, hw, candidates[high])
    while low < high:
        middle = (low + high) // 2
        folding = solver.choose(candidates[middle], share)
        if folding is None:
            low = middle + 1
        else:
            high, best = middle, folding
    return candidates[high], best


def _refusal(solver: Solver, hw: HwConfig, ii: int) -> DoesNotFitError:
    net = solver.net
    if ii < solver.fastest():
        slow = max(solver.ops, key=lambda op: min(o.cycles for o in solver.options[op.name]))
        why = f"{slow.name} takes at least {solver.fastest()} cycles however far it is unfolded: the cycles are binding"
    else:
        why = _shortage(solver, ii)
    nearest, _ = _fastest_that_fits(solver, hw)
    rate = hw.clock_mhz * 1e6 / nearest
    return DoesNotFitError(
        f"{net.name} at {ii} cycles between two results does not fit {hw.board.name}: {why}; "
        f"the nearest target that fits is --target-ii {nearest} ({rate:.6g} frames per second at {hw.clock_mhz:g} MHz)"
    )


def _too_large(solver: Solver, hw: HwConfig, ii: int) -> DoesNotFitError:
    return DoesNotFitError(
        f"{solver.net.name} does not fit {hw.board.name} at any folding: {_shortage(solver, ii)}; "
        f"take {'another --folding, ' if hw.folding else ''}a larger board, fewer bits or a smaller network"
    )


def _shortage(solver: Solver, ii: int) -> str:
    """What is short, in words: the resource of the largest share at its least."""
    least = solver.least(ii)
    shares = {name: _share(least[name], solver.device, name) for name in RESOURCES}
    worst = max(RESOURCES, key=lambda name: shares[name])
    have = getattr(solver.device, worst)
    if shares[worst] > 1.0:
        usable = f", of which {USABLE[worst]:.0%} can be used" if USABLE[worst] < 1.0 else ""
        return f"it takes at least {least[worst]:.0f} {worst.upper()} of {have}{usable}: {worst.upper()} is binding"
    return _shortage_of_several(solver, ii)


def _shortage_of_several(solver: Solver, ii: int) -> str:
    """Where each resource alone would do: what is short in the folding whose largest share is the smallest."""
    rows = [_front([o for o in solver.options[op.name] if o.cycles <= ii]) for op in solver.ops]
    prices, starts = _table(rows)
    total = chosen_total(prices, starts, leanest(prices, starts, solver.limits()))
    needs = dict(zip(RESOURCES, total, strict=True))
    binding = max(RESOURCES, key=lambda name: _share(needs[name], solver.device, name))
    have = getattr(solver.device, binding)
    return f"the leanest folding takes {needs[binding]:.0f} {binding.upper()} of {have}: {binding.upper()} is binding"


def _share(cost: float, device: Device, name: str) -> float:
    have = getattr(device, name) * USABLE[name]
    return cost / have if have else (float("inf") if cost else 0.0)


def _front(options: list[Option]) -> list[Option]:
    """Those that no other beats or equals in every resource."""
    ordered = sorted(options, key=lambda o: (o.cost.lut, o.cost.dsp, o.cost.bram, o.cost.ff, o.fold))
    front: list[Option] = []
    for option in ordered:
        price = _vector(option.cost)
        if not any((_vector(other.cost) <= price).all() for other in front):
            front.append(option)
    return front


def _vector(cost: Cost) -> FloatArray:
    return np.array([getattr(cost, name) for name in RESOURCES], np.float64)


def _table(rows: list[list[Option]]) -> tuple[FloatArray, IntArray]:
    """Prices (options, resources) of all rows, and where each row starts, the end last."""
    prices = np.array([_vector(o.cost) for row in rows for o in row])
    return prices, np.cumsum([0, *(len(row) for row in rows)])
