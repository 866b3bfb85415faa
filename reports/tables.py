"""Tables for the terminal: columns aligned, numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence

from bitsmith.reports.text import number

Cell = object


def cell_text(value: Cell) -> str:
    """A cell as text: numbers with separated thousands, yes and no, a dash for None."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value, 4).replace("\u2212", "-")
    if isinstance(value, tuple | list):
        return "x".join(cell_text(v) for v in value)
    return str(value)


def table(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """``rows`` below ``head``, two spaces between columns; a column of numbers is aligned to the right.

    ValueError if a row has another number of cells than ``head``.
    """
    texts = [[cell_text(value) for value in row] for row in rows]
    for row in texts:
        if len(row) != len(head):
            raise ValueError(f"a row has {len(row)} cells, the table {len(head)} columns: {row}")
    right = [_is_numeric([row[i] for row in rows]) for i in range(len(head))]
    widths = [max(len(title), *(len(t[i]) for t in texts), 0) for i, title in enumerate(head)]
    lines = [list(head), ["-" * width for width in widths], *texts]
    return "\n".join(_line(line, widths, right) for line in lines)


def _is_numeric(values: list[Cell]) -> bool:
    numbers = [isinstance(v, int | float) and not isinstance(v, bool) for v in values if v not in (None, "-")]
    return bool(numbers) and all(numbers)


def _line(cells: list[str], widths: list[int], right: list[bool]) -> str:
    padded = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True)]
    return "  ".join(padded).rstrip()
