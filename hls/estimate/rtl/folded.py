"""A folded design as terms, stage by stage, from the parameters that its generator writes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bitsmith.hls.backends.rtl.folded.parts import Bits, Part, Rom
from bitsmith.hls.backends.rtl.folded.plan import FoldedDesign
from bitsmith.hls.backends.rtl.folded.roms import BITS_PER_LUT
from bitsmith.hls.estimate.rtl import heads, pipes
from bitsmith.hls.estimate.rtl.arithmetic import SIGN
from bitsmith.hls.estimate.rtl.heads import Params, counter, outlet
from bitsmith.hls.estimate.rtl.terms import FF, Number, Terms, total

UNITS: dict[str, Callable[[Params, str], Terms]] = {
    "bitsmith_mvu": heads.mvu,
    "bitsmith_vvu": heads.vvu,
    "bitsmith_window": heads.window,
    "bitsmith_line_window": heads.line_window,
    "bitsmith_narrow": heads.narrow,
    "bitsmith_widen": heads.widen,
    "bitsmith_join": heads.join,
    "bitsmith_reduce": heads.reduce,
    "bitsmith_argmax": heads.argmax,
    "bitsmith_concat": heads.concat,
    "bitsmith_reorder": heads.reorder,
    "bitsmith_requant": pipes.requant,
    "bitsmith_thresholds": pipes.thresholds,
    "bitsmith_lut": pipes.lut,
    "bitsmith_add": pipes.add,
    "bitsmith_weigh": pipes.weigh,
}

REST = "axi4_stream"
"""Row of what stands in no stage: the counter of results."""


def design_terms(design: FoldedDesign) -> dict[str, Terms]:
    """Stage -> what it is made of; last the stream's own."""
    family = design.hw.board.device.family
    rows = {}
    for name, stage in design.structure.stages.items():
        outs = design.structure.out_of(name)
        ends = [outlet(e.stream.width, design.depths[e], family) for e in outs]
        rows[name] = total([*(part_terms(p, family) for p in (stage.head, *stage.pipes)), *ends])
    return {**rows, REST: counter(design.structure.output.beats) + Terms({"stream": 1.0})}


def part_terms(part: Part, family: str) -> Terms:
    """One head or pipe."""
    unit = UNITS.get(part.module)
    if unit is None:  # an adder graph of this design alone, counted when it was solved
        return Terms({"graph.adder_bits": part.cost.lut, FF: part.cost.ff, "ff.delay": float(part.latency)})
    tables = {f"{name}_TABLES": live_tables(contents, BITS_PER_LUT[family]) for name, contents in part.roms.items()}
    return unit({**params_of(part), **tables}, family)


def params_of(part: Part) -> dict[str, Number]:
    """The parameters as numbers: of a literal of one bit its value, of the factors of a sum how many adders."""
    params: dict[str, Number] = {name: value for name, value in part.params.items() if isinstance(value, int)}
    for name in ("CLIP_LO", "CLIP_HI"):
        value = part.params.get(name)
        if isinstance(value, Bits):
            params[name] = value.value
    for name, contents in part.roms.items():
        params[f"{name}_LIVE"] = live_columns(contents)
    if "WEIGHTS" in part.roms and params["KIND"] != SIGN:  # of signs none is zero
        params["WEIGHTS_SHARE"] = float((part.roms["WEIGHTS"].words != 0).mean())
    factors = part.params.get("FACTOR")
    if isinstance(factors, Bits):
        params["ADDERS"] = _adders_of(factors, int(params["INPUTS"]))
    return params


def live_columns(contents: Rom) -> float:
    """Share of a ROM's columns that are neither constant nor equal to another: the others cost nothing."""
    planes = (contents.words[:, :, None] >> np.arange(contents.bits)) & 1
    columns = planes.reshape(len(contents.words), -1).astype(np.uint8).T
    varied = columns[(columns != columns[:, :1]).any(axis=1)]
    return len({column.tobytes() for column in np.packbits(varied, axis=1)}) / len(columns)


def live_tables(contents: Rom, words: int) -> float:
    """Share of the pieces of ``words`` words (64 at most) of a ROM's columns that are neither constant nor repeated."""
    planes = ((contents.words[:, :, None] >> np.arange(contents.bits)) & 1).reshape(len(contents.words), -1)
    pieces = np.pad(planes, ((0, -len(planes) % words), (0, 0))).astype(np.uint64).reshape(-1, words, planes.shape[1])
    values = np.unique((pieces << np.arange(words, dtype=np.uint64)[:, None]).sum(axis=1))
    constant = np.isin(values, np.array([0, (1 << words) - 1], np.uint64))
    return float((~constant).sum() / (planes.size / words))


def _adders_of(factors: Bits, inputs: int) -> int:
    """Adders that multiply by constant factors of 64 bits each, those of the sum itself left out."""
    found = 0
    for k in range(inputs):
        value = (factors.value >> (64 * k)) % (1 << 64)
        size = (1 << 64) - value if value >> 63 else value
        found += size.bit_count() - 1 + (value >> 63 and size > 1)
    return found
