from __future__ import annotations

import numpy as np
import pytest

from bitsmith.reports.data import Node
from bitsmith.reports.picture import BOX_HEIGHT, BOX_WIDTH, Picture, lay_out


def chain(n: int, skips: tuple[tuple[int, int], ...] = ()) -> tuple[Node, ...]:
    """n ops in a row; a skip (a, b) feeds the value of op a to op b too."""
    nodes = []
    for k in range(n):
        extra = tuple(f"n{a}" for a, b in skips if b == k)
        nodes.append(Node(f"n{k}", "op", ((f"n{k - 1}", *extra) if k else ()), (4,), "u4", 4))
    return tuple(nodes)


def check(picture: Picture) -> None:
    """Boxes inside the drawing and apart from each other."""
    for i, a in enumerate(picture.boxes):
        assert a.x >= 0 and a.y >= 0
        assert a.x + BOX_WIDTH <= picture.width and a.y + BOX_HEIGHT <= picture.height
        for b in picture.boxes[i + 1 :]:
            assert abs(a.x - b.x) >= BOX_WIDTH or abs(a.y - b.y) >= BOX_HEIGHT, f"{a.node.op} covers {b.node.op}"


def test_one_op():
    picture = lay_out(chain(1))
    assert len(picture.boxes) == 1 and picture.edges == ()
    check(picture)


def test_a_chain_runs_straight_down():
    picture = lay_out(chain(8))
    assert len({b.x for b in picture.boxes}) == 1
    assert [b.y for b in picture.boxes] == sorted(b.y for b in picture.boxes)
    assert not any(e.skip for e in picture.edges)
    check(picture)


def test_a_residual_is_drawn_around():
    picture = lay_out(chain(6, ((1, 4),)))
    assert [(e.source, e.target) for e in picture.edges if e.skip] == [("n1", "n4")]
    check(picture)


def test_nested_skips_take_different_tracks():
    picture = lay_out(chain(9, ((0, 8), (1, 7), (2, 4), (4, 6))))
    paths = [e.path for e in picture.edges if e.skip]
    assert len(paths) == len(set(paths)) == 4
    track = {(e.source, e.target): e.path.split("H")[1].split("q")[0] for e in picture.edges if e.skip}
    assert track[("n2", "n4")] == track[("n4", "n6")]  # one after the other
    assert len({track[("n0", "n8")], track[("n1", "n7")], track[("n2", "n4")]}) == 3


def test_columns_never_cut_a_skip():
    skips = tuple((k, k + 5) for k in range(2, 50, 6))
    picture = lay_out(chain(60, skips))
    assert len({b.x for b in picture.boxes}) > 2
    assert sum(e.skip for e in picture.edges) == len(skips)
    check(picture)


@pytest.mark.parametrize("seed", range(20))
def test_any_graph_keeps_boxes_apart(seed):
    rng = np.random.default_rng(seed)
    nodes = [Node("n0", "input", (), (3,), "u4", 4)]
    for k in range(1, int(rng.integers(2, 40))):
        count = min(k, int(rng.integers(1, 4)))
        picks = sorted(rng.choice(np.arange(max(0, k - 6), k), size=min(count, min(k, 6)), replace=False))
        nodes.append(Node(f"n{k}", "op", tuple(f"n{i}" for i in picks), (3,), "u4", 4))
    picture = lay_out(tuple(nodes))
    assert len(picture.boxes) == len(nodes)
    assert len(picture.edges) == sum(len(n.inputs) for n in nodes)
    check(picture)
