"""Designs read from rows of synthesis results: one JSON object per design or per HLS module.

A row names its layers as the firmware headers of an hls4ml project do.  Keys
may be missing or null; what cannot be priced is refused by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bitsmith.hls.estimate.hls4ml.layers import HlsDesign, HlsLayer
from bitsmith.hls.estimate.hls4ml.weights import (
    Products,
    bell_products,
    expected_products,
    legal_reuse,
    span_from_digits,
    span_from_type,
)
from bitsmith.models.ir.errors import UnsupportedError

Row = Mapping[str, Any]

LARGEST = 2**26
"""No layer has a size beyond."""

DEFAULT_BITS = 16
"""hls4ml's default type is ``fixed<16,6>``."""

HETEROGENEOUS = 1 / 3
"""Networks of HGQ (arXiv:2405.00645) have a width per value, the project declares the widest: a guess at the mean."""

_KINDS = (
    (r"dense(_|$)", "dense"),
    (r"(pointwise_|depthwise_|separable_)?conv_?[12]d|sepconv", "conv"),
    (r"softmax", "softmax"),
    (r"global_pool", "global_pool"),
    (r"(max_?|avg_?|average_?)?pool", "pool"),
    (r"zeropad|zero_padding", "pad"),
    (r"normalize|batch_?norm", "normalize"),
    (r"add$|subtract|multiply|average|maximum|minimum|merge", "merge"),
    (r"resize|upsampl", "resize"),
    (r"clone", "clone"),
    (r"concatenate|reshape|flatten|repack|input|transpose", "wiring"),
    (
        r"(leaky_|thresholded_|p)?relu|linear|(hard_)?tanh|(hard_)?sigmoid|binary_tanh|ternary_tanh|softplus|softsign|s?elu"
        r"|\w*quantize",
        "activation",
    ),
)


def integer(value: Any, default: int) -> int:
    """``value`` as a whole number of 1 to LARGEST, or the default for null, text and nonsense."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= LARGEST:
        return default
    return int(value)


def number(value: Any) -> float | None:
    """``value`` as a number of 0 to 2**53, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2**53:
        return None
    return float(value)


def kind_of(name: str) -> str | None:
    """The model's kind of a layer that hls4ml calls ``name``, None if it has no such kind."""
    return next((kind for pattern, kind in _KINDS if re.match(pattern, name)), None)


def is_vitis(tool: Any) -> bool:
    """Whether a tool's text names Vitis HLS: by name, or by a year from 2021 on."""
    text = str(tool or "")
    year = re.search(r"20\d\d", text)
    return "vitis" in text.lower() or ("vivado" not in text.lower() and year is not None and int(year.group()) >= 2021)


def is_series7(part: Any) -> bool:
    """Whether a part is of AMD's 7 series."""
    return re.match(r"(xc|xa|xq)?7[azksvx]", str(part or "").lower()) is not None


_DECLARED = r"fixed<\d+,-?\d+,([A-Z_0-9]+),([A-Z_0-9]+)"  # in C++
_MANGLED = r"fixed_\d+_[a-z]?\d+_(\d)_(\d)"  # in the name of a module
_TRUNCATES, _WRAPS = ("5", "AP_TRN", "TRN"), ("3", "4", "AP_WRAP", "WRAP", "AP_WRAP_SM", "WRAP_SM")


def modes_of(declared: Any) -> tuple[bool, bool]:
    """Whether a type rounds and whether it saturates: of ``ap_fixed<28,16,AP_RND,AP_SAT>``, ``ap_fixed_28_16_0_0_0``.

    Of several types in a text, the last.  The numbers are those of AMD's ``ap_q_mode`` and ``ap_o_mode``.  A text
    without modes is C++'s default: it truncates and wraps.
    """
    text = str(declared or "").replace(" ", "")
    found = re.findall(_DECLARED, text) or re.findall(_MANGLED, text)
    if not found:
        return False, False
    rounding, overflow = found[-1]
    return rounding not in _TRUNCATES, overflow not in _WRAPS


def stage_of(row: Row) -> str:
    """``csynth`` (HLS's own estimate) or ``vivado`` (logic synthesis, export or implementation)."""
    return "csynth" if str(row.get("stage") or "csynth").startswith("csynth") else "vivado"


