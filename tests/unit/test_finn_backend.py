"""The finn backend without FINN: staircases, units, the graph in qonnx's execution, folding, the build folder."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from bitsmith.hls.backends.base import read_manifest
from bitsmith.hls.backends.divisors import divisors
from bitsmith.hls.backends.finn.backend import FinnBackend
from bitsmith.hls.backends.finn.check import find_problems, folding_of
from bitsmith.hls.backends.finn.cost import cycles
from bitsmith.hls.backends.finn.folding import choices_of, fits
from bitsmith.hls.backends.finn.layers import Layer, layers_of
from bitsmith.hls.backends.finn.plan import dense_weight, plan
from bitsmith.hls.backends.finn.simplify import simplify
from bitsmith.hls.backends.finn.units import Affine, Product, Reform, Steps, Unit
from bitsmith.hls.backends.staircase import MAX_LEVELS, staircase, why_not
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.models.ir import (
    NetBuilder,
    Overflow,
    QNet,
    QuantType,
    Rounding,
    ToolError,
    UnsupportedError,
    execute,
    random_inputs,
)
from bitsmith.models.ir.execute import apply_op
from bitsmith.models.ir.intervals import Interval, intervals

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "conformance"))
from nets import NETS, inputs

HW = HwConfig(load_board("pynq-z2"), clock_mhz=100.0, backend="finn")
REFUSED = {"requants_wrap", "odd_range", "lut", "wide", "huge"}
I6, I9 = QuantType(6, True), QuantType(9, True)


def one_step(op_of, kind: QuantType = I9, channels: int = 3) -> tuple[QNet, Interval]:
    """A net of one op on ``channels`` values, and the interval of its input."""
    b = NetBuilder("one")
    x = b.input("x", (channels,), kind)
    net = b.build(op_of(b, x))
    return net, intervals(net)["x"]


def every_value(span: Interval) -> np.ndarray:
    return np.stack([np.arange(span.min, span.max + 1)] * len(span.lo), axis=1)


def check_staircase(net: QNet, span: Interval) -> None:
    x = every_value(span)
    stairs = staircase(net.output, span)
    reached = (x[:, :, None] >= stairs.thresholds[None]).sum(axis=2)
    assert (stairs.sign * (stairs.base + reached) == apply_op(net.output, [x], [span])).all()
    assert (np.diff(stairs.thresholds, axis=1) >= 0).all()


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("mult", [1, 3, -2, [5, -1, 0]])
def test_staircase_of_a_requant_is_exact_on_its_whole_interval(rounding: Rounding, mult: int) -> None:
    net, span = one_step(lambda b, x: b.requant("y", x, 1.0, -8, 7, 4, mult=mult, add=[0, 13, -40], rounding=rounding))
    assert why_not(net.output, span) == ""
    check_staircase(net, span)


def test_staircase_of_thresholds_with_steps_of_any_size(rng: np.random.Generator) -> None:
    rows = np.sort(rng.integers(-250, 250, (3, 6)), axis=1)
    rows[0, :] = -(10**6), -(10**6), 0, 0, 5, 10**6  # some always, some never, some at once
    net, span = one_step(lambda b, x: b.thresholds("y", x, 1.0, rows, base=[3, -2, 0], step=[2, -1, 3]))
    check_staircase(net, span)


def test_staircase_of_a_table_that_only_falls() -> None:
    table = -np.arange(600) // 7
    net, span = one_step(lambda b, x: b.lut("y", x, 1.0, table, offset=-300))
    check_staircase(net, span)
    assert (staircase(net.output, span).sign == -1).all()


def test_one_row_serves_all_channels_where_they_agree() -> None:
    net, span = one_step(lambda b, x: b.requant("y", x, 1.0, 0, 3, 2))
    assert staircase(net.output, span).thresholds.shape == (1, 3)


def test_what_is_no_staircase_says_why() -> None:
    net, span = one_step(lambda b, x: b.requant("y", x, 1.0, -8, 7, 0, overflow=Overflow.WRAP))
    assert "wrap" in why_not(net.output, span)
    net, span = one_step(lambda b, x: b.requant("y", x, 1.0, -256, 255, 0, overflow=Overflow.WRAP))
    assert why_not(net.output, span) == "", "nothing can wrap here"
    net, span = one_step(lambda b, x: b.lut("y", x, 1.0, [0, 1, 0, 2] * 128, offset=-256))
    assert why_not(net.output, span) == "its table rises and falls"
    net, span = one_step(lambda b, x: b.requant("y", x, 1.0, -(2**14), 2**14, 0), QuantType(16, True))
    assert f"{2**15 + 1} levels" in why_not(net.output, span) and MAX_LEVELS < 2**15


def units_of(net: QNet) -> dict[str, Unit]:
    return {u.name: u for u in simplify(plan(net))}


def dense_and(after) -> QNet:
    b = NetBuilder("dense_and")
    x = b.input("x", (3,), I6)
    y = b.dense("fc", x, [[1, 2], [-3, 4], [5, 0]], [7, -9])
    return b.build(after(b, y))


def test_a_bias_goes_into_the_thresholds_that_follow() -> None:
    units = units_of(dense_and(lambda b, y: b.requant("act", y, 1.0, -4, 3, 3)))
    assert list(units) == ["x", "fc.product", "act"]
    steps = units["act"]
    assert isinstance(steps, Steps) and steps.thresholds.shape == (2, 7)
    # round_half_even(v / 8) >= 1 from v = 5 on (4 is a tie that goes to 0); v = product + bias
    assert steps.thresholds[:, 4].tolist() == [5 - 7, 5 + 9]


def test_a_bias_that_others_see_is_added() -> None:
    units = units_of(dense_and(lambda b, y: y))
    assert isinstance(units["fc"], Affine) and units["fc"].constant.tolist() == [7, -9]


def constants(units: dict[str, Unit]) -> dict[str, tuple[str, list[int]]]:
    return {u.name: (u.function, u.constant.tolist()) for u in units.values() if isinstance(u, Affine)}


def test_a_multiplication_goes_in_front_of_an_addition() -> None:
    units = units_of(dense_and(lambda b, y: b.add("twice", [y], 0.5, [2])))
    assert constants(units) == {"fc.scaled": ("Mul", [2, 2]), "twice": ("Add", [14, -18])}


def test_signs_go_into_the_weights() -> None:
    units = units_of(dense_and(lambda b, y: b.add("minus", [y], 0.5, [-2])))
    weight = next(u.weight for u in units.values() if isinstance(u, Product))
    assert weight.tolist() == [[-1, -2], [3, -4], [-5, 0]]
    assert constants(units) == {"fc.scaled": ("Mul", [2, 2]), "minus": ("Add", [-14, 18])}


def test_a_requant_that_drops_nothing_is_constants() -> None:
    """What real biases behind the last layer become: a finer grid, of more levels than anyone wants thresholds for."""
    units = units_of(dense_and(lambda b, y: b.requant("fine", y, 1 / 256, -(2**20), 2**20, 0, mult=256, add=[5, 6])))
    assert constants(units) == {"fine.times": ("Mul", [256, 256]), "fine": ("Add", [7 * 256 + 5, -9 * 256 + 6])}


def test_constants_go_into_the_thresholds_behind_them() -> None:
    def after(b: NetBuilder, y: str) -> str:
        return b.requant("act", b.add("thrice", [y], 1 / 3, [3]), 1.0, 0, 3, 3, rounding=Rounding.FLOOR)

    units = units_of(dense_and(after))
    assert list(units) == ["x", "fc.product", "act"]
    steps = units["act"]
    # floor(3 * (p + bias) / 8) >= k from p = ceil(8 * k / 3) - bias on
    assert isinstance(steps, Steps) and steps.thresholds.tolist() == [[3 - 7, 6 - 7, 8 - 7], [3 + 9, 6 + 9, 8 + 9]]


def test_two_signs_cancel() -> None:
    units = units_of(NETS["residual"]())
    assert [u.constant.tolist() for u in units.values() if isinstance(u, Affine)] == [[4] * 6]


def test_reshapes_at_the_ends_are_no_units() -> None:
    b = NetBuilder("ends")
    x = b.input("x", (2, 3, 1), I6)
    x = b.requant("act", b.reshape("flat", x, (6,)), 1.0, 0, 3, 1)
    net = b.build(b.reshape("back", x, (3, 2)))
    units = units_of(net)
    assert units["x"].shape == (1, 6) and not any(isinstance(u, Reform) for u in units.values())


def test_signs_of_an_activation_go_into_the_weights_behind_it() -> None:
    b = NetBuilder("falling")
    x = b.requant("act", b.input("x", (2,), I6), 1.0, -4, 3, 2, mult=[1, -1])
    units = units_of(b.build(b.dense("fc", x, [[1, 2], [3, 4]])))
    assert list(units) == ["x", "act.steps", "fc"]
    assert units["fc"].weight.tolist() == [[1, 2], [-3, -4]]  # type: ignore[attr-defined]


def test_a_flattening_behind_an_activation_of_the_input_is_none() -> None:
    b = NetBuilder("flat_input")
    x = b.thresholds("sign", b.input("x", (4, 4, 1), I6), 1.0, [[0]], base=-1, step=2)
    units = units_of(b.build(b.dense("fc", b.reshape("flat", x, (16,)), np.ones((16, 2)))))
    assert [u.shape for u in units.values()] == [(1, 16), (1, 16), (1, 2)]


def test_groups_become_zeros_between_them() -> None:
    net = NETS["conv2d_grouped"]()
    conv = net["conv"]
    x = random_inputs(net, 3, 1)
    full = dense_weight(conv, 4).reshape(3, 3, 4, 6)
    whole = replace(conv, weight=full, groups=1)
    span = intervals(net)["x"]
    assert (apply_op(whole, [x], [span]) == apply_op(conv, [x], [span])).all()


def run_in_qonnx(net: QNet, folder: Path, x: np.ndarray) -> np.ndarray:
    """The written graph's outputs for the vectors that it was written with."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx

    FinnBackend().emit(net, HW, folder, x)
    model = ModelWrapper(str(folder / "model.onnx"))
    source, result = model.graph.input[0].name, model.graph.output[0].name
    for tensor in [source, *(o for n in model.graph.node for o in n.output if not o.endswith(".value"))]:
        assert model.get_tensor_datatype(tensor).is_integer(), tensor
    rows = np.load(folder / "input.npy")
    return np.concatenate([execute_onnx(model, {source: row[None]})[result] for row in rows])


