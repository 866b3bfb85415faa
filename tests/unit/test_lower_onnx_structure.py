"""How values meet, lie, begin and end in an ONNX graph, and what is refused: integers of the net == qonnx's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx import TensorProto
from onnx_nets import ROWS, Graph, exact, per_axis, real_scales

from bitsmith.models.ir import QuantType, UnsupportedError, execute, quantize_input
from bitsmith.models.lower.qonnx import lower, lowered


@pytest.mark.parametrize("scales", [(0.25, 0.25), (0.5, 0.125), (0.3, 0.3), (0.3, 0.45), (0.1, 0.7)])
@pytest.mark.parametrize("op", ["Add", "Sub"])
def test_branches_of_different_scales_meet_exactly(scales: tuple[float, float], op: str) -> None:
    g = Graph(4, 3, 3)
    x = g.quant("x", 0.25, 4)
    branches = [g.quant(g.node("Conv", x, g.weight(4, 4, 1, 1), kernel_shape=[1, 1]), scale, 4) for scale in scales]
    exact(g.model(g.quant(g.node(op, *branches), 0.61, 4)))


def test_ties_of_real_scales_are_settled_in_float64() -> None:
    """A sum of two branches of scale s, quantized with 2 s: float32 rounds its odd sums, all ties, as they come."""
    g = Graph(4)
    x = g.quant("x", 0.3, 4)
    y = g.quant(g.node("MatMul", x, g.weight(4, 4)), 0.3, 4)
    exact(g.model(g.quant(g.node("Add", x, y), 0.6, 4)), noise=ROWS)


def test_branches_that_never_meet_are_both_named() -> None:
    g = Graph(4)
    a = g.quant("x", 1e-9 / 3, 4)
    b = g.quant(g.node("MatMul", a, g.weight(4, 4)), 1e9 / 7, 4)
    with pytest.raises(
        UnsupportedError, match=r"add_\d+ \(Add\): adds values of the scales \[3\.33.*, 142857136.0\].*share one"
    ):
        lower(g.model(g.node("Add", a, b)), name="test")


def test_concat_of_images_and_of_features() -> None:
    g = Graph(3, 4, 4)
    x = g.quant("x", 0.25, 4)
    y = g.quant(g.node("Conv", x, g.weight(2, 3, 1, 1), kernel_shape=[1, 1]), 0.3, 3)
    joined = g.node("Concat", x, y, axis=1)
    z = g.node("Conv", g.quant(joined, 0.2, 4), g.weight(3, 5, 2, 2), kernel_shape=[2, 2])
    flat = [g.node("Flatten", v) for v in (g.quant(z, 0.53, 4), g.quant(y, 0.53, 3))]
    exact(g.model(g.node("MatMul", g.node("Concat", *flat, axis=1), g.weight(27 + 32, 4))))


def test_pad_and_resize() -> None:
    g = Graph(2, 3, 4)
    x = g.node("Pad", g.quant("x", 0.25, 4), g.const([0, 0, 1, 0, 0, 0, 2, 1], np.int64))
    y = g.node(
        "Resize",
        x,
        "",
        g.const([1, 1, 2, 3]),
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )
    exact(g.model(g.node("Conv", y, g.weight(3, 2, 2, 2), kernel_shape=[2, 2])))


def test_upsample_of_old_opsets() -> None:
    g = Graph(2, 3, 4, opset=9)
    exact(g.model(g.node("Upsample", g.quant("x", 0.25, 4), g.const([1, 1, 2, 2]), mode="nearest")))


@pytest.mark.parametrize("last", [False, True])
def test_layouts(last: bool) -> None:
    """Channels first and last, through flattening in either order, into a dense layer."""
    g = Graph(*((6, 5, 3) if last else (3, 6, 5)))
    x = g.quant("x", 0.25, 4)
    x = g.node("Transpose", x, perm=[0, 3, 1, 2]) if last else x
    x = g.quant(g.node("Conv", x, g.weight(4, 3, 2, 2), kernel_shape=[2, 2]), 0.5, 4)
    first = g.node("Flatten", x)
    second = g.node("Reshape", g.node("Transpose", x, perm=[0, 2, 3, 1]), g.const([1, -1], np.int64))
    third = g.node("Squeeze", g.node("Reshape", x, g.const([0, 80, 1], np.int64)), g.const([2], np.int64))
    outs = [g.quant(g.node("MatMul", v, g.weight(80, 3)), 0.5, 4) for v in (first, second, third)]
    low = exact(g.model(g.node("Add", g.node("Add", *outs[:2]), outs[2])))
    assert low.net.input.shape == (6, 5, 3)


def test_a_vector_that_becomes_an_image() -> None:
    g = Graph(48)
    x = g.node("Reshape", g.quant("x", 0.25, 4), g.const([1, 4, 4, 3], np.int64))
    x = g.node("Transpose", x, perm=[0, 3, 1, 2])
    exact(g.model(g.node("Conv", x, g.weight(2, 3, 2, 2), kernel_shape=[2, 2])))


def test_an_order_that_no_op_has_is_refused() -> None:
    g = Graph(3, 4, 4)
    x = g.node("Transpose", g.quant("x", 0.25, 4), perm=[0, 2, 1, 3])
    with pytest.raises(UnsupportedError, match="reordered"):
        lower(g.model(g.node("Conv", x, g.weight(2, 4, 1, 1), kernel_shape=[1, 1])), name="test")


def test_shapes_that_the_graph_computes() -> None:
    """As torch exports x.view(x.shape[0], -1)."""
    g = Graph(2, 3, 3)
    x = g.quant("x", 0.25, 4)
    rows = g.node("Gather", g.node("Shape", x), g.const(0, np.int64), axis=0)
    shape = g.node("Concat", g.node("Unsqueeze", rows, g.const([0], np.int64)), g.const([-1], np.int64), axis=0)
    exact(g.model(g.node("MatMul", g.node("Reshape", x, shape), g.weight(18, 3)), batch="batch"))


HEADS: dict[str, tuple[Callable[[Graph, str], str], int]] = {
    "argmax": (lambda g, y: g.node("ArgMax", y, axis=1, keepdims=1), TensorProto.INT64),
    "argmax_flat": (lambda g, y: g.node("ArgMax", y, axis=-1, keepdims=0), TensorProto.INT64),
    "topk": (lambda g, y: g.node("TopK", y, g.const([1], np.int64), outputs=2, axis=1), TensorProto.INT64),
    "affine_topk": (
        lambda g, y: g.node(
            "TopK", g.node("Add", g.node("Mul", y, g.const(0.3)), g.const(0.7)), g.const([1], np.int64), outputs=2
        ),
        TensorProto.INT64,
    ),
}


@pytest.mark.parametrize("case", HEADS)
def test_classes(case: str) -> None:
    make, kind = HEADS[case]
    g = Graph(6)
    y = g.node("MatMul", g.quant("x", 0.25, 4), g.weight(6, 5, scale=0.25))
    assert exact(g.model(make(g, y), kind=kind)).net.output.kind == "argmax"


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("behind", ["bias", "batchnorm", "scales"])
def test_classes_behind_real_numbers(inside: bool, behind: str) -> None:
    """A float bias, a last BatchNorm, weight scales per channel: what float32 tells apart the net does too."""
    g = Graph(6)
    scale = per_axis(real_scales(g.rng, 5), 1, 5) if behind == "scales" else 0.3
    y = g.node("MatMul", g.quant("x", 0.25, 4), g.weight(6, 5, scale=scale))
    y = g.batchnorm(y, 5) if behind == "batchnorm" else g.node("Add", y, g.const(g.rng.normal(size=5)))
    if inside:
        low = exact(g.model(g.node("ArgMax", y, axis=1), kind=TensorProto.INT64))
    else:
        low = exact(g.model(y), head="argmax")
    assert low.net.output.kind == "argmax"


@pytest.mark.parametrize("head", ["logits", "argmax"])
def test_softmax_is_left_out(head) -> None:
    g = Graph(6)
    y = g.node("Softmax", g.node("MatMul", g.quant("x", 0.25, 4), g.weight(6, 5)), axis=1)
    low = exact(g.model(y), head=head)
    assert low.left_out == ("the final softmax",)
    assert low.net.head == ("softmax" if head == "logits" else "none")


def test_a_residual_block_with_real_scales() -> None:
    g = Graph(3, 6, 6)
    x = g.quant("x", 0.0625, 4, signed=0)

    def block(x: str, into: int, of: int, scale: float, signed: int) -> str:
        w = g.weight(into, of, 3, 3, scale=per_axis(real_scales(g.rng, into), into, 1, 1, 1), bits=2)
        y = g.batchnorm(g.node("Conv", x, w, kernel_shape=[3, 3], pads=[1, 1, 1, 1]), into)
        return g.quant(y if signed else g.node("Relu", y), scale, 4, signed)

    stem = block(x, 4, 3, 0.21, 0)
    total = g.node("Add", stem, block(block(stem, 4, 4, 0.17, 0), 4, 4, 0.21, 1))
    y = g.node("Flatten", g.node("GlobalAveragePool", g.quant(g.node("Relu", total), 0.19, 4, 0)))
    exact(g.model(g.node("MatMul", g.quant(y, 0.1, 4, 0), g.weight(4, 3, scale=0.15))))


def test_input_types() -> None:
    g = Graph(3, 4, 4)
    model = g.model(g.node("Conv", "x", g.weight(2, 3, 1, 1), kernel_shape=[1, 1]))
    assert exact(model).net.input.type == QuantType(8, False, 2.0**-8)
    pixel = QuantType(8, False, 1 / 255)
    assert exact(model, input_type=pixel).net.input.type == pixel
    note = model.proto.graph.quantization_annotation.add(tensor_name="x")
    note.quant_parameter_tensor_names.add(key="finn_datatype", value="UINT4")
    assert exact(model).net.input.type == QuantType(4, False, 1.0)


def test_inputs_off_the_grid_are_quantized_as_the_source_does(rng: np.random.Generator) -> None:
    g = Graph(5)
    low = lowered(g.model(g.node("MatMul", g.quant("x", 0.1, 4), g.weight(5, 3))), name="test")
    real = rng.normal(size=(500, 5))
    real = real.astype(np.float32).astype(np.float64)
    y = execute(low.net, quantize_input(low.net, real))
    assert (y == np.rint(low.reference(real) / np.asarray(low.net.output.type.scale))).all()


REFUSED: dict[str, tuple[Callable[[Graph, str], str], str]] = {
    "gating": (
        lambda g, x: g.node("Mul", x, g.node("Sigmoid", g.node("GlobalAveragePool", x))),
        "multiplies or compares two values",
    ),
    "attention": (lambda g, x: g.node("MatMul", x, x), "multiplies two values"),
    "transposed_conv": (lambda g, x: g.node("ConvTranspose", x, g.weight(4, 2, 2, 2)), "use Resize"),
    "linear": (
        lambda g, x: g.node("Resize", x, "", g.const([1, 1, 2, 2]), mode="linear"),
        "use mode='nearest' and whole factors",
    ),
    "reflected_pad": (lambda g, x: g.node("Pad", x, g.const([0] * 8, np.int64), mode="reflect"), "pad with zeros"),
    "average_of_fewer": (
        lambda g, x: g.node("AveragePool", x, kernel_shape=[2, 2], pads=[1, 1, 0, 0]),
        "count_include_pad",
    ),
    "real_values": (
        lambda g, x: g.node("Conv", g.node("Tanh", x), g.weight(2, 4, 1, 1), kernel_shape=[1, 1]),
        "on no integer grid",
    ),
    "fraction_of_bits": (lambda g, x: g.quant(x, 0.5, 3.5), "bit width 3.5"),
    "negative_scale": (lambda g, x: g.quant(x, -0.5, 3), "not above zero"),
    "batch": (lambda g, x: g.node("Reshape", x, g.const([16, 4], np.int64)), "keep the batch as the first axis"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_net_has_no_op_for_is_named_with_its_remedy(case: str) -> None:
    make, text = REFUSED[case]
    g = Graph(4, 4, 4)
    output = make(g, g.quant("x", 0.25, 4))
    with pytest.raises(UnsupportedError) as error:
        lower(g.model(output), name="test")
    assert text in str(error.value) and "stand in the way" in str(error.value)


def test_every_problem_is_listed_at_once() -> None:
    g = Graph(4, 4, 4)
    x = g.quant("x", 0.25, 4)
    a = g.node("Conv", x, g.const(g.rng.normal(size=(4, 4, 1, 1))), kernel_shape=[1, 1])
    b = g.quant(x, -0.5, 3)
    with pytest.raises(UnsupportedError, match="2 node"):
        lower(g.model(g.node("Add", a, b)), name="test")


def test_what_is_done_alike_to_all_classes_does_not_reach_the_hardware() -> None:
    g = Graph(6)
    y = g.node("MatMul", g.quant("x", 0.25, 4), g.weight(6, 5, scale=0.25))
    y = g.node("Add", g.node("Mul", y, g.const(0.3)), g.const(0.7))
    assert [op.kind for op in exact(g.model(y), head="argmax").net.ops] == ["input", "dense", "argmax"]
