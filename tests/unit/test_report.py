from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from bitsmith.hls.accelerators import load_accelerator
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate import op_counts
from bitsmith.hls.estimate.accelerators import estimate_accelerator
from bitsmith.hls.estimate.price import price
from bitsmith.hls.estimate.priced import Priced
from bitsmith.hls.results import ZERO, Figure, LayerCost, Mismatch, Problem, SynthReport, VerifyResult
from bitsmith.models.ir import ArgMax, InputError, NetBuilder, QNet, QuantType, content_hash, verify
from bitsmith.reports.data import (
    Accuracy,
    Design,
    ReportData,
    SourceProof,
    StageTime,
    load_report,
    net_picture,
    save_report,
)
from bitsmith.reports.html import render_report, write_report
from bitsmith.reports.view import compare, context, is_exact, layer_rows

GOLDEN = Path(__file__).parents[1] / "golden" / "report.html"
VOID = {"meta", "line", "rect", "circle", "path", "br"}


def sample_net() -> QNet:
    """16 inputs, two hidden layers, a skip around the second, ten classes."""
    rng = np.random.default_rng(5)
    b = NetBuilder("sample")
    x = b.input("pixels", (16,), QuantType(4, False, 2**-4))

    def dense(name: str, source: str, n: int) -> str:
        shape = (b.ops[source].shape[0], n)
        weight = rng.integers(-7, 8, shape) * (rng.random(shape) < 0.5)
        return b.dense(name, source, weight, rng.integers(-9, 9, n), scale=2**-4)

    a = b.requant("fc1_relu", dense("fc1", x, 12), 2**-4, 0, 15, 4)
    c = b.requant("fc2_relu", dense("fc2", a, 12), 2**-4, 0, 15, 4)
    joined = b.add("skip", [c, a], 2**-4)
    logits = dense("logits", joined, 10)
    b.append(ArgMax(name="digit", inputs=(logits,), shape=(), type=QuantType(1, False)))
    return verify(QNet("sample", tuple(b.ops.values())))


def layer(op, kind, lut, ff, latency_cycles, detail="") -> LayerCost:
    return LayerCost(
        op, kind, Figure(lut, 0.8 * lut, 1.5 * lut), Figure(ff, 0.5 * ff, ff), ZERO, ZERO, latency_cycles, detail
    )


PRICED = Priced(
    layers=(
        layer("pixels", "input", 0, 64, 1),
        layer("fc1", "dense", 612, 180, 1, "88 adders of 612 bits, 0 other LUTs"),
        layer("fc1_relu", "requant", 108, 48, 0, "12 adders of 60 bits, 48 other LUTs"),
        layer("fc2", "dense", 512, 160, 1, "70 adders of 512 bits, 0 other LUTs"),
        layer("fc2_relu", "requant", 108, 48, 0, "12 adders of 60 bits, 48 other LUTs"),
        layer("skip", "add", 60, 60, 1, "12 adders of 60 bits, 0 other LUTs"),
        layer("logits", "dense", 533, 140, 1, "66 adders of 533 bits, 0 other LUTs"),
        layer("digit", "argmax", 207, 4, 0, "9 adders of 126 bits, 81 other LUTs"),
        layer("axi4_stream", "stream", 9, 7, 0),
    ),
    latency_cycles=Figure.exact(5),
    ii_cycles=Figure.exact(1),
    fmax_mhz=Figure(250.0, 125.0, 375.0),
    calibration="by-hand",
)


