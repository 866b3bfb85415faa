"""What the page says about a sweep: derived rows, ready for the template.  No number is made here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from bitsmith.hls.results import Figure
from bitsmith.reports.axes import kind_of
from bitsmith.reports.curve import curve
from bitsmith.reports.scatter import choice_text, place_x, place_y, scatter, split_name
from bitsmith.reports.sweep_data import TEST, VALIDATION, Choice, FrontPoint, SweepData
from bitsmith.reports.text import number, percent
from bitsmith.reports.view import Bar, Tile, bar

COLUMNS = ("lut", "ff", "dsp", "bram", "latency_cycles", "latency_ns", "energy_uj")
"""Costs in the table of the front: those of them that are not 0 everywhere, and the objectives."""
ENDINGS = {
    "failed": "Training or lowering ended with an error",
    "stopped": "Stopped at half-time: the learning curve was hopeless",
    "refused": "Refused before training: even the low bounds of the price break a limit",
}


@dataclass(frozen=True)
class Cell:
    """A figure in the table; ``sort`` is the number itself."""

    text: str
    sort: float | None
    bounds: str = ""


@dataclass(frozen=True)
class Row:
    """A point of the front in the table."""

    point: FrontPoint
    cells: tuple[Cell, ...]
    synth_lut: Cell


@dataclass(frozen=True)
class Compared:
    """A figure of a point, estimated and synthesised."""

    trial: int
    title: str
    estimate: str
    bounds: str
    synth: str
    ratio: float | None
    outside: bool
    bar: Bar


@dataclass(frozen=True)
class Column:
    """A choice; ``tried`` are the values of all trials in words, ``most`` the largest number among them."""

    name: str
    what: str
    tried: str
    most: float


@dataclass(frozen=True)
class Chosen:
    """A value of the front; ``share`` of the largest that was tried, None for what is no number."""

    text: str
    sort: Choice
    share: float | None


def sweep_context(data: SweepData) -> dict[str, Any]:
    """Everything that ``sweep.html.j2`` reads."""
    names = columns(data)
    choices = choice_columns(data)
    return {
        "data": data,
        "tiles": _tiles(data),
        "chart": scatter(data),
        "place_x": place_x,
        "place_y": place_y,
        "columns": [(name, kind_of(name).title) for name in names],
        "rows": [_row(point, names) for point in data.front],
        "synthesised": any(p.synth for p in data.front),
        "compared": [row for p in data.front for row in compare(p)],
        "unsynthesised": [p for p in data.front if p.synth and p.synth.error],
        "choices": choices,
        "layers": _layers(choices),
        "chosen": [(point, [_chosen(c, point) for c in choices]) for point in data.front],
        "curve": curve(data.progress),
        "objectives": [_objective(data, name) for name in data.objectives],
        "wanted": [f"{'high' if kind_of(n).more_is_better else 'low'} {_spoken(n)}" for n in data.objectives],
        "limits": [(kind_of(x.name).title, kind_of(x.name).text(x.bound), _sign(x.name), x) for x in data.limits],
        "states": Counter(t.state for t in data.trials),
        "endings": [(state, text, _ended(data, state)) for state, text in ENDINGS.items() if _ended(data, state)],
    }


def columns(data: SweepData) -> list[str]:
    """The figures of the table, both accuracies first."""
    wanted = [*COLUMNS, *(name for name in data.objectives if name not in ("accuracy", *COLUMNS))]
    wanted = [n for n in wanted if n in data.objectives or any(p.figures.get(n) for p in data.front)]
    return [n for n in (TEST, VALIDATION, *wanted, "weights_kept") if any(n in p.figures for p in data.front)]


def _row(point: FrontPoint, names: Sequence[str]) -> Row:
    cells = tuple(_cell(name, point.figures.get(name), point.bounds.get(name)) for name in names)
    return Row(point, cells, _cell("lut", point.synth.figures.get("lut") if point.synth else None, None))


def _cell(name: str, value: float | None, bounds: Figure | None) -> Cell:
    if value is None:
        return Cell("–", None)
    return Cell(kind_of(name).text(value), value, _bounds(name, bounds) if bounds else "")


def _bounds(name: str, figure: Figure) -> str:
    kind = kind_of(name)
    return "" if figure.low == figure.high else f"{kind.text(figure.low)} to {kind.text(figure.high)}"


def compare(point: FrontPoint) -> list[Compared]:
    """A row for every figure that both the estimate and synthesis give, but those that are 0 in both."""
    rows = []
    for name, found in point.synth.figures.items() if point.synth else ():
        figure = point.bounds.get(name)
        if figure is None or not (found or figure.high):
            continue
        kind, top = kind_of(name), 1.05 * max(figure.high, found)
        rows.append(
            Compared(
                trial=point.trial,
                title=kind.title,
                estimate=kind.text(figure.value),
                bounds=_bounds(name, figure),
                synth=kind.text(found),
                ratio=found / figure.value if figure.value else None,
                outside=not figure.low <= found <= figure.high,
                bar=bar(figure, top, found),
            )
        )
    return rows


def choice_columns(data: SweepData) -> list[Column]:
    """Every choice of the search, those of a layer together, with what all trials tried of it."""
    every = [*(p.choices for p in data.front), *(t.choices for t in data.trials)]
    names = list(dict.fromkeys(name for choices in every for name in choices))
    layers = list(dict.fromkeys(split_name(name)[0] for name in names))
    found = []
    for name in sorted(names, key=lambda n: layers.index(split_name(n)[0])):
        values = list(dict.fromkeys(choices[name] for choices in every if name in choices))
        numbers = [float(v) for v in values if _is_number(v)]
        texts = [choice_text(name, v) for v in sorted(values, key=lambda v: (isinstance(v, str), v))]
        tried = f"{texts[0]} to {texts[-1]}" if len(texts) > 4 and len(numbers) == len(texts) else ", ".join(texts)
        found.append(Column(name, split_name(name)[1], tried, max(numbers, default=0.0)))
    return found


def _layers(choices: Sequence[Column]) -> list[tuple[str, int]]:
    """Layers with their number of columns, neighbours joined."""
    layers: list[tuple[str, int]] = []
    for column in choices:
        layer = split_name(column.name)[0]
        if layers and layers[-1][0] == layer:
            layers[-1] = (layer, layers[-1][1] + 1)
        else:
            layers.append((layer, 1))
    return layers


def _chosen(column: Column, point: FrontPoint) -> Chosen | None:
    value = point.choices.get(column.name)
    if value is None:
        return None
    share = round(float(value) / column.most, 3) if _is_number(value) and column.most > 0 else None
    return Chosen(choice_text(column.name, value), int(value) if isinstance(value, bool) else value, share)


def _is_number(value: Choice) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _objective(data: SweepData, name: str) -> tuple[str, str, str, str]:
    """Title, direction, ideal and reference."""
    kind = kind_of(name)
    ideal, reference = (kind.text(part[name]) if name in part else "" for part in (data.ideal, data.reference))
    return kind.title, "high" if kind.more_is_better else "low", ideal, reference


def _sign(name: str) -> str:
    return "at least" if kind_of(name).more_is_better else "at most"


def _ended(data: SweepData, state: str) -> list[tuple[int, str]]:
    return [(t.number, t.reason) for t in data.trials if t.state == state]


def _tiles(data: SweepData) -> list[Tile]:
    """The front in a line."""
    proved = sum(p.verified for p in data.front)
    good = proved == len(data.front)
    note = "every one verified, integer by integer" if good else f"{proved} of them verified"
    tiles = [Tile("Points of the front", number(len(data.front)), note, "" if good else "bad")]
    if data.front:
        # by validation rows: the best of many on test rows would flatter itself
        best = max(data.front, key=lambda p: p.figures[VALIDATION])
        note = f"trial {best.trial}, on test rows; chosen by validation rows: {percent(best.figures[VALIDATION])}"
        tiles.append(Tile("Most accurate point", percent(best.figures[TEST]), note))
        cost = next((n for n in data.objectives if n != "accuracy"), "")
        priced = [p for p in data.front if cost in p.figures]
        if priced:
            least = min(priced, key=lambda p: p.figures[cost])
            share = f"trial {least.trial}, accuracy {percent(least.figures[TEST])}"
            tiles.append(Tile(f"Least {_spoken(cost)}", kind_of(cost).text(least.figures[cost]), share))
    trained = sum(t.state in ("complete", "failed", "stopped") for t in data.trials)
    tiles.append(Tile("Trials", number(trained), f"at the cost of {number(data.full_trainings)} full trainings"))
    return tiles


def _spoken(name: str) -> str:
    """The title of a figure within a sentence."""
    title = "Accuracy" if name == "accuracy" else kind_of(name).title
    return title if title.isupper() else title[0].lower() + title[1:]
