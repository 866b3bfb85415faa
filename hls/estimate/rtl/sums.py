"""Which sums become carry chains, and which trees of carry-save adders.

yosys 0.70 (``alumacc``, ``maccmap``) takes a sum that only another sum reads, in the same stage, into that one, where
widths tell that the inner one never overflows or both are equally wide; what has more than two summands is then reduced
by full adders of LUTs, column by column, to two, which one carry chain adds.
"""

from __future__ import annotations

from dataclasses import dataclass

from bitsmith.hls.backends.rtl.unrolled.design import Design
from bitsmith.hls.backends.rtl.unrolled.netlist import Kind
from bitsmith.hls.estimate.rtl.flat import SUMS, Flat, FlatNode, flatten

ZERO, ONE, LIVE = range(3)
"""What a bit of a summand is known to be."""


@dataclass(frozen=True)
class Summand:
    """One summand of a sum: node ``source``, shifted, perhaps subtracted; as ``width`` bits at the adder's port."""

    source: int
    shift: int
    minus: bool
    width: int
    signed: bool  # the port


@dataclass(frozen=True)
class Sum:
    """A carry chain of ``chain_bits`` behind ``levels`` of full adders: ``full`` of three live bits, ``half`` of two.

    Of the lowest ``unread`` bits of the chain only the carry is used.
    """

    summands: tuple[Summand, ...]
    chain_bits: int
    unread: int
    full: int
    half: int
    levels: int


@dataclass(frozen=True)
class Merged:
    """A design as synthesis sees it: one graph, and the sums that are left of it."""

    flat: Flat
    sums: dict[int, Sum]


def merged(design: Design) -> Merged:
    """Flattened, its sums merged."""
    flat = flatten(design)
    return Merged(flat, sums_of(flat))


def sums_of(flat: Flat) -> dict[int, Sum]:
    """Node -> the sum that ends there; nodes that went into another sum have none."""
    found: dict[int, tuple[Summand, ...]] = {}
    for k in flat.live:
        node = flat.nodes[k]
        if node.kind not in SUMS:
            continue
        mine: list[Summand] = []
        for s in _summands(node, flat):
            inner = found.get(s.source)
            if inner is None or not _merges(flat, k, s, inner):
                mine.append(s)
                continue
            del found[s.source]
            mine += [Summand(i.source, i.shift, i.minus ^ s.minus, i.width, i.signed) for i in inner]
        found[k] = tuple(mine)
    return {k: _built(flat, k, summands) for k, summands in found.items()}


def _summands(node: FlatNode, flat: Flat) -> list[Summand]:
    args = [(flat.nodes[a], shift) for a, shift in zip(node.args, node.params, strict=True)]
    room = all(arg.signed or arg.width + shift < node.width - 1 for arg, shift in args)
    # with room for a zero before those that are not signed, yosys makes the sum a signed one
    signed = room and any(arg.signed for arg, _ in args)
    found = []
    for number, ((arg, shift), a) in enumerate(zip(args, node.args, strict=True)):
        width = min(node.width, arg.width + shift + (signed and not arg.signed))
        extended = arg.signed and not signed  # its sign is copied as wires
        found.append(
            Summand(a, shift, node.kind is Kind.SUB and number == 1, node.width if extended else width, signed)
        )
    return found


def _merges(flat: Flat, k: int, s: Summand, inner: tuple[Summand, ...]) -> bool:
    """Whether yosys takes the sum ``s.source`` into ``k``."""
    child = flat.nodes[s.source]
    if s.shift or flat.only.get(s.source) != k:
        return False
    if child.width == flat.nodes[k].width:
        return True
    if s.width != child.width or any(i.signed != s.signed or (i.minus and not s.signed) for i in inner):
        return False
    return sum((1 << i.width) - 1 for i in inner).bit_length() <= child.width