def sample() -> ReportData:
    net, board = sample_net(), load_board("arty-a7-35t")
    hw = HwConfig(board, 100.0)
    cost = price(PRICED, hw)
    proof = VerifyResult(True, 540, "Verilator 5.048", content_hash(net), 5, 1, None, 21.4)
    hls = VerifyResult(True, 540, "hls4ml 1.3.0 (Vitis emulation, g++ 12.2)", content_hash(net), None, None, None, 62.0)
    layers = {
        "fc1": 640,
        "fc1_relu": 97,
        "fc2": 560,
        "fc2_relu": 90,
        "skip": 61,
        "logits": 561,
        "digit": 230,
        "axi4_stream": 9,
    }
    synth = SynthReport(
        "yosys",
        "0.70",
        2204,
        611,
        0,
        0,
        None,
        True,
        None,
        14.2,
        layers,
        {"lut": "synth/flat.json", "ff": "synth/flat.json"},
    )
    return ReportData(
        title="digits",
        summary="Handwritten digits, 8 by 8 pixels, ten classes.",
        created="2026-11-22 09:30",
        command="bitsmith build digits --board arty-a7-35t --backend rtl-unrolled --out runs/digits",
        board=board,
        net=net_picture(net),
        counts=op_counts(net),
        accuracy=Accuracy("digits", 540, 0.9796, 0.9741, 0.9741),
        source=SourceProof("QKeras 0.9.0", True, 540, 0.0),
        designs=(
            Design(
                "rtl-unrolled",
                100.0,
                cost,
                proof,
                synth,
                "rtl-unrolled",
                ("rtl/core.sv", "tb/tb.sv", "project.json", "README.md"),
            ),
            Design("hls4ml", 100.0, None, hls),
        ),
        accelerators=tuple(estimate_accelerator(net, load_accelerator(name)) for name in ("max78000", "k210")),
        versions={"bitsmith": "0.1.0", "da4ml": "0.6.0", "verilator": "5.48.0", "pyosys": "0.70"},
        stages=(
            StageTime("train", 71.0, True),
            StageTime("import", 1.2),
            StageTime("emit", 4.1),
            StageTime("verify", 21.4),
            StageTime("synth", 14.2),
        ),
    )


def broken(data: ReportData) -> ReportData:
    """The same report with a proof that failed."""
    main = data.designs[0]
    proof = replace(main.proof, exact=False, mismatch=Mismatch("fc2_relu", 17, (3,), 12, -4))
    return replace(data, designs=(replace(main, proof=proof), *data.designs[1:]))


