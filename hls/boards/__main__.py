"""Prints the boards as the Markdown table of ``docs/boards.md``: ``python -m bitsmith.hls.boards``."""

from __future__ import annotations

from bitsmith.hls.boards import boards

HEADS = ("board", "name", "chip", "lut", "ff", "dsp", "bram", "uram", "clock, MHz", "ends in a bitstream with")


def markdown_table() -> str:
    """One row per board, in alphabetical order of their names."""
    rows = [HEADS, tuple("---" for _ in HEADS)]
    for board in boards():
        chip = board.device
        numbers = (f"{n:,}" for n in (chip.lut, chip.ff, chip.dsp, chip.bram, chip.uram))
        rows.append((board.title, f"`{board.name}`", chip.name, *numbers, f"{board.clock_mhz:g}", board.tool))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    print(markdown_table(), end="")
