"""The form of a board's file: what ``*.toml`` beside this file may say.  A range is ``[low, value, high]``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bitsmith.hls.results import Figure

UNVERIFIED = "memory, unverified"
"""Marks a source that is nobody's document; such a range has to be wide."""


def _figure(value: Any) -> Any:
    if isinstance(value, list | tuple) and len(value) == 3:
        low, middle, high = value
        return Figure(middle, low, high)
    raise ValueError("a range is written [low, value, high]")


def _ordered(figure: Figure) -> Figure:
    if not 0 <= figure.low <= figure.value <= figure.high:
        raise ValueError("a range ascends from low over value to high, none below 0")
    return figure


Range = Annotated[Figure, BeforeValidator(_figure), AfterValidator(_ordered)]


class Section(BaseModel):
    """Base of the sections: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Memory(Section):
    """What can be stored, in bytes."""

    weights_bytes: int = Field(gt=0)
    activations_bytes: int = Field(gt=0)
    biases_bytes: int | None = Field(default=None, gt=0)  # a memory of their own; None: they lie with the weights
    stream_bytes: int = Field(default=0, ge=0)  # outside of the chip: weights beyond weights_bytes come from here
    runtime_bytes: Range = Figure.exact(0.0)  # program that lies with the weights
    channels_multiple: int = Field(default=1, ge=1)  # activations are stored in groups of so many channels
    tensor_lanes: int | None = Field(default=None, ge=1)  # so many channels share out the activation memory evenly


class Format(Section):
    """Integers that the device computes with."""

    weight_bits: tuple[int, ...] = Field(min_length=1)  # widths that a weight may be stored in, ascending
    activation_bits: tuple[int, ...] = Field(min_length=1)
    bias_bits: int = Field(ge=8)
    bias_step: int = Field(default=1, ge=1)  # a bias counts so many steps of a sum of products
    wide_output: bool  # whether the last layer can return its sums as they are
    unsigned: bool  # whether activations may use all of 0..2^bits-1 (a zero point counts)
    # how sums become activations: shift with halves upwards; gemmlowp's fixed-point multiplier; anything else
    rounding: Literal["half-up-shift", "tflite", "other"]


class Limits(Section):
    """What a layer may be; None: no documented limit."""

    layers: int | None = None
    channels: int | None = None  # in or out of one layer
    dense_inputs: int | None = None
    feature_side: int | None = None  # rows or columns
    kernels: tuple[tuple[int, int], ...] = ()  # the only kernels of 2-D convolutions that the engine knows; (): any
    kernel_side: int | None = None
    kernel_1d: int | None = None
    kernel_volume: int | None = None  # kernel places times groups of ``kernel_volume_channels`` input channels
    kernel_volume_channels: int = 1
    stride: int | None = None
    pad: int | None = None
    dilation: int | None = None
    groups: Literal["none", "depthwise", "any"] = "any"
    pool_window: int | None = None
    pool_windows: tuple[int, ...] = ()  # the only sides of pooling windows; (): any
    pool_stride: int | None = None
    pool_padding: bool = True


class Ops(Section):
    """Kinds of ops that the engine does not do; all others it does."""

    host: tuple[str, ...] = ()  # done by the processor beside it
    refused: dict[str, str] = Field(default_factory=dict)  # kind -> why
    tables: int = 0  # entries of an activation table, 0: no tables


class Tile(Section):
    """So many products at once; a layer is rounded up to whole tiles."""

    pixels: int = Field(default=1, ge=1)
    inputs: int = Field(default=1, ge=1)
    outputs: int = Field(default=1, ge=1)
    taps: int = Field(default=1, ge=1)  # places of the kernel
    cycles: int = Field(default=1, ge=1)  # that one tile takes
    serial: bool = False  # times the stored bits of a weight


class TileRates(Section):
    """An array of multipliers; of several tiles the best for a layer is taken."""

    model: Literal["tiles"]
    conv: tuple[Tile, ...] = Field(min_length=1)
    pointwise: tuple[Tile, ...] = Field(min_length=1)
    depthwise: tuple[Tile, ...] = Field(min_length=1)
    dense: tuple[Tile, ...] = Field(min_length=1)
    efficiency: Range  # share of the cycles in which the array multiplies
    weight_bytes_per_cycle: Range
    stream_bytes_per_cycle: Range = Figure.exact(0.0)
    activation_bytes_per_cycle: Range
    elements_per_cycle: Range  # pooling, adding, copying
    host_macs_per_cycle: Range  # convolutions that the engine refuses, by the processor beside it; 0: not done
    host_cycles_per_element: Range
    layer_cycles: Range  # start and end of a layer
    call_us: Range  # start and end of an inference


class ProcessorRates(Section):
    """A processor with a library of kernels."""

    model: Literal["processor"]
    conv_cycles_per_mac: Range
    pointwise_cycles_per_mac: Range
    depthwise_cycles_per_mac: Range
    dense_cycles_per_mac: Range
    cycles_per_output: Range  # rounding and storing one result of a convolution
    cycles_per_element: Range  # pooling, adding, copying
    layer_cycles: Range
    call_us: Range


class Max7800xRates(Section):
    """The MAX7800x accelerator: the vendor's own formula, times ``cycles``."""

    model: Literal["max7800x"]
    processors: int = Field(ge=1)
    start_cycles: int = Field(ge=0)
    pad_cycles: int = Field(ge=0)
    cycles: Range
    host_cycles_per_element: Range
    call_us: Range