def design_of(row: Row) -> HlsDesign:
    """The design of a row.  UnsupportedError, with the reason, for one that has no layers or layers without a model."""
    if "module" in row or "cfg" in row:
        return _module(row)
    layers = row.get("layers")
    if not isinstance(layers, list) or not layers:
        raise UnsupportedError("no layers")
    if not all(isinstance(layer, Mapping) for layer in layers):
        raise UnsupportedError("layers that are no objects")
    if any(re.match(r"(dense|conv_[12]d)_large", str(x.get("type"))) for x in layers):
        raise UnsupportedError("layers of hls4ml before 0.2, which had other templates")
    unknown = sorted({str(x.get("type")) for x in layers if kind_of(str(x.get("type"))) is None})
    if unknown:
        raise UnsupportedError(f"layers without a model: {', '.join(unknown)}")
    if all(kind_of(str(x.get("type"))) in ("resize", "clone", "wiring") and not x.get("n_in") for x in layers):
        raise UnsupportedError("layers without sizes")
    made = _Reader(row).read(layers)
    stream = row.get("io_type")
    return HlsDesign(
        name=str(row.get("id") or row.get("path") or ""),
        layers=made,
        stream="stream" in str(stream) if stream else any("_cl" in str(x.get("type")) for x in layers),
        clock_ns=number(row.get("clock_ns")) or 5.0,
        vitis=is_vitis(row.get("tool")),
        series7=is_series7(row.get("part")),
        axi="_axi" in str(row.get("report") or "").rsplit("/", 1)[-1],
    )


class _Reader:
    """Reads layers one after the other; knows what the one before gives."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.channels, self.places = 0, 1
        self.share = 1.0  # of a declared width that a typical value has
        self.bits = DEFAULT_BITS

    def read(self, layers: list[Row]) -> tuple[HlsLayer, ...]:
        if any(re.match(r"h_\w*quantize", str(layer.get("type"))) for layer in layers):
            self.share = HETEROGENEOUS
        made = []
        for layer in layers:
            kind = kind_of(str(layer.get("type")))
            assert kind is not None
            one = self.matrix(layer, kind) if kind in ("dense", "conv") else self.other(layer, kind)
            made.append(one)
            self.channels = one.n_out if kind in ("dense", "conv") else one.channels
            self.places, self.bits = one.places_out, one.out_bits
        return tuple(made)

    def matrix(self, layer: Row, kind: str) -> HlsLayer:
        kernel = integer(layer.get("kh"), 1), integer(layer.get("kw"), 1)
        channels = integer(layer.get("n_chan"), self.channels or integer(layer.get("n_in"), 1))
        if kind == "conv":
            deep = "depthwise" in str(layer.get("type"))
            n_in = kernel[0] * kernel[1] * (1 if deep else channels)
            n_out = integer(layer.get("n_filt"), channels)
        else:
            n_in, n_out = integer(layer.get("n_in"), 1), integer(layer.get("n_out"), 1)
            channels = min(n_in, self.channels) if self.channels else n_in
        in_bits = integer(layer.get("in_bits"), self.bits)
        in_bits = max(1, round(in_bits * self.share))
        weight_bits = integer(layer.get("w_bits"), DEFAULT_BITS)
        out_bits = integer(layer.get("out_bits"), DEFAULT_BITS)
        products = _products(layer, (n_in, n_out), in_bits, weight_bits)
        strategy = _strategy(layer.get("strategy"), layer.get("mult_strategy"), self.row.get("strategy"))
        reuse = integer(layer.get("rf"), integer(self.row.get("rf"), 1))
        places_in, places_out = (_places(layer, way) for way in ("in", "out"))
        rounds, saturates = modes_of(layer.get("acc_type") or self.row.get("acc_type"))
        return HlsLayer(
            kind=kind,
            name=str(layer.get("name") or layer.get("type")),
            n_in=n_in,
            n_out=n_out,
            places_in=places_in if kind == "conv" else 1,
            places_out=places_out if kind == "conv" else 1,
            kernel_h=kernel[0],
            kernel_w=kernel[1],
            channels=channels,
            in_bits=in_bits,
            out_bits=out_bits,
            acc_bits=max(1, round(integer(layer.get("acc_bits"), out_bits) * self.share)),
            weight_bits=weight_bits,
            **asdict(products),
            reuse=legal_reuse(n_in, n_out, reuse) if strategy == "resource" else min(reuse, n_in * n_out),
            strategy=strategy,
            single_stream=str(layer.get("type")).endswith("_me"),
            copies=integer(layer.get("pf"), 1) if kind == "conv" else 1,
            rounds=rounds,
            saturates=saturates,
        )

    def other(self, layer: Row, kind: str) -> HlsLayer:
        given = integer(layer.get("n_filt"), integer(layer.get("n_chan"), 0))
        values = integer(layer.get("n_in"), 0)
        channels = given or self.channels or values or 1
        places_in, places_out = (_places(layer, way) for way in ("in", "out"))
        if kind in ("activation", "softmax", "normalize", "merge", "wiring", "clone"):
            places_in = places_out = max(1, values // channels) if values else self.places
        elif kind == "global_pool":
            places_in, places_out = max(values, places_in), 1
        in_bits = integer(layer.get("in_bits"), self.bits)
        out_bits = integer(layer.get("out_bits"), in_bits)
        in_bits, out_bits = (max(1, round(bits * self.share)) for bits in (in_bits, out_bits))
        name = str(layer.get("type"))
        if name == "linear" and in_bits == out_bits:
            kind = "wiring"  # the compiler sees through it
        return HlsLayer(
            kind=kind,
            name=str(layer.get("name") or name),
            n_in=values or channels * places_in,
            n_out=channels,
            places_in=places_in,
            places_out=places_out,
            kernel_h=_window(layer, "h"),
            kernel_w=_window(layer, "w"),
            channels=channels,
            in_bits=in_bits,
            out_bits=out_bits,
            weight_bits=integer(layer.get("b_bits"), 0),
            single_stream=name.endswith("_me"),
        )


def _places(layer: Row, way: str) -> int:
    return integer(layer.get(f"{way}_h"), 1) * integer(layer.get(f"{way}_w"), 1)


def _window(layer: Row, axis: str) -> int:
    """Size of a pool's window: as given, else of windows that lie side by side."""
    apart = integer(layer.get(f"in_{axis}"), 1) // integer(layer.get(f"out_{axis}"), 1)
    return integer(layer.get(f"pool_{axis}"), integer(layer.get(f"k{axis}"), max(1, apart)))


