"""A folded design as SystemVerilog: one module per stage, the core that joins them, and the AXI4-Stream top."""

from __future__ import annotations

from dataclasses import dataclass

from bitsmith.hls.backends.rtl.folded.cycles import Depths
from bitsmith.hls.backends.rtl.folded.design import Edge, Stage, Structure
from bitsmith.hls.backends.rtl.folded.parts import Bits, Parameter, Part, Rom
from bitsmith.hls.backends.rtl.names import BANNER, Names
from bitsmith.hls.backends.rtl.packing import hex_rows, pack_rows
from bitsmith.hls.backends.rtl.render import render
from bitsmith.models.ir.text import op_details

ALWAYS = ("bitsmith_outlet", "bitsmith_count")


@dataclass(frozen=True)
class Tap:
    """A file that the simulation writes with every beat of an op's value."""

    op: str
    file: str
    lanes: int
    bits: int
    signed: bool


@dataclass(frozen=True)
class FoldedText:
    """Module name -> text, ROM file -> text, library modules used, stage -> module, taps."""

    modules: dict[str, str]
    roms: dict[str, str]
    primitives: tuple[str, ...]
    module_of: dict[str, str]
    taps: tuple[Tap, ...]


def literal(value: Parameter, file: str = "") -> str:
    """A parameter's value as SystemVerilog."""
    if isinstance(value, Bits):
        return f"{value.width}'h{value.value % (1 << value.width):x}"
    if isinstance(value, str):
        return f'"{file or value}"'
    value = int(value)
    if -(1 << 31) <= value < 1 << 31:
        return str(value)
    return f"64'sh{value % (1 << 64):x}"


def rom_text(rom: Rom) -> str:
    """The words as ``$readmemh`` takes them."""
    return hex_rows(pack_rows(rom.words, rom.bits))


class ModuleWriter:
    """Writes all modules of one structure."""

    def __init__(self, structure: Structure, depths: Depths, names: Names) -> None:
        self.structure = structure
        self.depths = depths
        self.names = names
        self.modules: dict[str, str] = {}
        self.roms: dict[str, str] = {}
        self.primitives = set(ALWAYS)
        self.module_of: dict[str, str] = {}
        self.taps: list[Tap] = []
        self.stage_modules: dict[str, str] = {}

    def run(self) -> FoldedText:
        """All modules, leaves first."""
        for stage in self.structure.stages.values():
            self._stage(stage)
        self._core()
        s = self.structure
        values = {"banner": BANNER, "net": s.net.name, "module": self.names.axis, "core": self.names.core}
        self.modules[self.names.axis] = render("stream_axis.sv.j2", **values, input=s.input, output=s.output)
        primitives = tuple(sorted(self.primitives))
        return FoldedText(self.modules, self.roms, primitives, self.module_of, tuple(self.taps))

    def _stage(self, stage: Stage) -> None:
        module = self.stage_modules[stage.name] = self.names.fresh(stage.name)
        parts = (stage.head, *stage.pipes)
        ins, outs = self.structure.into(stage.name), self.structure.out_of(stage.name)
        self.module_of[stage.name] = module
        title = "; ".join(f"{op.name}: {op.kind} {op_details(op)}".rstrip() for op, _ in stage.ops) or stage.name
        self.modules[module] = render(
            "stage.sv.j2",
            banner=BANNER,
            title=" ".join(title.split()),
            module=module,
            inputs=len(ins),
            in_width=sum(e.stream.width for e in ins),
            out_width=outs[0].stream.width,
            takes=" and ".join(_words(e) for e in ins),
            offers=_words(outs[0]),
            depths=[self.depths[e] for e in outs],
            parts=[self._part(p, f"{module}_{n}") for n, p in enumerate(parts)],
            taps=[self._tap(stage, module, number) for number in range(len(stage.ops))],
        )

    def _part(self, part: Part, name: str) -> dict[str, object]:
        self.primitives |= {part.module, *part.sources} - set(part.texts)
        assert not set(part.texts) & set(self.modules), f"{part.module} is written twice"
        self.modules |= part.texts
        files = {}
        for parameter, rom in part.roms.items():
            files[parameter] = f"{name}_{parameter.lower()}.hex"
            self.roms[files[parameter]] = rom_text(rom)
        params = {**part.params, **files}
        values = [(k, literal(v, files.get(k, ""))) for k, v in params.items()]
        return {"module": part.module, "params": values, "width": part.lanes * part.bits}

    def _tap(self, stage: Stage, module: str, number: int) -> dict[str, object]:
        op, behind = stage.ops[number]
        part = (stage.head, *stage.pipes)[behind]
        file = f"{module}_{number}.tap"
        signed = self.structure.out_of(stage.name)[0].stream.signed if behind == len(stage.pipes) else op.type.signed
        self.taps.append(Tap(op.name, file, part.lanes, part.bits, signed))
        return {"op": op.name, "file": file, "part": behind, "width": part.lanes * part.bits}

    def _core(self) -> None:
        s = self.structure
        stages = []
        for name in s.stages:
            ins = [self._signal(e) for e in reversed(s.into(name))]  # input 0 in the lowest bits
            outs = [self._signal(e) for e in s.out_of(name)]
            joined = {k: "{" + ", ".join(f"{i}_{k}" for i in ins) + "}" for k in ("valid", "ready", "data")}
            width = s.out_of(name)[0].stream.width
            entry = {"name": name, "module": self.stage_modules[name], "outs": outs, "out_width": width, **joined}
            stages.append(entry)
        result = self._signal(next(e for e in s.edges if e.consumer is None))
        values = {"banner": BANNER, "net": s.net.name, "module": self.names.core, "stages": stages, "result": result}
        self.modules[self.names.core] = render("stream_core.sv.j2", **values, input=s.input, output=s.output)

    def _signal(self, edge: Edge) -> str:
        if edge.producer is None:
            return "s"
        number = self.structure.out_of(edge.producer).index(edge)
        return f"{edge.producer}_{number}"


def _words(edge: Edge) -> str:
    s = edge.stream
    return f"{s.beats} beats of {s.lanes} x {'i' if s.signed else 'u'}{s.bits}"
