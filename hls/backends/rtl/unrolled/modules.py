"""A design as SystemVerilog: the text of every module of its ``rtl/`` folder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bitsmith.hls.backends.rtl.names import BANNER, Names
from bitsmith.hls.backends.rtl.packing import row_bytes
from bitsmith.hls.backends.rtl.render import render
from bitsmith.hls.backends.rtl.unrolled.design import Design, Placed
from bitsmith.hls.backends.rtl.unrolled.layers import Instance, Layer
from bitsmith.hls.backends.rtl.unrolled.verilog import Signal, gather, unit_text
from bitsmith.models.ir.ops import Op
from bitsmith.models.ir.text import op_details
from bitsmith.models.ir.types import IntArray


@dataclass(frozen=True)
class Tap:
    """Where an op's signal stands on the taps of the simulation top."""

    name: str
    signal: str
    start: int
    bits: int  # of the whole signal


def signal_of(layer: Layer, name: str) -> Signal:
    """The layer's output as a signal called ``name``."""
    return Signal(name, layer.bits, layer.signed, layer.size)


def _port_names(count: int) -> list[str]:
    return ["x"] if count == 1 else [f"x{i}" for i in range(count)]


@dataclass(frozen=True)
class RtlText:
    """Module name to text, the primitives of ``lib/`` that they use, and the taps."""

    modules: dict[str, str]
    primitives: tuple[str, ...]
    taps: tuple[Tap, ...]


