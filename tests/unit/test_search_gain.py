"""Additions to a front by counted points, inherited weights, the relaxation of widths."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bitsmith.flows.config import read_config
from bitsmith.flows.search.begin import Wishes, prepare
from bitsmith.flows.search.ledger import Trial
from bitsmith.flows.search.relaxation import relaxation
from bitsmith.flows.search.space import Value, parameters, read_space
from bitsmith.flows.search.strategies.gain import best_additions, dominated
from bitsmith.flows.search.strategies.surrogate import likely_to_hold
from bitsmith.models import data
from bitsmith.models.train.inherit import inherited
from bitsmith.models.zoo import task_path


def test_what_dominates() -> None:
    points = np.array([[0.5, 0.5], [0.1, 0.9]], np.float32)
    assert dominated(np.array([[0.4, 0.4], [0.0, 0.6]]), points).tolist() == [[True, False], [False, True]]


def test_the_largest_addition_first_and_nothing_twice() -> None:
    front = np.array([[0.5, 0.5]])
    # areas that they add: 0.5 * 0.9 - 0.25 = 0.2 beyond the front, nothing, 0.4 * 0.5 = 0.2 less what the first took
    candidates = np.array([[0.5, 0.1], [0.6, 0.6], [0.1, 0.9], [0.5, 0.1]])
    assert best_additions(front, candidates, 4, seed=0) == [0, 2]
    assert best_additions(np.empty((0, 2)), candidates, 1, seed=0) == [0]


def trial(number: int, state: str, **choices: Value) -> Trial:
    return Trial(number, state, choices, None, (), {}, 0)


def test_what_failed_tells_what_will(tmp_path: Path) -> None:
    task = read_config(task_path("digits"))
    (tmp_path / "space.toml").write_text('[bits]\nweights = [2, 3, 4, 5]\nactivations = [2, 4, 8]\nper = "net"\n')
    sweep = prepare(task, Wishes(space=str(tmp_path / "space.toml")), tmp_path, None, 0)
    w, a = (p.name for p in sweep.parameters)
    every = [{w: x, a: y} for x in (2, 3, 4, 5) for y in (2, 4, 8)]
    good = [trial(n, "complete", **{w: x, a: 2}) for n, x in enumerate((2, 3, 4, 5))]
    bad = [trial(9 + n, "failed", **{w: x, a: 8}) for n, x in enumerate((2, 3, 5))]
    assert likely_to_hold(sweep, good, every) == list(range(12)), "nothing failed"
    assert likely_to_hold(sweep, bad, every) == list(range(12)), "nothing is known to be better"
    kept = [every[i] for i in likely_to_hold(sweep, [*good, *bad], every)]
    assert {w: 4, a: 2} in kept and {w: 4, a: 8} not in kept, "eight bits fail, whatever the weights"
    eight = [{w: x, a: 8} for x in (2, 3)]
    assert likely_to_hold(sweep, [*good, *bad], eight) == [0, 1], "there is nothing else"


def test_weights_are_cut_and_filled() -> None:
    old = {
        "a/0": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b/0": np.ones(3, np.float32),
        "gone": np.ones(1, np.float32),
    }
    fresh = {
        "a/0": np.full((3, 2), 10, np.float32),
        "b/0": np.full((1, 3), 5, np.float32),
        "new": np.full(2, 7, np.float32),
    }
    found = inherited(old, fresh)
    assert found["a/0"].tolist() == [[0, 1], [3, 4], [1, 1]], "both rows and columns that fit; the new row at a tenth"
    assert found["b/0"].tolist() == [[5, 5, 5]] and found["new"].tolist() == [7, 7]
    assert set(found) == set(fresh)


def test_the_work_of_a_relaxation() -> None:
    task = read_config(task_path("digits"))
    found = relaxation(task, parameters(read_space("bits"), task), 5)
    assert found is not None
    hidden, logits = found.work
    assert (hidden.multiplications, hidden.weight, hidden.value) == (64 * 40, "hidden.weight_bits", 3.0)
    assert (logits.multiplications, logits.weight, logits.value) == (
        400,
        "logits.weight_bits",
        "hidden.activation_bits",
    )
    assert [f.least for _, f in found.free] == [2.0, 1.0, 2.0], "a single signed bit is no end of a line"
    brevitas = read_config(task_path("digits_residual"))
    assert relaxation(brevitas, parameters(read_space("bits"), brevitas), 5) is None


def test_widths_shrink_as_bit_operations_cost_more() -> None:
    from bitsmith.models.train import session
    from bitsmith.models.train.keras import QKeras
    from bitsmith.models.train.relax import relax
    from bitsmith.models.train.split import split

    task = read_config(task_path("digits"))
    settings = task.train.model_copy(update={"float_epochs": 4})
    wanted = relaxation(task, parameters(read_space("bits"), task), 12)
    assert wanted is not None
    parts, adapter = split(data.load("digits"), 0.2, 0), QKeras()
    seen: list[str] = []

    def once() -> tuple[dict[str, float], ...]:
        with adapter.seeded(0):
            start = adapter.named(session.float_baseline(adapter, task.net, parts, settings, lambda e: None))
            free = dict(wanted.free)
            return relax(task.net, parts, settings, free, wanted.work, 12, start, lambda e: seen.append(e.stage)).path

    path = once()
    assert seen == ["relaxed"] * 12 and len(path) == 12
    for name, free in wanted.free:
        widths = [row[name] for row in path]
        assert free.least <= widths[-1] < widths[0] <= free.most
    assert once() == path, "one seed, one way"
