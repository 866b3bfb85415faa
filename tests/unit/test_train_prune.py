"""The pruning schedule and the masks."""

from __future__ import annotations

import numpy as np
import pytest

from bitsmith.models.train.prune import masks, scheduled


def test_schedule_by_hand():
    assert scheduled(0.8, 0.2, begin=0.2, end=0.6) == 0.0
    assert scheduled(0.8, 0.4, begin=0.2, end=0.6) == pytest.approx(0.7)  # 0.8 * (1 - (1 / 2)**3)
    assert scheduled(0.8, 0.6, begin=0.2, end=0.6) == 0.8
    assert scheduled(0.8, 1.0, begin=0.2, end=0.6) == 0.8
    assert scheduled(0.8, 0.5, begin=0.5, end=0.5) == 0.8  # at once


def test_schedule_rises():
    steps = [scheduled(0.9, p, 0.1, 0.7) for p in np.linspace(0, 1, 101)]
    assert steps == sorted(steps) and steps[0] == 0.0 and steps[-1] == 0.9


def test_masks_per_layer_take_the_smallest_of_each():
    weights = [np.array([[0.5, -0.1], [0.2, -0.9]], np.float32), np.array([10.0, -20.0, 30.0, 40.0], np.float32)]
    first, second = masks(weights, [0.5, 0.25], across=False)
    assert first.tolist() == [[1, 0], [0, 1]]
    assert second.tolist() == [0, 1, 1, 1]


def test_masks_over_the_net_take_the_smallest_of_all():
    weights = [np.array([[0.5, -0.1], [0.2, -0.9]], np.float32), np.array([10.0, -20.0, 0.3, 40.0], np.float32)]
    first, second = masks(weights, [0.5, 0.25], across=True)
    assert first.tolist() == [[1, 0], [0, 1]]
    assert second.tolist() == [1, 1, 0, 1]


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.97])
def test_the_number_of_zeros_is_exact_even_with_ties(across, share, rng):
    weights = [rng.integers(-2, 3, (30, 20)).astype(np.float32), rng.integers(-2, 3, (20, 10)).astype(np.float32)]
    found = masks(weights, [share, share], across)
    assert sum(int((m == 0).sum()) for m in found) == round(share * 600) + round(share * 200)
    assert all(set(np.unique(m)) <= {0.0, 1.0} and m.shape == w.shape for m, w in zip(found, weights, strict=True))


def test_pruned_weights_stay_pruned(rng):
    weights = [rng.normal(size=(40, 10)).astype(np.float32)]
    early = masks(weights, [0.4], across=False)[0]
    late = masks([weights[0] * early], [0.6], across=False)[0]
    assert (late <= early).all()
