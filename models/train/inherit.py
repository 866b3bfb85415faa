"""A net's weights for a net of other sizes: children of a search start from their parents, not from nothing.

The smallest of the network morphisms (Wei et al., 2016): what both nets have is
taken over, what is new keeps its fresh values.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bitsmith.models.data.dataset import FloatArray

Named = Mapping[str, FloatArray]
"""Weights by name: layer, slash, part."""


def inherited(old: Named, fresh: Named) -> dict[str, FloatArray]:
    """The weights ``fresh`` with those of ``old`` where the names agree, cut off or filled up along each axis.

    New outputs keep their fresh values at a tenth, so that the child begins close
    to its parent; what has another number of axes is fresh altogether.
    """
    return {name: _fitted(old[name], value) if name in old else value for name, value in fresh.items()}


def _fitted(old: FloatArray, fresh: FloatArray) -> FloatArray:
    if old.shape == fresh.shape:
        return old
    if old.ndim != fresh.ndim:
        return fresh
    both = tuple(slice(0, min(a, b)) for a, b in zip(old.shape, fresh.shape, strict=True))
    grown = np.asarray(fresh * np.float32(0.1), np.float32)
    grown[both] = old[both]
    return grown
