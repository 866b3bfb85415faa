"""The space of a sweep: parameters of a task, candidates, modular blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bitsmith.flows.config import TaskConfig, read_config
from bitsmith.flows.search.architecture import reshaped, width_groups
from bitsmith.flows.search.candidate import config_of, fingerprint
from bitsmith.flows.search.screen import layer_rows, prices, refusal
from bitsmith.flows.search.space import closest, parameters, read_space
from bitsmith.models.ir.errors import InputError
from bitsmith.models.zoo import task_path
from bitsmith.models.zoo.graph import nodes


def task(name: str) -> TaskConfig:
    return read_config(task_path(name))


def test_bits_of_digits() -> None:
    found = {p.name: p.values for p in parameters(read_space("bits"), task("digits"))}
    widths = (1, 2, 3, 4, 5, 6, 8)
    # three bits are the task's own input: no candidate reads more; the last layer gives sums, so it has no activation
    assert found == {
        "input.bits": (1, 2, 3),
        "hidden.weight_bits": widths,
        "hidden.activation_bits": widths,
        "logits.weight_bits": widths,
    }


@pytest.mark.parametrize(("wanted", "found"), [(8.0, 8), (3.4, 3), (0.2, 1), (100.0, 8)])
def test_a_real_width_becomes_one_of_the_spaces(wanted: float, found: int) -> None:
    taken = closest((1, 3, 8), wanted)
    assert taken == found
    assert isinstance(taken, int), "a float would not pass for a width in a config"


def test_one_choice_for_the_whole_net(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(
        '[bits]\nweights = [2, 4]\nactivations = [3]\nper = "net"\n[sparsity]\nvalues = [0.0, 0.5]\nper = "net"\n'
    )
    found = parameters(read_space(str(path)), task("digits"))
    assert [(p.name, p.values) for p in found] == [("weight_bits", (2, 4)), ("sparsity", (0.0, 0.5))]
    config = config_of(task("digits"), {"weight_bits": 2, "sparsity": 0.5})
    assert [node.weight_grid.bits for node in nodes(config.net)][1:] == [2, 2]
    assert config.train.final_sparsity == 0.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[bits]\nweight = [2]\n", "did you mean weights"),
        ("[bits]\nweights = [0, 99]\n", "has 2 problems"),
        ("[bits\n", "cannot be read as TOML"),
    ],
)
def test_a_wrong_space_is_explained(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "space.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_space(str(path))


def test_a_space_without_a_choice(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text("[bits]\nweights = [4]\n")
    with pytest.raises(InputError, match="nothing may vary"):
        parameters(read_space(str(path)), task("digits"))


def test_a_single_bit_has_no_zeros() -> None:
    config = config_of(task("digits"), {"hidden.weight_bits": 1, "hidden.sparsity": 0.9, "logits.sparsity": 0.5})
    layers = {node.name: node.layer for node in nodes(config.net)}
    assert layers["hidden"].sparsity is None and layers["logits"].sparsity == 0.5  # type: ignore[union-attr]
    assert [row["density"] for row in layer_rows(config)] == [1.0, 0.5]


def test_an_unrolled_design_has_no_target_interval() -> None:
    one, other = (
        config_of(task("digits"), {"backend": "rtl-unrolled", "target_ii": ii, "hidden.weight_bits": 3})
        for ii in (1, 64)
    )
    assert fingerprint(one) == fingerprint(other), "they are one candidate"
    folded = config_of(task("digits"), {"backend": "rtl-folded", "target_ii": 64})
    assert folded.hardware.target_ii == 64


def test_widths_that_are_added_go_together() -> None:
    assert width_groups(task("digits_residual").net) == (("stem", "block_b"), ("block_a",))
    spec = reshaped(task("digits_residual").net, {"stem.width": 0.5, "block_a.width": 1.5})
    assert [node.shape for node in nodes(spec)] == [(64,), (20,), (60,), (20,), (20,), (10,)]


def test_deeper_with_a_skip() -> None:
    spec = reshaped(task("digits").net, {"hidden.depth": 2, "hidden.skip": True, "hidden.width": 0.5})
    rows = [(n.name, n.layer.kind, n.inputs, n.shape, n.activation) for n in nodes(spec)]
    assert rows == [
        ("flatten_1", "flatten", ("input",), (64,), "none"),
        ("hidden", "dense", ("flatten_1",), (20,), "relu"),
        ("hidden_x2", "dense", ("hidden",), (20,), "linear"),
        ("hidden_skip", "add", ("hidden", "hidden_x2"), (20,), "relu"),
        ("logits", "dense", ("hidden_skip",), (10,), "none"),
    ]


def test_left_out() -> None:
    spec = reshaped(task("digits").net, {"hidden.depth": 0})
    assert [n.name for n in nodes(spec)] == ["flatten_1", "logits"]


def test_kernels_of_padded_convolutions_only() -> None:
    names = [p.name for p in parameters(read_space("all"), task("cifar10"))]
    assert "stem.kernel" in names and "logits.kernel" not in names
    spec = reshaped(task("cifar10").net, {"stem.kernel": 5})
    assert nodes(spec)[0].layer.kernel == (5, 5)  # type: ignore[union-attr]


def test_prices_stand_in_the_order_of_what_was_asked() -> None:
    backends = ["rtl-unrolled", "rtl-folded", "qonnx", "rtl-unrolled"]
    configs = [config_of(task("digits"), {"backend": b, "target_ii": 640, "hidden.weight_bits": 4}) for b in backends]
    found = prices(configs)
    assert found[2] is None and found[0] == found[3]
    assert found[0] is not None and found[0].value["ii_cycles"] == 1.0
    # 64 x 40 products in at most 640 cycles: four at a time, four outputs of one input; 64 * 10 steps
    assert found[1] is not None and found[1].value["ii_cycles"] == 640.0
    assert refusal(None, None) == ""  # type: ignore[arg-type]  # nothing can be said of a backend without a table


def test_limits_are_those_of_the_candidates_own_board() -> None:
    from bitsmith.flows.search.goals import make_goals
    from bitsmith.hls.boards import load_board

    large, small = load_board("ulx3s-85f"), load_board("icestick")
    goals = make_goals(("accuracy", "lut"), {"lut": 5000.0, "accuracy": 0.9}, large)
    measures = {"accuracy": 0.95, "lut": 2000.0, "ff": 1.0, "dsp": 0.0, "bram": 0.0}
    assert goals.limits["lut"] == 5000 and goals.broken(measures) == []
    assert goals.on(small).broken(measures) == [f"lut 2000 above {small.device.lut}"]
    assert goals.on(small).limits["accuracy"] == 0.9


def test_a_clock_that_no_weights_can_reach_is_refused_before_training() -> None:
    from bitsmith.flows.search.goals import make_goals
    from bitsmith.hls.boards import load_board

    def why(clock_mhz: float, **choices: Any) -> str:
        hardware = {"board": "icebreaker", "clock_mhz": clock_mhz}
        config = task("digits").model_copy(update={"hardware": task("digits").hardware.model_copy(update=hardware)})
        config = config_of(config, {"backend": "rtl-unrolled", "hidden.activation_bits": 8, **choices})
        return refusal(prices([config])[0], make_goals(("accuracy", "lut"), {}, load_board("icebreaker")))

    # up5k: (1.7 + 2.3 + 0.13 * bits) * 2.6 ns
    assert why(100.0) == (
        "hidden: an addition of 8 bits takes 13.10 ns on ice40up5k, the period is 10.00 ns; "
        "ask for at most 76 MHz, or fewer bits"
    )
    assert why(76.0) == "" and "of 2 bits" in why(100.0, **{"hidden.activation_bits": 2})
    assert why(80.0, **{"hidden.activation_bits": 4}) == "", "sums may be too wide for it, or not: training will tell"
    assert why(100.0, backend="rtl-folded", target_ii=640) == ""