def _strategy(*named: Any) -> str:
    """The first of ``named`` that is one; latency is hls4ml's default."""
    for name in named:
        text = str(name).lower().removeprefix("nnet::")
        if text in ("latency", "resource"):
            return text
    return "latency"


def _products(layer: Row, shape: tuple[int, int], in_bits: int, weight_bits: int) -> Products:
    """Products to expect: from the largest weight, or the digits, or the share of powers of two, or the type alone."""
    total = shape[0] * shape[1]
    zeros = number(layer.get("n_zero"))
    if zeros is None:
        zeros = number(layer.get("cfg_n_zeros")) or 0.0
    nonzero = max(0.0, total - min(zeros, total))
    whole = integer(layer.get("w_int"), 1)
    largest, digits, powers = (number(layer.get(key)) for key in ("absmax", "csd_digits", "n_pow2"))
    if largest:
        span = max(0.0, min(weight_bits - 1.0, math.log2(largest) + weight_bits - whole))
    elif digits and nonzero and digits >= nonzero:
        span = min(weight_bits - 1.0, span_from_digits(digits / nonzero))
    elif powers and nonzero:
        return bell_products(shape[0], nonzero, min(1.0, powers / nonzero), weight_bits, in_bits)
    else:
        span = span_from_type(weight_bits, whole, *shape)
    ones, twos, soft, hard = (float(f) for f in expected_products(shape[0], nonzero, span, in_bits))
    return Products(nonzero, ones, twos, soft, hard, span)


_CFG = {
    "n_in": "n_in", "n_out": "n_out", "n_chan": "n_chan", "n_filt": "n_filt", "filt_height": "kh", "filt_width": "kw",
    "in_height": "in_h", "in_width": "in_w", "out_height": "out_h", "out_width": "out_w", "reuse_factor": "rf",
    "n_zeros": "cfg_n_zeros", "strategy": "strategy", "accum_t_bits": "acc_bits", "weight_t_bits": "w_bits",
    "weight_t_int": "w_int", "scale_t_bits": "b_bits",
}  # fmt: skip

