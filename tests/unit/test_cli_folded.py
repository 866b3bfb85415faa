"""Targets and foldings on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bitsmith.flows.backends import LOADERS
from bitsmith.flows.cli import main
from bitsmith.flows.doctor import examine
from bitsmith.models.ir import NetBuilder, QuantType, save


@pytest.fixture
def net(tmp_path: Path) -> str:
    rng = np.random.default_rng(5)
    b = NetBuilder("little")
    x = b.input("x", (16,), QuantType(4, False))
    x = b.requant("act", b.dense("fc1", x, rng.integers(-4, 4, (16, 12))), 1.0, 0, 7, 3)
    save(b.build(b.dense("fc2", x, rng.integers(-4, 4, (12, 4)))), tmp_path / "little")
    return str(tmp_path / "little")


def estimate(net: str, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, object], str]:
    code = main(["estimate", net, "--backend", "rtl-folded", "--board", "icebreaker", "--json", *options])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else {}, said.err


def test_the_doctor_knows_every_backend() -> None:
    assert set(LOADERS) <= set(examine()["backends"])


def test_cycles_are_exact_figures(net: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, cost, _ = estimate(net, capsys, "--target-ii", "100")
    assert code == 0 and cost["fits"] is True
    for key in ("latency_cycles", "ii_cycles"):
        figure = cost[key]
        assert isinstance(figure, dict) and figure["low"] == figure["value"] == figure["high"]
    assert cost["ii_cycles"]["value"] <= 100  # type: ignore[index]


def test_a_rate_is_a_target_for_the_ii(net: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, cost, _ = estimate(net, capsys, "--clock-mhz", "12", "--target-rate", "250e3")  # 48 cycles
    _, same, _ = estimate(net, capsys, "--clock-mhz", "12", "--target-ii", "48")
    assert cost == same


@pytest.mark.parametrize("form", ["toml", "json"])
def test_a_folding_file(net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    file = tmp_path / f"folding.{form}"
    file.write_text("[fc1]\npe = 2\nsimd = 4\n" if form == "toml" else '{"fc1": {"pe": 2, "simd": 4}}')
    code, cost, _ = estimate(net, capsys, "--target-ii", "100", "--folding", str(file))
    (row,) = [r for r in cost["layers"] if r["op"] == "fc1"]  # type: ignore[attr-defined]
    assert code == 0 and "24 cycles per frame" in row["detail"]  # 16 / 4 inputs times 12 / 2 outputs


def test_a_folding_that_is_not_legal_shows_what_is(
    net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "folding.toml"
    file.write_text("[fc1]\npe = 5\nsimd = 4\n")
    code, _, said = estimate(net, capsys, "--target-ii", "100", "--folding", str(file))
    assert code == 2 and "legal are: pe 1 with simd 1, 2, 4, 8, 16" in said
    file.write_text("[fc1]\npes = 5\n")
    code, _, said = estimate(net, capsys, "--folding", str(file))
    assert code == 2 and "every entry is an op with pe and simd" in said


def test_what_cannot_fit_ends_with_3_and_names_the_nearest_target(net: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, said = estimate(net, capsys, "--target-ii", "1")
    assert code == 3 and "binding" in said and "the nearest target that fits is --target-ii" in said
    nearest = said.split("--target-ii ")[1].split()[0]
    assert estimate(net, capsys, "--target-ii", nearest)[0] == 0


@pytest.mark.parametrize(
    "board", ["de10-nano", "arria10-gx", "agilex7-f", "de10-lite", "polarfire-eval", "tang-primer-25k"]
)
def test_families_without_a_fit_of_their_own_are_priced(
    net: str, capsys: pytest.CaptureFixture[str], board: str
) -> None:
    code = main(["estimate", net, "--backend", "rtl-folded", "--board", board, "--json", "--target-ii", "100"])
    cost = json.loads(capsys.readouterr().out)
    assert code == 0 and cost["fits"] is True and cost["lut"]["value"] > 0


@pytest.mark.parametrize(
    "options", [("--target-rate", "0"), ("--target-rate", "inf"), ("--target-rate", "1e-320"), ("--clock-mhz", "nan")]
)
def test_numbers_out_of_range_end_with_2(
    net: str, capsys: pytest.CaptureFixture[str], options: tuple[str, str]
) -> None:
    code, _, said = estimate(net, capsys, *options)
    assert code == 2 and options[0].removeprefix("--").replace("-", "_") in said


def test_a_folding_of_none_ends_with_2(net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "folding.toml"
    file.write_text("[fc1]\npe = 0\n[fc2]\npe = 1\nmult = 'magic'\n")
    code, _, said = estimate(net, capsys, "--folding", str(file))
    assert code == 2 and "folding.fc1.pe" in said and "folding.fc2.mult" in said and "2 problems" in said
