"""AutoQKeras beside a sweep: the budget, what is let into its search, and the records that hypervolumes are made of."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from bitsmith.flows.config import read_config
from bitsmith.flows.search.begin import Wishes, prepare
from bitsmith.flows.search.space import BitsPart
from bitsmith.models.data.dataset import Dataset
from bitsmith.models.ir import InputError
from bitsmith.models.ir.errors import UnsupportedError
from bitsmith.models.train.split import Split
from bitsmith.models.zoo import task_path

SCRIPTS = Path(__file__).resolve().parent.parent.parent / "scripts"


@pytest.fixture(scope="module")
def scripts():
    sys.path.insert(0, str(SCRIPTS))
    try:
        yield importlib.import_module("autoqkeras_search"), importlib.import_module("compare_autoqkeras")
    finally:
        sys.path.remove(str(SCRIPTS))


@pytest.fixture(scope="module")
def digits():
    task = read_config(task_path("digits"))
    hardware = task.hardware.model_copy(update={"board": "ulx3s-85f", "backends": ("rtl-unrolled",)})
    return task.model_copy(update={"hardware": hardware})


@pytest.fixture(scope="module")
def sweep(digits, tmp_path_factory):
    return prepare(digits, Wishes(space="bits"), tmp_path_factory.mktemp("sweep"), None, 0)


def _plan(scripts, trial_epochs, budget):
    return scripts[0].Plan("energy", "bayesian", "task", "task", trial_epochs, budget)


def test_a_budget_is_so_many_full_trainings(scripts):
    assert scripts[0].budget_epochs(20, 240) == 4800
    assert scripts[0].budget_epochs(0.5, 28) == 14
    with pytest.raises(InputError, match="give more"):
        scripts[0].budget_epochs(0.001, 240)


def test_the_last_trial_gets_what_is_left(scripts):
    plan = _plan(scripts, 19, 100)
    assert [scripts[0].epochs_left(plan, spent) for spent in (60, 81, 82, 100, 107)] == [19, 19, 18, 0, 0]


def test_autoqkeras_may_choose_the_widths_of_the_space_on_the_grids_of_the_task(scripts, digits):
    bits = BitsPart(weights=(1, 4), activations=(2,), input=(2, 3, 8))
    assert scripts[0].quantizer_choices(digits.net, bits) == {
        "kernel": {"quantized_bits(1, 0, alpha=1)": 1, "quantized_bits(4, 0, alpha=1)": 4},
        "bias": {"quantized_bits(4, 0, alpha=1)": 1},
        "activation": {"quantized_relu(2, 1)": 2},
        # 8 bits are more than the task reads
        "linear": {
            "quantized_bits(2, 0, alpha=1, keep_negative=False)": 2,
            "quantized_bits(3, 0, alpha=1, keep_negative=False)": 3,
        },
    }


def test_hypervolume_after_so_many_full_trainings(scripts):
    curve = [
        {"full_trainings": 0.5, "hypervolume": 0.1, "hypervolume_test": 0.2},
        {"full_trainings": 5.0, "hypervolume": 0.3, "hypervolume_test": 0.4},
        {"full_trainings": 9.8, "hypervolume": 0.5, "hypervolume_test": 0.6},
    ]
    found = [scripts[1].at(curve, n) for n in (0.1, 0.5, 4.9, 5.0, 10.0, 20.0)]
    assert found == [0.0, 0.1, 0.1, 0.3, 0.5, None]
    assert scripts[1].at(curve, 5.0, "hypervolume_test") == 0.4
    assert scripts[1].at([], 5.0) is None


def test_a_half_written_line_is_cut_off(scripts, tmp_path):
    path = tmp_path / "trials.jsonl"
    assert scripts[1].read_rows(path) == []
    scripts[1].append(path, {"trial": 0})
    scripts[1].append(path, {"trial": 1})
    path.write_bytes(path.read_bytes() + b'{"trial": 2, "ep')
    assert scripts[1].read_rows(path) == [{"trial": 0}, {"trial": 1}]
    scripts[1].append(path, {"trial": 2})
    assert [row["trial"] for row in scripts[1].read_rows(path)] == [0, 1, 2]


def test_rows_are_a_sweeps_trials(scripts, sweep):
    measures = dict.fromkeys((*sweep.goals.objectives, *sweep.goals.limits), 1.0)
    good = {"trial": 0, "epochs": 19, "accuracy_test": 0.9, "measures": {**measures, "accuracy": 0.9, "lut": 1000.0}}
    large = {"trial": 1, "epochs": 19, "accuracy_test": 0.9, "measures": {**measures, "accuracy": 0.9, "lut": 1e6}}
    failed = {"trial": 2, "epochs": 19, "reason": "auto_po2", "where": "lowering"}
    trials = scripts[1].as_trials([good, large, failed], sweep)
    assert [t.feasible for t in trials] == [True, False, False]  # the board has 83,640 LUTs
    assert [t.trained for t in trials] == [True] * 3  # what cannot be lowered was trained all the same
    assert [t.record["epochs"] for t in trials] == [60 + 19, 19, 19]  # the float baseline is paid for once


def _quantized(kernel: str, activation: str = "quantized_bits(2, 0, alpha=1, keep_negative=False)"):
    from bitsmith.models.train.framework import framework

    fw = framework()
    start = fw.keras.layers.Input((2,))
    value = fw.q.QActivation(activation, name="quantized_input")(start)
    dense = fw.q.QDense(2, kernel_quantizer=kernel, bias_quantizer="quantized_bits(4, 0, alpha=1)", name="logits")
    model = fw.keras.Model(start, dense(value))
    dense.set_weights([np.array([[0.5, -0.5], [-0.25, 0.25]], np.float32), np.zeros(2, np.float32)])
    return model


def _rows():
    x = np.array([[0.75, 0.0], [0.0, 0.75], [0.25, 0.0], [0.5, 0.75]], np.float32)
    y = np.array([0, 1, 1, 0])
    return Split(x, y, x, y), Dataset("hand", x, y, x[:2], y[:2], ("a", "b"), "made by hand")


def test_a_model_becomes_a_record(scripts, digits):
    parts, data = _rows()
    model = _quantized("quantized_bits(3, 0, alpha=1)")
    row = scripts[1].measured(model, digits, parts, data)
    # the first logit is (2 a - b) / 4 for inputs (a, b), the other one its negative: of the rows, (0.75, 0) and
    # (0.25, 0) are of class 0, (0, 0.75) of class 1, (0.5, 0.75) of class 0: the third label is wrong
    assert row["accuracy"] == 0.75
    assert row["accuracy_test"] == 1.0
    assert row["measures"]["params"] == 4 + 2
    assert row["weights_kept"] == 4
    assert {"accuracy", "lut", "latency_ns", "energy_uj"} <= set(row["measures"])
    assert scripts[0].quantizers_of(model)["logits.kernel"].startswith("quantized_bits(3,0")
    assert scripts[0].kernel_bits(model) == {"logits.weight_bits": 3}


def test_a_model_that_cannot_be_lowered_says_why(scripts, digits):
    model = _quantized("quantized_bits(3, 0, alpha=1)", "binary(alpha='auto_po2')")  # among AutoQKeras's defaults
    with pytest.raises(UnsupportedError, match="takes its scale from each batch"):
        scripts[1].measured(model, digits, *_rows())


def test_the_float_model_has_a_quantizer_to_come_on_its_input(scripts, digits):
    model = scripts[0].float_model(digits.net)
    assert [layer.name for layer in model.layers] == [
        *("input", "quantized_input", "flatten_1", "hidden", "hidden_relu", "logits"),
    ]
    assert all(len(layer.inbound_nodes) == 1 for layer in model.layers)


def test_qkeras_layers_are_known_to_keras_while_it_searches(scripts):
    from bitsmith.models.train.framework import framework

    layers = framework().keras.layers
    with scripts[0].layers_known():
        assert layers.QDense is framework().q.QDense
    assert not hasattr(layers, "QDense")
