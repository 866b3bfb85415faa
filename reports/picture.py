"""Lays the graph of a net out: ops by topological rank from top to bottom, skips drawn around the boxes.

A long net is broken into columns, where only one value crosses, so that no
skip is ever cut.  Coordinates are SVG user units.
"""

from __future__ import annotations

from dataclasses import dataclass

from bitsmith.reports.data import Node

BOX_WIDTH, BOX_HEIGHT = 172.0, 44.0
ROW, LANE = 66.0, 196.0  # pitch of ranks and of lanes
MARGIN = 14.0
FIRST_TRACK, CHANNEL = 16.0, 12.0  # distance and pitch of the tracks that skips run on
COLUMN_GAP = 46.0
RADIUS = 8.0


@dataclass(frozen=True)
class Box:
    """One op at its place; ``x, y`` is the upper left corner."""

    node: Node
    x: float
    y: float


@dataclass(frozen=True)
class Edge:
    """One value on its way: an SVG path, and where its label stands."""

    source: str
    target: str
    path: str
    skip: bool


@dataclass(frozen=True)
class Picture:
    """The whole drawing."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class _Place:
    column: int
    row: int  # within the column
    lane: int


def lay_out(nodes: tuple[Node, ...], rows_per_column: int = 14) -> Picture:
    """Boxes and edges of ``nodes``, which are in topological order."""
    ranks = _ranks(nodes)
    places = _places(nodes, ranks, rows_per_column)
    links = [(i, node.op) for node in nodes for i in node.inputs]
    around = [(a, b) for a, b in links if _is_skip(places[a], places[b], places)]
    tracks = _tracks(around, places)
    x0 = _column_offsets(places, tracks)
    boxes = {
        node.op: Box(node, x0[places[node.op].column] + places[node.op].lane * LANE, _top(places[node.op]))
        for node in nodes
    }
    right = {c: x0[c] + LANE * _lanes(places, c) - (LANE - BOX_WIDTH) for c in x0}
    edges = []
    for link in links:
        if link in tracks:
            side = boxes[link[0]].x + LANE * _lanes_beside(places, link) + BOX_WIDTH
            track_x = side + FIRST_TRACK + CHANNEL * tracks[link]
            path = _around(boxes[link[0]], boxes[link[1]], track_x)
        elif places[link[0]].column != places[link[1]].column:
            path = _to_next_column(boxes[link[0]], boxes[link[1]])
        else:
            path = _down(boxes[link[0]], boxes[link[1]])
        edges.append(Edge(*link, path, link in tracks))
    last = max(x0)
    width = right[last] + CHANNEL * (1 + _track_count(tracks, places, last)) + MARGIN
    height = max(box.y for box in boxes.values()) + BOX_HEIGHT + MARGIN + 6
    return Picture(round(width, 1), round(height, 1), tuple(boxes.values()), tuple(edges))


def _ranks(nodes: tuple[Node, ...]) -> dict[str, int]:
    """Longest distance from the input."""
    ranks: dict[str, int] = {}
    for node in nodes:
        ranks[node.op] = 1 + max((ranks[i] for i in node.inputs), default=-1)
    return ranks


def _places(nodes: tuple[Node, ...], ranks: dict[str, int], rows: int) -> dict[str, _Place]:
    column_of, row_of = _columns(nodes, ranks, rows)
    taken: set[tuple[int, int]] = set()
    lanes: dict[str, int] = {}
    for node in nodes:
        rank = ranks[node.op]
        # On the way of its deepest input, so that the main path stays straight; else the next free lane.
        deepest = max(node.inputs, key=lambda i: ranks[i], default=None)
        lane = lanes[deepest] if deepest is not None else 0
        if len(node.inputs) > 1:
            lane = min(lanes[i] for i in node.inputs)
        while (rank, lane) in taken:
            lane += 1
        taken.add((rank, lane))
        lanes[node.op] = lane
    return {n.op: _Place(column_of[ranks[n.op]], row_of[ranks[n.op]], lanes[n.op]) for n in nodes}


def _columns(nodes: tuple[Node, ...], ranks: dict[str, int], rows: int) -> tuple[dict[int, int], dict[int, int]]:
    """Column and row of every rank.  Columns end where one value alone crosses; they are of like length."""
    depth = max(ranks.values()) + 1
    crossing = [0] * depth  # values alive between rank r and r + 1
    for node in nodes:
        users = [ranks[u.op] for u in nodes if node.op in u.inputs]
        for r in range(ranks[node.op], max(users, default=ranks[node.op])):
            crossing[r] += 1
    wanted = -(-depth // rows)
    target = -(-depth // wanted)
    column_of, row_of, column, start = {}, {}, 0, 0
    for rank in range(depth):
        if rank - start >= target and crossing[rank - 1] == 1:
            column, start = column + 1, rank
        column_of[rank], row_of[rank] = column, rank - start
    return column_of, row_of


def _is_skip(a: _Place, b: _Place, places: dict[str, _Place]) -> bool:
    """Whether a straight line would run through another box."""
    if a.column != b.column:
        return False
    between = range(a.row + 1, b.row)
    return any(p.column == a.column and p.row in between and p.lane in (a.lane, b.lane) for p in places.values())


def _tracks(links: list[tuple[str, str]], places: dict[str, _Place]) -> dict[tuple[str, str], int]:
    """A track per skip, short ones inside; skips that overlap never share one."""
    tracks: dict[tuple[str, str], int] = {}
    for link in sorted(links, key=lambda k: (places[k[1]].row - places[k[0]].row, places[k[0]].row)):
        a, b = (places[n] for n in link)
        busy = {
            t
            for other, t in tracks.items()
            if places[other[0]].column == a.column and places[other[0]].row < b.row and a.row < places[other[1]].row
        }
        tracks[link] = next(t for t in range(len(links)) if t not in busy)
    return tracks


def _track_count(tracks: dict[tuple[str, str], int], places: dict[str, _Place], column: int) -> int:
    return max((t + 1 for link, t in tracks.items() if places[link[0]].column == column), default=0)


def _lanes(places: dict[str, _Place], column: int) -> int:
    return 1 + max(p.lane for p in places.values() if p.column == column)


def _lanes_beside(places: dict[str, _Place], link: tuple[str, str]) -> int:
    """Lanes to the right of the source that hold a box in the rows that the skip passes."""
    a, b = (places[n] for n in link)
    passed = [p.lane for p in places.values() if p.column == a.column and a.row <= p.row <= b.row]
    return max(passed) - a.lane


def _column_offsets(places: dict[str, _Place], tracks: dict[tuple[str, str], int]) -> dict[int, float]:
    offsets, x = {}, MARGIN
    for column in range(1 + max(p.column for p in places.values())):
        offsets[column] = x
        x += LANE * _lanes(places, column) - (LANE - BOX_WIDTH)
        x += CHANNEL * _track_count(tracks, places, column) + COLUMN_GAP
    return offsets


def _top(place: _Place) -> float:
    return MARGIN + ROW * place.row


def _xy(*values: float) -> str:
    return " ".join(f"{v:.1f}".removesuffix(".0") for v in values)


def _down(a: Box, b: Box) -> str:
    """Straight down, or an S between neighbouring lanes."""
    x1, y1, x2, y2 = a.x + BOX_WIDTH / 2, a.y + BOX_HEIGHT, b.x + BOX_WIDTH / 2, b.y
    if x1 == x2:
        return f"M{_xy(x1, y1)}V{_xy(y2)}"
    middle = y2 - (ROW - BOX_HEIGHT) / 2
    return f"M{_xy(x1, y1)}V{_xy(middle - 9)}C{_xy(x1, middle + 2, x2, middle - 11, x2, y2)}"


def _around(a: Box, b: Box, track_x: float) -> str:
    """Out of the right side, down a track, into the right side."""
    x1, y1, x2, y2 = a.x + BOX_WIDTH, a.y + BOX_HEIGHT / 2, b.x + BOX_WIDTH, b.y + BOX_HEIGHT / 2
    r = RADIUS
    return f"M{_xy(x1, y1)}H{_xy(track_x - r)}q{_xy(r, 0, r, r)}V{_xy(y2 - r)}q{_xy(0, r, -r, r)}H{_xy(x2)}"


def _to_next_column(a: Box, b: Box) -> str:
    """From below the last box of a column up the gap and down into the first of the next."""
    x1, y1, x2, y2 = a.x + BOX_WIDTH / 2, a.y + BOX_HEIGHT, b.x + BOX_WIDTH / 2, b.y
    gap, r = b.x - COLUMN_GAP / 2 + 6, RADIUS
    return (
        f"M{_xy(x1, y1)}v3q{_xy(0, r, r, r)}H{_xy(gap - r)}q{_xy(r, 0, r, -r)}V{_xy(y2 - 11 + r)}"
        f"q{_xy(0, -r, r, -r)}H{_xy(x2 - r)}q{_xy(r, 0, r, r)}V{_xy(y2)}"
    )
