"""The chart of a sweep: every trial in two figures, the front before them.

All places are made here, for every figure, so that the page's script only
moves points; without it the chart stands as it is drawn for the first two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bitsmith.reports.axes import KINDS, Axis, axis, kind_of
from bitsmith.reports.sweep_data import TEST, Choice, FrontPoint, SweepData, SweepTrial

WIDTH, HEIGHT = 1000, 430
LEFT, RIGHT, TOP, BOTTOM = 78, 982, 14, 378
"""The field of the points, in user units of the drawing."""
TOLD = ("lut", "latency_ns", "energy_uj")
"""Figures that the note of a point gives, besides the accuracies."""


@dataclass(frozen=True)
class Dot:
    """A trial on the chart; ``note`` is what hovering shows, its first line the head."""

    trial: int
    x: float
    y: float
    shown: bool  # it has both figures
    note: str
    verified: bool = False


@dataclass(frozen=True)
class Scatter:
    """The drawing, and what the script needs to change its axes."""

    axes: tuple[Axis, ...]
    x: Axis
    y: Axis
    others: tuple[Dot, ...]
    front: tuple[Dot, ...]
    best: str  # path along the points of the front that no other beats in these two figures
    script: dict[str, Any]


def scatter(data: SweepData) -> Scatter | None:
    """The chart; None if fewer than two figures differ between trials."""
    built = {p.trial: p for p in data.front}
    figures = {t.number: built[t.number].figures if t.number in built else t.figures for t in data.trials}
    figures |= {number: p.figures for number, p in built.items()}
    axes = _axes(list(figures.values()))
    if len(axes) < 2:
        return None
    y = next((a for a in axes if a.name == TEST), axes[0])
    x = next(a for a in (*(a for o in data.objectives for a in axes if a.name == o), *axes) if a is not y)
    others = [_dot(t.number, t.figures, x, y, trial_note(t)) for t in data.trials if t.number not in built]
    front = [_dot(p.trial, p.figures, x, y, point_note(p), p.verified) for p in data.front]
    return Scatter(
        axes=axes,
        x=x,
        y=y,
        others=tuple(d for d in others if figures[d.trial]),
        front=tuple(front),
        best=staircase([(d.x, d.y) for d in front if d.shown], x.kind.more_is_better, y.kind.more_is_better),
        script=_script(axes, figures),
    )


def _axes(points: Sequence[Mapping[str, float]]) -> tuple[Axis, ...]:
    """One for every figure that differs somewhere, in the order of ``KINDS``."""
    found = {name: [p[name] for p in points if name in p] for name in KINDS}
    return tuple(axis(name, values) for name, values in found.items() if len(set(values)) > 1)


def _dot(trial: int, figures: Mapping[str, float], x: Axis, y: Axis, note: str, verified: bool = False) -> Dot:
    shown = x.name in figures and y.name in figures
    at_x, at_y = (place_x(x.place(figures[x.name])), place_y(y.place(figures[y.name]))) if shown else (0.0, 0.0)
    return Dot(trial, at_x, at_y, shown, note, verified)


def place_x(part: float) -> float:
    """User units of a place from 0 to 1."""
    return round(LEFT + part * (RIGHT - LEFT), 1)


def place_y(part: float) -> float:
    """The same; high values stand high."""
    return round(BOTTOM - part * (BOTTOM - TOP), 1)


def staircase(points: Sequence[tuple[float, float]], right_is_better: bool, up_is_better: bool) -> str:
    """An SVG path through the best of ``points`` (in user units), in steps that enclose what they beat."""
    x_sign = -1 if right_is_better else 1
    y_sign = 1 if up_is_better else -1  # user units of y grow downwards
    path, best = "", float("inf")
    for x, y in sorted(points, key=lambda p: (x_sign * p[0], y_sign * p[1])):
        if y_sign * y < best:
            path += f"H{x:g}V{y:g}" if path else f"M{x:g} {y:g}"
            best = y_sign * y
    return path


def _script(axes: Sequence[Axis], figures: Mapping[int, Mapping[str, float]]) -> dict[str, Any]:
    return {
        "field": {"left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM},
        "axes": {
            a.name: {
                "title": a.kind.title,
                "more": a.kind.more_is_better,
                "ticks": [[a.place(value), label] for value, label in a.ticks],
                "places": {str(n): a.place(f[a.name]) for n, f in figures.items() if a.name in f},
            }
            for a in axes
        },
    }


def trial_note(trial: SweepTrial) -> str:
    """What hovering over a trial off the front shows."""
    return "\n".join([f"Trial {trial.number}", *_lines(trial.figures, trial.choices)])


def point_note(point: FrontPoint) -> str:
    """What hovering over a point of the front shows."""
    proof = "verified" if point.verified else "not verified"
    return "\n".join([f"Trial {point.trial}, on the front, {proof}", *_lines(point.figures, point.choices)])


def _lines(figures: Mapping[str, float], choices: Mapping[str, Choice]) -> list[str]:
    shares = [
        f"{kind_of(name).text(figures[name])} {rows}"
        for name, rows in (("accuracy_validation", "validation"), ("accuracy_test", "test"))
        if name in figures
    ]
    lines = [f"Accuracy {', '.join(shares)}"] if shares else []
    lines += [f"{kind_of(name).title} {kind_of(name).text(figures[name])}" for name in TOLD if name in figures]
    grouped: dict[str, list[str]] = {}
    for name, value in choices.items():
        layer, what = split_name(name)
        grouped.setdefault(layer, []).append(f"{what} {choice_text(name, value)}")
    return lines + [f"{layer or 'all layers'}: {', '.join(parts)}" for layer, parts in grouped.items()]


def split_name(name: str) -> tuple[str, str]:
    """The layer of a choice ("" for all of them) and what is chosen, in words."""
    layer, _, what = name.rpartition(".")
    return layer, WORDS.get(what, what.replace("_", " "))


WORDS = {"sparsity": "zeros", "target_ii": "target II", "clock_mhz": "clock, MHz"}


def choice_text(name: str, value: Choice) -> str:
    """A chosen value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("sparsity") and not isinstance(value, str):
        return f"{100 * value:g} %"
    return f"{value:g}" if isinstance(value, float) else str(value)