@pytest.mark.parametrize("seed", range(16))
def test_chains_of_constants_and_activations(seed: int, tmp_path: Path) -> None:
    """Products, constants with zeros and signs, activations that rise or fall, and branches, in random order."""
    rng = np.random.default_rng(seed)
    b = NetBuilder("chain")
    x = b.input("x", (4,), QuantType(3, bool(seed % 2)))
    for layer in range(5):
        kind = rng.integers(4)
        if kind == 0:
            x = b.dense(f"fc{layer}", x, rng.integers(-2, 3, (4, 4)), rng.integers(-5, 6, 4))
        elif kind == 1:
            mult, add = rng.integers(-2, 3, 4), rng.integers(-5, 6, 4)
            x = b.requant(f"line{layer}", x, 1.0, -(2**30), 2**30, 0, mult=mult, add=add)
        elif kind == 2:
            other = b.add(f"scaled{layer}", [x], b.ops[x].type.scale, [1])
            x = b.add(f"sum{layer}", [x, other], b.ops[x].type.scale, [1, int(rng.choice([-1, 1]))])
        else:
            x = b.requant(f"act{layer}", x, 1.0, -4, 3, int(rng.integers(3)), mult=rng.choice([-1, 1, 3], 4))
    net = b.build(b.requant("out", x, 1.0, -8, 7, 1))
    values = inputs(net, 5)
    assert (run_in_qonnx(net, tmp_path, values) == execute(net, values)).all()


