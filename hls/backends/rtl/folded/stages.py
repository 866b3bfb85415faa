"""Builds the stages of a net for a given folding."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from bitsmith.hls.backends.rtl.folded.blocks import blocks_of, reorder_head
from bitsmith.hls.backends.rtl.folded.codebook import gathering_parts
from bitsmith.hls.backends.rtl.folded.design import Edge, Stage, StreamType, Structure
from bitsmith.hls.backends.rtl.folded.folding import (
    GATHER,
    Fold,
    Folding,
    gathering_of,
    has_matrix,
    is_unit,
    lanes_in,
    takes_whole_windows,
)
from bitsmith.hls.backends.rtl.folded.heads import (
    argmax_head,
    concat_head,
    join_head,
    narrow_head,
    reduce_head,
    widen_head,
)
from bitsmith.hls.backends.rtl.folded.line_windows import line_window_head
from bitsmith.hls.backends.rtl.folded.matrix import mvu_head, vvu_head
from bitsmith.hls.backends.rtl.folded.parts import Part
from bitsmith.hls.backends.rtl.folded.pipes import add_pipe, lut_pipe, requant_pipe, thresholds_pipe
from bitsmith.hls.backends.rtl.folded.unrolled import UNROLLED, graph_pipe
from bitsmith.hls.backends.rtl.folded.windows import Window, window_head, window_of
from bitsmith.hls.backends.rtl.names import Names
from bitsmith.hls.config import HwConfig
from bitsmith.models.ir import QNet
from bitsmith.models.ir.intervals import Interval, intervals
from bitsmith.models.ir.ops import (
    Add,
    ArgMax,
    Concat,
    Conv,
    Dense,
    Input,
    Lut,
    Op,
    Pad,
    Pool,
    Requant,
    Thresholds,
    Upsample,
)
from bitsmith.models.ir.types import IntArray, QuantType

OUTSIDE = ""
StepOp = Requant | Thresholds | Lut


class Builder:
    """One run over the net; ``build`` returns the structure."""

    def __init__(self, net: QNet, hw: HwConfig, folding: Folding, ahead: int = 1) -> None:
        self.net = net
        self.ahead = ahead
        self.hw = hw
        self.family = hw.board.device.family
        self.folding = folding
        self.spans = intervals(net)
        self.root = roots(net)
        self.readers = Counter(self.root[i] for op in net.ops if self.root[op.name] == op.name for i in op.inputs)
        self.readers[self.root[net.output.name]] += 1
        self.stages: dict[str, Stage] = {}
        self.edges: list[Edge] = []
        self.stage_of: dict[str, str] = {}  # root value -> stage that offers it
        self.kinds: dict[str, StreamType] = {}  # stage (or OUTSIDE) -> the stream that it offers

    def build(self) -> Structure:
        """All stages, in the order of the net."""
        for op in self.net.ops:
            if self.root[op.name] == op.name:
                self._op(op)
        last = self.stage_of[self.root[self.net.output.name]]
        if last == OUTSIDE:
            last = self._pass(self._fresh("input"), OUTSIDE, ())
        self.edges.append(Edge(last, None, 0, self.kinds[last]))
        return Structure(self.net, self.hw, self.stages, tuple(self.edges))

    def _op(self, op: Op) -> None:
        if isinstance(op, Input):
            self._input(op)
        elif isinstance(op, Dense | Conv):
            self._matrix(op)
        elif isinstance(op, StepOp):
            self._step(op)
        elif isinstance(op, Pool):
            self._pool(op)
        elif isinstance(op, Pad | Upsample):
            self._places(op)
        elif isinstance(op, Add):
            self._add(op)
        elif isinstance(op, Concat):
            self._concat(op)
        elif isinstance(op, ArgMax):
            self._argmax(op)
        else:
            raise AssertionError(f"no unit for {op.kind}")

    # ---- ops

    def _input(self, op: Input) -> None:
        lanes = self.folding[op.name].pe
        self.kinds[OUTSIDE] = StreamType(math.prod(op.shape) // lanes, lanes, op.type.bits, op.type.signed)
        self.stage_of[op.name] = OUTSIDE
        if self.readers[op.name] > 1:
            self.stage_of[op.name] = self._pass(op.name, OUTSIDE, (op,))

    def _matrix(self, op: Dense | Conv) -> None:
        fold = self.folding[op.name]
        x = self.net[op.inputs[0]]
        if blocks_of(op) is not None and fold.mult != UNROLLED:
            self._finish(op, self._blocks(op, x, fold))
            return
        window = window_of(op, x.shape)
        source = self._at(x.name, lanes_in(op, fold))
        if window is not None and takes_whole_windows(op, fold):
            source = self._whole_windows(op.name, source, window, fold.simd)
        elif window is not None:
            groups = op.groups if isinstance(op, Conv) else 1
            inner = x.shape[-1] // groups // fold.simd if has_matrix(op) else 1
            outer = groups if has_matrix(op) else op.shape[-1] // fold.pe
            source = self._window(self._fresh(f"{op.name}_window"), source, window, outer, inner, 0, ())
        typed = replace(x, type=_type(self.kinds[source]))
        self._finish(op, self._products(op, typed, fold, source, op.name, op))

    def _products(self, op: Dense | Conv, x: Op, fold: Fold, source: str, stage: str, value: Op | None) -> str:
        """The ``stage`` of the sums of ``op``; ``x`` is its input with the type of the stream ``source``."""
        if fold.mult == UNROLLED:
            kind = self.kinds[source]
            name = f"{Names(self.net.name).net}_{self._fresh(f'{op.name}_unrolled')}"
            pipe = graph_pipe(op, x.type, self.spans[x.name], name, self.hw)
            return self._stage(stage, join_head(1, kind.width, kind.beats), (pipe,), (source,), value, op.type)
        found = gathering_of(self.net, op) if fold.mult == GATHER else None
        if found is not None:
            head, weigh = gathering_parts(op, x, found, fold.pe, fold.simd, self.family)
            return self._stage(stage, head, (weigh,), (source,), value, op.type)
        if has_matrix(op):
            head = mvu_head(op, x, fold.pe, fold.simd, self.family, fold.mult, fold.rom)
        else:
            assert isinstance(op, Conv)
            head = vvu_head(op, x, fold.pe, self.family, fold.mult, fold.rom)
        return self._stage(stage, head, (), (source,), value, op.type)

    def _blocks(self, op: Dense | Conv, x: Op, fold: Fold) -> str:
        """The stages of block-diagonal weights: order in, the blocks one after the other, order out."""
        blocks = blocks_of(op)
        assert blocks is not None
        vectors, lanes = math.prod(op.shape[:-1]), lanes_in(op, fold)
        if blocks.keeps_input:
            source = self._at(x.name, lanes)
        else:
            source = self._at(x.name, math.gcd(self.kinds[self.stage_of[self.root[x.name]]].lanes, op.weight.shape[0]))
            source = self._reorder(f"{op.name}_in", source, blocks.gather_in, op.weight.shape[0], lanes, vectors)
        typed = replace(x, type=_type(self.kinds[source]))
        if blocks.keeps_output:
            return self._products(blocks.conv, typed, fold, source, op.name, op)
        source = self._products(blocks.conv, typed, fold, source, self._fresh(f"{op.name}_blocks"), None)
        total = blocks.conv.weight.shape[-1]
        lanes = math.gcd(fold.pe, blocks.gather_out.size)
        return self._reorder(op.name, source, blocks.gather_out, total, lanes, vectors, op)

    def _reorder(
        self, name: str, source: str, order: IntArray, size: int, lanes: int, vectors: int, op: Op | None = None
    ) -> str:
        kind = self.kinds[source]
        head = reorder_head(order, size, kind.lanes, lanes, kind.bits, vectors, self.family)
        stage = Stage(name if op is not None else self._fresh(name), head, (), ((op, 0),) if op is not None else ())
        return self._add_stage(stage, (source,), kind.signed)

    def _whole_windows(self, name: str, source: str, window: Window, lanes: int) -> str:
        """The stage that offers all taps of every window, ``lanes`` at a time."""
        kind = self.kinds[source]
        head = line_window_head(window, kind.lanes, kind.bits)
        source = self._add_stage(Stage(self._fresh(f"{name}_lines"), head, (), ()), (source,), kind.signed)
        return source if head.lanes == lanes else self._convert(source, lanes)[0]

    def _pool(self, op: Pool) -> None:
        lanes = self.folding[op.name].pe
        x = self.net[op.inputs[0]]
        window = window_of(op, x.shape)
        assert window is not None, "a pool of single places is no op of its own"
        source = self._at(x.name, lanes)
        typed = replace(x, type=_type(self.kinds[source]))
        pad = typed.type.min if op.mode == "max" else 0
        source = self._window(self._fresh(f"{op.name}_window"), source, window, op.shape[-1] // lanes, 1, pad, ())
        head = reduce_head(op, typed, lanes)
        self._finish(op, self._stage(op.name, head, (), (source,), op, op.type))

    def _places(self, op: Pad | Upsample) -> None:
        lanes = self.folding[op.name].pe
        x = self.net[op.inputs[0]]
        window = window_of(op, x.shape)
        assert window is not None, "a window of single places is no op of its own"
        source = self._at(x.name, lanes)
        self._finish(op, self._window(op.name, source, window, 1, op.shape[-1] // lanes, 0, (op,)))

    def _step(self, op: StepOp) -> None:
        """An elementwise op: behind its producer if nobody else reads that, else in a stage of its own."""
        value = self.root[op.inputs[0]]
        source = self.stage_of[value]
        stage = self.stages.get(source)
        lanes = self.kinds[source].lanes
        if stage is not None and self.readers[value] == 1 and op.shape[-1] % lanes == 0:
            pipe = step_pipe(
                self.net, op, self.spans[op.inputs[0]], lanes, self.family, stage.spacing, _type(self.kinds[source])
            )
            pipes = (*stage.pipes, pipe)
            self.stages[source] = replace(stage, pipes=pipes, ops=(*stage.ops, (op, len(pipes))))
            self.kinds[source] = self._kind(op, pipe, op.type)
            self.stage_of[op.name] = source
            return
        lanes = self.folding[op.name].pe
        source = self._at(op.inputs[0], lanes)
        kind = self.kinds[source]
        pipe = step_pipe(self.net, op, self.spans[op.inputs[0]], lanes, self.family, self._spare(kind), _type(kind))
        head = join_head(1, kind.width, kind.beats, interval=pipe.interval)
        self._finish(op, self._stage(op.name, head, (pipe,), (source,), op, op.type))

    def _spare(self, kind: StreamType) -> int:
        """Cycles between the beats of a stream at the II that the folding is made for."""
        return max(1, (self.hw.target_ii or 1) // kind.beats)

    def _add(self, op: Add) -> None:
        lanes = self.folding[op.name].pe
        sources = tuple(self._at(i, lanes) for i in op.inputs)
        types = [_type(self.kinds[s]) for s in sources]
        pipe = add_pipe(op, types, lanes)
        width = sum(self.kinds[s].width for s in sources)
        head = join_head(len(sources), width, self.kinds[sources[0]].beats)
        self._finish(op, self._stage(op.name, head, (pipe,), sources, op, op.type))

    def _concat(self, op: Concat) -> None:
        lanes = self.folding[op.name].pe
        sources = tuple(self._at(i, lanes) for i in op.inputs)
        types = [_type(self.kinds[s]) for s in sources]
        head = concat_head(op, types, [self.net[i].shape for i in op.inputs], lanes)
        self._finish(op, self._stage(op.name, head, (), sources, op, op.type))

    def _argmax(self, op: ArgMax) -> None:
        lanes = self.folding[op.name].pe
        x = self.net[op.inputs[0]]
        source = self._at(x.name, lanes)
        head = argmax_head(op, replace(x, type=_type(self.kinds[source])), lanes)
        self._finish(op, self._stage(op.name, head, (), (source,), op, op.type))

    # ---- stages

    def _finish(self, op: Op, stage: str) -> None:
        self.stage_of[op.name] = stage

    def _stage(
        self, name: str, head: Part, pipes: tuple[Part, ...], sources: tuple[str, ...], op: Op | None, kind: QuantType
    ) -> str:
        ops = ((op, len(pipes)),) if op is not None else ()
        return self._add_stage(Stage(name, head, pipes, ops), sources, kind.signed)

    def _add_stage(self, stage: Stage, sources: tuple[str, ...], signed: bool) -> str:
        assert stage.name not in self.stages, f"two stages {stage.name}"
        self.stages[stage.name] = stage
        for port, source in enumerate(sources):
            self.edges.append(Edge(source or None, stage.name, port, self.kinds[source]))
        last = stage.last
        self.kinds[stage.name] = StreamType(len(stage.steps.issues), last.lanes, last.bits, signed)
        return stage.name

    def _kind(self, op: Op, part: Part, kind: QuantType) -> StreamType:
        return StreamType(math.prod(op.shape) // part.lanes, part.lanes, part.bits, kind.signed)

    def _window(
        self, name: str, source: str, window: Window, outer: int, inner: int, pad: int, ops: tuple[Op, ...]
    ) -> str:
        kind = self.kinds[source]
        window = replace(window, ahead=self.ahead)
        head = window_head(window, outer, inner, kind.lanes, kind.bits, pad)
        return self._add_stage(Stage(name, head, (), tuple((op, 0) for op in ops)), (source,), kind.signed)

    def _pass(self, name: str, source: str, ops: tuple[Op, ...]) -> str:
        """A stage that changes nothing: outlets for several readers."""
        kind = self.kinds[source]
        head = replace(join_head(1, kind.width, kind.beats), lanes=kind.lanes, bits=kind.bits)
        return self._add_stage(Stage(name, head, (), tuple((op, 0) for op in ops)), (source,), kind.signed)

    def _at(self, value: str, lanes: int) -> str:
        """The stage that offers ``value`` with so many lanes, width converters put in where needed."""
        source = self.stage_of[self.root[value]]
        kind = self.kinds[source]
        if kind.lanes % lanes and lanes % kind.lanes:
            source, kind = self._convert(source, math.gcd(lanes, kind.lanes))
        if kind.lanes != lanes:
            source, kind = self._convert(source, lanes)
        return source

    def _convert(self, source: str, lanes: int) -> tuple[str, StreamType]:
        kind = self.kinds[source]
        maker: Callable[..., Part] = widen_head if lanes > kind.lanes else narrow_head
        head = maker(kind.bits, kind.lanes, lanes, kind.beats)
        name = self._add_stage(
            Stage(self._fresh(f"{source or 'input'}_to_{lanes}"), head, (), ()), (source,), kind.signed
        )
        return name, self.kinds[name]

    def _fresh(self, wanted: str) -> str:
        """A name for a stage that no op and no stage has."""
        while wanted in self.stages or wanted in self.net.by_name:
            wanted += "_"
        return wanted


def step_pipe(
    net: QNet, op: StepOp, span: Interval, lanes: int, family: str, spacing: int, kind: QuantType | None = None
) -> Part:
    """The pipe of an elementwise op; ``kind`` is the type of the stream that it reads, by default its input's own."""
    x = net[op.inputs[0]]
    x = x if kind is None else replace(x, type=kind)
    if isinstance(op, Requant):
        return requant_pipe(op, x, span, lanes, family)
    if isinstance(op, Thresholds):
        return thresholds_pipe(op, x, span, lanes, family, spacing)
    return lut_pipe(op, x, span, lanes, family)


def roots(net: QNet) -> dict[str, str]:
    """Value -> the value whose very stream it is: what is no unit changes nothing."""
    found: dict[str, str] = {}
    for op in net.ops:
        found[op.name] = op.name if is_unit(net, op) else found[op.inputs[0]]
    return found


def _type(kind: StreamType) -> QuantType:
    return QuantType(kind.bits, kind.signed)
