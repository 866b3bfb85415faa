"""Why a net does not run on an accelerator, and whose integers it computes."""

from __future__ import annotations

import numpy as np
import pytest
from accelerator_nets import conv_net, dense_net, problems, use

from bitsmith.hls.accelerators import load_accelerator
from bitsmith.hls.estimate.accelerators import estimate_accelerator
from bitsmith.models.ir import NetBuilder, QuantType, Rounding

# What does not run


def test_max78000_limits():
    assert problems(conv_net(), "max78000") == []
    assert problems(conv_net(kernel=5), "max78000") == [
        "conv: a kernel of 5x5, the device has 1x1 and 3x3; use 1x1 and 3x3"
    ]
    assert problems(conv_net(stride=2), "max78000") == [
        "conv: strides (2, 2), the device has only stride 1; pool before the convolution instead"
    ]
    assert problems(conv_net(outputs=64), "max78000") == [
        "fc: 1600 input values, the device takes 1024; use fewer channels"
    ]
    assert problems(dense_net(1025, 4), "max78000") == [
        "fc0: 1025 input values, the device takes 1024; use fewer channels"
    ]


def test_depthwise_layers_run_on_max78002_but_not_on_max78000():
    b = NetBuilder("net")
    x = b.input("x", (10, 10, 8), QuantType(8, True, 1.0))
    net = b.build(b.conv("dw", x, np.full((3, 3, 1, 8), -1), pads=((1, 1), (1, 1)), groups=8))
    assert problems(net, "max78000") == [
        "dw: a convolution in 8 groups, the device has no groups; use a full convolution"
    ]
    assert problems(net, "max78002") == []


def test_too_many_weights_say_how_much_smaller():
    cost = estimate_accelerator(dense_net(1024, 1024), load_accelerator("max78000"))
    # 1,024 x 1,024 bytes over 64 processors: 16,384 bytes = 1,821 places of 9 in each, of 768
    assert use(cost, "weights") == 1821 * 9 * 64
    assert not cost.fits and cost.binding == "weights" and cost.headroom == 768 / 1821
    assert [str(p) for p in cost.problems] == [
        "mlp: weights take 1,048,896 of 442,368 bytes; make the net 2.37 times smaller, or use fewer bits"
    ]
    assert estimate_accelerator(dense_net(1024, 1024, bits=2), load_accelerator("max78000")).fits


def test_layers_are_counted_without_pools_and_sums_in_flight():
    assert problems(dense_net(*[8] * 33), "max78000") == []
    assert problems(dense_net(*[8] * 34), "max78000") == [
        "mlp: 33 layers, Analog Devices MAX78000 (EV kit, FTHR) runs 32; leave layers out or join them"
    ]


def test_wide_values_between_layers_have_to_be_quantized():
    b = NetBuilder("net")
    y = b.dense("a", b.input("x", (16,), QuantType(8, True, 1.0)), np.full((16, 16), 100))
    net = b.build(b.dense("b", y, np.ones((16, 4), int)))
    assert problems(net, "coral-edgetpu") == ["b: it reads values of 19 bits, the device stores 8; quantize a"]