Rates = Annotated[TileRates | ProcessorRates | Max7800xRates, Field(discriminator="model")]


class Power(Section):
    """What the board or the chip draws; ``scope`` says which."""

    active_mw: Range
    sleep_mw: Range
    scope: str


class Calibration(Section):
    """A factor on the cycles, fitted to ``published`` by ``scripts/accelerator_table.py``."""

    id: str
    cycles: Range
    macs: tuple[int, int]  # of the smallest and the largest network that it was fitted to


class Published(Section):
    """A result that somebody published, of a network that ``scripts/accelerator_table.py`` can build."""

    network: str
    latency_ms: float = Field(gt=0)
    energy_uj: float | None = Field(default=None, gt=0)
    basis: Literal["measured", "tool"]
    source: str


class Accelerator(Section):
    """A board with a fixed accelerator.  ``sources`` names the document of every number, by key or by section."""

    name: str
    title: str
    device: str
    clock_mhz: Range
    memory: Memory
    format: Format
    limits: Limits
    ops: Ops
    rates: Rates
    power: Power
    calibration: Calibration | None = None
    published: tuple[Published, ...] = ()
    sources: dict[str, str]

    @model_validator(mode="after")
    def _every_number_has_its_source(self) -> Accelerator:
        keys = self.numbers()
        missing = [key for key in keys if self.source(key) is None]
        unknown = [key for key in self.sources if not any(k == key or k.startswith(f"{key}.") for k in keys)]
        if missing or unknown:
            parts = [f"no source for {key}" for key in missing] + [f"a source for no number: {key}" for key in unknown]
            raise ValueError("; ".join(parts))
        return self

    def numbers(self) -> tuple[str, ...]:
        """Every key that the file gives and that needs a source: ``memory.weights_bytes``, ``clock_mhz``."""
        found = ["clock_mhz"]
        for name in ("memory", "format", "limits", "ops", "rates", "power", "calibration"):
            section = getattr(self, name)
            if section is not None:
                found += [
                    f"{name}.{key}" for key in sorted(section.model_fields_set) if key not in ("model", "scope", "id")
                ]
        return tuple(found)

    def source(self, key: str) -> str | None:
        """Where the number at ``key`` comes from; None if the file does not say."""
        return self.sources.get(key) or self.sources.get(key.split(".")[0])
