"""Quantization after training: what it writes is exact, and close to the float model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from onnx_nets import Graph
from qkeras_nets import keras

from bitsmith.flows.cli import main
from bitsmith.models.ir import Conv, Dense, InputError, QuantType, UnsupportedError, execute, quantize_input
from bitsmith.models.lower.compare import prove
from bitsmith.models.lower.onnx.graph import read_graph
from bitsmith.models.lower.onnx.io import OnnxModel
from bitsmith.models.lower.qonnx import LoweredOnnx, lowered
from bitsmith.models.ptq import Bits, quantize
from bitsmith.models.ptq.keras import from_keras
from bitsmith.models.ptq.plan import plan
from bitsmith.models.ptq.quantize import float_outputs
from bitsmith.models.ptq.steps import best_step, shared_step

W8A8 = Bits(8, 8)


def float_net(seed: int = 0) -> OnnxModel:
    """Conv, BatchNorm, ReLU, a residual, pooling, and a dense layer with a bias behind it."""
    g = Graph(3, 8, 8, seed=seed)

    def normal(*shape: int) -> str:
        return g.const(g.rng.normal(size=shape) / np.sqrt(np.prod(shape[1:])))

    x = g.node("Relu", g.batchnorm(g.node("Conv", "x", normal(6, 3, 3, 3), kernel_shape=[3, 3]), 6))
    y = g.batchnorm(g.node("Conv", x, normal(6, 6, 3, 3), kernel_shape=[3, 3], pads=[1, 1, 1, 1]), 6)
    z = g.node("Relu", g.node("Add", x, y))
    p = g.node("Flatten", g.node("MaxPool", z, kernel_shape=[2, 2], strides=[2, 2]))
    return g.model(g.node("Add", g.node("MatMul", p, normal(54, 5)), normal(5)))


def rows(n: int, shape: tuple[int, ...], seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (n, *shape)).astype(np.float32)


def relative_error(model: OnnxModel, low: LoweredOnnx, x: np.ndarray) -> float:
    exact = low.in_net_order(float_outputs(model, x))
    got = low.net.output.type.real(execute(low.net, quantize_input(low.net, low.from_onnx(x))))
    return float(np.sqrt(np.square(got - exact).mean() / np.square(exact).mean()))


@pytest.mark.parametrize(("bits", "worst"), [("W8A8", 0.03), ("W6A6", 0.12), ("W4A8", 0.2)])
def test_the_net_is_exact_and_close(bits: str, worst: float) -> None:
    model = float_net()
    x = rows(200, (3, 8, 8))
    low = lowered(quantize(model, Bits.parse(bits), x[:100]), name="net")
    integers = quantize_input(low.net, low.from_onnx(x))
    proof = prove(low, integers, low.net.input.type.real(integers))[0]
    assert proof.exact and proof.samples == 200
    assert relative_error(model, low, x[100:]) < worst
    assert not any(op.kind == "lut" for op in low.net.ops)


def test_more_bits_are_closer() -> None:
    model, x = float_net(), rows(200, (3, 8, 8))
    errors = [relative_error(model, lowered(quantize(model, Bits(b, b), x), name="n"), x) for b in (4, 6, 8, 10)]
    assert errors == sorted(errors, reverse=True)


def test_weights_have_their_bits_and_a_scale_per_channel() -> None:
    net = lowered(quantize(float_net(), Bits(5, 7), rows(50, (3, 8, 8))), name="n").net
    layers = [op for op in net.ops if isinstance(op, Conv | Dense)]
    assert [len(op.weight_type.scales) for op in layers] == [6, 6, 1]  # the last one's outputs are to be compared
    assert all(op.weight.min() >= -15 and op.weight.max() <= 15 for op in layers)
    assert all(op.type.bits <= 7 for op in net.ops if op.kind in ("requant", "thresholds"))


def test_biases_are_corrected() -> None:
    """At few bits the mean of every output is off, unless the biases make up for it."""
    model, x = float_net(), rows(400, (3, 8, 8))
    low = lowered(quantize(model, Bits(3, 8), x), name="n")
    got = low.net.output.type.real(execute(low.net, quantize_input(low.net, low.from_onnx(x))))
    off = np.abs((got - float_outputs(model, x)).mean(axis=0))
    assert off.max() < 0.02 * np.abs(got).mean()


def test_branches_that_meet_share_a_scale() -> None:
    graph = read_graph(float_net())
    marked = plan(graph, "n").marked
    add = next(n for n in graph.nodes if n.op == "Add")
    assert marked[add.inputs[0]] == marked[add.inputs[1]]


def test_the_input_keeps_the_type_that_it_is_given() -> None:
    kind = QuantType(6, True, 1 / 31)
    net = lowered(quantize(float_net(), W8A8, rows(50, (3, 8, 8)), kind), name="n").net
    assert (net.input.lo, net.input.hi) == (-32, 31) and net.input.type.scales[0] == np.float32(1 / 31)


def test_a_quantized_model_is_refused() -> None:
    g = Graph(4)
    model = g.model(g.node("MatMul", g.quant("x", 0.25, 4), g.weight(4, 2)))
    with pytest.raises(UnsupportedError, match=r"quantized already .*without --bits"):
        quantize(model, W8A8, rows(8, (4,)))


@pytest.mark.parametrize("text", ["8", "W8", "W1A8", "W8A99", "float"])
def test_widths_are_checked(text: str) -> None:
    with pytest.raises(InputError, match="write W8A8"):
        Bits.parse(text)


def test_a_step_has_the_least_square_error_of_all_candidates(rng: np.random.Generator) -> None:
    values = rng.normal(size=2000)

    def error(step: float) -> float:
        return float(np.square(np.clip(np.rint(values / step), -8, 7) * step - values).sum())

    best = best_step(values, -8, 7)
    assert error(best) <= min(error(best * f) for f in (0.9, 1.1))
    assert shared_step([(values, -8, 7), (values * 1e-3, -8, 7)]) == pytest.approx(best, rel=0.2)


def test_keras_models_become_the_same_function(rng: np.random.Generator) -> None:
    k = keras()
    start = k.layers.Input((8, 8, 3))
    x = k.layers.Conv2D(6, 3, strides=2, padding="same", activation="relu")(start)
    x = k.layers.BatchNormalization()(x)
    y = k.layers.DepthwiseConv2D(3, padding="same")(x)
    x = k.layers.Add()([x, k.layers.LeakyReLU(0.1)(y)])
    x = k.layers.Concatenate()([x, k.layers.SeparableConv2D(2, 3, padding="same")(x)])
    x = k.layers.AveragePooling2D(2)(k.layers.ZeroPadding2D(1)(k.layers.UpSampling2D(2)(x)))
    x = k.layers.Dense(7, activation="tanh")(k.layers.Flatten()(x))
    model = k.Model(start, k.layers.Dense(4, activation="softmax")(k.layers.Dropout(0.5)(x)))
    for layer in model.layers:
        layer.set_weights([rng.uniform(0.1, 1, w.shape) for w in layer.get_weights()])
    data = rows(20, (8, 8, 3))
    expected = model(data, training=False).numpy()
    assert np.abs(float_outputs(from_keras(model, "m"), data) - expected).max() < 1e-5  # both are float32


def test_keras_layers_without_a_form_are_listed() -> None:
    k = keras()
    model = k.Sequential([k.layers.Input((6, 3)), k.layers.LSTM(4, name="memory"), k.layers.Dense(2)])
    with pytest.raises(UnsupportedError, match=r"memory \(LSTM\)"):
        from_keras(model, "m")


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    k = keras()
    model = k.Sequential(
        [k.layers.Input((8, 8, 1)), k.layers.Flatten(), k.layers.Dense(20, "relu"), k.layers.Dense(10)]
    )
    model.save("float.h5")
    assert main(["import", "float.h5", "--json"]) == 2
    assert "--bits" in capsys.readouterr().err
    assert main(["import", "float.h5", "--bits", "W8A8", "--json"]) == 2
    assert "--calibration-data" in capsys.readouterr().err
    assert main(["import", "float.h5", "--bits", "W8A8", "--dataset", "digits", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["exact"] and result["samples"] == 360 and result["bits"] == "W8A8"
    assert abs(result["accuracy_float"] - result["accuracy_net"]) < 0.03
    assert result["relative_error_float"] < 0.05
    command = ["import", "float.h5", "--bits", "W8A8", "--dataset", "digits", "--output", "argmax", "--out", "classes"]
    assert main([*command, "--json"]) == 0
    named = json.loads(capsys.readouterr().out)
    assert named["exact"] and named["accuracy_float"] == result["accuracy_float"]
    assert abs(named["accuracy_net"] - result["accuracy_net"]) < 0.01
    np.savez("rows.npz", x=np.random.default_rng(0).random((30, 8, 8, 1)))
    assert main(["import", "float.h5", "--bits", "W4A6", "--calibration-data", "rows.npz", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["relative_error_float"] < 0.5
    np.savez("bad.npz", a=np.ones((30, 5)), b=np.ones(3))
    assert main(["import", "float.h5", "--bits", "W8A8", "--calibration-data", "bad.npz"]) == 2
    assert "call the one with the rows x" in capsys.readouterr().err
