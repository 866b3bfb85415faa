"""Accelerator boards: their files, layers, memories and cycles, counted by hand."""

from __future__ import annotations

import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from accelerator_nets import check, conv_net, dense_net, problems, use

from bitsmith.hls.accelerators import accelerator_names, load_accelerator, read_accelerator
from bitsmith.hls.accelerators.schema import UNVERIFIED, Tile
from bitsmith.hls.estimate.accelerators import estimate_accelerator
from bitsmith.hls.estimate.accelerators.cycles import peak_macs_per_cycle, tile_cycles
from bitsmith.hls.estimate.accelerators.layers import layers_of, peak_tensors
from bitsmith.hls.estimate.accelerators.memory import memory_use, streamed_bytes, weight_bytes
from bitsmith.hls.results import ZERO, Figure
from bitsmith.models.ir import InputError, NetBuilder, QuantType

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "conformance"))
from nets import NETS

BOARDS = accelerator_names()
EXPECTED = {
    *("max78000", "max78002", "coral-edgetpu", "k210", "gap8", "gap9"),
    *("ethos-u55-128", "kv260-dpu", "cortex-m4", "cortex-m7"),
}


# The files


def test_the_boards_of_the_issue_are_there():
    assert set(BOARDS) == EXPECTED


@pytest.mark.parametrize("name", BOARDS)
def test_ranges_from_nobodys_document_are_wide(name):
    board = load_accelerator(name)
    for key in board.numbers():
        section, _, field = key.partition(".")
        value = getattr(getattr(board, section), field) if field else getattr(board, section)
        text = board.source(key)
        assert text
        if isinstance(value, Figure) and text.startswith(UNVERIFIED):
            assert value.high >= 1.9 * value.low, f"{key}: {text}"


def test_unknown_names_offer_the_nearest():
    with pytest.raises(InputError, match="no accelerator board 'max7800'; did you mean max7800"):
        load_accelerator("max7800")


def test_every_error_of_a_file_is_named_at_once():
    text = resources.files("bitsmith.hls.accelerators").joinpath("max78000.toml").read_text()
    wrong = text.replace("processors = 64", "processors = 0\nprocesors = 1").replace("pad = 2\n", 'pad = "two"\n')
    with pytest.raises(InputError) as caught:
        read_accelerator(wrong, "mine")
    message = str(caught.value)
    assert "the accelerator mine is described wrongly" in message
    for part in ("rates.max7800x.processors", "rates.max7800x.procesors: unknown key", "limits.pad"):
        assert part in message, part


