"""The main job on a small task of one's own, as a user runs it; then killed, altered, and run again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TASK = """
title = "A small one"
[data]
name = "digits"
[net]
input = { shape = [8, 8, 1], bits = 5, integer_bits = 1 }
weight_bits = 3
bias_bits = 3
activation_bits = 2
layers = [
  { kind = "flatten" },
  { kind = "dense", name = "hidden", units = 6 },
  { kind = "dense", name = "logits", units = 10 },
]
[train]
float_epochs = 20
epochs = 30
final_sparsity = 0.5
"""


def bitsmith(*argv: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "bitsmith", *argv], cwd=cwd, capture_output=True, text=True)


def ok(*argv: str, cwd: Path) -> Any:
    done = bitsmith(*argv, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    cwd = tmp_path_factory.mktemp("build")
    (cwd / "small.toml").write_text(TASK)
    return cwd, ok("build", "small.toml", cwd=cwd)


def test_every_stage_reports(built: tuple[Path, Any]) -> None:
    cwd, data = built
    assert data["import"]["exact"] is True and data["import"]["samples"] == 360
    assert data["verify"]["exact"] is True and data["verify"]["samples"] == 1000
    assert data["verify"]["ii_cycles"] == 1
    assert data["estimate"]["latency_cycles"]["value"] == data["verify"]["latency_cycles"]
    assert data["estimate"]["power_source"].startswith("model: activity of this design in Verilator")
    assert 0 < data["activity"]["registers"] < 1 and data["activity"]["cycles"] == 300
    assert data["accuracy_ip"] == data["train"]["accuracy_quantized"]
    assert data["train"]["sparsity"] >= 0.5
    assert data["estimate"]["lut"]["low"] <= data["synth"]["lut"] <= data["estimate"]["lut"]["high"]
    page = (cwd / data["report"]).read_text()
    assert "A small one" in page and data["verify"]["net_sha256"] in page


def test_a_second_build_does_nothing_again(built: tuple[Path, Any]) -> None:
    cwd, first = built
    again = ok("build", "small.toml", cwd=cwd)
    assert all(stage["reused"] for stage in again["stages"].values())
    assert {k: v for k, v in again.items() if k != "stages"} == {k: v for k, v in first.items() if k != "stages"}


def test_commands_on_what_was_built(built: tuple[Path, Any]) -> None:
    cwd, data = built
    assert ok("verify", "runs/small", "--samples", "50", cwd=cwd)["samples"] == 50
    assert ok("report", "runs/small", cwd=cwd)["report"] == data["report"]
    assert ok("estimate", "runs/small/net", "--board", "basys3", cwd=cwd)["board"] == "basys3"
    assert ok("import", "runs/small/model.h5", "--out", "again", cwd=cwd)["net_sha256"] == data["import"]["net_sha256"]


def test_altered_rtl_is_found(built: tuple[Path, Any]) -> None:
    """The proof can fail: turn the additions of one layer into subtractions."""
    cwd, _ = built
    ok("emit", "runs/small", "--out", "altered", cwd=cwd)
    rtl = next((cwd / "altered/rtl").glob("*_logits.sv"))
    text = rtl.read_text()
    assert " + " in text
    rtl.write_text(text.replace(" + ", " - "))
    done = bitsmith("verify", "altered", "--json", cwd=cwd)
    assert done.returncode == 5, done.stderr[-3000:]
    data = json.loads(done.stdout)
    assert data["exact"] is False and data["mismatch"]["op"] == "logits"
    assert data["mismatch"]["expected"] != data["mismatch"]["got"]