@pytest.mark.parametrize("name", sorted(NETS))
def test_the_graph_computes_the_net_in_qonnx(name: str, tmp_path: Path) -> None:
    net = NETS[name]()
    if name in REFUSED:
        with pytest.raises(UnsupportedError, match=f"finn cannot take net {net.name}"):
            FinnBackend().emit(net, HW, tmp_path, inputs(net, 4))
        return
    x = inputs(net, 5)
    outputs = run_in_qonnx(net, tmp_path, x)
    assert (outputs.reshape(5, *net.output.shape) == execute(net, x)).all()
    assert (np.load(tmp_path / "expected_output.npy") == outputs).all()


# Hand counts: the places, times how often the work of one place is split.
@pytest.mark.parametrize(
    ("layer", "pe", "simd", "parallel", "expected"),
    [
        (Layer(kind="MVAU_hls", op="", reads=(), channels=40, rows=64, vectors=1), 8, 16, False, 5 * 4),
        (Layer(kind="MVAU_rtl", op="", reads=(), channels=4, rows=18, vectors=9), 2, 3, False, 2 * 6 * 9),
        (Layer(kind="VVAU_hls", op="", reads=(), channels=6, rows=9, vectors=16), 3, 1, False, 2 * 9 * 16),
        (Layer(kind="Thresholding_rtl", op="", reads=(), channels=6, vectors=16), 3, 1, False, 32),
        (Layer(kind="Pool_hls", op="", reads=(), channels=6, vectors=4, kernel=(2, 2)), 2, 1, False, 3 * 4 * 4),
    ],
)
def test_cycles(layer: Layer, pe: int, simd: int, parallel: bool, expected: int) -> None:
    assert cycles(layer, pe, simd, parallel) == expected


