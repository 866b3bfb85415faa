"""Accelerator boards against published results, and the page that shows them."""

from __future__ import annotations

from pathlib import Path

import pytest
from accelerator_nets import dense_net
from script_module import loaded

from bitsmith.hls.accelerators import accelerator_names, accelerators, load_accelerator
from bitsmith.hls.estimate.accelerators import estimate_accelerator
from bitsmith.hls.estimate.accelerators.layers import layers_of

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS, DOC = ROOT / "scripts", ROOT / "docs" / "accelerators.md"


@pytest.fixture(scope="module")
def scripts():
    """``accelerator_table`` and the networks that it builds."""
    with loaded("accelerator_table") as module:
        yield module


def test_the_reference_networks_have_their_published_sizes(scripts):
    sizes = {}
    for name, build in scripts.TINY.items():
        layers = layers_of(build())
        sizes[name] = (sum(layer.macs for layer in layers), sum(layer.weights for layer in layers))
    # DS-CNN: 125 x 40 x 64 + 4 x 125 x (9 x 64 + 64 x 64) + 64 x 12; the autoencoder: its weights, each used once
    assert sizes["kws"] == (320_000 + 4 * 125 * (576 + 4096) + 768, 2560 + 4 * (576 + 4096) + 768)
    assert sizes["ad"] == (264_192, 2 * 640 * 128 + 6 * 128 * 128 + 2 * 128 * 8)
    assert sizes["ic"][0] == 12_501_632 and sizes["vww"][0] == 7_489_664


@pytest.mark.parametrize(
    ("name", "weights", "macs"), [("adi-mnist", 71_148, 10_751_808), ("adi-kws20", 169_472, 8_345_344)]
)
def test_the_vendors_own_summary_of_its_examples(name, weights, macs, scripts):
    """Bytes of weights and products as ai8x-synthesis counts them, at the end of each example's main.c."""
    cost = estimate_accelerator(scripts.MAXIM[name](), load_accelerator("max78000"))
    assert cost.fits
    assert cost.memory[0].used.low == weights
    assert sum(row.macs for row in cost.layers) == macs


@pytest.mark.parametrize("name", [b.name for b in accelerators() if b.calibration])
def test_the_file_says_what_the_fit_gives(name, scripts):
    board = load_accelerator(name)
    nets = {n: build() for n, build in scripts.TINY.items()}
    factor, unseen = scripts.fit(board, nets)
    assert board.calibration is not None
    said = board.calibration.cycles
    assert [f"{v:.3g}" for v in (said.low, said.value, said.high)] == [
        f"{v:.3g}" for v in (factor.low, factor.value, factor.high)
    ]
    macs = [sum(layer.macs for layer in layers_of(nets[row.network])) for row, _ in unseen]
    assert board.calibration.macs == (min(macs), max(macs))
    for row, _ in unseen:
        cost = estimate_accelerator(nets[row.network], board)
        assert cost.calibration == board.calibration.id
        assert cost.latency_ns.low <= 1e6 * row.latency_ms <= cost.latency_ns.high, row


def test_outside_of_the_calibrated_networks_the_documents_own_ranges_stay():
    board = load_accelerator("cortex-m7")
    cost = estimate_accelerator(dense_net(64, 32, 10), board)
    assert cost.calibration == "mlperf-tiny-v1.0:nucleo-h7a3zi-q (outside of its networks)"
    plain = estimate_accelerator(dense_net(64, 32, 10), board.model_copy(update={"calibration": None}))
    assert board.calibration is not None
    for row, documented in zip(cost.layers, plain.layers, strict=True):
        assert row.latency_cycles.high == documented.latency_cycles.high * board.calibration.cycles.high


def test_the_page_shows_what_the_script_prints(scripts):
    nets, page = {n: build() for n, build in scripts.TINY.items()}, DOC.read_text()
    examples = {n: build() for n, build in scripts.MAXIM.items()}
    for text in (scripts.fit_text(nets), scripts.published_text(nets | examples), scripts.boards_text(nets)):
        assert text in page, "print it with scripts/accelerator_table.py"
    assert all(f"`{name}`" in page for name in accelerator_names())


@pytest.mark.nightly
def test_the_page_shows_the_large_networks_too(scripts):
    assert scripts.published_text({n: build() for n, build in scripts.LARGE.items()}) in DOC.read_text()
