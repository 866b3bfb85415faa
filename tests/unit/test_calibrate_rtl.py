"""The designs that our RTL's prices are fitted on, the fit itself, and the errors that it claims."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitsmith.flows.calibrate import rtl
from bitsmith.flows.calibrate.designs import BOARDS, LEAST_BITS, Recipe, designed_set, random_spec, recipe_from, recipes
from bitsmith.flows.calibrate.fit import Row, fit_weights, predict
from bitsmith.flows.calibrate.nets import LayerSpec, NetSpec, net_of, spec_from
from bitsmith.flows.calibrate.rtl_measured import Design, Measured, measured, rebuilt
from bitsmith.flows.calibrate.rtl_report import calibrate, shipped_rows, write_rows
from bitsmith.flows.calibrate.synthesis import grow, rows_of
from bitsmith.hls.backends.rtl.folded.folding import Fold
from bitsmith.hls.backends.rtl.folded.plan import FoldedDesign
from bitsmith.hls.backends.rtl.unrolled.plan import plan_of
from bitsmith.hls.boards import load_family
from bitsmith.hls.estimate.calibration import calibration_from
from bitsmith.hls.estimate.conformal import Band
from bitsmith.hls.estimate.folded import price_design as price_folded
from bitsmith.hls.estimate.unrolled import price_design as price_unrolled
from bitsmith.hls.results import Figure
from bitsmith.models.ir import InputError, content_hash, execute, random_inputs

ROWS = shipped_rows()
QUICK = [row for row in ROWS if row["seconds_mapped"] < 60]  # large ones are left to the nightly run
SIX = [QUICK[k] for k in np.random.default_rng(20261129).choice(len(QUICK), 6, replace=False)]

TINY = NetSpec(5, (8,), 4, (LayerSpec("dense", 4, bits=3), LayerSpec("dense", 3, bits=3, act="none")))


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


# ---- recipes


def test_a_recipe_comes_back_from_json() -> None:
    recipe = Recipe("t", "rtl-folded", "ulx3s-85f", 25.0, TINY, {"l1": Fold(2, 4, "lut"), "x": Fold(1)})
    data = json.loads(json.dumps(recipe.as_json()))
    assert recipe_from(data) == recipe and recipe_from(data).as_json() == recipe.as_json()
    unrolled = replace(recipe, backend="rtl-unrolled", folding=None)
    assert recipe_from(json.loads(json.dumps(unrolled.as_json()))) == unrolled
    assert spec_from(data["net"]) == TINY


def test_a_recipe_reads_past_what_synthesis_found() -> None:
    row = SIX[0]
    recipe = recipe_from(dict(row))
    assert json.loads(json.dumps(recipe.as_json())) == {key: row[key] for key in recipe.as_json()}


def test_the_same_recipe_gives_the_same_network() -> None:
    text = json.dumps(Recipe("t", "rtl-unrolled", "ulx3s-85f", 25.0, TINY).as_json()["net"])
    one, two = (net_of(spec_from(json.loads(text)), "t") for _ in range(2))
    assert content_hash(one) == content_hash(two)
    assert content_hash(net_of(replace(TINY, seed=6), "t")) != content_hash(one)


@pytest.mark.parametrize("backend", ["rtl-folded", "rtl-unrolled"])
@pytest.mark.parametrize("family", BOARDS)
def test_the_row_of_designs_is_the_same_every_time(family: str, backend: str) -> None:
    first, again = (list(islice(recipes(family, backend), 2)) for _ in range(2))
    assert first == again and len({r.id for r in first}) == 2
    for recipe in first:
        assert recipe.board in BOARDS[family] and recipe.backend == backend
        assert (recipe.folding is None) == (backend == "rtl-unrolled")
        row = next((row for row in ROWS if row["id"] == recipe.id), None)
        if row is not None:  # as it was synthesised, but for the folding: the solver may have learned since
            made = json.loads(json.dumps(recipe.as_json()))
            assert {**made, "folding": row["folding"]} == {key: row[key] for key in made}


def test_the_designed_set_takes_turns() -> None:
    pairs = [("ecp5", "rtl-unrolled"), ("ice40", "rtl-unrolled")]
    found = [recipe.id for recipe in designed_set(pairs, 2)]
    assert [name.split("_")[0] for name in found] == ["ecp5", "ice40", "ecp5", "ice40"] and len(set(found)) == 4


STUCK = pytest.mark.xfail(strict=True, reason="a head with few weights reads nothing but activations that are stuck")
DRAWN = [
    pytest.param(large, seed, marks=STUCK if (large, seed) in ((False, 9), (True, 37)) else ())
    for large in (False, True)
    for seed in (*range(16), 37)
]


@pytest.mark.parametrize(("large", "seed"), DRAWN)
def test_networks_have_no_constant_outputs(large: bool, seed: int) -> None:
    spec = random_spec(np.random.default_rng([7, large, seed]), large)
    assert spec.in_bits == 8 or math.prod(spec.shape) * spec.in_bits >= LEAST_BITS
    net = net_of(replace(spec, argmax=False), f"net{seed}")
    out = execute(net, random_inputs(net, 256, 3))
    channels = out.reshape(-1, out.shape[-1])  # single places at the edge of an image may well be constant
    assert (channels != channels[:1]).any(axis=0).all()


@pytest.mark.parametrize("kind", ["dense", "conv", "depthwise", "residual"])
@pytest.mark.parametrize("act", ["relu", "scaled", "thresholds", "none"])
def test_layers_of_every_kind(kind: str, act: str) -> None:
    shape = (12,) if kind == "dense" else (5, 5, 3)
    spec = NetSpec(3, shape, 4, (LayerSpec(kind, 6, 3, bits=3, zeros=0.5, act=act, act_bits=3),))
    net = net_of(spec, "one")
    out = execute(net, random_inputs(net, 256, 3))
    assert net.output.shape[-1] == (3 if kind in ("depthwise", "residual") else 6)
    assert len(np.unique(out)) > 2
    if act != "none":
        assert (out.min(), out.max()) == (0, 7)


def test_weights_have_the_share_of_zeros_that_was_asked() -> None:
    net = net_of(NetSpec(3, (64,), 4, (LayerSpec("dense", 32, bits=4, zeros=0.75, act="none"),)), "z")
    weight = next(op.weight for op in net.ops if hasattr(op, "weight"))
    assert weight.shape == (64, 32) and abs(weight).max() <= 7
    assert abs(float((weight == 0).mean()) - 0.75) < 0.02 and (weight != 0).any(axis=0).all()
    signs = net_of(NetSpec(3, (64,), 4, (LayerSpec("dense", 32, bits=1, act="none"),)), "s")
    assert set(np.unique(next(op.weight for op in signs.ops if hasattr(op, "weight")))) == {-1, 1}


# ---- the shipped data


def test_rows_are_sorted_unique_and_whole() -> None:
    assert ids(ROWS) == sorted(set(ids(ROWS)))
    families = {(row["board"], row["backend"]) for row in ROWS}
    assert len(families) == 2 * len(BOARDS) + 1  # iCE40 folded on both of its boards, by turns
    for row in ROWS:
        assert "error" in row or (row["lut"] > 0 and row["ff"] > 0 and row["yosys"])


def cycles(design: Design) -> tuple[int, int]:
    found = design.cycles if isinstance(design, FoldedDesign) else plan_of(design)
    return found.latency_cycles, found.ii_cycles


def check_row(row: Mapping[str, Any]) -> None:
    """Its network is the one that was synthesised, its cycles are known, its figures lie in order."""
    design = rebuilt(row)  # refuses another network
    net, hw = recipe_from(dict(row)).build()
    assert content_hash(net) == row["net_sha256"]
    assert cycles(design) == (row["latency_cycles"], row["ii_cycles"])
    family = load_family(hw.board.device.family)
    priced = price_folded(design, family) if isinstance(design, FoldedDesign) else price_unrolled(design, hw, family)
    assert priced.latency_cycles == Figure.exact(row["latency_cycles"])
    assert priced.ii_cycles == Figure.exact(row["ii_cycles"])
    seen = measured(row, design)
    assert seen.truth["lut"] == row["lut"] and set(seen.part_truth) <= set(seen.parts)
    assert all(math.isfinite(amount) and amount >= 0 for amount in seen.terms.values())
    for name, amount in seen.terms.items():  # the parts are all of the design
        assert amount == pytest.approx(sum(part.get(name, 0.0) for part in seen.parts.values()), rel=1e-9), name


@pytest.mark.parametrize("row", SIX, ids=ids(SIX))
def test_shipped_designs_are_built_again(row: dict[str, Any]) -> None:
    check_row(row)


@pytest.mark.nightly
@pytest.mark.parametrize("row", ROWS, ids=ids(ROWS))
def test_all_shipped_designs_are_built_again(row: dict[str, Any]) -> None:
    check_row(row)


def test_another_network_is_refused() -> None:
    with pytest.raises(InputError, match="is not the one that was synthesised; synthesise the data anew"):
        rebuilt({**SIX[0], "net_sha256": "0" * 64})


def test_rows_are_written_the_same_every_time(tmp_path: Path) -> None:
    write_rows(SIX, tmp_path / "a.gz")
    write_rows(SIX[::-1], tmp_path / "b.gz")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


# ---- weights


def rows_by(law: dict[str, float], n: int, noise: float = 0.0) -> list[Row]:
    rng = np.random.default_rng(17)
    rows = []
    for k in range(n):
        terms = {name: float(rng.integers(0, 400)) for name in law}
        truth = sum(law[name] * amount for name, amount in terms.items())
        rows.append(Row(f"{k}", terms, truth * math.exp(rng.normal(0, noise)), 1.0))
    return rows


def test_known_weights_are_found_again() -> None:
    law = {"a": 1.0, "b": 0.5, "c": 3.0, "d": 0.0}
    found = fit_weights(rows_by(law, 600), lambda _: 0.9)
    assert all(found[name] == pytest.approx(law[name], rel=0.02, abs=0.02) for name in law), found


def test_noise_and_odd_rows_do_not_pull_far() -> None:
    law = {"a": 1.0, "b": 0.5, "c": 3.0}
    rows = rows_by(law, 600, 0.05)
    odd = [replace(row, truth=4 * row.truth) if k % 20 == 0 else row for k, row in enumerate(rows)]
    found = fit_weights(odd, lambda _: 0.9)
    # one row in twenty is four times too large: plain least squares would be off by 15 % and more
    assert all(found[name] == pytest.approx(law[name], rel=0.05) for name in law), found


def test_weights_are_not_negative() -> None:
    rows = [Row("", {"a": float(k), "b": float(k % 7)}, 2.0 * k - 1.0 * (k % 7), 1.0) for k in range(20, 200)]
    found = fit_weights(rows, lambda _: 0.9)
    assert found["b"] == 0.0 and found["a"] > 0


def test_a_term_that_tells_nothing_stays_at_its_guess() -> None:
    # always nothing: only the guess speaks.  One that never turned up is not in the fit at all.
    rows = [replace(row, terms={**row.terms, "never": 0.0}) for row in rows_by({"a": 2.0}, 50)]
    found = fit_weights(rows, lambda name: 0.7)
    assert found["never"] == pytest.approx(0.7) and "unheard" not in found
    assert predict(found, {"unheard": 10.0}, lambda name: 0.7) == 7.0
    assert predict({"a": 2.0}, {"a": 3.0, "unheard": 10.0}, lambda name: 0.7) == 13.0


def test_terms_that_always_come_together_share() -> None:
    rows = [Row("", {"a": float(k), "b": float(k)}, 3.0 * k, 1.0) for k in range(100, 200)]
    found = fit_weights(rows, lambda name: 1.0)
    assert found["a"] == found["b"] == pytest.approx(1.5, rel=0.01)


def test_guesses() -> None:
    assert (rtl.guess("ff"), rtl.guess("ff.delay"), rtl.guess("ff.block_sum")) == (1.0, 1.0, 0.5)
    assert (rtl.guess("tree.adder_bits"), rtl.guess("block.tree.adder_bits"), rtl.guess("mac")) == (0.9, 0.5, 15.0)
    assert rtl.is_ff("ff.delay_bits") and not rtl.is_lut("ff") and rtl.is_lut("mac")
    assert not any(choose(name) for choose in rtl.CHOOSE.values() for name in ("dsp", "bram"))


# ---- designs as the fit sees them


def design_of(number: int, lut: float, ff: float = 100.0, backend: str = "rtl-folded", depth: int = 1) -> Measured:
    terms = {"a": float(10 * number), "b": 50.0, "ff": 100.0, "dsp": 1.0, "bram": 2.0}
    return Measured(
        id=f"d{number:03d}", family="ecp5", backend=backend, depth=depth, terms=terms, paths={"path": 1.0}, table={},
        period_ns=10.0, parts={"one": {"a": float(10 * number)}, "two": {"b": 50.0, "ff": 100.0}, "rest": {}},
        truth={"lut": lut, "ff": ff, "dsp": 1.0, "bram": 2.0, "fmax": 100.0},
        part_truth={"one": {"lut": 0.8 * lut, "ff": 0.0}, "two": {"lut": 0.45 * lut, "ff": ff}},
    )  # fmt: skip


def test_parts_are_scaled_to_the_flattened_design() -> None:
    # kept apart they take 0.8 + 0.45 = 1.25 times what the flattened design does; "rest" was not kept apart
    rows = rtl.training_rows([design_of(3, 200.0)], "lut")
    assert [(row.terms, row.truth, row.weight) for row in rows] == [
        ({"a": 30.0, "b": 50.0}, 200.0, rtl.WHOLE),
        ({"a": 30.0}, pytest.approx(128.0), 1.0),
        ({"b": 50.0}, pytest.approx(72.0), 1.0),
    ]
    # registers of unrolled designs stand around their parts: only the whole is looked at
    assert len(rtl.training_rows([design_of(3, 200.0, backend="rtl-unrolled")], "ff")) == 1
    assert len(rtl.training_rows([design_of(3, 200.0)], "ff")) == 3


def some_designs(n: int = 25) -> list[Measured]:
    return [design_of(k, 20.0 * k + 60.0, depth=1 + k % 4) for k in range(1, n + 1)]


def test_a_design_does_not_tell_its_own_estimate() -> None:
    designs = some_designs()
    before = rtl.unseen(designs)
    assert len(before.estimates) == 25 and set(before.part) == set(range(rtl.FOLDS))
    strange = design_of(7, 1e5)
    after = rtl.unseen([strange if d.id == strange.id else d for d in designs])
    place = [d.id for d in designs].index(strange.id)
    assert after.estimates[place] == before.estimates[place]
    assert any(a != b for a, b in zip(after.estimates, before.estimates, strict=True))


def test_bounds_of_a_design_rest_on_the_other_parts() -> None:
    designs = some_designs()
    found = rtl.unseen(designs)
    truth, value, low, high = rtl.bounded(found, "lut")
    assert (low <= value).all() and (value <= high).all() and truth.tolist() == [d.truth["lut"] for d in designs]
    changed = replace(found, designs=(design_of(1, 1e5), *designs[1:]))
    again = rtl.bounded(changed, "lut")
    same_part = np.array(found.part) == found.part[0]
    assert (again[2:, same_part] == np.stack([low, high])[:, same_part]).all()  # its own bounds do not hear of it
    assert (again[3, ~same_part] > high[~same_part]).any()
    own = rtl.bounded(found, "lut", Band(0.0, 0.5, 2.0, 9))
    assert (own[2] == 0.5 * value).all() and (own[3] == 2.0 * value).all()


def test_deeper_networks_are_left_out_of_the_fit() -> None:
    designs = some_designs()
    found = rtl.deeper(designs, 2)
    assert [d.depth > 2 for d in found.designs] == [True] * len(found.designs) and len(found.designs) == 12
    shallow = rtl.fit([d for d in designs if d.depth <= 2])
    assert found.estimates == tuple(rtl.values(shallow, d) for d in found.designs)


def test_figures_of_unknown_truth_have_no_bounds() -> None:
    bare = [replace(d, truth={"lut": d.truth["lut"], "ff": 1.0}, period_ns=None) for d in some_designs(6)]
    found = rtl.unseen(bare)
    assert rtl.band_of(found, "fmax") is None and rtl.band_of(found, "lut") is not None
    assert rtl.score_of([rtl.bounded(found, "fmax")]) is None
    score = rtl.score_of([rtl.bounded(found, "lut")] * 2)
    assert score is not None and score.n == 12


def test_a_calibration_of_few_designs_is_whole(tmp_path: Path) -> None:
    few = [row for row in ROWS if (row["board"], row["backend"]) == ("ulx3s-85f", "rtl-unrolled")][:10]
    text = calibrate([*few, {"id": "broken", "error": "it failed"}], tmp_path)
    assert "10 designs; tools failed on 1 more." in text and "| ecp5, rtl-unrolled (10) |" in text
    (file,) = tmp_path.iterdir()
    data = json.loads(file.read_text())
    found = calibration_from(data)
    assert file.name == "rtl-unrolled-ecp5.json" and found.designs == 10 and found.id.startswith("rtl-unrolled-ecp5-")
    assert found.ranges["lut"] == (min(row["lut"] for row in few), max(row["lut"] for row in few))
    assert set(found.weights) >= {"lut", "ff"} and data["errors"]["lut"]["n"] == 10


def test_data_without_designs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hold no synthesised design; make some with scripts/calibrate synthesise"):
        calibrate([{"id": "broken", "error": "it failed"}], tmp_path)


# ---- synthesis


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    assert rows_of(path) == []
    path.write_text('{"id": "a"}\n{"id": "b"}\n{"id": "c", "lu')
    assert ids(rows_of(path)) == ["a", "b"]


def test_nothing_is_synthesised_twice(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "t"}\n')
    assert list(grow(path, [Recipe("t", "rtl-unrolled", "ulx3s-85f", 25.0, TINY)], placed=False)) == []


@pytest.mark.nightly
def test_a_tiny_design_grows_and_its_price_is_near(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    recipe = Recipe("tiny", "rtl-unrolled", "ulx3s-85f", 25.0, TINY)
    (row,) = grow(path, [recipe], placed=False)
    assert "error" not in row and rows_of(path) == [json.loads(json.dumps(row))]
    design = rebuilt(row)
    assert not isinstance(design, FoldedDesign)
    assert cycles(design) == (row["latency_cycles"], row["ii_cycles"])
    _, hw = recipe.build()
    priced = price_unrolled(design, hw, load_family("ecp5"))
    lut = sum(layer.lut.value for layer in priced.layers)
    assert lut / 2 <= row["lut"] <= 2 * lut
    assert list(grow(path, [recipe], placed=False)) == [] and len(rows_of(path)) == 1
