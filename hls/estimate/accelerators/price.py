"""``estimate_accelerator``: what a net costs on a board with a fixed accelerator, from the board's documents."""

from __future__ import annotations

from dataclasses import replace

from bitsmith.hls.accelerators.schema import Accelerator
from bitsmith.hls.estimate.accelerators.cycles import call_cycles, cycles_of, peak_macs_per_cycle
from bitsmith.hls.estimate.accelerators.exactness import exactness
from bitsmith.hls.estimate.accelerators.layers import Layer, layers_of
from bitsmith.hls.estimate.accelerators.memory import memory_use, streamed_bytes, tensor_bytes, weight_bytes
from bitsmith.hls.estimate.accelerators.rules import problems_of
from bitsmith.hls.estimate.physics import scaled
from bitsmith.hls.results import ZERO, AcceleratorEstimate, AcceleratorLayer, Figure, MemoryUse
from bitsmith.models.ir import QNet

CALL = "(call)"
"""Row of what an inference takes apart from its layers."""

_SMALLER = 0.5
"""A net of half the smallest or twice the largest calibrated one still counts as inside."""


def estimate_accelerator(net: QNet, board: Accelerator) -> AcceleratorEstimate:
    """Price of ``net`` on ``board``; a net that does not run there is priced as if it did, with the problems said.

    The rows' cycles add up to the latency exactly, bound by bound.  Zero weights are multiplied like others.
    """
    layers = layers_of(net)
    memory = memory_use(net, layers, board)
    problems = problems_of(net, layers, memory, board)
    rows = _rows(layers, board)
    cycles = ZERO
    for row in rows:
        cycles = cycles + row.latency_cycles
    clock, power = board.clock_mhz, board.power.active_mw
    latency = Figure(cycles.value * 1e3 / clock.value, cycles.low * 1e3 / clock.high, cycles.high * 1e3 / clock.low)
    exact, why = exactness(net, layers, board) if not problems else (False, "the net does not run there")
    binding = max(memory, key=lambda use: use.share)
    return AcceleratorEstimate(
        board=board.name,
        title=board.title,
        device=board.device,
        latency_cycles=cycles,
        ii_cycles=cycles,
        fmax_mhz=clock,
        latency_ns=latency,
        throughput_per_s=Figure(1e9 / latency.value, 1e9 / latency.high, 1e9 / latency.low),
        power_mw=power,
        sleep_mw=board.power.sleep_mw,
        energy_uj=_product(power, scaled(1e-6, latency)),
        utilisation=_utilisation(layers, cycles, board),
        fits=not problems,
        binding=binding.name,
        headroom=_headroom(binding),
        memory=memory,
        problems=problems,
        exact_integers=exact,
        exactness=why,
        layers=rows,
        calibration=_calibration(layers, board),
    )


def _rows(layers: tuple[Layer, ...], board: Accelerator) -> tuple[AcceleratorLayer, ...]:
    streamed = streamed_bytes(layers, board)
    rows = [AcceleratorLayer(CALL, "call", call_cycles(board), detail="start and end of an inference")]
    for layer in layers:
        spent = cycles_of(layers, layer, streamed[layer.name], board)
        rows.append(
            AcceleratorLayer(
                op=layer.name,
                kind=" + ".join((layer.kind, *(op.kind for op in layer.fused))),
                latency_cycles=spent.cycles,
                macs=layer.macs,
                weight_bytes=weight_bytes(layer, board),
                output_bytes=tensor_bytes(layer.output, board),
                detail=spent.detail,
            )
        )
    if board.calibration is None:
        return tuple(rows)
    factor = board.calibration.cycles
    if not calibrated(layers, board):
        # Nobody measured a net of this size: the documents' own ranges stay, on top of the factor's.
        return tuple(replace(row, latency_cycles=_product(row.latency_cycles, factor)) for row in rows)
    # Inside, the factor's band replaces those ranges: it was scored on networks that it had not seen.
    return tuple(replace(row, latency_cycles=scaled(row.latency_cycles.value, factor)) for row in rows)


def calibrated(layers: tuple[Layer, ...], board: Accelerator) -> bool:
    """Whether the net is about as large as those that the board's factor was fitted to."""
    macs = sum(layer.macs for layer in layers)
    return (
        board.calibration is not None
        and _SMALLER * board.calibration.macs[0] <= macs <= board.calibration.macs[1] / _SMALLER
    )


def _calibration(layers: tuple[Layer, ...], board: Accelerator) -> str:
    if board.calibration is None:
        return f"documented:{board.name}"
    return board.calibration.id if calibrated(layers, board) else f"{board.calibration.id} (outside of its networks)"


def _product(a: Figure, b: Figure) -> Figure:
    return Figure(a.value * b.value, a.low * b.low, a.high * b.high)


def _utilisation(layers: tuple[Layer, ...], cycles: Figure, board: Accelerator) -> Figure:
    peak, macs = peak_macs_per_cycle(board), sum(layer.macs for layer in layers)
    if peak == 0 or macs == 0:
        return ZERO
    low, high = macs / peak / cycles.high, macs / peak / cycles.low
    return Figure(macs / peak / cycles.value, low, high)


def _headroom(use: MemoryUse) -> float:
    return use.available / use.used.value if use.used.value else float("inf")
