"""The 8 x 8 digits that scikit-learn brings along: the data set that always works."""

from __future__ import annotations

import numpy as np

from bitsmith.models.data.dataset import Dataset, labels

TEST_SHARE = 0.2
SPLIT_SEED = 0
STEP = 1 / 16


def load_digits() -> Dataset:
    """1,797 images (8, 8, 1), pixels 0..16 in steps of 1/16; 1,437 to train, 360 to test, stratified."""
    from sklearn.datasets import load_digits as bundled
    from sklearn.model_selection import train_test_split

    raw = bundled()
    x = raw.images[..., None].astype(np.float32) * np.float32(STEP)
    x_train, x_test, y_train, y_test = train_test_split(
        x, labels(raw.target), test_size=TEST_SHARE, stratify=raw.target, random_state=SPLIT_SEED
    )
    return Dataset(
        "digits",
        x_train,
        y_train,
        x_test,
        y_test,
        tuple("0123456789"),
        "UCI optical digits (test part), as bundled with scikit-learn: 1,437 + 360 rows, stratified, seed 0",
        step=STEP,
    )
