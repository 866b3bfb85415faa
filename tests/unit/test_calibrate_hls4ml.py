"""The hls4ml calibration against the results that it was fitted on, where at hand; the fit itself on rows made here."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitsmith.flows.calibrate.__main__ import main
from bitsmith.flows.calibrate.hls4ml import calibrate, few_groups, hold_out, read_samples
from bitsmith.flows.calibrate.hls4ml_fit import Sample, empty, fit_coefficients
from bitsmith.flows.score import as_json, score_file
from bitsmith.hls.estimate.hls4ml.coefficients import FOLDED_TERMS, load_calibration, to_json
from bitsmith.hls.estimate.hls4ml.layers import HlsDesign, HlsLayer, columns
from bitsmith.hls.estimate.hls4ml.model import TARGETS, predict


@pytest.fixture
def truth_dir(data_dir: Path) -> Path:
    folder = data_dir.parent / "truth"
    if not (folder / "wa_dense1_csynth.jsonl.gz").is_file():
        pytest.skip(f"{folder} is not there")
    return folder


def test_a_law_is_found_again() -> None:
    """Rows that follow 4,000 + 30 per input + 25 per output and 1,400 per multiplier exactly."""
    law = dict.fromkeys(FOLDED_TERMS, 0.0) | {"constant": 4000.0, "inputs": 30.0, "outputs": 25.0, "mux_256": 1400.0}
    made = replace(empty(), folded=tuple(law.values()), folded_ff=(100.0, 16.0, 14.0, 0.0, 0.0))
    layers = [
        HlsLayer("dense", n_in=n_in, n_out=n_out, channels=n_in, weight_bits=8, reuse=k * n_in, strategy="resource")
        for n_in in (64, 128) for n_out in (160, 224) for k in (4, 8)
    ]  # fmt: skip
    designs = [HlsDesign("d", (x,)) for x in layers]
    values = predict(columns(designs), made).designs
    samples = [
        Sample(d, {t: float(values[t][i]) for t in TARGETS}, f"{i}", "csynth", "dense", {})
        for i, d in enumerate(designs)
    ]
    found = fit_coefficients(samples)
    assert np.allclose(found.folded, made.folded, rtol=1e-3, atol=1e-2)  # least squares in floats, five digits kept
    held = hold_out(samples)
    assert np.allclose(held.values["lut"], values["lut"], rtol=1e-3)  # the same of five rows for the sixth


def test_few_groups_widen() -> None:
    # the extremes of 19 groups cover 18 in 20: just enough; those of 5 cover 4 in 6
    assert few_groups(19) == 1.0 and few_groups(5) == pytest.approx(0.9 * 6 / 4)


def test_a_folder_without_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hls4ml", str(tmp_path)]) == 2 and "cannot be read" in capsys.readouterr().err


def test_the_shipped_calibration_on_dense_layers(truth_dir: Path) -> None:
    data = as_json(score_file(truth_dir / "wa_dense1_csynth.jsonl.gz"))
    assert data["lut"]["smape"] < 1.0 and data["ff"]["smape"] < 3.0 and data["dsp"]["r2"] > 0.99
    assert data["bram"]["smape"] < 1.0 and data["feasibility"]["accuracy"] > 0.99
    assert data["lut"]["coverage90"] > 0.85 and data["unscored"] == 0


def test_every_row_of_the_designs_and_modules_is_accounted_for(truth_dir: Path) -> None:
    for name, rows in (("github_designs", 54), ("github_modules_csynth", 610)):
        scored = score_file(truth_dir / f"{name}.jsonl.gz")
        assert len(scored.priced) + len(scored.skipped) == rows


@pytest.mark.nightly
def test_the_shipped_calibration_is_what_the_fit_gives(truth_dir: Path, tmp_path: Path) -> None:
    calibrate(truth_dir, tmp_path)
    fresh, shipped = json.loads((tmp_path / "hls4ml.json").read_text()), to_json(load_calibration())
    for name in ("folded", "folded_ff", "vivado"):
        assert fresh["coefficients"][name] == pytest.approx(shipped["coefficients"][name], rel=1e-3)
    samples, left = read_samples(truth_dir)
    assert sum(fresh["data"]["sources"].values()) == len(samples) and fresh["data"]["not_priced"] == left
