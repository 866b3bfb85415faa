"""Prices well-known networks on every accelerator board and compares with what was published.

    scripts/accelerator_table.py            # the four networks of MLPerf Tiny on every board, published against ours
    scripts/accelerator_table.py --large    # the same with the networks that vendors quote
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
from reference_nets import LARGE, MAXIM, TINY

from bitsmith.hls.accelerators import accelerators
from bitsmith.hls.accelerators.schema import Accelerator, Published
from bitsmith.hls.estimate.accelerators import estimate_accelerator
from bitsmith.hls.estimate.conformal import Band, fit_band
from bitsmith.hls.estimate.metrics import score
from bitsmith.hls.estimate.physics import scaled
from bitsmith.hls.results import Figure
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


def fit_text(nets: dict[str, QNet]) -> str:
    """Per board with a factor: what its file has to say, and how a fit does on the network that it has not seen."""
    parts = []
    for board in accelerators():
        if board.calibration is None:
            continue
        factor, unseen = fit(board, nets)
        lines = [[r.network, f"{r.latency_ms:.4g}", f"{ms:.4g}", f"{ms / r.latency_ms:.2f}"] for r, ms in unseen]
        times = [1e3 * ms for _, ms in unseen]  # in us: a score takes truths below 1 as 1
        found = score([1e3 * r.latency_ms for r, _ in unseen], times, times, times)
        parts.append(
            f"{board.name}: cycles = [{factor.low:.3g}, {factor.value:.3g}, {factor.high:.3g}]\n"
            + table(["network left out", "published ms", "fit without it, ms", "ratio"], lines)
            + f"\nn {found.n}, median error {found.median_ape:.1f} %, 90th percentile {found.p90_ape:.1f} %"
        )
    return "\n\n".join(parts)


def published_text(nets: dict[str, QNet]) -> str:
    """Every published row of ``nets`` beside our figures, and their errors by what the row is."""
    lines: list[list[str]] = []
    pairs: dict[str, list[tuple[float, Figure]]] = defaultdict(list)
    for board in accelerators():
        for row in board.published:
            if row.network not in nets:
                continue
            cost = estimate_accelerator(nets[row.network], board)
            ms = Figure(*(v / 1e6 for v in (cost.latency_ns.value, cost.latency_ns.low, cost.latency_ns.high)))
            pairs[f"latency, {row.basis}"].append((1e3 * row.latency_ms, scaled(1e3, ms)))
            if row.energy_uj:
                pairs[f"energy, {row.basis}"].append((row.energy_uj, cost.energy_uj))
            inside = "yes" if ms.low <= row.latency_ms <= ms.high else "NO"
            energy = f"{row.energy_uj:.4g}" if row.energy_uj else "-"
            factor = f"{ms.value / row.latency_ms:.3f}"
            lines.append([board.name, row.network, row.basis, f"{row.latency_ms:.4g}", _range(ms), factor, inside])
            lines[-1] += [energy, _range(cost.energy_uj)]
    heads = ["board", "network", "basis", "published ms", "ours, ms", "ratio", "within", "published uJ", "ours, uJ"]
    return table(heads, lines) + "".join(f"\n{name}: {_errors(found)}" for name, found in sorted(pairs.items()))


def _errors(pairs: list[tuple[float, Figure]]) -> str:
    truth, ours = [t for t, _ in pairs], [f for _, f in pairs]
    found = score(truth, [f.value for f in ours], [f.low for f in ours], [f.high for f in ours])
    return f"n {found.n}, median error {found.median_ape:.1f} %, within the bounds {100 * found.coverage90:.0f} %"


def boards_text(nets: dict[str, QNet]) -> str:
    """Every board with every net: milliseconds, microjoules, products per cycle, and the first reason why not."""
    lines = []
    for board in accelerators():
        for name, net in nets.items():
            cost = estimate_accelerator(net, board)
            runs = "yes" if cost.fits else f"no: {cost.problems[0].op}: {cost.problems[0].text}"
            time, energy = f"{cost.latency_ns.value / 1e6:.3g}", f"{cost.energy_uj.value:.3g}"
            speed = f"{sum(row.macs for row in cost.layers) / cost.latency_cycles.value:.3g}"
            lines.append([board.name, name, time, energy, speed, runs])
    return table(["board", "network", "ms", "uJ", "products per cycle", "runs"], lines)


def _range(figure: Figure) -> str:
    return f"{figure.value:.3g} ({figure.low:.3g} to {figure.high:.3g})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--fit", action="store_true")
    args = parser.parse_args()
    nets = {name: build() for name, build in (LARGE if args.large else TINY).items()}
    if args.fit:
        print(fit_text({name: build() for name, build in TINY.items()}))
        return
    examples = {} if args.large else {name: build() for name, build in MAXIM.items()}
    print(published_text(nets | examples))
    print()
    print(boards_text(nets))


if __name__ == "__main__":
    main()
