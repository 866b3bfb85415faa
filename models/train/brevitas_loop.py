"""The training loop in PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bitsmith.models.data.dataset import FloatArray, LabelArray
from bitsmith.models.train.settings import TrainSettings
from bitsmith.models.train.split import Split
from bitsmith.models.train.torch_framework import framework

CHUNK_ROWS = 2000
STEP_SHARE = 0.05  # of the learning rate: a step moves all the values that it scales at once


def scores(model: Any, x: FloatArray) -> FloatArray:
    """The module's outputs (rows, classes), in evaluation mode."""
    torch = framework().torch
    model.eval()
    with torch.no_grad():
        chunks = [model(torch.from_numpy(x[at : at + CHUNK_ROWS])).numpy() for at in range(0, len(x), CHUNK_ROWS)]
    return np.concatenate(chunks)


def accuracy(model: Any, x: FloatArray, y: LabelArray) -> float:
    """Share of rows whose largest logit is the label's."""
    return float((scores(model, x).argmax(axis=1) == y).mean())


class Loop:
    """Adam on cross-entropy with a cosine learning rate; pruned weights are held at zero."""

    def __init__(self, model: Any, parts: Split, settings: TrainSettings, epochs: int, seed: int) -> None:
        fw = framework()
        self.torch, self.model = fw.torch, model
        self.batch = min(settings.batch_size, len(parts.x))
        self.steps = len(parts.x) // self.batch
        self.total, self.done = self.steps * epochs, 0
        self.rng = np.random.default_rng(seed)
        self.noise, self.rate = settings.input_noise, settings.learning_rate
        self.x, self.y = fw.torch.from_numpy(parts.x), fw.torch.from_numpy(parts.y)
        self.x_check, self.y_check = fw.torch.from_numpy(parts.x_check), fw.torch.from_numpy(parts.y_check)
        steps = [value for name, value in model.named_parameters() if name.endswith("log2")]
        others = [value for name, value in model.named_parameters() if not name.endswith("log2")]
        groups = [{"params": others, "share": 1.0}, {"params": steps, "share": STEP_SHARE}]
        self.optimizer = fw.torch.optim.Adam([g for g in groups if g["params"]], lr=self.rate, fused=True)
        self.loss = fw.nn.CrossEntropyLoss(label_smoothing=settings.label_smoothing)
        self.masks: list[tuple[Any, Any]] = []  # (weight, 0/1 tensor)

    def hold_zeros(self, weights: list[Any]) -> Callable[[list[FloatArray]], None]:
        """Let ``weights`` be masked; the function returned sets their masks."""

        def set_masks(values: list[FloatArray]) -> None:
            self.masks = [(w, self.torch.from_numpy(value)) for w, value in zip(weights, values, strict=True)]
            self._mask()

        return set_masks

    def epoch(self) -> float:
        """One pass over the training rows in a fresh order (a last short batch is left out); the mean loss."""
        order = self.rng.permutation(len(self.x))[: self.steps * self.batch]
        self.model.train()
        total = 0.0
        for rows in self.torch.from_numpy(order).reshape(self.steps, self.batch):
            total += self._step(self.x[rows], self.y[rows])
        return total / self.steps

    def check(self) -> tuple[float, float]:
        """Accuracy and loss on the validation rows."""
        self.model.eval()
        with self.torch.no_grad():
            logits = self.model(self.x_check)
            right = (logits.argmax(dim=1) == self.y_check).float().mean()
            return float(right), float(self.loss(logits, self.y_check))

    def _step(self, x: Any, y: Any) -> float:
        if self.noise:
            x = x + self.torch.randn_like(x) * self.noise
        for group in self.optimizer.param_groups:
            group["lr"] = group["share"] * self.rate * 0.5 * (1.0 + math.cos(math.pi * self.done / self.total))
        self.done += 1
        self.optimizer.zero_grad()
        loss = self.loss(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        self._mask()
        return float(loss.detach())

    def _mask(self) -> None:
        with self.torch.no_grad():
            for weight, mask in self.masks:
                weight.mul_(mask)
