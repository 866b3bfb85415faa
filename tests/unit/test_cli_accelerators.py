"""Accelerator boards and the duty cycle on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitsmith.flows.cli import main
from bitsmith.hls.accelerators import accelerator_names
from bitsmith.hls.boards import board_names, load_board, load_family
from bitsmith.hls.estimate.power import static_mw
from bitsmith.models.ir import NetBuilder, QuantType, Rounding, save

FIGURES = (
    *("lut", "ff", "dsp", "bram", "latency_cycles", "ii_cycles", "fmax_mhz", "latency_ns", "throughput_per_s"),
    *("power_mw", "energy_uj"),
)


def saved(folder: Path, width: int = 12) -> str:
    rng = np.random.default_rng(5)
    b = NetBuilder("little")
    x = b.input("x", (16,), QuantType(4, False))
    y = b.dense("fc1", x, rng.integers(-4, 4, (16, width)))
    y = b.requant("act", y, 1.0, 0, 127, 0, rounding=Rounding.HALF_UP)
    save(b.build(b.dense("fc2", y, rng.integers(-4, 4, (width, 4)))), folder)
    return str(folder)


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return saved(tmp_path / "little")


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, Any, str]:
    code = main([*args, "--json"])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else {}, said.err


@pytest.mark.parametrize("board", accelerator_names())
def test_every_accelerator_has_the_keys_of_the_contract(
    net: str, board: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, cost, _ = run(capsys, "estimate", net, "--board", board)
    assert code == 0
    for key in FIGURES:
        assert cost[key]["low"] <= cost[key]["value"] <= cost[key]["high"], key
    assert [cost[key]["high"] for key in ("lut", "ff", "dsp", "bram")] == [0.0] * 4
    assert cost["target"] == "accelerator" and cost["fits"] is True and cost["problems"] == []
    assert cost["binding"] in {m["name"] for m in cost["memory"]}
    assert cost["calibration"].startswith(("documented:", "mlperf-tiny-v1.0:"))
    assert sum(row["latency_cycles"]["value"] for row in cost["layers"]) == pytest.approx(
        cost["latency_cycles"]["value"], rel=1e-12
    )
    assert main(["estimate", net, "--board", board]) == 0
    text = capsys.readouterr().out
    assert f"fits {board}" in text and "the same integers" in text


def test_what_does_not_fit_ends_with_3_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wide = saved(tmp_path / "wide", 1500)
    code, cost, _ = run(capsys, "estimate", wide, "--board", "max78000", "--out", str(tmp_path / "run"))
    assert code == 3 and cost["fits"] is False
    assert cost["problems"][0] == {
        "op": "fc1",
        "text": "1500 output channels, the device has 1024",
        "remedy": "use fewer channels",
    }
    assert main(["estimate", wide, "--board", "max78000", "--out", str(tmp_path / "run")]) == 3
    assert "DOES NOT FIT max78000" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["emit", "build"])
def test_nothing_is_built_for_an_accelerator(net: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, said = run(capsys, command, net, "--board", "max78000")
    assert code == 2
    assert "max78000 is priced only (bitsmith estimate --board max78000)" in said
    assert "take an FPGA board" in said


def test_unknown_names_offer_both_kinds_where_both_do(net: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, said = run(capsys, "estimate", net, "--board", "max7800")
    assert code == 2 and "there is no board 'max7800'; did you mean max7800" in said
    code, _, said = run(capsys, "emit", net, "--board", "artyy-a7-35t")
    assert code == 2 and "arty-a7-35t" in said


def test_options_that_shape_hardware_are_refused(net: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, said = run(capsys, "estimate", net, "--board", "k210", "--clock-mhz", "3", "--backend", "hls4ml")
    assert code == 2 and "--backend, --clock-mhz: k210 is a fixed accelerator" in said


def test_the_boards_say_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    code, rows, _ = run(capsys, "boards")
    assert code == 0
    assert {r["name"] for r in rows if r["kind"] == "fpga"} == set(board_names())
    assert {r["name"] for r in rows if r["kind"] == "accelerator"} == set(accelerator_names())
    for row in rows:
        assert {"name", "device", "family", "lut", "ff", "dsp", "bram"} <= set(row)
    assert main(["boards"]) == 0
    text = capsys.readouterr().out
    assert "basys3" in text and "max78002" in text


def test_a_sensor_node_with_a_battery(net: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, cost, _ = run(capsys, "estimate", net, "--board", "max78000", "--rate", "2", "--battery-mwh", "600")
    assert code == 0
    node = cost["duty"]
    share = 2 / cost["throughput_per_s"]["value"]
    mean = share * cost["power_mw"]["value"] + (1 - share) * cost["sleep_mw"]["value"]
    assert node["share"]["value"] == share and node["mean_power_mw"]["value"] == mean
    assert node["energy_uj"]["value"] == 1e3 * mean / 2
    assert node["battery_days"]["value"] == 600 / mean / 24
    assert main(["estimate", net, "--board", "max78000", "--rate", "2", "--battery-mwh", "600"]) == 0
    assert "battery_days" in capsys.readouterr().out


def test_an_fpga_rests_at_its_static_power(net: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, cost, _ = run(capsys, "estimate", net, "--board", "basys3", "--rate", "1")
    assert code == 0 and cost["target"] == "fpga"
    static = static_mw(load_board("basys3").device, load_family("xc7"))
    assert cost["duty"]["mean_power_mw"]["value"] == pytest.approx(static.value, rel=1e-3)
    assert "battery_days" not in cost["duty"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--rate", "1e12"), "inferences per second at most"),
        (("--rate", "0"), "a rate is a positive number"),
        (("--rate", "1", "--battery-mwh", "-1"), "a battery holds a positive energy"),
        (("--battery-mwh", "1000"), "--battery-mwh needs --rate"),
    ],
)
@pytest.mark.parametrize("board", ["gap9", "basys3"])
def test_rates_and_batteries_that_cannot_be(
    net: str, board: str, options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, text = run(capsys, "estimate", net, "--board", board, *options)
    assert code == 2 and said in text
