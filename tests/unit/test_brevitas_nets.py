"""What a spec becomes in Brevitas: the net that QKeras has, a file that says the same, steps that leave it exact."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brevitas_nets import (
    DENSE,
    EVERY_KIND,
    FIXED,
    ONE_AXIS,
    REAL,
    RESIDUAL,
    SINGLE_BITS,
    SPECS,
    drawn,
    executed,
    exported,
    integers,
    net,
    rows,
)

from bitsmith.models.ir.errors import InputError
from bitsmith.models.train.brevitas import build_brevitas, outputs
from bitsmith.models.zoo.graph import nodes
from bitsmith.models.zoo.spec import NetSpec

pytestmark = pytest.mark.skipif(find_spec("brevitas") is None, reason="Brevitas is not installed")
needs_qkeras = pytest.mark.skipif(find_spec("qkeras") is None, reason="QKeras is not installed")


# --- the same net in both frameworks


def from_keras(spec: NetSpec, model: Any, module: Any) -> None:
    """Weights and statistics of a Keras model, by name."""
    import torch

    def put(target: Any, array: np.ndarray) -> None:
        with torch.no_grad():
            target.copy_(torch.from_numpy(np.ascontiguousarray(array)))

    for node in nodes(spec):
        parts = dict(module.modules_of(node).named_children())
        kernels = [k for k in model.get_layer(node.name).get_weights() if k.ndim > 1]
        biases = [b for b in model.get_layer(node.name).get_weights() if b.ndim == 1]
        weighted = [part for name, part in parts.items() if name in ("dense", "conv", "depthwise", "pointwise")]
        for part, kernel in zip(weighted, kernels, strict=True):
            out, wide = (-2, -1) if part is parts.get("depthwise") else (-1, -2)  # Keras: (*window, in, multiplier)
            put(part.weight, kernel.transpose(out % kernel.ndim, wide % kernel.ndim, *range(kernel.ndim - 2)))
        if biases:
            put(weighted[-1].bias, biases[0])
        if node.batchnorm:
            gamma, beta, mean, var = model.get_layer(f"{node.name}_norm").get_weights()
            norm = parts["norm"]
            for target, array in ((norm.weight, gamma), (norm.bias, beta), (norm.running_mean, mean)):
                put(target, array)
            put(norm.running_var, var)


def both(spec: NetSpec, rng: np.random.Generator, quantized: bool) -> tuple[np.ndarray, np.ndarray]:
    """Outputs of the Keras model and of the module, with the same drawn weights."""
    from bitsmith.models.train.keras import build_qkeras

    model, module = build_qkeras(spec, quantized), build_brevitas(spec, quantized)
    model.set_weights([np.abs(rng.normal(0, 0.6, w.shape)) if "variance" in v.name else rng.normal(0, 0.6, w.shape)
                       for v, w in zip(model.weights, model.get_weights(), strict=True)])  # fmt: skip
    from_keras(spec, model, module)
    x = rows(spec, rng)
    return model(x, training=False).numpy(), outputs(module, x)


@needs_qkeras
@pytest.mark.parametrize("name", FIXED)
def test_fixed_grids_give_the_net_that_qkeras_has(name: str, rng: np.random.Generator):
    keras, brevitas = both(SPECS[name], rng, quantized=True)
    assert (keras == brevitas).all() and len(np.unique(keras)) > 4


@needs_qkeras
def test_the_float_baselines_are_one_net_too(rng: np.random.Generator):
    keras, brevitas = both(net(EVERY_KIND, (9, 8, 2), batchnorm=True), rng, quantized=False)
    np.testing.assert_allclose(keras, brevitas, rtol=1e-4, atol=1e-4)  # sums of float32 in another order
    assert keras.std() > 0.1


@needs_qkeras
def test_what_qkeras_cannot_do_is_refused():
    from bitsmith.models.train.keras import build_qkeras

    with pytest.raises(InputError, match=r"learns no scales of activations; .* framework = 'brevitas'"):
        build_qkeras(SPECS["real"])
    with pytest.raises(InputError, match="no scale per tensor of weights; set weight_scales = 'channel'"):
        build_qkeras(SPECS["real, one scale"])
    with pytest.raises(InputError, match=r"single-bit weights \(a, logits\); give them 2 bits"):
        build_qkeras(net([SINGLE_BITS[0], DENSE], (20,), weight_bits=1, weight_scales="channel"))
    with pytest.raises(InputError, match=r"the bias of logits to a grid .*; set bias = false there"):
        build_qkeras(net([DENSE], (20,), weight_bits=2, weight_scales="channel"))


@needs_qkeras
def test_a_scale_per_channel_in_qkeras_is_lowered_exactly(rng: np.random.Generator):
    from bitsmith.models.lower.qkeras import compare, lower
    from bitsmith.models.train.keras import build_qkeras

    layers = [*ONE_AXIS[:-1], DENSE | {"bias": False}]
    model = build_qkeras(net(layers, (16, 2), weight_bits=3, weight_scales="channel"))
    model.set_weights([rng.normal(0, 0.6, w.shape) for w in model.get_weights()])
    assert compare(model, lower(model, name="net")).exact


@pytest.mark.parametrize("name", SPECS)
def test_the_exported_file_computes_what_brevitas_does(name: str, rng: np.random.Generator, tmp_path: Path):
    spec = SPECS[name]
    model = exported(spec, rng, tmp_path)
    x = rows(spec, rng, 15)
    got, expected = executed(tmp_path / "model.onnx", x), outputs(model, x)
    if name in FIXED:
        assert (got == expected).all()
    else:  # float32 sums of real scales: their order differs, so integers are compared
        step = np.asarray(model.modules_of(model.plan[-1]).dense.bias_quant.scale().detach(), np.float64)
        assert (np.rint(got / step) == np.rint(expected / step)).all()
        np.testing.assert_allclose(got / step, np.rint(got / step), atol=0.02)
    assert len(np.unique(expected)) > 4


@pytest.mark.parametrize("name", [name for name in SPECS if name != "signs in"])  # no grid that data are rounded to
def test_brevitas_and_the_lowered_net_have_the_same_integers(name: str, rng: np.random.Generator, tmp_path: Path):
    spec = SPECS[name]
    exported(spec, rng, tmp_path)
    got, expected = integers(spec, tmp_path, rows(spec, rng, 500))
    assert (got == expected).all() and len(np.unique(got)) > 4


def test_learned_steps_have_few_bits_so_that_their_products_are_exact(rng: np.random.Generator):
    model = drawn(SPECS["real, one axis"], rng)
    layer = model.modules_of(model.plan[-1]).dense
    product = layer.bias_quant.tensor_quant.scaling_impl
    first, second = (np.asarray(p().detach(), np.float64).reshape(-1) for p in (product.first, product.second))
    for steps in (first, second):
        mantissas = np.frexp(steps)[0] * 2**12
        assert (mantissas == np.rint(mantissas)).all()
    assert len(set(second)) == 3
    assert (np.asarray(layer.bias_quant.scale().detach(), np.float64) == first * second).all()


def test_the_first_step_of_a_separable_convolution_is_a_power_of_two(rng: np.random.Generator):
    model = drawn(SPECS["real, separable"], rng)
    step = float(model.modules_of(model.plan[0]).depthwise.quant_weight().scale.detach())
    assert np.frexp(step)[0] == 0.5


def test_branches_that_meet_share_one_step(rng: np.random.Generator):
    model = drawn(SPECS["real"], rng)
    step = {
        node.name: float(model.modules_of(node).quant.act_quant.scale().detach())
        for node in model.plan
        if node.activation != "none"
    }
    assert step["stem"] == step["branch"] != step["block"]


def test_ternary_weights_are_minus_one_zero_and_one_step(rng: np.random.Generator):
    model = drawn(SPECS["real"], rng)
    for name in ("stem", "logits"):
        part = next(iter(model.modules_of(next(n for n in model.plan if n.name == name)).children()))
        weight = part.quant_weight()
        assert set(np.unique(np.rint((weight.value / weight.scale).detach().numpy()))) == {-1.0, 0.0, 1.0}


AVERAGED = [
    {"kind": "conv", "filters": 3, "kernel": [3, 3], "name": "a"},
    {"kind": "globalavgpool", "name": "mean"},
    DENSE,
]


@pytest.mark.parametrize(
    ("layers", "rest", "message"),
    [
        (AVERAGED, REAL, r"logits reads mean, whose channels have no common step; give mean an activation"),
        (
            [{"kind": "conv", "filters": 3, "kernel": [3, 3], "activation": "none", "name": "a"}, *AVERAGED[1:]],
            {"weight_scales": "channel"},
            r"logits reads mean, whose channels have no common step",
        ),
        (
            [RESIDUAL[0], {**RESIDUAL[1], "activation": "none"}, *RESIDUAL[2:]],
            REAL,
            r"add block reads branch, whose channels have no common step; give branch activation = 'linear'",
        ),
        (
            [RESIDUAL[0], {**RESIDUAL[1], "activation": "tanh"}, *RESIDUAL[2:]],
            REAL,
            r"add block joins steps that fit no common one \(stem, branch\); let each end in relu or linear",
        ),
        ([{"kind": "flatten"}, DENSE | {"name": "a", "activation_bits": 1}, DENSE], REAL, r"layer a: .*; use 2 bits"),
    ],
)
def test_learned_steps_that_no_exact_net_has(layers: list[dict], rest: dict, message: str):
    with pytest.raises(InputError, match=message):
        build_brevitas(net(layers, (6, 6, 2), **rest))
    build_brevitas(net(layers, (6, 6, 2)))  # as fixed grids they fit
