"""The training loop in TensorFlow: a whole epoch is one graph call, since small nets are dominated by calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bitsmith.models.data.dataset import FloatArray, LabelArray
from bitsmith.models.train.framework import framework
from bitsmith.models.train.settings import TrainSettings
from bitsmith.models.train.split import Split

CHUNK_ROWS = 2000


def scores(model: Any, x: FloatArray) -> FloatArray:
    """The model's outputs (rows, classes)."""
    call = framework().tf.function(lambda part: model(part, training=False))
    chunks = [call(x[start : start + CHUNK_ROWS]).numpy() for start in range(0, len(x), CHUNK_ROWS)]
    return np.concatenate(chunks)


def accuracy(model: Any, x: FloatArray, y: LabelArray) -> float:
    """Share of rows whose largest logit is the label's."""
    return float((scores(model, x).argmax(axis=1) == y).mean())


class Loop:
    """Adam on cross-entropy with a cosine learning rate; pruned weights are held at zero."""

    def __init__(self, model: Any, parts: Split, settings: TrainSettings, epochs: int, seed: int) -> None:
        fw = framework()
        self.tf, self.model = fw.tf, model
        self.batch = min(settings.batch_size, len(parts.x))
        self.steps = len(parts.x) // self.batch
        self.rng = np.random.default_rng(seed)
        self.noise, self.smoothing = settings.input_noise, settings.label_smoothing
        classes = model.output_shape[-1]
        self.x, self.y = fw.tf.constant(parts.x), fw.tf.one_hot(parts.y, classes)
        self.x_check, self.y_check = fw.tf.constant(parts.x_check), fw.tf.one_hot(parts.y_check, classes)
        rate = fw.keras.optimizers.schedules.CosineDecay(settings.learning_rate, self.steps * epochs)
        self.optimizer = fw.keras.optimizers.Adam(rate)
        self.optimizer.build(self.variables())
        self.loss = fw.keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=self.smoothing)
        self.masks: list[tuple[Any, Any]] = []  # (weight, 0/1 variable)
        self._epoch = fw.tf.function(self._epoch_graph)
        self._check = fw.tf.function(self._check_graph)

    def variables(self) -> list[Any]:
        """What is trained."""
        return list(self.model.trainable_variables)

    def penalty(self) -> Any:
        """What is added to the loss."""
        return 0.0

    def hold_zeros(self, weights: list[Any]) -> Callable[[list[Any]], None]:
        """Let ``weights`` be masked; the function returned sets their masks."""
        self.masks = [(weight, self.tf.Variable(self.tf.ones_like(weight), trainable=False)) for weight in weights]

        def set_masks(values: list[Any]) -> None:
            for (weight, mask), value in zip(self.masks, values, strict=True):
                mask.assign(value)
                weight.assign(weight * mask)

        return set_masks

    def epoch(self) -> float:
        """One pass over the training rows in a fresh order (a last short batch is left out); the mean loss."""
        order = self.rng.permutation(len(self.x))[: self.steps * self.batch]
        return float(self._epoch(self.tf.constant(order.reshape(self.steps, self.batch)), self.x, self.y))

    def check(self) -> tuple[float, float]:
        """Accuracy and loss on the validation rows."""
        right, loss = self._check(self.x_check, self.y_check)
        return float(right), float(loss)

    # The rows are arguments: TensorFlow keeps what a graph captures for as long as the process lives.

    def _epoch_graph(self, order: Any, all_x: Any, all_y: Any) -> Any:
        tf, total = self.tf, self.tf.constant(0.0)
        for step in tf.range(self.steps):
            # TensorFlow would let steps overlap, and a step read weights that the one before has yet to mask
            tf.autograph.experimental.set_loop_options(parallel_iterations=1)
            rows = order[step]
            x = tf.gather(all_x, rows)
            if self.noise:
                x += tf.random.normal(tf.shape(x), stddev=self.noise)
            with tf.GradientTape() as tape:
                logits = self.model(x, training=True)
                loss = self.loss(tf.gather(all_y, rows), logits) + self.penalty()
            variables = self.variables()
            self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            for weight, mask in self.masks:
                weight.assign(weight * mask)
            total += loss
        return total / self.steps

    def _check_graph(self, x: Any, y: Any) -> tuple[Any, Any]:
        tf = self.tf
        logits = self.model(x, training=False)
        same = tf.argmax(logits, axis=1) == tf.argmax(y, axis=1)
        right = tf.reduce_mean(tf.cast(same, tf.float32))
        return right, self.loss(y, logits)
