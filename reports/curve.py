"""The hypervolume over the full trainings that were spent, as a small chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bitsmith.reports.axes import steps
from bitsmith.reports.sweep_data import Progress
from bitsmith.reports.text import number

WIDTH, HEIGHT = 620, 230
LEFT, RIGHT, TOP, BOTTOM = 66, 608, 12, 184


@dataclass(frozen=True)
class Curve:
    """Two paths in steps (a hypervolume stays until a trial enlarges it), and ticks: place and label."""

    validation: str
    test: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    last: Progress


def curve(progress: Sequence[Progress]) -> Curve | None:
    """The chart; None before a second trial is done."""
    if len(progress) < 2:
        return None
    right = progress[-1].full_trainings or 1.0
    top = max(max(p.hypervolume, p.hypervolume_test) for p in progress) * 1.05 or 1.0

    def x(value: float) -> float:
        return round(LEFT + value / right * (RIGHT - LEFT), 1)

    def y(value: float) -> float:
        return round(BOTTOM - value / top * (BOTTOM - TOP), 1)

    def path(values: Sequence[float]) -> str:
        found = f"M{x(progress[0].full_trainings):g} {y(values[0]):g}"
        for p, value in zip(progress[1:], values[1:], strict=True):
            found += f"H{x(p.full_trainings):g}V{y(value):g}"
        return found

    return Curve(
        validation=path([p.hypervolume for p in progress]),
        test=path([p.hypervolume_test for p in progress]),
        x_ticks=tuple((x(v), number(v)) for v in steps(0.0, right, 8)),
        y_ticks=tuple((y(v), number(v)) for v in steps(0.0, top, 5)),
        last=progress[-1],
    )