MODULES = re.compile(
    r"(dense(_latency|_resource)?(_wrapper)?|(pointwise_)?conv_[12]d_cl(_me)?|(leaky_)?relu(_me)?|linear"
    r"|softmax(_stable)?|zeropad[12]d_cl(_me)?|pooling[12]d_cl|global_pooling[12]d_cl|normalize)$"
)
"""HLS modules that are a layer (others are parts of one, or control)."""


def _input_bits(layer: Mapping[str, Any], out_bits: int) -> int:
    """Width of the inputs where sums are as wide as they can grow (hls4ml's inferred type); else that of the output."""
    taps = integer(layer.get("kh"), 1) * integer(layer.get("kw"), 1) * integer(layer.get("n_chan"), 1)
    terms = integer(layer.get("n_in"), taps)
    weight = integer(layer.get("w_bits"), DEFAULT_BITS)
    grown = out_bits - weight - math.ceil(math.log2(max(2, terms)))
    return grown if 2 <= grown <= DEFAULT_BITS else out_bits


def is_saturating(row: Row) -> bool:
    """Whether the row is of a module with a matrix whose sums saturate: its name ends with their ap_fixed_W_I_Q_O_N.

    The name has the type of the result; it is that of the sums where they are as wide.
    """
    if kind_of(str(row.get("kind"))) not in ("dense", "conv") or not modes_of(row.get("module"))[1]:
        return False
    cfg = row.get("cfg")
    summed = integer(cfg.get("accum_t_bits"), 0) if isinstance(cfg, Mapping) else 0
    return summed in (0, int(re.findall(r"fixed_(\d+)_", str(row.get("module")))[-1]))


def _module(row: Row) -> HlsDesign:
    kind, cfg = str(row.get("kind")), row.get("cfg")
    if row.get("is_top"):
        raise UnsupportedError("a top without its layers")
    if not MODULES.match(kind):
        raise UnsupportedError(f"modules without a model: {re.sub(r'[_0-9]+$', '', kind)}")
    if not isinstance(cfg, Mapping) or not cfg:
        raise UnsupportedError("a module without its configuration")
    layer = {mine: cfg.get(theirs) for theirs, mine in _CFG.items()} | {"type": kind}
    for count in ("n_zero", "n_pow2"):
        layer[count] = row.get(count)
    types = row.get("types")
    named = [t for t in types if isinstance(t, Mapping)] if isinstance(types, list) else []
    widths = [integer(t.get("w"), DEFAULT_BITS) for t in named]
    if not widths and kind_of(kind) in ("dense", "conv", "activation"):
        raise UnsupportedError("a module without its types")
    if widths:
        layer |= {"in_bits": widths[0], "out_bits": widths[-1]}
    if len(widths) == 1 and kind_of(kind) in ("dense", "conv") and "array_" in str(row.get("module")):
        # the name of the module has the type of the output in full, that of the input only where it is an integer
        whole_numbers = re.search(r"array_ap_u?int_(\d+)_", str(row.get("module")))
        if whole_numbers:
            layer["in_bits"] = int(whole_numbers.group(1))
        elif not is_saturating(row):
            layer["in_bits"] = _input_bits(layer, widths[0])  # a sum that saturates does not grow
    whole = re.match(r"dense_latency|dense_resource|dense_wrapper|softmax_", kind) is None
    stream = (
        "array_" in str(row.get("module")) or kind.endswith("_me") or ("stream" in str(cfg.get("io_type")) and whole)
    )
    width = re.search(r"array_.*?(\d+)u(_|$)", str(row.get("module")))
    if width and kind_of(kind) not in ("conv", "dense"):
        layer["n_filt"] = int(width.group(1))
    reader = _Reader({"strategy": cfg.get("strategy"), "acc_type": row.get("module") if is_saturating(row) else None})
    if width and kind_of(kind) == "dense" and stream:
        reader.channels = int(width.group(1))
    made = reader.read([layer])
    return HlsDesign(
        name=f"{row.get('path')}/{row.get('module')}",
        layers=made,
        stream=stream,
        clock_ns=number(row.get("clock_ns")) or 5.0,
        vitis=is_vitis(row.get("tool")),
        series7=is_series7(row.get("part")),
        module=True,
    )