def _built(flat: Flat, k: int, summands: tuple[Summand, ...]) -> Sum:
    node = flat.nodes[k]
    wide = [s for s in summands if s.width > 1 or s.signed or s.minus]
    if len(summands) == 2 or (len(summands) == 3 and len(wide) == 2 and not any(s.minus for s in wide)):
        # a single bit more is the carry into the chain
        lows = [flat.nodes[s.source].zeros + s.shift for s in summands]
        passed = 0 if len(summands) == 3 else lows[1] if summands[1].minus else max(lows)
        return _chain(flat, k, summands, passed, (0, 0, 0))
    rows, late = _rows(_columns(flat.nodes, summands, node.width))
    full = half = levels = 0
    while len(rows) > 2:
        levels += 1
        reduced: list[list[int]] = []
        for i in range(0, len(rows) - 2, 3):
            low, high, counts = _full_adders(rows[i : i + 3])
            high[0] = late.pop() if late else ZERO
            reduced += [low, high]
            full, half = full + counts[0], half + counts[1]
        rows = reduced + rows[len(rows) - len(rows) % 3 :]
    none = node.width
    passed = none if len(rows) < 2 else next((c for c in range(none) if rows[0][c] and rows[1][c]), none)
    return _chain(flat, k, summands, passed, (full, half, levels))


def _chain(flat: Flat, k: int, summands: tuple[Summand, ...], passed: int, adders: tuple[int, int, int]) -> Sum:
    bits = max(1, flat.nodes[k].width - passed)
    return Sum(summands, bits, max(0, min(bits - 1, flat.unread[k] - passed)), *adders)


def _columns(
    nodes: tuple[FlatNode, ...], summands: tuple[Summand, ...], width: int
) -> list[dict[tuple[int, int, bool], int]]:
    """The bits of every column; two equal ones are one in the next."""
    columns: list[dict[tuple[int, int, bool], int]] = [{} for _ in range(width)]
    one = (-1, 0, False)

    def put(bit: tuple[int, int, bool], place: int) -> None:
        while place < width and bit in columns[place]:
            del columns[place][bit]
            place += 1
        if place < width:
            columns[place][bit] = ONE if bit == one else LIVE

    for s in summands:
        node = nodes[s.source]
        if s.minus:
            put(one, 0)
        for place in range(width):
            bit: tuple[int, int, bool] | None
            if node.kind is Kind.CONST:
                bit = one if ((node.params[0] << s.shift) >> place) & 1 != s.minus else None
            elif place < s.shift + node.zeros or (place >= s.shift + node.width and not node.signed):
                bit = one if s.minus else None
            else:
                bit = (s.source, min(place - s.shift, node.width - 1), s.minus)
            if bit is not None:
                put(bit, place)
    return columns


def _rows(columns: list[dict[tuple[int, int, bool], int]]) -> tuple[list[list[int]], list[int]]:
    """Columns as rows of one bit each at most; bits that the adders' free lowest carries take, apart."""
    heights = [sorted(column.values()) for column in columns]
    rows: list[list[int]] = []
    late: list[int] = []
    while any(heights):
        rows.append([height.pop() if height else ZERO for height in heights])
        free = max(len(rows) - 2, 0) - len(late)
        for place, height in enumerate(heights):
            weight = 1 << place
            while height and weight <= free:
                late += [height.pop()] * weight
                free -= weight
            if weight > free:
                break
    return rows, late


def _full_adders(three: list[list[int]]) -> tuple[list[int], list[int], tuple[int, int]]:
    """Sum and carry of three rows, and how many adders had three live bits and how many two."""
    width = len(three[0])
    low, high = [ZERO] * width, [ZERO] * width
    full = half = 0
    for c, bits in enumerate(zip(*three, strict=True)):
        live, ones = bits.count(LIVE), bits.count(ONE)
        full, half = full + (live == 3), half + (live == 2)
        low[c] = LIVE if live else ones & 1
        carry = LIVE if live > 1 or (live and ones == 1) else ONE if ones > 1 else ZERO
        if c + 1 < width:
            high[c + 1] = carry
    return low, high, (full, half)
