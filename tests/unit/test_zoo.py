"""NetSpec and the bundled tasks."""

from __future__ import annotations

import tomllib

import pytest
from pydantic import ValidationError

from bitsmith.models.data import names
from bitsmith.models.ir.errors import InputError
from bitsmith.models.train.settings import TrainSettings
from bitsmith.models.zoo import task_path, tasks
from bitsmith.models.zoo.graph import Grid, nodes
from bitsmith.models.zoo.spec import NetSpec

DENSE = {"kind": "dense", "units": 3}


def net(layers: list[dict], shape: tuple[int, ...] = (8, 8, 2), **rest) -> NetSpec:
    return NetSpec.model_validate({"input": {"shape": shape, "bits": 4}, "layers": layers, **rest})


def problems(layers: list[dict], **rest) -> str:
    with pytest.raises(ValidationError) as caught:
        net(layers, **rest)
    return str(caught.value)


@pytest.mark.parametrize("name", tasks())
def test_a_bundled_task_is_valid(name):
    config = tomllib.loads(task_path(name).read_text())
    assert set(config) == {"title", "data", "net", "train", "hardware"}
    assert config["data"]["name"] in names()
    TrainSettings.model_validate(config["train"])
    assert NetSpec.model_validate(config["net"]).input.shape


def test_the_named_tasks_are_there():
    assert {"digits", "mnist", "mnist_conv", "fashion", "cifar10", "jets"} <= set(tasks())
    assert {"digits_residual", "mnist_residual"} <= set(tasks())
    with pytest.raises(InputError, match="there is no task 'mnits'; did you mean mnist"):
        task_path("mnits")


def test_digits_has_at_most_six_bits_everywhere():
    spec = NetSpec.model_validate(tomllib.loads(task_path("digits").read_text())["net"])
    assert spec.input.bits <= 6
    for node in nodes(spec):
        assert max(node.weight_grid.bits, node.bias_grid.bits, node.activation_grid.bits) <= 6


def test_the_residual_tasks_are_what_breaks_other_flows():
    """BatchNorm, a real scale per channel, 2-bit weights and an add."""
    for name in ("digits_residual", "mnist_residual"):
        config = tomllib.loads(task_path(name).read_text())
        spec = NetSpec.model_validate(config["net"])
        assert (spec.weight_scales, spec.activation_scales, spec.batchnorm) == ("channel", "tensor", True)
        assert TrainSettings.model_validate(config["train"]).framework == "brevitas"
        assert "add" in {node.layer.kind for node in nodes(spec)}
        assert [node.weight_grid.bits for node in nodes(spec) if node.layer.kind == "dense"] == [2, 2, 2, 4]


def test_scales_and_framework_are_those_of_qkeras_unless_said_otherwise():
    spec = net([{"kind": "flatten"}, DENSE])
    assert (spec.weight_scales, spec.activation_scales) == ("fixed", "fixed")
    assert TrainSettings().framework == "qkeras"
    assert "'fixed', 'tensor' or 'channel'" in problems([{"kind": "flatten"}, DENSE], weight_scales="row")
    assert "'fixed' or 'tensor'" in problems([{"kind": "flatten"}, DENSE], activation_scales="channel")


def test_a_sign_cannot_be_pruned():
    layers = [{"kind": "flatten"}, {**DENSE, "name": "logits", "weight_bits": 1, "sparsity": 0.5}]
    assert "layer logits cannot have sparsity: weights of one bit are plus or minus 1" in problems(layers)


def test_layers_inherit_from_the_net_and_override_it():
    spec = net(
        [
            {"kind": "conv", "filters": 4, "kernel": [3, 3], "name": "a", "weight_bits": 2, "weight_integer_bits": 1},
            {"kind": "flatten"},
            {"kind": "dense", "units": 5, "activation": "tanh", "activation_bits": 3, "batchnorm": False},
            DENSE,
        ],
        weight_bits=7,
        bias_bits=5,
        activation_bits=4,
        activation_integer_bits=1,
        batchnorm=True,
    )
    a, flat, b, c = nodes(spec)
    assert (a.name, a.shape, a.activation, a.batchnorm) == ("a", (6, 6, 4), "relu", True)
    assert (a.weight_grid, a.bias_grid, a.activation_grid) == (Grid(2, 1), Grid(5, 0), Grid(4, 1))
    assert (flat.name, flat.shape, flat.activation, flat.batchnorm) == ("flatten_2", (144,), "none", False)
    assert (b.shape, b.activation, b.activation_grid, b.batchnorm) == ((5,), "tanh", Grid(3, 1), False)
    assert (c.shape, c.activation, c.weight_grid, c.batchnorm) == ((3,), "none", Grid(7, 0), False)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ({"kind": "conv", "filters": 4, "kernel": [3, 3]}, (6, 6, 4)),
        ({"kind": "conv", "filters": 4, "kernel": [3, 3], "strides": [2, 2]}, (3, 3, 4)),
        ({"kind": "conv", "filters": 4, "kernel": [3, 3], "strides": [3, 3], "padding": "same"}, (3, 3, 4)),
        ({"kind": "depthwise", "kernel": [3, 3]}, (6, 6, 2)),
        ({"kind": "separable", "kernel": [5, 5], "filters": 7}, (4, 4, 7)),
        ({"kind": "maxpool", "window": [2, 2]}, (4, 4, 2)),
        ({"kind": "avgpool", "window": [3, 3], "strides": [1, 1]}, (6, 6, 2)),
        ({"kind": "globalavgpool"}, (2,)),
        ({"kind": "flatten"}, (128,)),
    ],
)
def test_shapes(layer, shape):
    spec = net([layer, *([{"kind": "flatten"}] if len(shape) > 1 else []), DENSE])
    assert nodes(spec)[0].shape == shape


