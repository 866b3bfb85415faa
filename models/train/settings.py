"""How a network is trained: the ``[train]`` section of a task."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]


class TrainSettings(BaseModel):
    """Epochs, steps and pruning: the float baseline first, then the quantized net from its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    framework: Literal["qkeras", "brevitas"] = "qkeras"
    float_epochs: Annotated[int, Field(ge=1)] = 20
    epochs: Annotated[int, Field(ge=1)] = 40  # of quantization-aware training
    batch_size: Annotated[int, Field(ge=1)] = 128
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3  # Adam's, falling to zero along a cosine
    label_smoothing: Share = 0.1  # keeps small nets from chasing large logits
    input_noise: Annotated[float, Field(ge=0)] = 0.0  # deviation of the Gaussian noise added to training inputs
    validation_share: Annotated[float, Field(gt=0, lt=1)] = 0.1  # of the training rows; chooses the best epoch
    final_sparsity: Annotated[float, Field(ge=0, lt=1)] = 0.5  # share of zero weights
    prune_scope: Literal["layer", "net"] = "layer"  # the share holds in every layer, or over all of them
    prune_begin: Share = 0.0  # as shares of `epochs`
    prune_end: Share = 0.5
    seed: int = 0

    @model_validator(mode="after")
    def _is_a_schedule(self) -> TrainSettings:
        if self.prune_begin > self.prune_end:
            raise ValueError(f"prune_begin {self.prune_begin} must not lie behind prune_end {self.prune_end}")
        return self
