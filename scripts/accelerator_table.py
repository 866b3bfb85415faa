"""Prices well-known networks on every accelerator board and compares with what was published.

    scripts/accelerator_table.py            # the four networks of MLPerf Tiny on every board, published against ours
    scripts/accelerator_table.py --large    # and the networks that vendors quote (minutes, a few GB)
    scripts/accelerator_table.py --fit      # the factors that the boards' files have to say, and their scores

A factor is one number per board, the geometric mean over networks of published
over documented cycles.  Its bounds come from leaving one network out at a time,
and are taken twice as far out (on a logarithmic scale): the extremes of four
networks would hold in 60 % of the cases only.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict

import numpy as np
from reference_nets import LARGE, TINY

from bitsmith.hls.accelerators import accelerators
from bitsmith.hls.accelerators.schema import Accelerator, Published
from bitsmith.hls.estimate.accelerators import estimate_accelerator
from bitsmith.hls.estimate.conformal import Band, fit_band
from bitsmith.hls.results import AcceleratorEstimate, Figure
from bitsmith.models.ir import QNet
from bitsmith.reports.tables import table

FEW = 2.0
"""How much farther out than their extremes the bounds of so few residuals are put: judgement."""


def documented_ms(board: Accelerator, net: QNet) -> float:
    """Latency without any fitted factor."""
    return estimate_accelerator(net, board.model_copy(update={"calibration": None})).latency_ns.value / 1e6


def factor_of(rows: list[Published], documented: dict[str, float]) -> float:
    """Published over documented: geometric mean, every network counting once."""
    logs: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        logs[row.network].append(math.log(row.latency_ms / documented[row.network]))
    return math.exp(float(np.mean([np.mean(values) for values in logs.values()])))


def fit(board: Accelerator, nets: dict[str, QNet]) -> tuple[Figure, list[tuple[Published, float]]]:
    """The factor with its bounds, and per published row what a fit without its network says, in ms."""
    rows = [row for row in board.published if row.network in nets and row.basis == "measured"]
    documented = {name: documented_ms(board, nets[name]) for name in {row.network for row in rows}}
    unseen = []
    for row in rows:
        others = [other for other in rows if other.network != row.network]
        unseen.append((row, documented[row.network] * factor_of(others, documented)))
    band: Band = fit_band([row.latency_ms for row in rows], [ms for _, ms in unseen], 0.0)
    factor = factor_of(rows, documented)
    return band.widened(FEW).around(factor), unseen


def _range(figure: Figure, digits: int = 3) -> str:
    return f"{figure.value:.{digits}g} ({figure.low:.{digits}g} to {figure.high:.{digits}g})"


def _print_fits(nets: dict[str, QNet]) -> None:
    for board in accelerators():
        if board.calibration is None:
            continue
        factor, unseen = fit(board, nets)
        said = board.calibration.cycles
        print(
            f"\n{board.name}: cycles = [{factor.low:.3g}, {factor.value:.3g}, {factor.high:.3g}], "
            f"the file says {_range(said)}"
        )
        lines = [[r.network, f"{r.latency_ms:.4g}", f"{ms:.4g}", f"{ms / r.latency_ms:.2f}"] for r, ms in unseen]
        print(table(["network left out", "published ms", "fit without it, ms", "ratio"], lines))
        errors = [abs(ms / r.latency_ms - 1) for r, ms in unseen]
        print(f"median error {100 * float(np.median(errors)):.1f} %, largest {100 * max(errors):.1f} %")


def _print_published(nets: dict[str, QNet]) -> None:
    lines = []
    for board in accelerators():
        for row in board.published:
            if row.network not in nets:
                continue
            cost = estimate_accelerator(nets[row.network], board)
            ms = Figure(*(v / 1e6 for v in (cost.latency_ns.value, cost.latency_ns.low, cost.latency_ns.high)))
            energy = f"{row.energy_uj:.4g}" if row.energy_uj else "-"
            inside = "yes" if ms.low <= row.latency_ms <= ms.high else "NO"
            lines.append(
                [
                    *(board.name, row.network, row.basis, f"{row.latency_ms:.4g}", _range(ms)),
                    *(f"{ms.value / row.latency_ms:.2f}", inside, energy, _range(cost.energy_uj)),
                ]
            )
    heads = ["board", "network", "basis", "published ms", "ours ms", "ratio", "within", "published uJ", "ours uJ"]
    print(table(heads, lines))


def _verdict(cost: AcceleratorEstimate) -> str:
    return "fits" if cost.fits else f"no: {cost.problems[0]}"


def _print_all(nets: dict[str, QNet]) -> None:
    lines = []
    for board in accelerators():
        for name, net in nets.items():
            cost = estimate_accelerator(net, board)
            lines.append(
                [board.name, name, f"{cost.latency_ns.value / 1e6:.3g}", f"{cost.energy_uj.value:.3g}", _verdict(cost)]
            )
    print(table(["board", "network", "ms", "uJ", "runs"], lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--fit", action="store_true")
    args = parser.parse_args()
    nets = {name: build() for name, build in (TINY | LARGE if args.large else TINY).items()}
    if args.fit:
        _print_fits(nets)
        return
    _print_published(nets)
    print()
    _print_all(nets)


if __name__ == "__main__":
    main()