def test_tables_and_uneven_steps():
    b = NetBuilder("net")
    x = b.requant("q", b.dense("fc", b.input("x", (4,), QuantType(4, True, 1.0)), np.eye(4, dtype=int)), 1.0, -8, 7, 0)
    net = b.build(b.lut("tanh", x, 1.0, np.arange(16) // 2, -8))
    assert problems(net, "max78000") == ["fc: tanh is a table, the device has none; use ReLU or a linear quantizer"]
    assert problems(net, "ethos-u55-128") == []
    b = NetBuilder("net")
    x = b.dense("fc", b.input("x", (4,), QuantType(8, True, 1.0)), np.eye(4, dtype=int))
    uneven = b.build(b.thresholds("act", x, 1.0, [[-3, 0, 50]]))
    assert problems(uneven, "max78000") == [
        "fc: act has unevenly spaced steps, which the device's scale and shift cannot follow; use a linear quantizer"
    ]
    b = NetBuilder("net")
    x = b.dense("fc", b.input("x", (4,), QuantType(8, True, 1.0)), np.eye(4, dtype=int))
    assert problems(b.build(b.thresholds("act", x, 1.0, [[-10, 0, 10]])), "max78000") == []


def test_what_the_engine_refuses_runs_on_the_cores_beside_it():
    cost = estimate_accelerator(conv_net(kernel=5), load_accelerator("gap9"))
    assert cost.fits
    assert next(r for r in cost.layers if r.op == "conv").detail == "by the processor"


# The same integers?


def test_shifts_that_round_half_up_are_the_integers_of_max78000():
    net = dense_net(8, 8)
    cost = estimate_accelerator(net, load_accelerator("max78000"))
    assert cost.exact_integers, cost.exactness
    assert not estimate_accelerator(net, load_accelerator("cortex-m4")).exact_integers


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rounding": Rounding.HALF_EVEN}, "q rounds half_even, the device half up"),
        ({"mult": 3}, "q multiplies or adds, the device only shifts"),
        ({"add": 1}, "q multiplies or adds, the device only shifts"),
        ({"hi": 7}, "q clips at 7, the device at its largest integer"),
        ({"lo": -4}, "q clips at -4, the device at 0 or its smallest integer"),
    ],
)
def test_anything_else_is_another_integer(change, reason):
    b = NetBuilder("net")
    y = b.dense("fc", b.input("x", (4,), QuantType(8, True, 1.0)), np.full((4, 4), -3))
    settings = {"lo": -128, "hi": 127, "rounding": Rounding.HALF_UP, **change}
    lo, hi = settings.pop("lo"), settings.pop("hi")
    cost = estimate_accelerator(b.build(b.requant("q", y, 1.0, lo, hi, 2, **settings)), load_accelerator("max78000"))
    assert not cost.exact_integers
    assert reason in cost.exactness


def test_unsigned_bytes_are_not_the_integers_of_a_signed_device():
    b = NetBuilder("net")
    net = b.build(b.dense("fc", b.input("x", (4,), QuantType(8, False, 1.0)), np.full((4, 4), -3)))
    cost = estimate_accelerator(net, load_accelerator("max78000"))
    assert "x has unsigned values of 8 bits, the device has signed ones" in cost.exactness


@pytest.mark.parametrize(("bias", "exact"), [(0, True), (128 * 127, True), (1, False), (128 * 128, False)])
def test_a_bias_of_max78000_counts_128_steps(bias, exact):
    b = NetBuilder("net")
    x = b.input("x", (4,), QuantType(8, True, 1.0))
    cost = estimate_accelerator(
        b.build(b.dense("fc", x, np.full((4, 4), -3), [bias] * 4)), load_accelerator("max78000")
    )
    assert cost.exact_integers == exact, cost.exactness


def test_sums_that_the_device_would_round():
    """Nothing is rounded in this net; MAX78000 and NE16 return 32 bits, TensorFlow Lite always 8."""
    net = NetBuilder("net")
    x = net.input("x", (4,), QuantType(8, True, 1.0))
    built = net.build(net.dense("fc", x, np.full((4, 4), -3)))
    assert estimate_accelerator(built, load_accelerator("max78000")).exact_integers
    assert estimate_accelerator(built, load_accelerator("gap9")).exact_integers
    cost = estimate_accelerator(built, load_accelerator("cortex-m4"))
    assert (cost.exact_integers, cost.exactness) == (
        False,
        "fc returns 12 bits, the device rounds its results to 8",
    )


def test_scaled_branches_and_nets_that_do_not_run():
    b = NetBuilder("net")
    x = b.input("x", (4,), QuantType(4, True, 1.0))
    a = b.requant("a", b.dense("fa", x, np.full((4, 4), -3)), 2.0, -128, 127, 0)
    c = b.requant("c", b.dense("fc", x, np.full((4, 4), -3)), 1.0, -128, 127, 0)
    cost = estimate_accelerator(b.build(b.add("sum", [a, c], 1.0, [2, 1])), load_accelerator("max78000"))
    assert "sum scales its branches" in cost.exactness
    cost = estimate_accelerator(conv_net(kernel=5), load_accelerator("max78000"))
    assert (cost.exact_integers, cost.exactness) == (False, "the net does not run there")
