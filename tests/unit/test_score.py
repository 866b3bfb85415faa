"""``scripts/score``: files of every kind, rows of every kind, nothing lost."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bitsmith.flows.score import as_json, as_markdown, main, modules_beside, score_file
from bitsmith.flows.truth import figures_of, read_lines, with_declared_sums
from bitsmith.hls.estimate.hls4ml.model import TARGETS
from bitsmith.hls.estimate.hls4ml.rows import design_of, is_saturating, is_series7, is_vitis, kind_of, modes_of
from bitsmith.models.ir.errors import InputError, UnsupportedError

DENSE = {
    "id": "a", "part": "xcu250-figd2104-2L-e", "clock_ns": 5.0, "tool": "Vivado HLS 2020.1", "io_type": "io_parallel",
    "strategy": "resource", "rf": 512, "stage": "csynth", "success": True, "lut": 20927, "ff": 2411, "dsp": 16,
    "bram18": 5, "latency_min": 513, "latency_max": 514, "ii_min": 512, "ii_max": 512,
    "layers": [{"type": "dense", "n_in": 64, "n_out": 128, "w_bits": 8, "w_int": 1, "in_bits": 16, "out_bits": 16,
                "rf": 512, "n_zero": 156, "n_pow2": 1457, "csd_digits": 17262}],
}  # fmt: skip
MODULE = {
    "repo": "r", "path": "p", "module": "relu_array_ap_fixed_8u_array_x", "kind": "relu", "is_top": False,
    "tool": "2019.2", "types": [{"w": 16, "i": 6, "s": 1}], "n_weights": None, "part": "xc7z020-clg400-1",
    "cfg": {"_type": "activ_config", "n_in": 64, "io_type": "nnet::io_stream"}, "clock_ns": 5.0, "stage": "csynth",
    "lut": 200, "ff": 9, "dsp": 0, "bram18": 0, "latency_max": None, "ii_max": None,
}  # fmt: skip


def write(folder: Path, *rows: Any, zipped: bool = False) -> Path:
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)
    path = folder / "rows.jsonl"
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    return path


@pytest.mark.parametrize("zipped", [True, False])
def test_a_row_is_scored_per_target(tmp_path: Path, zipped: bool) -> None:
    data = as_json(score_file(write(tmp_path, DENSE, zipped=zipped)))
    assert [t for t in TARGETS if t in data] == list(TARGETS)
    assert set(data["lut"]) == {"n", "r2", "smape", "median_ape", "p90_ape", "coverage90"}
    assert data["ii"]["smape"] == data["latency"]["smape"] == data["dsp"]["smape"] == 0.0
    assert data["lut"]["n"] == 1 and data["lut"]["r2"] is None and data["lut"]["smape"] < 1.0
    assert data["all"]["lut"] == data["csynth"]["lut"] and data["vivado"] == {}
    assert data["feasibility"] == {"n": 1, "accuracy": 1.0, "finished": 1} and data["unscored"] == 0
    json.loads(json.dumps(data, allow_nan=False))


def test_stages_are_separate(tmp_path: Path) -> None:
    vivado = {**DENSE, "stage": "logic_synth", "lut": 9000, "bram18": None, "bram36": 2.5}
    data = as_json(
        score_file(write(tmp_path, DENSE, vivado, {**DENSE, "stage": "impl:Routed"}, {**DENSE, "stage": "export"}))
    )
    assert data["csynth"]["lut"]["n"] == 1 and data["vivado"]["lut"]["n"] == 3 and data["lut"]["n"] == 4


def test_failed_rows_count_for_feasibility_alone(tmp_path: Path) -> None:
    layer = {**DENSE["layers"][0], "n_in": 128, "n_out": 64, "rf": 1}
    failed = {**DENSE, "success": False, "rf": 1, "strategy": "latency", "layers": [layer], "lut": None}
    data = as_json(score_file(write(tmp_path, DENSE, failed, {**failed, "success": True, "lut": 1})))
    assert data["feasibility"] == {"n": 3, "accuracy": 2 / 3, "finished": 2} and data["lut"]["n"] == 2


def test_what_is_not_scored_is_listed(tmp_path: Path) -> None:
    rows = [
        "not json", "[1, 2]", "", {}, {"layers": []}, {"layers": [1]}, {"layers": [{"type": "lstm"}, {"type": None}]},
        {**DENSE, "duplicate": True}, {**MODULE, "is_top": True}, {**MODULE, "kind": "shift_line_buffer_3"},
        {**MODULE, "cfg": {}}, {"layers": [{"type": "clone_stream"}]}, DENSE,
    ]  # fmt: skip
    data = as_json(score_file(write(tmp_path, *rows)))
    assert data["scored"] == 1 and data["unscored"] == 11
    assert data["unscored_reasons"] == {
        "no layers": 2, "not JSON": 1, "not a JSON object": 1, "layers that are no objects": 1,
        "layers without a model: None, lstm": 1, "duplicate": 1, "a top without its layers": 1,
        "modules without a model: shift_line_buffer": 1, "a module without its configuration": 1,
        "layers without sizes": 1,
    }  # fmt: skip
    assert [r["line"] for r in data["unscored_rows"]] == [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12]
    assert "11 rows not scored" in as_markdown(score_file(write(tmp_path, *rows)))


def nothing(value: Any) -> Any:
    """Every leaf of a row as null, text, a negative number, ..."""
    if isinstance(value, dict):
        return {k: nothing(v) if k not in ("type", "kind", "_type") else v for k, v in value.items()}
    if isinstance(value, list):
        return [nothing(v) for v in value]
    return None


@pytest.mark.parametrize("row", [DENSE, MODULE], ids=["design", "module"])
@pytest.mark.parametrize("junk", [None, "text", -1, 0, [], {}, True, 1e308, 0.5])
def test_no_value_of_any_key_ends_the_run(tmp_path: Path, row: dict[str, Any], junk: Any) -> None:
    broken = [{**row, key: junk} for key in row]
    broken += [{**row, "layers": [{**DENSE["layers"][0], key: junk}]} for key in DENSE["layers"][0]]
    broken += [{**row, "cfg": {"n_in": junk, "reuse_factor": junk}}, nothing(row)]
    scored = score_file(write(tmp_path, *broken))
    assert len(scored.priced) + len(scored.skipped) + sum(b.get("success") is False for b in broken) >= len(broken)
    as_markdown(scored)


def test_an_empty_file_has_no_targets(tmp_path: Path) -> None:
    data = as_json(score_file(write(tmp_path)))
    assert data["scored"] == data["unscored"] == 0 and "lut" not in data


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="give a file"):
        score_file(tmp_path / "none.jsonl.gz")
    assert main([str(tmp_path / "none")]) == 2 and "cannot be read" in capsys.readouterr().err
    (tmp_path / "broken.gz").write_bytes(b"\x1f\x8bnothing")
    assert main([str(tmp_path / "broken.gz")]) == 2


def test_the_command_prints_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(write(tmp_path, DENSE)), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lut"]["n"] == 1


def test_figures_take_tiles_as_two_halves() -> None:
    assert figures_of({"bram36": 1.5, "latency_min": 3, "ii_max": 2})["bram"] == 3.0
    assert figures_of({"bram18": 4, "bram36": 9, "latency_min": 3})["latency"] == 3.0
    assert figures_of({"lut": float("nan"), "ff": "12"}) == dict.fromkeys(TARGETS)


def test_names_of_tools_parts_and_layers() -> None:
    assert [is_vitis(t) for t in ("Vivado HLS 2020.1", "HLS 2024.1", "Vitis HLS 2020.2", "2019.2.1", None)] == [
        False, True, True, False, False,
    ]  # fmt: skip
    assert [is_series7(p) for p in ("xc7z020-clg400-1", "7a200tlffg1156-2L", "xczu9eg", None)] == [
        True,
        True,
        False,
        False,
    ]
    kinds = ("dense_large", "conv_2d_cl_me", "pointwise_conv_1d_cl", "pooling2d_large_cl", "global_pooling1d_cl",
             "leaky_relu_me", "h_dense_relu_quantizer", "lstm")  # fmt: skip
    assert [kind_of(k) for k in kinds] == [
        "dense",
        "conv",
        "conv",
        "pool",
        "global_pool",
        "activation",
        "activation",
        None,
    ]


def test_saturating_sums_are_told_by_the_module_name() -> None:
    # the last type is that of the sums: overflow 0 to 2 saturates, 3 wraps; the type of an input does not matter
    names = {"conv_1d_cl_array_ap_fixed_4u_array_ap_fixed_28_16_1_0_0_4u_config11_s": True,
             "dense_latency_ap_fixed_6_0_4_0_0_ap_fixed_16_6_5_3_0_config5_s": False, "dense": False}  # fmt: skip
    for name, truth in names.items():
        assert is_saturating({"kind": "dense", "module": name}) == truth
    assert not is_saturating({"kind": "relu", "module": next(iter(names))})
    # the name's type is the result's: where sums are wider, it is not theirs
    for bits, truth in ((28, True), (30, False), (None, True)):
        row = {"kind": "dense", "module": next(iter(names)), "cfg": {"accum_t_bits": bits}}
        assert is_saturating(row) == truth


@pytest.mark.parametrize(
    ("declared", "modes"),
    [
        ("ap_fixed<28,16,AP_RND,AP_SAT>", (True, True)), ("ap_fixed<16, 6, AP_TRN, AP_WRAP, 0>", (False, False)),
        ("ap_ufixed<6,-2,AP_RND_CONV,AP_WRAP>", (True, False)), ("ap_fixed<16,6>", (False, False)),
        ("fixed<8,3,TRN,SAT_SYM>", (False, True)), ("dense_ap_fixed_28_16_1_0_0_config15_s", (True, True)),
        ("relu_ap_fixed_16_6_5_3_0_ap_fixed_8_1_4_0_0_relu", (True, True)), ("", (False, False)),
        (None, (False, False)), (7, (False, False)),
    ],
)  # fmt: skip
def test_modes_of_a_declared_type(declared: Any, modes: tuple[bool, bool]) -> None:
    assert modes_of(declared) == modes


def test_a_design_takes_the_modes_that_its_modules_are_named_after(tmp_path: Path) -> None:
    where = {"repo": "a/b", "path": "p"}
    module = {**where, "kind": "dense", "module": "dense_array_ap_fixed_4u_array_ap_fixed_24_16_0_0_0_16u_config15_s"}
    other = {**DENSE, "repo": "a/b", "path": "other"}
    said = {**DENSE, **where, "acc_type": "ap_fixed<24,16>"}
    lines = read_lines(write(tmp_path, {**DENSE, **where}, other, said, module))
    layers = [design_of(x.row).layers[0] for x in with_declared_sums(lines, lines)[:3]]
    assert [(x.rounds, x.saturates) for x in layers] == [(True, True), (False, False), (False, False)]
    # a file of designs and modules is read so by itself
    alone = score_file(write(tmp_path, {**DENSE, **where})).priced[0]
    mixed = score_file(write(tmp_path, {**DENSE, **where}, module)).priced[0]
    assert mixed.value["lut"] > alone.value["lut"]
    # as is one of modules beside it, where it is the only one
    path = write(tmp_path, {**DENSE, **where})
    (tmp_path / "some_modules.jsonl").write_text(json.dumps(module))
    found = modules_beside(path)
    assert found is not None and found.name == "some_modules.jsonl"
    scored = score_file(path, modules=found)
    assert scored.priced[0].value == mixed.value and "from some_modules.jsonl" in as_markdown(scored)
    (tmp_path / "more_modules.jsonl").write_text("")
    assert modules_beside(path) is None


def test_a_missing_weight_statistic_is_guessed_from_what_is_there() -> None:
    layer = DENSE["layers"][0]
    few = {k: v for k, v in layer.items() if k not in ("csd_digits", "n_pow2", "n_zero")}
    with_digits, bare = (design_of({**DENSE, "layers": [x]}).layers[0] for x in (layer, few))
    assert with_digits.nonzero == 64 * 128 - 156 and bare.nonzero == 64 * 128
    assert bare.hard > 0 and with_digits.hard > 0
    with pytest.raises(UnsupportedError, match="no layers"):
        design_of({})