def test_cycles_of_windows() -> None:
    layer = Layer(
        kind="ConvolutionInputGenerator_rtl", op="", reads=(), channels=4, image=(6, 5), places=(4, 3), kernel=(3, 3)
    )
    # two rows and three places are read first; then four rows of 3 places * 9 taps
    assert cycles(layer, 1, 4) == 2 * 5 + 3 + 4 * 3 * 9
    assert cycles(layer, 1, 2) == 2 * (2 * 5 + 3 + 4 * 3 * 9)
    assert cycles(layer, 1, 4, parallel_window=True) == 6 * 5 + 2


def two_layers() -> tuple[Layer, ...]:
    b = NetBuilder("two")
    rng = np.random.default_rng(7)
    x = b.input("x", (12,), QuantType(4, False))
    x = b.requant("act", b.dense("fc1", x, rng.integers(-4, 4, (12, 6))), 1.0, 0, 3, 2)
    return layers_of(simplify(plan(b.build(b.dense("fc2", x, rng.integers(-4, 4, (6, 4)))))), "xc7")


def test_the_folding_is_the_cheapest_of_all_that_meet_the_target() -> None:
    from bitsmith.hls.backends.finn.folding import cheapest

    layers, device = two_layers(), HW.board.device

    def cost(choices) -> float:
        used = [c.area for c in choices]
        return sum(a.lut / device.lut + a.dsp / device.dsp + a.bram / device.bram for a in used)

    for target in (1, 6, 20, 72):
        enough = [[c for c in group if c.cycles <= target] for group in choices_of(layers)]
        least = min(cost(design) for design in product(*enough))
        found = cheapest(layers, device, target)
        assert found is not None and found.ii_cycles <= target
        assert cost(found.choices) == pytest.approx(least, rel=1e-12)  # the same sum in another order
    assert cheapest(layers, device, 0) is None


def test_without_a_target_the_fastest_that_fits_is_taken() -> None:
    units = simplify(plan(NETS["conv2d"]()))
    small = replace(HW, board=replace(HW.board, device=replace(HW.board.device, lut=2600)))
    large, tight = folding_of(units, HW), folding_of(units, small)
    assert large is not None and tight is not None
    assert fits(tight, small.board.device) and large.ii_cycles < tight.ii_cycles
    none = replace(HW, board=replace(HW.board, device=replace(HW.board.device, lut=100)))
    assert folding_of(units, none) is None