def test_a_number_without_a_source_is_refused():
    text = resources.files("bitsmith.hls.accelerators").joinpath("max78000.toml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith('"power.sleep_mw" =')]
    with pytest.raises(InputError, match=r"no source for power\.sleep_mw"):
        read_accelerator("\n".join(lines), "mine")
    with pytest.raises(InputError, match=r"a source for no number: power\.watts"):
        read_accelerator(f'{text}"power.watts" = "a dream"\n', "mine")
    with pytest.raises(InputError, match="ascends from low over value to high"):
        read_accelerator(text.replace("[15.0, 40.0, 80.0]", "[15.0, 10.0, 80.0]"), "mine")
    with pytest.raises(InputError, match="cannot be read as TOML"):
        read_accelerator("title =", "mine")


# Layers and memory


def test_layers_take_the_quantizer_with_them():
    layers = layers_of(conv_net())
    assert [(layer.name, layer.kind, layer.output.name) for layer in layers] == [
        ("conv", "conv", "relu"),
        ("pool", "pool", "pool"),
        ("fc", "dense", "fc"),
    ]
    conv, _, fc = layers
    assert (conv.weights, conv.weight_bits, conv.macs, conv.biases) == (9 * 64 * 8, 2, 100 * 9 * 64 * 8, 0)
    # the dense layer reads the 5 x 5 x 8 map that was flattened, place by place
    assert (fc.inputs[0].shape, fc.flattened_places, fc.biases) == ((5, 5, 8), 25, 4)


def test_a_flattened_input_is_loaded_as_channels():
    """8 x 8 pixels as 64 channels of one place: all 64 processors work, not one."""
    b = NetBuilder("digits")
    x = b.reshape("flat", b.input("x", (8, 8), QuantType(5, False, 1.0)), (64,))
    net = b.build(b.dense("fc", x, np.full((64, 9), -128)))
    (layer,) = layers_of(net)
    assert (layer.inputs[0].name, layer.inputs[0].shape, layer.flattened_places) == ("x", (64,), 1)
    assert use(estimate_accelerator(net, load_accelerator("max78000")), "weights") == 9 * 64


def test_a_quantizer_with_two_users_before_it_is_a_layer_of_its_own():
    b = NetBuilder("branch")
    x = b.input("x", (4, 4, 2), QuantType(8, True, 1.0))
    y = b.conv("conv", x, np.ones((1, 1, 2, 2), int))
    a = b.requant("a", y, 1.0, -128, 127, 1)
    c = b.requant("c", y, 1.0, -128, 127, 1)
    net = b.build(b.add("sum", [a, c], 1.0))
    assert [(layer.name, layer.kind) for layer in layers_of(net)] == [
        ("conv", "pointwise"),
        ("a", "activation"),
        ("c", "activation"),
        ("sum", "add"),
    ]


def test_a_branch_stays_in_memory_until_it_is_read():
    b = NetBuilder("residual")
    x = b.input("x", (4, 4, 2), QuantType(8, True, 1.0))
    first = b.requant("q1", b.conv("c1", x, np.ones((1, 1, 2, 2), int)), 1.0, -128, 127, 1)
    second = b.requant("q2", b.conv("c2", first, np.ones((1, 1, 2, 2), int)), 1.0, -128, 127, 1)
    net = b.build(b.add("sum", [first, second], 1.0))
    alive = {name: {t.name for t in tensors} for name, tensors in peak_tensors(net, layers_of(net))}
    assert alive == {"c1": {"x", "q1"}, "c2": {"q1", "q2"}, "sum": {"q1", "q2", "sum"}}


@pytest.mark.parametrize(("bits", "stored"), [(1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (8, 8)])
def test_max78000_stores_1_2_4_or_8_bits(bits, stored):
    weight = np.full((64, 64), -1) if bits == 1 else np.full((64, 64), -(2 ** (bits - 1)))
    b = NetBuilder("net")
    net = b.build(b.dense("fc", b.input("x", (64,), QuantType(8, True, 1.0)), weight))
    (layer,) = layers_of(net)
    assert layer.weight_bits == bits
    assert weight_bytes(layer, load_accelerator("max78000")) == 64 * 64 * stored // 8
    assert weight_bytes(layer, load_accelerator("cortex-m4")) == 64 * 64


def test_unsigned_weights_need_a_sign():
    b = NetBuilder("net")
    net = b.build(b.dense("fc", b.input("x", (4,), QuantType(8, True, 1.0)), np.full((4, 4), 255)))
    (layer,) = layers_of(net)
    assert layer.weight_bits == 9
    assert "fc: weights of 9 bits, the device stores 8 at most; train with fewer bits" in problems(net, "max78000")


def test_max78000_memories_by_hand():
    cost = estimate_accelerator(conv_net(bits=2), load_accelerator("max78000"))
    # conv: 64 channels, 8 kernels of 9 weights at 2 bits each = 18 bytes = 2 places of 9 bytes in all 64 processors.
    # fc: 25 x 8 x 4 ones; a 1 takes 2 bits signed, so 200 bytes over 8 processors, 25 bytes = 3 places.
    # It begins where the load is least, but all processors hold 2 already: 5 places at the fullest.
    assert use(cost, "weights") == 5 * 9 * 64
    (weights,) = (u for u in cost.memory if u.name == "weights")
    assert (weights.used.low, weights.used.high) == (1152 + 200, 5 * 9 * 64)
    assert use(cost, "biases") == 4  # of fc, a byte each
    # the input of 10 x 10 x 64 and the result of 10 x 10 x 8 lie in memory together
    assert use(cost, "activations") == 6400 + 800


def test_narrow_layers_share_the_processors():
    """Two layers of 4 channels lie in different processors, so they cost no more than one."""
    b = NetBuilder("net")
    x = b.input("x", (4, 4, 4), QuantType(8, True, 1.0))
    y = b.requant("q", b.conv("a", x, np.full((3, 3, 4, 4), -128)), 1.0, -128, 127, 16)
    net = b.build(b.conv("b", y, np.full((1, 1, 4, 36), -128)))
    board = load_accelerator("max78000")
    weights = memory_use(net, layers_of(net), board)[0]
    # a: 4 kernels of 9 bytes in each of 4 processors = 4 places; b: 36 bytes in each of 4 = 4 places
    assert weights.used == Figure(4 * 9 * 64, 4 * 36 + 4 * 36, 8 * 9 * 64)


def test_edge_tpu_streams_what_its_memory_does_not_hold():
    board = load_accelerator("coral-edgetpu")
    net = dense_net(3000, 2000, 2000)  # 6 MB and 4 MB of 8 MiB
    streamed = streamed_bytes(layers_of(net), board)
    assert streamed == {"fc0": 0, "fc1": 10_000_000 - 8 * 2**20}
    cost = estimate_accelerator(net, board)
    assert cost.fits
    assert cost.layers[2].detail.endswith("bound by streaming weights")


# Cycles


def test_max78000_cycles_by_hand():
    """The vendor's formula (ai8x-synthesis, izer/stats.py) with its numbers put in by hand."""
    cost = estimate_accelerator(conv_net(), load_accelerator("max78000"))
    rows = {row.op: row.latency_cycles.value for row in cost.layers}
    # one pass; reading 10 x 10; padding 2 x 2 x (1 x (2 + 10) + 1 x 10) = 88; 100 outputs of 8 channels + 2
    assert rows["conv"] == 100 + 88 + 100 * 10
    # before a dense layer, in flight: every window of 2 x 2 at 5 x 5 places is read
    assert rows["pool"] == 100
    # 25 places one after another, each: one read and 4 outputs + 2
    assert rows["fc"] == 25 * 1 + 25 * (4 + 2)
    assert rows["(call)"] == 10.0 * 50 + 4  # 10 us at 50 MHz, four cycles


def test_a_second_pass_over_the_channels_doubles_the_products():
    """128 input channels take two passes: no layer does more than 9 products per processor and cycle."""
    board = load_accelerator("max78000")
    cost = estimate_accelerator(conv_net(channels=128, outputs=128), board)
    row = next(r for r in cost.layers if r.op == "conv")
    assert row.latency_cycles.value == 2 * (100 + 88 + 100 * (128 + 2))
    assert row.macs / row.latency_cycles.value < peak_macs_per_cycle(board) == 576


@pytest.mark.parametrize(
    ("tile", "bits", "cycles"),
    [
        (Tile(), 8, 100 * 9 * 64 * 8),  # one product at a time
        (Tile(pixels=8, inputs=16, outputs=16), 8, 13 * 4 * 1 * 9),  # 100 places in 13 groups of 8, 8 outputs in one
        (Tile(pixels=9, inputs=16, taps=9, serial=True), 8, 12 * 4 * 8 * 8),  # NE16: times eight bits
        (Tile(pixels=9, inputs=16, taps=9, serial=True), 2, 12 * 4 * 8 * 2),  # and a quarter with two
        (Tile(pixels=2, inputs=8, outputs=8, taps=4, cycles=4), 8, 50 * 8 * 1 * 3 * 4),  # Ethos: 9 taps in 3 steps
    ],
)
def test_tiles_round_up(tile, bits, cycles):
    layer = layers_of(conv_net())[0]
    assert tile_cycles(layer, tile, bits) == cycles


def test_depthwise_tiles_sum_over_no_channels():
    b = NetBuilder("net")
    x = b.input("x", (10, 10, 64), QuantType(8, True, 1.0))
    net = b.build(b.conv("dw", x, np.ones((3, 3, 1, 64), int), pads=((1, 1), (1, 1)), groups=64))
    (layer,) = layers_of(net)
    assert (layer.kind, layer.macs) == ("depthwise", 100 * 9 * 64)
    assert tile_cycles(layer, Tile(pixels=4, outputs=16), 8) == 25 * 4 * 9


def test_a_processor_multiplies_one_by_one():
    board = load_accelerator("cortex-m7").model_copy(update={"calibration": None})
    cost = estimate_accelerator(dense_net(100, 10), board)
    rates = board.rates
    # 1,000 products at 1.5 cycles, 10 results at 12.5, 1,000 for the layer; a call of 20 us at 280 MHz
    assert cost.layers[1].latency_cycles.value == 1000 * 1.5 + 10 * 12.5 + 1000
    assert cost.latency_cycles.value == 2625 + 20 * 280
    assert rates.model == "processor" and cost.utilisation == ZERO


def test_fewer_bits_are_faster_on_gap9_only():
    eight, two = (estimate_accelerator(conv_net(bits=n), load_accelerator("gap9")) for n in (8, 2))
    assert two.latency_cycles.value < eight.latency_cycles.value
    eight, two = (estimate_accelerator(conv_net(bits=n), load_accelerator("kv260-dpu")) for n in (8, 2))
    assert two.latency_cycles == eight.latency_cycles


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("build", [conv_net, lambda: dense_net(64, 32, 10)], ids=["conv", "dense"])
def test_every_board_prices_every_net(name, build):
    check(estimate_accelerator(build(), load_accelerator(name)))


@pytest.mark.parametrize("net", NETS)
def test_every_op_is_priced_on_every_board(net):
    built = NETS[net]()
    for name in BOARDS:
        check(estimate_accelerator(built, load_accelerator(name)))
