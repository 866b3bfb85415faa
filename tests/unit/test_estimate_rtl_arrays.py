"""A whole column of designs is priced by the same formulas as one: arrays of parameters give what each alone gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitsmith.hls.estimate.rtl import arithmetic, heads, memory
from bitsmith.hls.estimate.rtl.folded import UNITS
from bitsmith.hls.estimate.rtl.model import model_of
from bitsmith.hls.estimate.rtl.terms import Terms

FAMILIES = ("ecp5", "xc7", "ice40", "gowin", "xcup", "max10")
BIT = st.integers(0, 1)
SHARE = st.sampled_from([0.0, 0.25, 0.5, 1.0])
MATRIX = {
    "WA": st.integers(1, 12), "A_SIGN": BIT, "WW": st.integers(1, 12), "W_SIGN": BIT, "KIND": st.integers(0, 3),
    "ACC": st.integers(4, 24), "HAS_BIAS": BIT, "ROM_REG": BIT, "BLOCK": BIT, "BIAS_BLOCK": BIT,
    "INDEX": st.integers(0, 3), "WEIGHTS_LIVE": SHARE, "BIAS_LIVE": SHARE,
}  # fmt: skip
IMAGE = {
    "WIDTH": st.integers(1, 40), "ROWS": st.integers(1, 40), "COLS": st.integers(1, 40), "KH": st.integers(1, 5),
    "KW": st.integers(1, 5), "SH": st.integers(1, 3), "SW": st.integers(1, 3), "DH": st.integers(1, 2),
    "DW": st.integers(1, 2), "PT": st.integers(0, 2), "PL": st.integers(0, 2), "OH": st.integers(1, 40),
    "OW": st.integers(1, 40),
}  # fmt: skip
AFFINE = {
    "LANES": st.integers(1, 16), "WM": st.integers(1, 16), "M_SIGN": BIT, "M_FOLDS": st.integers(1, 40),
    "HAS_ADD": BIT, "WA": st.integers(1, 16), "A_FOLDS": st.integers(1, 40), "MULT_FILE_LIVE": SHARE,
    "ADD_FILE_LIVE": SHARE, "WY": st.integers(1, 12),
}  # fmt: skip
SMALL = st.integers(1, 20)
PARAMS: dict[str, dict[str, st.SearchStrategy[float]]] = {
    "bitsmith_mvu": {
        **MATRIX, "GROUPS": st.integers(1, 3), "NF": SMALL, "SF": SMALL, "PE": SMALL, "SIMD": SMALL,
        "N": st.just(1), "M": st.just(1),
    },
    "bitsmith_vvu": {**MATRIX, "FOLDS": SMALL, "TAPS": st.integers(1, 25), "LANES": SMALL},
    "bitsmith_window": {
        **IMAGE, "OUTER": st.integers(1, 4), "INNER": st.integers(1, 4), "UPH": st.integers(1, 2),
        "UPW": st.integers(1, 2), "BUF_ROWS": st.integers(1, 8),
    },
    "bitsmith_line_window": IMAGE,
    "bitsmith_narrow": {"WIDTH": SMALL, "RATIO": st.integers(2, 20), "HOLD": BIT},
    "bitsmith_widen": {"WIDTH": SMALL, "RATIO": st.integers(2, 20)},
    "bitsmith_join": {"WIDTH": SMALL, "INTERVAL": SMALL},
    "bitsmith_reduce": {"LANES": SMALL, "TAPS": SMALL, "MAX": BIT, "WX": SMALL, "WY": SMALL},
    "bitsmith_argmax": {"LANES": SMALL, "FOLDS": SMALL, "WX": SMALL, "WY": st.integers(1, 6)},
    "bitsmith_concat": {"LANES": SMALL, "WY": SMALL, "INPUTS": st.integers(2, 5)},
    "bitsmith_reorder": {
        "BITS": st.integers(1, 12), "IN_LANES": SMALL, "IN_BEATS": st.integers(1, 60), "OUT_LANES": SMALL,
        "OUT_BEATS": st.integers(1, 60), "BLOCK": BIT, "ORDER_LIVE": SHARE,
    },
    "bitsmith_requant": {
        **AFFINE, "WX": st.integers(1, 24), "X_SIGN": BIT, "KIND": st.sampled_from([-1, 0, 1, 3]), "M_BLOCK": BIT,
        "A_BLOCK": BIT, "WT": st.integers(16, 40), "SHIFT": st.integers(0, 15), "HALF_EVEN": BIT, "CLIP_LO": BIT,
        "CLIP_HI": BIT, "WRAP": st.integers(0, 4), "LAST": BIT,
    },
    "bitsmith_thresholds": {
        **AFFINE, "FOLDS": SMALL, "EACH": BIT, "WU": st.integers(2, 16), "WC": st.integers(1, 5),
        "KIND": st.integers(0, 2), "LEVELS": st.integers(1, 31), "READ": st.integers(1, 2),
        "BLOCK_FROM": st.integers(0, 16), "STEP": st.integers(-1, 2), **{f"FILE_{k}_LIVE": SHARE for k in range(6)},
    },
    "bitsmith_lut": {
        "LANES": SMALL, "FOLDS": SMALL, "EACH": BIT, "WA": st.integers(1, 12), "WY": SMALL, "BLOCK": BIT,
        "FILE_LIVE": SHARE,
    },
    "bitsmith_add": {
        "LANES": SMALL, "INPUTS": st.integers(1, 6), "TIMES": BIT, "WT": SMALL, "WY": st.integers(1, 24),
        "ADDERS": st.integers(0, 9),
    },
    "bitsmith_weigh": {
        "LANES": SMALL, "COUNT": st.integers(1, 8), "WS": st.integers(1, 16), "WW": st.integers(1, 16),
        "ACC": st.integers(4, 30), "KIND": st.integers(0, 3), "FOLDS": SMALL, "HAS_BIAS": BIT, "BLOCK": BIT,
    },
}  # fmt: skip


def same(make: Callable[..., Terms], designs: Sequence[dict[str, float]]) -> None:
    """``make`` of columns of parameters is, term by term, that of every design alone; a missing term is none."""
    together = make(**{name: np.array([d[name] for d in designs]) for name in designs[0]})
    columns = {name: np.broadcast_to(np.asarray(amount, float), len(designs)) for name, amount in together.items()}
    for number, design in enumerate(designs):
        alone = {name: float(amount) for name, amount in make(**design).items()}
        assert set(alone) <= set(columns)
        for name, column in columns.items():
            assert float(column[number]) == alone.get(name, 0.0), (name, design)


@pytest.mark.parametrize("module", UNITS)
@settings(deadline=None, derandomize=True)
@given(data=st.data())
def test_units(module: str, data: st.DataObject) -> None:
    designs = data.draw(st.lists(st.fixed_dictionaries(PARAMS[module]), min_size=1, max_size=5))
    family = data.draw(st.sampled_from(FAMILIES))
    same(lambda **p: UNITS[module](p, family), designs)
    for design in designs:
        assert all(np.isfinite(a) and a >= 0 for a in UNITS[module](design, family).values()), design


@settings(deadline=None, derandomize=True)
@given(data=st.data(), family=st.sampled_from(FAMILIES))
def test_outlets_and_memories(data: st.DataObject, family: str) -> None:
    sizes = st.fixed_dictionaries({"width": st.integers(1, 100), "depth": st.integers(1, 2000)})
    designs = data.draw(st.lists(sizes, min_size=1, max_size=6))
    same(lambda width, depth: heads.outlet(width, depth, family), designs)
    same(lambda width, depth: memory.ram(depth, width, family), designs)
    same(lambda width, depth: memory.ram(depth, width, family, one_address=True), designs)
    same(lambda width, depth: memory.rom(depth, width, depth % 2, family, live=0.5), designs)


@settings(deadline=None, derandomize=True)
@given(data=st.data(), family=st.sampled_from(FAMILIES))
def test_products_and_trees(data: st.DataObject, family: str) -> None:
    sizes = {"kind": st.integers(0, 3), "a": st.integers(1, 64), "w": st.integers(1, 64), "n": st.integers(1, 300)}
    designs = data.draw(st.lists(st.fixed_dictionaries(sizes), min_size=1, max_size=6))
    same(lambda kind, a, w, n: arithmetic.product(kind, a, w, family), designs)
    same(lambda kind, a, w, n: arithmetic.rows(a, w), designs)
    same(lambda kind, a, w, n: arithmetic.tree("t", n, a, w), designs)
    same(lambda kind, a, w, n: arithmetic.dot_packed(n, a, kind % 2, w, a, kind, w), designs)
    same(lambda kind, a, w, n: Terms(x=arithmetic.stages(kind, a, w)), designs)


def test_prices_of_a_column(rng: np.random.Generator) -> None:
    # The weights are applied to columns, too; here sums of floats in one order, so they are equal, not just near.
    model = model_of("ecp5", "rtl-folded")
    designs = [{"WIDTH": int(w), "RATIO": int(r)} for w, r in rng.integers(2, 40, (50, 2))]
    columns = model.values(heads.widen({k: np.array([d[k] for d in designs]) for k in designs[0]}, "ecp5"))
    for number, design in enumerate(designs):
        alone = model.values(heads.widen(design, "ecp5"))
        assert columns["lut"][number] == alone["lut"] and columns["ff"][number] == alone["ff"]