@pytest.mark.parametrize("name", ["dense", "depthwise_separable", "concat_image", "pools"])
def test_foldings_are_legal(name: str) -> None:
    layers = {lay.name: lay for lay in layers_of(simplify(plan(NETS[name]())), "xc7")}
    folding = folding_of(simplify(plan(NETS[name]())), HW)
    assert folding is not None
    settings = folding.as_json()
    assert settings.pop("Defaults") == {} and settings.keys() == layers.keys()
    for layer, values in settings.items():
        sizes = layers[layer]
        product_layer = layer.startswith(("MVAU", "VVAU"))
        assert sizes.channels % values.get("PE", 1) == 0
        assert (sizes.rows if product_layer else sizes.channels) % values.get("SIMD", 1) == 0
        if layer.startswith(("VVAU", "Pool")):
            assert settings[sizes.reads[0]]["SIMD"] == values["PE"], "windows come as many channels at a time"


def test_divisors() -> None:
    assert divisors(1) == [1] and divisors(36) == [1, 2, 3, 4, 6, 9, 12, 18, 36]
    assert all(math.prod((d, 60 // d)) == 60 for d in divisors(60))


def test_refusals_name_op_and_remedy() -> None:
    assert {p.op for p in find_problems(NETS["lut"](), HW)} == {"table"}
    (problem,) = find_problems(NETS["dense"](), replace(HW, target_ii=1, board=load_board("icebreaker")))
    assert "AMD devices" in problem.text and "AMD board" in problem.remedy
    (problem,) = find_problems(NETS["conv2d"](), replace(HW, target_ii=3))
    assert "3 cycles between results" in problem.text and "cycles or more" in problem.remedy
    assert all("float32" in p.text for p in find_problems(NETS["wide"](), HW) if "levels" not in p.text)
    (problem,) = find_problems(NETS["dense"](), replace(HW, target_ii=0))
    assert "target_ii is 0" in problem.text


def test_an_index_must_come_last() -> None:
    b = NetBuilder("inner_index")
    x = b.argmax("winner", b.input("x", (4,), I6))
    (problem,) = find_problems(b.build(b.requant("act", x, 1.0, 0, 1, 1)), HW)
    assert problem.op == "winner"


def test_the_build_folder(tmp_path: Path) -> None:
    import yaml

    net = NETS["conv2d"]()
    project = FinnBackend().emit(net, replace(HW, target_ii=500), tmp_path, inputs(net, 4))
    wanted = {"model.onnx", "finn.yaml", "build.py", "folding.json", "specialize.json", "README.md", "project.json"}
    assert wanted | {"input.npy", "expected_output.npy"} <= set(project.files)
    settings = yaml.safe_load((tmp_path / "finn.yaml").read_text())
    assert settings["board"] == "Pynq-Z2" and settings["synth_clk_period_ns"] == 10.0
    assert settings["requant_bitwidth_threshold"] > 62, "FINN's multiplication in float32 must never come in"
    assert read_manifest(tmp_path)["folding"]["ii_cycles"] <= 500
    assert set(json.loads((tmp_path / "folding.json").read_text())) >= {"MVAU_hls_0", "Thresholding_rtl_0"}
    compile((tmp_path / "build.py").read_text(), "build.py", "exec")
    readme = (tmp_path / "README.md").read_text()
    assert "Nothing here has been built" in readme and "Needs Vivado" in readme


def test_a_board_that_finn_has_no_shell_for(tmp_path: Path) -> None:
    net = NETS["pad_upsample"]()
    FinnBackend().emit(net, replace(HW, board=load_board("arty-a7-35t")), tmp_path, inputs(net, 4))
    text = (tmp_path / "finn.yaml").read_text()
    assert "fpga_part: xc7a35t" in text and "bitfile" not in text.split("generate_outputs:")[1]
    assert "bitsmith_steps.step_upsample" in text
    compile((tmp_path / "bitsmith_steps.py").read_text(), "bitsmith_steps.py", "exec")


def test_without_finn_the_remedy_is_named(tmp_path: Path) -> None:
    net = NETS["dense"]()
    backend = FinnBackend(environment=tmp_path / "nowhere")
    backend.emit(net, HW, tmp_path / "project", inputs(net, 4))
    with pytest.raises(ToolError, match="holds no FINN\\+; make it with: scripts/finn-env"):
        backend.simulate(tmp_path / "project", net, inputs(net, 4), taps=False)
