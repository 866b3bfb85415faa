"""Tables of published designs beside our estimates, in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from bitsmith.flows.published import FIGURES, Compared, Point, Priced, estimated, scores
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.results import Figure
from bitsmith.models.ir import QNet
from bitsmith.reports.text import bounds, number


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))


def compared_table(rows: Sequence[Compared]) -> str:
    """Published, ours, ratio, bounds; one line per figure of a design."""
    lines = []
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        inside = "yes" if row.inside else "NO"
        published, ours = number(row.stated.value), number(row.ours.value)
        lines.append(
            [row.design, FIGURES[row.figure], published, row.stated.mark, ours, bounds(row.ours), ratio, inside]
        )
    return markdown(
        ["design", "figure", "published", "mark", "ours", "low to high", "ours / published", "inside"], lines
    )


def designs_table(priced: Sequence[Priced]) -> str:
    """What each design is, what it was priced with, and where its figures are from."""
    lines = []
    for one in priced:
        p = one.point
        where = [f"{p.board}" + (f" ({p.board_note})" if p.board_note else "")]
        if one.refused:
            where.append(f"refused there ({one.refused.split(';')[0]}), so priced without the device's limit")
        if one.too_large:
            where.append(f"by the central estimate too large in {FIGURES[one.too_large]}")
        clock = number(p.clock_mhz) + ("" if p.run_mhz is None else f", runs at {number(p.run_mhz)}")
        lines.append([p.name, p.net or f"`{p.file}`", _built(p), "; ".join(where), clock, p.source, p.note])
    return markdown(["design", "weights", "priced with", "board", "MHz", "source", "to be said"], lines)


def _built(p: Point) -> str:
    if p.backend == "finn":
        return f"finn, at most {number(p.target_ii)} cycles"
    stage = ", csynth" if p.stage == "csynth" else ""
    return f"hls4ml, {p.hls_tool}, {p.io}, {p.strategy}, reuse {number(p.reuse)}{stage}"


def scores_table(rows: Sequence[Compared]) -> str:
    """Errors per figure."""
    lines = [
        [FIGURES[name], str(s.n), f"{s.median_ape:.1f}", f"{100 * s.coverage90:.0f}"]
        for name, s in scores(rows).items()
    ]
    return markdown(["figure", "designs", "median error, %", "within bounds, %"], lines)


def own_row(point: Point, net: QNet) -> list[str]:
    """Our folded RTL of ``net``, as fast as the published design, on the published board, by the estimate alone."""
    board, goals = load_board(point.board), (point.own_ii, point.own_latency)
    hw = HwConfig(board, point.measured_mhz, "rtl-folded", target_ii=goals[0], target_latency=goals[1])
    asked = [*(f"II {number(n)}" for n in goals[:1] if n), *(f"latency {number(n)}" for n in goals[1:] if n)]
    cost, refused = estimated(net, hw)
    areas = [_span(figure) for figure in (cost.lut, cost.ff, cost.dsp, cost.bram)]
    cycles = [number(cost.latency_cycles.value), number(cost.ii_cycles.value)]
    return [point.name, ", ".join(asked), *areas, *cycles, "no" if refused or not cost.fits else "yes"]


OWN_HEAD = (
    "design",
    "cycles, at most",
    "LUT",
    "FF",
    "DSP",
    "BRAM18",
    "latency, cycles",
    "II, cycles",
    "fits the board",
)


def _span(figure: Figure) -> str:
    spread = bounds(figure)
    return number(figure.value) + (f" ({spread})" if spread else "")
