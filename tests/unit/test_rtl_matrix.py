"""The matrix-vector heads against ``execute``, under stalls; their mapping."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from rtl_bench import DEVICES, Stage, map_part, run_netlist, run_stages, stream
from rtl_matrix import Case, case, dense_net, inputs, random_weight

from bitsmith.hls.backends.rtl.folded.codebook import gathering, gathering_parts, pays, suits
from bitsmith.hls.backends.rtl.folded.form import weights_of
from bitsmith.hls.backends.rtl.folded.matrix import cycles, legal_folding, mvu_head
from bitsmith.hls.backends.rtl.folded.multiply import packing
from bitsmith.models.ir import NetBuilder, QuantType, execute, find_codebook, find_n_of_m, intervals

MULTS = ("lut", "dsp", "packed")


def check(folder: Path, cases: list[Case]) -> None:
    """All cases side by side; every one must have the same number of output beats."""
    results = run_stages(folder, [c.stage for c in cases], cases[0].expected.shape[1])
    for number, c in enumerate(cases):
        for result in results:
            assert (result.outputs[number] == c.expected).all(), f"case {number}: {c.head.params}"


def dense_case(
    rng, n_in, n_out, pe, simd, x: QuantType, w: tuple[int, bool, str], bias, positions=1, **options
) -> Case:
    net = dense_net(rng, positions, n_in, n_out, x, random_weight(rng, (n_in, n_out), *w), bias)
    return case(net, rng, pe, simd, options.pop("family", "xcup"), **options)


def widths(rng: np.random.Generator, number: int) -> tuple[QuantType, tuple[int, bool, str]]:
    """Types of input and weight: every pair of signs and widths sooner or later, and weights of few values."""
    kind = ("integer", "integer", "integer", "integer", "sign", "ternary")[number % 6]
    x = QuantType(int(rng.integers(1, 9)), bool(rng.integers(2)))
    return x, (int(rng.integers(1, 9)), bool(rng.integers(2)), kind)


@pytest.mark.parametrize(
    "seed", [0, 1, pytest.param(2, marks=pytest.mark.nightly), pytest.param(3, marks=pytest.mark.nightly)]
)
def test_dense(rng: np.random.Generator, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cases = []
    for number in range(12):  # four beats of outputs each
        x, w = widths(rng, number)
        pe, simd, sf = int(rng.choice([1, 2, 4, 6])), int(rng.choice([1, 2, 3, 5, 8])), int(rng.choice([1, 2, 3, 7]))
        positions = int(rng.choice([1, 2, 4]))
        options = {"mult": MULTS[(number + seed) % 3], "rom": str(rng.choice(["block", "logic"]))}
        bias = bool(rng.integers(2))
        cases.append(dense_case(rng, simd * sf, pe * 4 // positions, pe, simd, x, w, bias, positions, **options))
    check(tmp_path, cases)


def test_one_word_of_weights_and_one_step(rng: np.random.Generator, tmp_path: Path) -> None:
    x, w = QuantType(4, False), (4, True, "integer")
    cases = [dense_case(rng, 3, 2, 2, 3, x, w, bias, 4, mult=mult) for bias in (False, True) for mult in MULTS]
    assert {c.head.params["NF"] * c.head.params["SF"] for c in cases} == {1}
    check(tmp_path, cases)


def conv_case(rng, shape, kernel, n_out, groups, pe, simd, x: QuantType, w, bias, **options) -> Case:
    b = NetBuilder("t")
    v = b.input("x", shape, x)
    weight = random_weight(rng, (*kernel, shape[-1] // groups, n_out), *w)
    values = rng.integers(-20, 20, n_out) if bias else None
    return case(b.build(b.conv("y", v, weight, values, groups=groups)), rng, pe, simd, "xcup", **options)


def test_conv_in_groups(rng: np.random.Generator, tmp_path: Path) -> None:
    cases = []
    for number, (groups, pe, mult) in enumerate(itertools.product((1, 2), (1, 2), MULTS)):
        x, w = widths(rng, number)
        beats_per_place = 4
        n_out = beats_per_place * pe  # of all groups
        simd = int(rng.choice([1, 2]))
        cases.append(conv_case(rng, (3, 4, 2 * groups), (2, 3), n_out, groups, pe, simd, x, w, number % 2, mult=mult))
    check(tmp_path, cases)


def test_conv_1d_per_channel_with_two_outputs(rng: np.random.Generator, tmp_path: Path) -> None:
    """Groups = channels with several outputs each go through the matrix-vector unit."""
    x, w = QuantType(5, True), (3, True, "integer")
    check(tmp_path, [conv_case(rng, (6, 3), (3,), 6, 3, pe, 1, x, w, True) for pe in (1,)])


@pytest.mark.parametrize(
    "seed", [0, pytest.param(1, marks=pytest.mark.nightly), pytest.param(2, marks=pytest.mark.nightly)]
)
def test_depthwise(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cases = []
    for number in range(8):
        x, w = widths(rng, number)
        lanes, kernel = int(rng.choice([1, 2, 3])), [(3, 2), (1, 1), (2, 2)][number % 3]
        shape = (kernel[0] + 1, kernel[1] + 2, 2 * lanes)  # 2 x 3 places, 2 folds
        rom = ("block", "logic")[number % 2]
        bias, mult = bool(rng.integers(2)), MULTS[number % 3]
        cases.append(conv_case(rng, shape, kernel, 2 * lanes, 2 * lanes, lanes, 1, x, w, bias, mult=mult, rom=rom))
    check(tmp_path, cases)


def sparse_weight(rng: np.random.Generator, n_in: int, n_out: int, n: int, m: int) -> np.ndarray:
    weight = rng.integers(-128, 128, (n_in // m, m, n_out))
    order = rng.random(weight.shape).argsort(axis=1)
    return (weight * (order < n)).reshape(n_in, n_out)


def test_codebooks_and_sparse_weights(rng: np.random.Generator, tmp_path: Path) -> None:
    """The structure is made use of, in one form or the other, and changes no integer."""
    cases = []
    x = QuantType(8, False)
    for number in range(6):
        weight = rng.choice([-113, -20, 5, 99][: 2 + number % 3], (24, 16))
        net = dense_net(rng, 1, 24, 16, x, weight, number % 2 == 0, find_codebook(weight))
        mult = ("lut", "dsp")[number % 2]
        cases.append(case(net, rng, 4, (2, 8, 4)[number % 3], "ecp5", mult=mult, rom="logic", structured=True))
        assert cases[-1].head.params["INDEX"] == (1, 2, 2)[number % 3]
    for n, m, simd, mult in ((2, 4, 8, "lut"), (1, 4, 4, "dsp"), (3, 8, 8, "lut"), (1, 2, 4, "lut")):
        weight = sparse_weight(rng, 24, 16, n, m)
        net = dense_net(rng, 1, 24, 16, x, weight, True, find_n_of_m(weight, m))
        cases.append(case(net, rng, 4, simd, "ecp5", mult=mult, structured=True))
        assert (cases[-1].head.params["N"], cases[-1].head.params["M"]) == (n, m)
    check(tmp_path, cases)


def test_accumulate_then_multiply(rng: np.random.Generator, tmp_path: Path) -> None:
    """Masks and weighing behind them: the plain layer's integers; cheaper where products are."""
    stages, expected = [], []
    for number, (values, simd, pe) in enumerate(
        [([-113, 0, 5, 99], 2, 2), ([-3, 7], 1, 1), ([0, 6], 8, 2), ([-120, -7, 3, 9, 101], 1, 4)]
    ):
        weight = rng.choice(values, (16, 4 * pe))
        weight[: len(values), 0] = values
        x = QuantType(5 + number, number % 2 == 0)
        net = dense_net(rng, 1, 16, 4 * pe, x, weight, number != 1, find_codebook(weight))
        found = gathering(net.output, intervals(net)["x"])
        assert found is not None and suits(net.output, found, simd)
        head, pipe = gathering_parts(net.output, net.input, found, pe, simd, "ecp5")
        v = inputs(rng, net, 5)
        stages.append(Stage(head, [[pipe]], [stream(v.reshape(5, -1, simd), x)], [net.output.type.signed]))
        expected.append(execute(net, v).reshape(5, 4, pe))
    results = run_stages(tmp_path, stages, 4)
    for number, y in enumerate(expected):
        assert all((r.outputs[number] == y).all() for r in results), number