class ModuleWriter:
    """Writes all modules of one design."""

    def __init__(self, design: Design, names: Names) -> None:
        self.design = design
        self.names = names
        self.modules: dict[str, str] = {}
        self.primitives = {"bitsmith_skid"}

    def run(self) -> RtlText:
        """All modules, leaves first."""
        op_modules = {p.layer.op.name: self._op(p) for p in self.design.placed.values() if p.layer.units}
        self._core(op_modules)
        taps = self._taps()
        self._tops(taps)
        return RtlText(self.modules, tuple(sorted(self.primitives)), taps)

    def _title(self, op: Op) -> str:
        shape = "x".join(map(str, op.shape))
        details = f" {op_details(op)}" if op_details(op) else ""
        return f"{op.name} = {op.kind}({', '.join(op.inputs)}){details} : {op.type}[{shape}]"

    def _op(self, placed: Placed) -> str:
        """The module of one op; returns its name."""
        layer = placed.layer
        sources = [self.design.placed[i].layer for i in layer.op.inputs]
        names = _port_names(len(sources))
        ports = [signal_of(s, n) for s, n in zip(sources, names, strict=True)]
        out = signal_of(layer, "y")
        module = self.names.fresh(layer.op.name)
        single = layer.instances[0]
        if len(layer.instances) == 1 and _is_identity(single, ports, out):
            self._unit(module, placed, 0, ports, out)
            return module
        unit_modules = []
        for number in range(len(layer.units)):
            example = next(i for i in layer.instances if i.unit == number)
            suffix = "unit" if len(layer.units) == 1 else f"unit{number}"
            unit_modules.append(self.names.fresh(f"{layer.op.name}_{suffix}"))
            pairs = zip(ports, example.ins, strict=True)
            small = [Signal(p.name, p.bits, p.signed, len(e)) for p, e in pairs]
            self._unit(
                unit_modules[number], placed, number, small, Signal("y", out.bits, out.signed, len(example.outs))
            )
        instances = [
            {
                "module": unit_modules[i.unit],
                "ports": [{"name": p.name, "value": gather(e, p)} for p, e in zip(ports, i.ins, strict=True)],
                "out": gather(i.outs, out),
            }
            for i in layer.instances
        ]
        self.modules[module] = render("places.sv.j2", **self._head(module, placed, ports, out), instances=instances)
        return module

    def _head(self, module: str, placed: Placed, ports: list[Signal], out: Signal) -> dict[str, object]:
        return {
            "banner": BANNER,
            "title": self._title(placed.layer.op),
            "module": module,
            "latency": placed.latency,
            "ports": [{"name": p.name, "bits": p.bits * p.size, "note": p.note} for p in ports],
            "out": {"bits": out.bits * out.size, "note": out.note},
        }

    def _unit(self, module: str, placed: Placed, number: int, ports: list[Signal], out: Signal) -> None:
        text = unit_text(placed.layer.units[number], placed.schedules[number], ports, out)
        self.primitives |= text.primitives
        self.modules[module] = render(
            "unit.sv.j2",
            **self._head(module, placed, ports, out),
            tables=text.tables,
            stages=text.stages,
            registers=text.registers,
            outputs=text.outputs,
            partial=[p.name for p in ports] + list(text.partial),
        )

    def _signal(self, name: str, depth: int) -> str:
        return f"d{depth}_{name}" if depth else f"v_{name}"

    def _core(self, op_modules: dict[str, str]) -> None:
        design = self.design
        lines = list(design.delay_lines())
        if lines:
            self.primitives.add("bitsmith_delay")
        layers = []
        for name, p in design.placed.items():
            inputs = p.layer.op.inputs
            ports = [
                {"name": n, "value": self._signal(i, p.start - design.placed[i].stage)}
                for n, i in zip(_port_names(len(inputs)), inputs, strict=True)
            ]
            delays = [
                {
                    "signal": self._signal(name, d.depth),
                    "source": self._signal(name, d.before),
                    "depth": d.depth,
                    "step": d.depth - d.before,
                }
                for d in lines
                if d.name == name
            ]
            layers.append(
                {
                    "title": f"{self._title(p.layer.op)}; stages {p.start} to {p.stage}",
                    "name": name,
                    "signal": self._signal(name, 0),
                    "bits": p.layer.bits * p.layer.size,
                    "module": op_modules.get(name),
                    "latency": p.latency,
                    "ports": ports,
                    "delays": delays,
                }
            )
        result = self._signal(design.net.output.name, design.output_delay)
        self.modules[self.names.core] = render("core.sv.j2", **self.top_values(), layers=layers, result=result)

    def top_values(self) -> dict[str, object]:
        """What the templates of the tops, the testbench and the harness share."""
        net = self.design.net
        source = signal_of(self.design.placed[net.input.name].layer, "x")
        out = signal_of(self.design.placed[net.output.name].layer, "y")
        return {
            "banner": BANNER,
            "net": net.name,
            "module": self.names.core,
            "core": self.names.core,
            "axis": self.names.axis,
            "latency": self.design.latency_cycles,
            "in_bits": source.bits * source.size,
            "in_bytes": row_bytes(source.size, source.bits),
            "in_note": source.note,
            "out_bits": out.bits * out.size,
            "out_bytes": row_bytes(out.size, out.bits),
            "out_note": out.note,
        }

    def _taps(self) -> tuple[Tap, ...]:
        taps, start = [], 0
        for name, p in self.design.placed.items():
            bits = p.layer.bits * p.layer.size
            taps.append(Tap(name, self._signal(name, 0), start, bits))
            start += bits
        return tuple(taps)

    def _tops(self, taps: tuple[Tap, ...]) -> None:
        values = self.top_values()
        self.modules[self.names.axis] = render("axis.sv.j2", **{**values, "module": self.names.axis})
        total = taps[-1].start + taps[-1].bits
        self.modules[self.names.taps] = render(
            "taps.sv.j2", **{**values, "module": self.names.taps}, taps=taps, taps_bits=total
        )


def _is_identity(instance: Instance, ports: list[Signal], out: Signal) -> bool:
    def straight(elements: IntArray, signal: Signal) -> bool:
        return len(elements) == signal.size and bool((elements == np.arange(signal.size)).all())

    wired = all(straight(e, p) for e, p in zip(instance.ins, ports, strict=True))
    return wired and straight(instance.outs, out)