class Tags(HTMLParser):
    """Checks that every element is closed by its own end tag."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open and self.open.pop() == tag, f"</{tag}> closes another element"


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.split("</style>")[1]))


def test_page_is_the_golden_one(update_golden):
    page = render_report(sample())
    if update_golden:
        GOLDEN.write_text(page, encoding="utf-8")
    assert page == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "data", [sample(), broken(sample()), replace(sample(), designs=())], ids=["good", "bad", "bare"]
)
def test_page_is_well_formed_and_asks_nothing_of_the_network(data):
    page = render_report(data)
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert not {"script", "link", "img", "iframe"} & set(tags.seen)
    assert "http:" not in page and "https:" not in page and "@import" not in page
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", page))


def test_page_tells_the_headline():
    text = text_of(render_report(sample()))
    assert "digits on Digilent Arty A7-35T" in text
    for part in ("97.41 %", "2,204", "5 cycles", "Bit-exact Yes", "bitsmith build digits --board arty-a7-35t"):
        assert part in text


def test_mismatch_is_shown_with_its_place():
    data = broken(sample())
    page = render_report(data)
    assert is_exact(data) is False
    assert 'class="alarm"' in page and "All are equal" not in page
    text = text_of(page)
    for part in ("Bit-exact No", "fc2_relu", "17, [3]", "expected 12", "got -4"):
        assert part in text


def test_a_difference_to_the_source_is_no_proof_either():
    data = replace(sample(), source=SourceProof("QKeras 0.9.0", False, 540, 0.0625))
    assert is_exact(data) is False
    assert "differs" in text_of(render_report(data))


def test_without_hardware_nothing_is_called_bit_exact():
    text = text_of(render_report(replace(sample(), designs=())))
    assert "Bit-exact" not in text and "hardware not run" in text


def test_missing_parts_leave_their_section_out():
    bare = ReportData("t", "2026-11-22", "bitsmith build t", load_board("icebreaker"))
    page = render_report(bare)
    sections = re.findall(r'<section id="(\w+)"', page)
    assert sections == ["reproduce"]
    assert re.findall(r'<section id="(\w+)"', render_report(sample())) == [
        "proof",
        "accuracy",
        "network",
        "layers",
        "cost",
        "others",
        "reproduce",
    ]


def test_everything_is_escaped():
    evil = "<script>alert('x')</script>"
    data = sample()
    net = replace(data.net, name=evil, nodes=(replace(data.net.nodes[0], detail=evil, op=evil), *data.net.nodes[1:]))
    nodes = tuple(replace(n, inputs=tuple(evil if i == "pixels" else i for i in n.inputs)) for n in net.nodes)
    proof = replace(data.designs[0].proof, engine=evil, exact=False, mismatch=Mismatch(evil, 0, (0,), 1, 2))
    synth = replace(data.designs[0].synth, tool=evil, layers={evil: 3}, sources={evil: evil})
    design = replace(data.designs[0], backend=evil, proof=proof, synth=synth, files=(evil,), folder=evil)
    page = render_report(
        replace(
            data,
            title=evil,
            summary=evil,
            command=evil,
            net=replace(net, nodes=nodes),
            designs=(design,),
            versions={evil: evil},
            stages=(StageTime(evil, 1.0),),
            accuracy=replace(data.accuracy, dataset=evil, metric=evil),
        )
    )
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 15


def test_report_json_round_trip(tmp_path):
    for data in (sample(), broken(sample())):
        save_report(data, tmp_path)
        back = load_report(tmp_path)
        assert back == data
        assert render_report(back) == render_report(data)


def test_report_json_missing_or_damaged(tmp_path):
    with pytest.raises(InputError, match="bitsmith build"):
        load_report(tmp_path)
    path = save_report(sample(), tmp_path)
    path.write_text(path.read_text()[:500])
    with pytest.raises(InputError, match="cannot be read"):
        load_report(tmp_path)


def test_write_report_into_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write the report"):
        write_report(sample(), tmp_path / "file" / "report.html")


def test_layer_rows_hold_every_op_and_the_interface():
    data = sample()
    rows = {r.op: r for r in layer_rows(data, data.designs[0])}
    assert list(rows) == [n.op for n in data.net.nodes] + ["axi4_stream"]
    assert rows["fc1"].synth_lut == 640 and rows["fc1"].cost.lut.value == 612
    assert rows["axi4_stream"].count is None


def test_compared_ratio_and_bounds():
    data = sample()
    design = data.designs[0]
    lut, ff, dsp, _ = compare(design.estimate, design.synth, data.board.device)
    assert lut.ratio == 2204 / design.estimate.lut.value and not lut.outside
    assert (lut.capacity, ff.capacity) == (20800, 41600)
    assert dsp.ratio is None  # none estimated, none found
    far = replace(design.synth, lut=20_000)
    assert compare(design.estimate, far, data.board.device)[0].outside
    for row in (lut, ff):
        assert 0 <= row.bar.low <= row.bar.value <= row.bar.high <= 100
        assert 0 <= row.bar.mark <= 100


def test_other_boards_stand_beside_this_build():
    data = sample()
    rows = context(data)["other_boards"]
    build, *others = rows
    assert (build.title, build.backend, build.integers) == ("Digilent Arty A7-35T", "rtl-unrolled", "yes, proved")
    assert [r.title for r in others] == [
        "Analog Devices MAX78000 (EV kit, FTHR)",  # of those that run it, the least energy comes first
        "Kendryte K210 (Sipeed Maix Bit, Maixduino)",
    ]
    worse = replace(data.accelerators[0], fits=False, problems=(Problem("fc1", "too wide", "shrink it"),))
    rows = context(replace(data, accelerators=(worse, data.accelerators[1])))["other_boards"]
    assert [r.fits for r in rows] == [True, True, False]
    assert "fc1: too wide" in text_of(render_report(replace(data, accelerators=(worse,))))
    assert context(replace(data, accelerators=()))["other_boards"] == []


def test_totals_of_the_context():
    totals = context(sample())["totals"]
    assert totals["macs"] == 16 * 12 + 12 * 12 + 12 * 10
    assert totals["params"] == totals["macs"] + 12 + 12 + 10
