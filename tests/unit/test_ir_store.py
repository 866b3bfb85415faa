from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitsmith.models.ir import InputError, NetBuilder, QNet, QuantType, content_hash, execute, load, save, to_text


@pytest.fixture
def net(rng: np.random.Generator) -> QNet:
    b = NetBuilder("stored")
    x = b.input("x", (4, 4, 2), QuantType(4, False, 1 / 255))
    c = b.conv("c", x, rng.integers(-3, 4, (3, 3, 2, 4)), scale=(0.5, 0.25, 0.5, 0.125), pads=((1, 1), (1, 1)))
    t = b.thresholds("t", c, 0.5, np.sort(rng.integers(-99, 99, (4, 7)), axis=1))
    return b.build(b.dense("d", b.reshape("r", t, (64,)), rng.integers(-3, 4, (64, 3))), "softmax")


def test_round_trip(net: QNet, tmp_path: Path, rng: np.random.Generator) -> None:
    save(net, tmp_path / "net")
    again = load(tmp_path / "net")
    assert content_hash(again) == content_hash(net)
    assert to_text(again) == to_text(net)
    x = rng.integers(0, 16, (20, 4, 4, 2))
    assert (execute(again, x) == execute(net, x)).all()


def test_the_hash_sees_integers_and_types_but_not_the_nets_name(net: QNet) -> None:
    assert content_hash(QNet("other", net.ops, net.head)) == content_hash(net)
    assert content_hash(QNet(net.name, net.ops, "none")) != content_hash(net)
    weight = net["d"].weight.copy()  # type: ignore[attr-defined]
    weight[0, 0] ^= 1
    changed = tuple(replace(op, weight=weight) if op.name == "d" else op for op in net.ops)
    assert content_hash(net.with_ops(changed)) != content_hash(net)


def test_writing_twice_gives_the_same_bytes(net: QNet, tmp_path: Path) -> None:
    for name in "ab":
        save(net, tmp_path / name)
    assert (tmp_path / "a/net.json").read_bytes() == (tmp_path / "b/net.json").read_bytes()
    assert (tmp_path / "a/net.npz").read_bytes() == (tmp_path / "b/net.npz").read_bytes()


def test_text_names_shapes_bits_and_zeros(net: QNet) -> None:
    text = to_text(net)
    assert "net stored (head softmax)" in text
    assert "c = conv(x) 3x3x2x4 weights i3*[4 scales]" in text
    assert "x = input() : u4*0.00392157[4x4x2]" in text


def test_missing_damaged_and_altered_nets_are_refused(net: QNet, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no net in .*net\.json is missing"):
        load(tmp_path)
    save(net, tmp_path)
    data = json.loads((tmp_path / "net.json").read_text())
    data["ops"][2]["base"], data["head"] = data["ops"][2]["base"], "none"
    (tmp_path / "net.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match="differs from its own hash"):
        load(tmp_path)
    save(net, tmp_path)
    (tmp_path / "net.npz").write_bytes((tmp_path / "net.npz").read_bytes()[:100])
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path)


def test_arrays_cannot_be_written(net: QNet) -> None:
    with pytest.raises(ValueError, match="read-only"):
        net["d"].weight[0, 0] = 1  # type: ignore[attr-defined]
