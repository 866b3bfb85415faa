"""One suite for every backend: what it takes it computes exactly, what it does not take it refuses in words.

A new backend is one line in ``CASES``.  Nets that a backend refuses are pinned there, so
that the list cannot grow unseen.  Every net is run for every case with ``-m nightly``; the
quick run takes the few that a case names.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from nets import NETS, inputs

from bitsmith.hls.backends.base import Backend, read_manifest
from bitsmith.hls.config import Board, Device, HwConfig
from bitsmith.models.ir import UnsupportedError, content_hash, execute, load, trace

DEVICE = Device("xc7a35t", "xc7", "xc7a35ticsg324-1L", 20800, 6, 41600, 90, 100, 18.0, "test")
BOARD = Board("arty-a7-35t", "Arty A7-35T", DEVICE, 100.0, "E3", "vivado", "test")
ROWS = 64


@dataclass(frozen=True)
class Case:
    """A backend (``module:class``, imported when it is tested) with hardware choices."""

    backend: str
    quick: tuple[str, ...]
    hw: dict[str, Any] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()

    def load(self) -> Backend:
        module, name = self.backend.split(":")
        backend: Backend = getattr(importlib.import_module(module), name)()
        return backend

    def config(self, backend: Backend) -> HwConfig:
        return replace(HwConfig(BOARD, clock_mhz=100.0, backend=backend.name), **self.hw)


TOO_WIDE = frozenset({"huge"})  # hls4ml's emulation and test bench carry doubles


def hls4ml(tool: str, quick: tuple[str, ...] = (), **hw: Any) -> Case:
    return Case("bitsmith.hls.backends.hls4ml.backend:Hls4ml", quick, {"hls_tool": tool, **hw}, TOO_WIDE)


RTL_FOLDED = "bitsmith.hls.backends.rtl.folded.backend:RtlFolded"

CASES = {
    "rtl-unrolled": Case(
        "bitsmith.hls.backends.rtl.unrolled.backend:RtlUnrolled", quick=("requants_wrap", "residual_image", "reshapes")
    ),
    "rtl-folded": Case(RTL_FOLDED, quick=("residual_image", "pools", "thresholds_image", "thresholds")),
    "rtl-folded-small": Case(RTL_FOLDED, quick=("requants_wrap", "conv2d_grouped"), hw={"target_ii": 1_000_000}),
    "vitis-parallel": hls4ml("vitis", quick=("requants_wrap", "residual_image", "thresholds", "lut")),
    "vitis-parallel-resource": hls4ml("vitis", strategy="resource", reuse=3),
    "vitis-stream": hls4ml("vitis", io="io_stream", quick=("max_pool_padded", "reshapes")),
    "vitis-stream-resource": hls4ml("vitis", io="io_stream", strategy="resource", reuse=2),
    "vivado-parallel": hls4ml("vivado", quick=("dense",)),
    "vivado-stream": hls4ml("vivado", io="io_stream"),
    "quartus-parallel": hls4ml("quartus", quick=("depthwise_separable",)),
    "catapult-parallel": hls4ml("catapult", quick=("conv1d",)),
    "qonnx": Case("bitsmith.hls.backends.qonnx.backend:QonnxBackend", tuple(NETS), refused=frozenset({"wide", "huge"})),
}
PAIRS = [
    pytest.param(case, net, marks=() if net in CASES[case].quick else pytest.mark.nightly, id=f"{case}-{net}")
    for case in CASES
    for net in NETS
    if net not in CASES[case].refused  # test_refusals_are_pinned_and_in_words holds that these are refused
]


@pytest.mark.parametrize("case", CASES)
def test_refusals_are_pinned_and_in_words(case: str) -> None:
    backend = CASES[case].load()
    hw = CASES[case].config(backend)
    refused = {}
    for name, make in NETS.items():
        problems = backend.check(make(), hw)
        if problems:
            refused[name] = problems
            assert all(p.op and p.text and p.remedy for p in problems)
    assert refused.keys() == CASES[case].refused, {name: [str(p) for p in ps] for name, ps in refused.items()}


@pytest.mark.parametrize("case", [c for c in CASES if CASES[c].refused])
def test_emit_raises_what_check_found(case: str, tmp_path: Path) -> None:
    backend = CASES[case].load()
    net = NETS[sorted(CASES[case].refused)[0]]()
    with pytest.raises(UnsupportedError, match="cannot take net"):
        backend.emit(net, CASES[case].config(backend), tmp_path, inputs(net, 4))


@pytest.mark.parametrize(("case", "name"), PAIRS)
def test_project_computes_what_execute_defines(
    case: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = CASES[case].load()
    net = NETS[name]()
    x = inputs(net, ROWS)
    monkeypatch.chdir(tmp_path)
    folder = Path("project")  # relative, as users give it: the tools run in other folders
    project = backend.emit(net, CASES[case].config(backend), folder, x[:8])
    assert all((project.folder / f).is_file() for f in project.files)
    assert read_manifest(folder)["net_sha256"] == content_hash(net)
    result = backend.simulate(folder, load(folder / "net"), x, taps=True)
    assert result.outputs.shape == (ROWS, *net.output.shape)
    assert (result.outputs == execute(net, x)).all()
    inner = trace(net, x)
    for op, values in result.values.items():
        assert (values == inner[op]).all(), op
    assert result.values, "taps were asked for"