def test_branches():
    spec = net(
        [
            {"kind": "conv", "filters": 2, "kernel": [1, 1], "name": "a"},
            {"kind": "add", "from": ["a", "input"], "name": "sum"},
            {"kind": "concat", "from": ["sum", "a", "input"], "name": "joined"},
            {"kind": "flatten"},
            DENSE,
        ]
    )
    _, total, joined, *_ = nodes(spec)
    assert (total.inputs, total.shape, total.activation) == (("a", "input"), (8, 8, 2), "relu")
    assert (joined.inputs, joined.shape, joined.activation) == (("sum", "a", "input"), (8, 8, 6), "none")


def test_all_graph_problems_are_listed_at_once():
    text = problems(
        [
            {"kind": "conv", "filters": 2, "kernel": [1, 1], "name": "a", "from": ["nowhere"]},
            {"kind": "flatten", "name": "a"},
            {"kind": "dense", "units": 4, "name": "b"},
            {"kind": "dense", "units": 4, "name": "c", "from": ["d"]},
        ]
    )
    assert "layer a reads nowhere, which no earlier layer is called" in text
    assert "the layer name a is used twice" in text
    assert "layer c reads d, which no earlier layer is called" in text


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([{"kind": "flatten"}, {**DENSE, "activation": "relu"}], "must give logits: leave its activation relu out"),
        ([{"kind": "conv", "filters": 2, "kernel": [1, 1]}], "must give logits on one axis, not (8, 8, 2)"),
        ([], "there are no layers"),
        ([DENSE], "a dense layer reads one axis, not (8, 8, 2); put a flatten before it"),
        ([{"kind": "conv", "filters": 2, "kernel": [9, 9]}, DENSE], "is larger than its input (8, 8, 2)"),
        ([{"kind": "conv", "filters": 2, "kernel": [3]}, DENSE], "a window (3,) with strides (1,) does not suit"),
        ([{"kind": "flatten"}, {"kind": "globalavgpool"}, DENSE], "there is nothing to average over"),
        ([{"kind": "flatten", "from": ["input", "input"]}, DENSE], "a flatten reads one layer, not 2"),
        ([{"kind": "flatten", "name": "x"}, {"kind": "flatten", "from": ["input"]}, DENSE], "x is read by nobody"),
        (
            [{"kind": "maxpool", "window": [2, 2], "name": "p"}, {"kind": "add", "from": ["p", "input"]}, DENSE],
            "branches to be added must have one shape",
        ),
    ],
)
def test_graph_problems(layers, message):
    assert message in problems(layers)


def test_all_wrong_keys_and_values_are_listed_at_once():
    text = problems(
        [
            {"kind": "dense", "units": 0},
            {"kind": "dens", "units": 3},
            {"kind": "maxpool", "window": [2, 2], "units": 3},
            {"kind": "add", "from": ["a"]},
        ],
        weight_bit=4,
        activation="elu",
        bias_bits=99,
    )
    for where in ("layers.0.dense.units", "layers.1", "layers.2", "layers.3.add.from", "weight_bit", "activation"):
        assert f"\n{where}" in text
    assert text.startswith("7 validation errors")


def test_a_spec_survives_its_own_json():
    spec = NetSpec.model_validate(tomllib.loads(task_path("cifar10").read_text())["net"])
    assert NetSpec.model_validate(spec.model_dump(mode="json", by_alias=True)) == spec
    with pytest.raises(ValidationError, match="frozen"):
        spec.weight_bits = 3  # type: ignore[misc]


def test_pruning_cannot_end_before_it_begins():
    with pytest.raises(ValidationError, match=r"prune_begin 0\.6 must not lie behind prune_end 0\.5"):
        TrainSettings(prune_begin=0.6)