def test_accumulate_then_multiply_pays_where_products_are_dear(rng: np.random.Generator) -> None:
    weight = rng.choice([-113, 0, 99], (64, 16))
    net = dense_net(rng, 1, 64, 16, QuantType(8, False), weight, True, find_codebook(weight))
    found = gathering(net.output, intervals(net)["x"])
    assert found is not None and found.codewords == 2
    assert pays(net.output, net.input, found, 2, 4, "ice40")
    assert not pays(net.output, net.input, found, 2, 1, "xcup")
    assert not suits(net.output, found, 64)


def test_cycles_and_steps(rng: np.random.Generator, tmp_path: Path) -> None:
    """Frames follow each other as fast as the steps allow, and every folding's steps agree with ``cycles``."""
    net = dense_net(rng, 3, 12, 8, QuantType(4, True), random_weight(rng, (12, 8), 4, True, "integer"), True)
    op, x = net.output, net.input
    for pe, simd in legal_folding(op, x):
        steps = mvu_head(op, x, pe, simd, "ecp5").steps
        assert steps.count == cycles(op, pe, simd) == 3 * (12 // simd) * (8 // pe)
        assert len(steps.needs[0]) == 3 * 12 // simd and len(steps.issues) == 3 * 8 // pe
        assert steps.issues[-1] == steps.count - 1
    assert len(legal_folding(op, x)) == 6 * 4
    c = case(net, rng, 2, 3, "ecp5", frames=6)
    result = run_stages(tmp_path, [c.stage], 12)[0]
    steps, head = c.head.steps, c.head
    assert result.done == [
        result.first_taken + f * steps.count + int(steps.issues[-1]) + head.latency + 1 for f in range(6)
    ]


def test_packing_is_exact_at_the_ends() -> None:
    """Products of extreme values in packed form, for every width and multiplier, by plain integers."""
    found = 0
    for family, bits, signed, wb, simd in itertools.product(
        ("ecp5", "ice40", "xc7", "xcup"), range(1, 9), (False, True), range(2, 9), (1, 2, 5, 8)
    ):
        x = QuantType(bits, signed)
        p = packing(x, wb, simd, family)
        if p is None:
            continue
        found += 1
        w = QuantType(wb, True)
        n = min(simd, 2**p.levels)
        for a, low, high in itertools.product((x.min, x.max), (w.min, w.max), (w.min, w.max)):
            upper = high - (low < 0)
            assert -(2 ** (p.upper_bits - 1)) <= upper < 2 ** (p.upper_bits - 1)
            total = n * a * ((upper << p.shift) + (low % 2**p.shift))
            lower = (total % 2**p.shift + 2 ** (p.shift - 1)) % 2**p.shift - 2 ** (p.shift - 1)
            assert lower == n * a * low
            assert (total >> p.shift) + (lower < 0) == n * a * high
    assert found > 500


@pytest.mark.parametrize(
    ("x", "wb", "family", "simd", "levels"),
    [
        (QuantType(4, False), 4, "ecp5", 16, 4),
        (QuantType(8, False), 8, "ecp5", 4, None),
        (QuantType(8, False), 8, "xcup", 4, 2),
        (QuantType(4, True), 4, "ice40", 16, 3),
    ],
)
def test_packing_levels(x: QuantType, wb: int, family: str, simd: int, levels: int | None) -> None:
    p = packing(x, wb, simd, family)
    assert (p.levels if p else None) == levels


def test_weights_of_few_values(rng: np.random.Generator) -> None:
    def kind(values):
        net = dense_net(rng, 1, 2, 2, QuantType(2, True), np.array(values).reshape(2, 2), False)
        w = weights_of(net.output)
        return w.kind, w.bits, w.signed

    assert kind([1, -1, -1, 1]) == ("sign", 1, False)
    assert kind([1, 0, -1, 1]) == ("ternary", 2, True)
    assert kind([1, 0, 0, 1]) == ("integer", 1, False)
    assert kind([-2, 0, 0, 1]) == ("integer", 2, True)
    assert kind([0, 0, 0, 0]) == ("integer", 1, False)


def netlist_cases(family: str) -> list[Case]:
    """A few of everything, of four output beats each."""
    rng = np.random.default_rng(7)
    x, w = QuantType(4, False), (4, True, "integer")
    cases = [
        dense_case(rng, 16, 8, 2, 4, x, w, True, mult="lut", rom="block", family=family),
        dense_case(rng, 16, 8, 2, 4, x, w, True, mult="packed", rom="block", family=family),
        dense_case(
            rng, 6, 8, 2, 2, QuantType(8, True), (8, True, "integer"), True, mult="dsp", rom="logic", family=family
        ),
        dense_case(
            rng, 12, 4, 1, 6, QuantType(3, True), (1, True, "sign"), False, mult="lut", rom="logic", family=family
        ),
        dense_case(rng, 12, 4, 1, 6, QuantType(1, False), (2, True, "ternary"), True, mult="lut", family=family),
    ]
    few = rng.choice([-113, -20, 5, 99], (16, 8))
    net = dense_net(rng, 1, 16, 8, QuantType(8, False), few, True, find_codebook(few))
    cases.append(case(net, rng, 2, 4, family, mult="lut", rom="logic", structured=True))
    sparse = sparse_weight(rng, 16, 8, 2, 4)
    net = dense_net(rng, 1, 16, 8, x, sparse, True, find_n_of_m(sparse, 4))
    cases.append(case(net, rng, 2, 8, family, mult="lut", structured=True))
    b = NetBuilder("t")
    net = b.build(b.conv("y", b.input("x", (4, 4), x), rng.integers(-8, 8, (3, 1, 4)), groups=4))
    cases.append(case(net, rng, 2, 1, family, mult="dsp"))
    return cases


@pytest.mark.nightly
@pytest.mark.parametrize("name", list(DEVICES))
def test_mapped_netlists(tmp_path: Path, name: str) -> None:
    """What yosys makes of the units, simulated on the family's cells."""
    cases = netlist_cases(DEVICES[name][0])
    for outputs in run_netlist(tmp_path, [c.stage for c in cases], 4, name):
        for number, c in enumerate(cases):
            assert (outputs[number] == c.expected[: len(outputs[number])]).all(), f"case {number}: {c.head.params}"


@pytest.mark.nightly
@pytest.mark.parametrize("name", list(DEVICES))
def test_mapping_and_its_price(rng: np.random.Generator, tmp_path: Path, name: str) -> None:
    """Every way of multiplying maps without a warning, on multipliers only where it should, at the price foretold."""
    family = DEVICES[name][0]
    for mult, rom in itertools.product(MULTS, ("block", "logic")):
        weight = random_weight(rng, (32, 8), 5, True, "integer")
        net = dense_net(rng, 1, 32, 8, QuantType(5, False), weight, True)
        head = mvu_head(net.output, net.input, 2, 4, family, mult, rom)
        used = map_part(tmp_path / f"{mult}_{rom}", head, 20, name, inputs=1).used
        if mult == "lut" or name == "hx8k":
            assert used.dsp == 0
        else:
            assert used.dsp == head.cost.dsp > 0
        if mult == "lut" or name != "hx8k":
            assert abs(head.cost.lut / used.lut - 1) < 0.3, f"{mult} {rom}: {head.cost.lut:.0f} of {used.lut}"
        assert abs(head.cost.bram - used.bram) <= 1


@pytest.mark.nightly
@pytest.mark.parametrize(("a_signed", "w_signed"), itertools.product((False, True), repeat=2))
def test_products_of_all_widths(tmp_path: Path, a_signed: bool, w_signed: bool) -> None:
    """1 to 8 bits on both sides, extreme values first."""
    rng = np.random.default_rng(3)
    cases = []
    for a_bits, w_bits in itertools.product(range(1, 9), repeat=2):
        w = (w_bits, w_signed, "integer")
        cases.append(dense_case(rng, 2, 4, 1, 1, QuantType(a_bits, a_signed), w, False, mult="lut", rom="logic"))
    check(tmp_path, cases)
