"""Bit widths as real numbers: one training that shows which layers need their bits, from many to few.

A quantizer of b bits has the step 2**(1 - b) of its range, for any real b; the
gradient of the step is that of LSQ (Esser et al., arXiv:1902.08153).  The loss is
cross-entropy plus a growing price on the logarithm of the bit operations, as in
HGQ (Sun et al., arXiv:2405.00645), so that a single run passes along a whole
front.  What it gives are hints for a search: no net has such widths.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bitsmith.models.train.framework import framework
from bitsmith.models.train.inherit import Named, inherited
from bitsmith.models.train.keras import QKeras
from bitsmith.models.train.loop import Loop
from bitsmith.models.train.results import Epoch
from bitsmith.models.train.settings import TrainSettings
from bitsmith.models.train.split import Split
from bitsmith.models.zoo.graph import Grid, nodes
from bitsmith.models.zoo.spec import NetSpec

PRICES = (0.003, 3.0)
"""Of a factor e in bit operations, in units of the loss: at the beginning and at the end."""


@dataclass(frozen=True)
class Work:
    """Multiplications of a layer, and how wide its factors are: a free width's name, or a number."""

    multiplications: float
    weight: str | float
    value: str | float


@dataclass(frozen=True)
class Free:
    """A width that may vary: of the weights or values of these layers, between these bits."""

    layers: tuple[str, ...]
    kind: str  # "weight" | "activation"
    least: float
    most: float


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Widths after each epoch, from many to few, and the weights at the middle of the way."""

    path: tuple[dict[str, float], ...]
    weights: Named


def relax(
    spec: NetSpec,
    parts: Split,
    settings: TrainSettings,
    free: Mapping[str, Free],
    work: Sequence[Work],
    epochs: int,
    start: Named,
    record: Callable[[Epoch], None],
) -> Relaxed:
    """Train ``spec`` in QKeras for ``epochs`` with the widths ``free``, from the weights ``start``.

    Call it within ``QKeras().seeded``.  tanh and sigmoid keep their widths.
    """
    tf, adapter = framework().tf, QKeras()
    model = adapter.build(spec, quantized=True)
    adapter.set_named(model, inherited(start, adapter.named(model)))
    widths = {name: tf.Variable(float(f.most), dtype=tf.float32) for name, f in free.items()}
    _let_free(model, spec, free, widths)
    loop = _Loop(model, parts, settings, epochs, settings.seed + 2, free, widths, work)
    path: list[dict[str, float]] = []
    middle = adapter.named(model)
    for number in range(epochs):
        loop.price.assign(PRICES[0] * (PRICES[1] / PRICES[0]) ** (number / max(1, epochs - 1)))
        record(Epoch("relaxed", loop.epoch(), *loop.check(), sparsity=0.0))
        path.append(
            {name: float(np.clip(width.numpy(), free[name].least, free[name].most)) for name, width in widths.items()}
        )
        if number == epochs // 2:
            middle = adapter.named(model)
    return Relaxed(tuple(path), middle)


class _Loop(Loop):
    """Trains the widths too, at the price of the bit operations."""

    def __init__(
        self,
        model: Any,
        parts: Split,
        settings: TrainSettings,
        epochs: int,
        seed: int,
        free: Mapping[str, Free],
        widths: Mapping[str, Any],
        work: Sequence[Work],
    ) -> None:
        self.free, self.widths, self.work = free, widths, work
        self.price = framework().tf.Variable(0.0, trainable=False)
        super().__init__(model, parts, settings, epochs, seed)

    def variables(self) -> list[Any]:
        """Weights and widths."""
        return [*self.model.trainable_variables, *self.widths.values()]

    def penalty(self) -> Any:
        """The price of a net of these widths."""
        total = sum(w.multiplications * self._bits(w.weight) * self._bits(w.value) for w in self.work)
        return self.price * self.tf.math.log(total)

    def _bits(self, width: str | float) -> Any:
        return width if isinstance(width, float) else _within(self.widths[width], self.free[width])


def _within(width: Any, free: Free) -> Any:
    """The width, held between its bounds; the gradient passes, so that it can come back."""
    tf = framework().tf
    return width + tf.stop_gradient(tf.clip_by_value(width, free.least, free.most) - width)


def _let_free(model: Any, spec: NetSpec, free: Mapping[str, Free], widths: Mapping[str, Any]) -> None:
    """Puts relaxed quantizers into the layers whose widths are free."""
    by_name = {node.name: node for node in nodes(spec)}
    for name, choice in free.items():
        bits = widths[name]
        for layer in choice.layers:
            node = by_name[layer]
            if choice.kind == "weight":
                target = model.get_layer(layer)
                for part in ("kernel", "depthwise", "pointwise"):
                    if getattr(target, f"{part}_quantizer_internal", None) is not None:
                        quantizer = _quantizer(bits, choice, node.weight_grid, signed=True)
                        setattr(target, f"{part}_quantizer_internal", quantizer)
            elif node.activation in ("relu", "linear"):
                signed = node.activation == "linear"
                model.get_layer(f"{layer}_{node.activation}").quantizer = _quantizer(
                    bits, choice, node.activation_grid, signed
                )


def _quantizer(width: Any, free: Free, grid: Grid, signed: bool) -> Callable[[Any], Any]:
    """QKeras' grid of ``width`` real bits."""
    tf = framework().tf

    def quantize(x: Any) -> Any:
        most = 2.0**grid.integer_bits
        step = most * tf.pow(2.0, float(signed) - _within(width, free))
        places = x / step
        rounded = places + tf.stop_gradient(tf.round(places) - places)
        low = -most if signed else 0.0
        return tf.clip_by_value(rounded * step, low, most - step)

    return quantize
