"""NetSpec: a network's architecture and bit widths, without any framework.

A spec is data: it comes from the ``[net]`` section of a task's TOML.  Widths left
out of a layer come from the net.  ``*_integer_bits`` counts bits left of the
binary point without the sign, as QKeras does: ``bits = 4, integer_bits = 0`` is
the grid -8/8 .. 7/8 for weights and 0 .. 15/16 for a ReLU.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Activation = Literal["none", "linear", "relu", "tanh", "sigmoid"]
"""``none`` leaves the accumulator as it is; ``linear`` only requantizes it, signed."""

WeightScales = Literal["fixed", "tensor", "channel"]
"""``fixed``: the grid of ``weight_integer_bits``.  Else a real number per tensor or output channel, fitted to the
weights, on a range without the lowest integer; the bias is then rounded to the step of its accumulator."""

ActivationScales = Literal["fixed", "tensor"]
"""``fixed``: the grid of ``activation_integer_bits``.  ``tensor``: a learned real number per relu or linear
activation; branches that meet in an add or a concat share one.  The input's grid is fixed always."""

Bits = Annotated[int, Field(ge=1, le=16)]
IntegerBits = Annotated[int, Field(ge=-8, le=8)]
Size = Annotated[int, Field(ge=1, le=65536)]
Window = Annotated[tuple[Size, ...], Field(min_length=1, max_length=2)]


class Section(BaseModel):
    """Frozen, and no keys but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class InputSpec(Section):
    """Shape without the batch, channels last, and the grid that real data are rounded to."""

    shape: Annotated[tuple[Size, ...], Field(min_length=1, max_length=3)]
    bits: Bits = 8
    integer_bits: IntegerBits = 0
    signed: bool = False


class LayerSpec(Section):
    """What all layers have; ``from`` defaults to the layer before."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")] | None = None
    sources: tuple[str, ...] = Field((), alias="from")
    activation: Activation | None = None
    activation_bits: Bits | None = None
    activation_integer_bits: IntegerBits | None = None


class WeightedSpec(LayerSpec):
    """A layer with weights; ``sparsity`` overrides the training's final one for this layer."""

    weight_bits: Bits | None = None
    weight_integer_bits: IntegerBits | None = None
    bias: bool = True
    bias_bits: Bits | None = None
    bias_integer_bits: IntegerBits | None = None
    batchnorm: bool | None = None
    sparsity: Annotated[float, Field(ge=0, lt=1)] | None = None


class DenseSpec(WeightedSpec):
    """Fully connected, on the last axis."""

    kind: Literal["dense"] = "dense"
    units: Size


class _Windowed(Section):
    kernel: Window
    strides: Window | None = None
    padding: Literal["valid", "same"] = "valid"


class ConvSpec(_Windowed, WeightedSpec):
    """Convolution, 1-D or 2-D by the length of ``kernel``."""

    kind: Literal["conv"] = "conv"
    filters: Size


class DepthwiseSpec(_Windowed, WeightedSpec):
    """One 2-D filter per channel."""

    kind: Literal["depthwise"] = "depthwise"


class SeparableSpec(_Windowed, WeightedSpec):
    """Depthwise, then 1 x 1 convolution, with nothing in between."""

    kind: Literal["separable"] = "separable"
    filters: Size


class PoolSpec(LayerSpec):
    """Maximum or average over windows, which do not overlap unless ``strides`` says so."""

    kind: Literal["maxpool", "avgpool"]
    window: Window
    strides: Window | None = None


class GlobalAvgPoolSpec(LayerSpec):
    """Average over all places."""

    kind: Literal["globalavgpool"] = "globalavgpool"


class FlattenSpec(LayerSpec):
    """All places and channels on one axis, row-major."""

    kind: Literal["flatten"] = "flatten"


class MergeSpec(LayerSpec):
    """Branches added, or concatenated on the channels; ``from`` names two or more."""

    kind: Literal["add", "concat"]
    sources: Annotated[tuple[str, ...], Field(min_length=2, alias="from")]


AnyLayer = Annotated[
    DenseSpec | ConvSpec | DepthwiseSpec | SeparableSpec | PoolSpec | GlobalAvgPoolSpec | FlattenSpec | MergeSpec,
    Field(discriminator="kind"),
]


class NetSpec(Section):
    """A network from its quantized input to its logits, with the widths that layers inherit."""

    input: InputSpec
    layers: tuple[AnyLayer, ...]
    weight_bits: Bits = 6
    weight_integer_bits: IntegerBits = 0
    bias_bits: Bits = 6
    bias_integer_bits: IntegerBits = 0
    activation: Activation = "relu"
    activation_bits: Bits = 6
    activation_integer_bits: IntegerBits = 0
    batchnorm: bool = False
    weight_scales: WeightScales = "fixed"
    activation_scales: ActivationScales = "fixed"

    @model_validator(mode="after")
    def _is_a_network(self) -> NetSpec:
        from bitsmith.models.zoo.graph import graph_problems

        problems = graph_problems(self)
        if problems:
            raise ValueError("; ".join(problems))
        return self
