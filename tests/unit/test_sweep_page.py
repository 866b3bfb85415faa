"""The page of a sweep, from a small sweep written by hand."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bitsmith.flows.cli import main
from bitsmith.flows.search.page import sweep_data, write_sweep_page
from bitsmith.models.ir.errors import InputError
from bitsmith.reports.axes import axis, steps
from bitsmith.reports.curve import curve
from bitsmith.reports.html import render_sweep
from bitsmith.reports.scatter import scatter, staircase
from bitsmith.reports.sweep_data import Progress, SweepData
from bitsmith.reports.sweep_view import compare, sweep_context

EVIL = "</script><script>alert('x')</script>"
VOID = {"meta", "line", "rect", "circle", "path", "br"}

# trial -> validation, test accuracy, LUT, latency in ns, energy in uJ, weight bits of fc, its zeros
TRAINED: dict[int, tuple[float, float, float, float, float, int, float]] = {
    0: (0.975, 0.970, 4000.25, 50.0, 0.004, 8, 0.0),
    1: (0.950, 0.9525, 1000.5, 40.0, 0.002, 4, 0.5),
    2: (0.940, 0.930, 2000.0, 50.0, 0.003, 4, 0.0),  # trial 1 beats it
    3: (0.800, 0.825, 200.0, 30.0, 0.001, 2, 0.75),
}
FRONT = (0, 1, 3)


def trial_row(number: int) -> dict[str, Any]:
    accuracy, test, lut, latency, energy, bits, zeros = TRAINED[number]
    return {
        "number": number,
        "state": "complete",
        "repeats": 0,
        "accuracy": accuracy,
        "lut": lut,
        "ff": lut / 2,
        "dsp": 0.0,
        "latency_cycles": latency / 10,
        "latency_ns": latency,
        "energy_uj": energy,
        "params": 3010.0,
        "accuracy_test": test,
        "weights_kept": 3000 - number,
        "reason": None,
        "seed": 7,
        "version": "0.1.0",
        "choice.fc.weight_bits": bits,
        "choice.fc.sparsity": zeros,
        "choice.backend": "rtl-unrolled",
        "choice.fc.skip": number == 0,
    }


def ended_row(number: int, state: str, reason: str) -> dict[str, Any]:
    """No figures: in the table of all trials they are there, and empty."""
    return {
        **dict.fromkeys(trial_row(0)),
        "number": number,
        "state": state,
        "reason": reason,
        "choice.fc.weight_bits": 1,
    }


def front_row(number: int, **more: Any) -> dict[str, Any]:
    row = trial_row(number)
    lut = row["lut"]
    return {
        "trial": number,
        **{k: row[k] for k in ("lut", "ff", "dsp", "latency_cycles", "latency_ns", "energy_uj", "params")},
        "accuracy": row["accuracy_test"],
        "accuracy_validation": row["accuracy"],
        "weights_kept": row["weights_kept"],
        "verified": True,
        "synth": None,
        "bounds": {
            "lut": {"value": lut, "low": lut / 2, "high": 2 * lut},
            "dsp": {"value": 0.0, "low": 0.0, "high": 0.0},
            "fmax_mhz": {"value": 100.0, "low": 80.0, "high": 120.0},
        },
        "choices": {k.removeprefix("choice."): v for k, v in row.items() if k.startswith("choice.")},
        "net_sha256": "ab",
        "folder": f"front/{number:05d}",
        **more,
    }


def synth(lut: int) -> dict[str, Any]:
    found = {"tool": "yosys", "version": "0.70", "lut": lut, "ff": None, "dsp": 0, "bram": None, "fmax_mhz": 90.0}
    return {**found, "fits": True, "netlist_exact": True, "bitstream": None, "seconds": 3.0}


def write_sweep(folder: Path) -> Path:
    summary = {
        "name": "digits",
        "board": "ulx3s-85f",
        "trials": 6,
        "full_trainings": 2.5,
        "repeated": 1,
        "objectives": ["accuracy", "lut", "latency_ns", "energy_uj"],
        "limits": {"accuracy": 0.75, "lut": 83640.0, "latency_ns": 60.0},
        "ideal": {"accuracy": 1.0, "lut": 100.0, "latency_ns": 10.0, "energy_uj": 0.0005},
        "reference": {"accuracy": 0.75, "lut": 83640.0, "latency_ns": 60.0, "energy_uj": 0.01},
        "history": [
            {"trial": n, "full_trainings": 1.0 + n / 2, "hypervolume": h, "hypervolume_test": h - 0.01}
            for n, h in enumerate((0.1, 0.2, 0.2, 0.4))
        ],
        "front": [
            front_row(0, synth=synth(9000)),
            front_row(1, verified=False, error=f"the simulator ended: {EVIL}"),
            front_row(3, synth=synth(210)),
        ],
        "news": "a key that the page does not know",
    }
    trials = [trial_row(n) for n in TRAINED]
    trials += [ended_row(4, "failed", EVIL), ended_row(5, "stopped", "0.2 after 9 epochs"), ended_row(6, "refused", "")]
    (folder / "sweep.json").write_text(json.dumps(summary))
    (folder / "trials.json").write_text(json.dumps(trials))
    for number in (0, 1):  # of trial 3 there is no page
        (folder / f"front/{number:05d}").mkdir(parents=True, exist_ok=True)
        (folder / f"front/{number:05d}/report.html").write_text("")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sweep(tmp_path)


@pytest.fixture
def data(folder: Path) -> SweepData:
    return sweep_data(folder)


@pytest.fixture
def page(data: SweepData) -> str:
    return render_sweep(data)


class Elements(HTMLParser):
    """All elements with their attributes; every one must be closed by its own end tag."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open and self.open.pop() == tag, f"</{tag}> closes another element"

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.seen if name == tag]


def section(page: str, name: str) -> str:
    return page.split(f'<section id="{name}">')[1].split("</section>")[0]


def text_of(part: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", part))).strip()


def table_row(part: str, trial: int) -> str:
    return next(r for r in re.findall(r"<tr[^>]*>.*?</tr>", part, re.S) if f'data-trial="{trial}"' in r)


def test_the_page_stands_alone(page: str) -> None:
    elements = Elements(page)
    assert not {"link", "img", "iframe", "object", "embed"} & {tag for tag, _ in elements.seen}
    assert all("src" not in attributes for attributes in elements.of("script"))
    assert not re.search(r"https?:|//[a-z]|@import|url\(", page.split("<script>")[0])
    assert "http" not in page and "fetch(" not in page and "import(" not in page


def test_links_are_relative_and_lead_to_pages_that_are_there(page: str, folder: Path) -> None:
    links = [str(a["href"]) for a in Elements(page).of("a")]
    assert sorted(links) == ["#trial-0", "#trial-1", "#trial-3", "front/00000/report.html", "front/00001/report.html"]
    ids = {attributes.get("id") for _, attributes in Elements(page).seen}
    for link in links:
        assert link[1:] in ids if link.startswith("#") else (folder / link).is_file()


def test_every_point_of_the_front_is_there_with_the_numbers_of_the_data(page: str) -> None:
    part = section(page, "front")
    for number in FRONT:
        accuracy, test, lut, latency, energy, _, _ = TRAINED[number]
        sorts = re.findall(r'data-sort="([^"]*)"', table_row(part, number))
        found = {0: 9000.0, 3: 210.0}.get(number, "")
        verified = 1 if number == 1 else 0
        assert sorts == [
            *map(str, (number, verified, test, accuracy, lut, found, lut / 2)),
            *map(str, (latency / 10, latency, energy, 3000.0 - number)),
        ]
    assert 'data-trial="2"' not in part
    text = text_of(table_row(part, 1))
    assert text.startswith("1 no proof 95.25 % 95.00 % 1,000 [500 to 2,001] – 500 4 40 ns 2 nJ")


def test_every_trained_candidate_is_a_dot(page: str) -> None:
    svg = page.split('id="scatter"')[1].split("</svg>")[0]
    assert re.findall(r'<a class="point" href="#trial-(\d)"', svg) == ["0", "1", "3"]
    assert re.findall(r'<g class="point" data-trial="(\d)"', svg) == ["2"]
    notes = [unescape(n).split("\n") for n in re.findall(r"<title>(.*?)</title>", svg, re.S)]
    assert notes[0] == [
        "Trial 2",
        "Accuracy 94.00 % validation, 93.00 % test",
        "LUT 2,000",
        "Latency 50 ns",
        "Energy per inference 3 nJ",
        "fc: weight bits 4, zeros 0 %, skip no",
        "all layers: backend rtl-unrolled",
    ]
    assert [n[0] for n in notes[1:]] == [
        "Trial 0, on the front, verified",
        "Trial 1, on the front, not verified",
        "Trial 3, on the front, verified",
    ]


def test_what_was_searched_and_what_came_of_it(page: str) -> None:
    lead = text_of(page.split("<header>")[1].split("</header>")[0])
    assert "digits on Radiona ULX3S, 85F" in lead
    assert "4 choices, searched for high accuracy, low LUT, low latency and low energy per inference." in lead
    assert "Points of the front 3 2 of them verified" in lead
    assert (
        "Most accurate point 97.00 % trial 0, on test rows; chosen by validation rows: 97.50 %" in lead
        and "Least LUT 200 trial 3, accuracy 82.50 %" in lead
    )
    assert "Trials 6 at the cost of 2.50 full trainings" in lead  # the refused one was not trained
    text = text_of(section(page, "search"))
    assert "LUT at most 83,640 all that the device has" in text and "Latency at most 60 ns asked for" in text
    assert "Accuracy, validation rows at least 75.00 % asked for" in text
    assert "complete 4 stopped 1 failed 1 refused 1 run again after a worker died 1 full trainings 2.50" in text
    assert "seed 7 version 0.1.0" in text
    assert "validation rows: 0.400" in text and "test rows: 0.390" in text
    assert f"Training or lowering ended with an error: 1 Trial Reason 4 {EVIL}" in text
    assert "5 0.2 after 9 epochs" in text and "6 –" in text


def test_nothing_breaks_out(page: str) -> None:
    assert EVIL not in page and "<script>alert" not in page
    assert f"the simulator ended: {EVIL}" in text_of(section(page, "front"))
    assert [s.get("id") for s in Elements(page).of("script")] == ["places", None]


def test_names_of_choices_cannot_break_out_of_the_script(folder: Path) -> None:
    summary = json.loads((folder / "sweep.json").read_text())
    summary["name"] = summary["board"] = summary["front"][0]["synth"]["tool"] = EVIL
    summary["front"][0]["choices"][EVIL] = EVIL
    (folder / "sweep.json").write_text(json.dumps(summary))
    page = render_sweep(sweep_data(folder))
    assert "<script>alert" not in page
    assert len(Elements(page).of("script")) == 2


def test_estimate_beside_synthesis(data: SweepData, page: str) -> None:
    rows = compare(data.front[0])
    # 9000 LUT of an estimate of 4000.25 within 2000.125 and 8000.5; no DSP in either; FF were not reported
    assert [(r.title, r.synth, r.outside) for r in rows] == [("LUT", "9,000", True), ("Fmax", "90 MHz", False)]
    assert rows[0].ratio == 9000 / 4000.25 and rows[1].ratio == 0.9
    assert compare(data.front[1]) == []
    text = text_of(section(page, "synth"))
    assert "0 LUT 4,000 2,000 to 8,000" in text and "9,000 outside 2.25" in text
    assert "Trial 3: yosys 0.70; fits; the mapped netlist was simulated: exact." in text


def test_what_the_front_chose(page: str) -> None:
    part = section(page, "choices")
    assert text_of(table_row(part, 1)) == "1 95.25 % 4 50 % no rtl-unrolled"
    assert re.findall(r"--part: ([\d.]+)", table_row(part, 1)) == ["0.5", "0.667"]  # 4 of 8 bits, 50 of 75 %
    assert text_of(part.split("<tfoot>")[1]) == "Tried 1, 2, 4, 8 0 %, 50 %, 75 % no, yes rtl-unrolled"
    assert re.findall(r'data-column="(\d)"', part) == ["0", "1", "2", "3", "4", "5"]
    assert re.findall(r'<th colspan="(\d)" class="layer">([^<]*)<', part) == [("3", "fc"), ("1", "all layers")]


def test_the_script_has_a_place_for_every_dot_and_figure(data: SweepData, page: str) -> None:
    places = json.loads(page.split('id="places">')[1].split("</script>")[0])
    chart = scatter(data)
    assert chart is not None
    options = re.findall(r'<option value="(\w+)"', page)
    assert set(options) == set(places["axes"]) and len(options) == 2 * len(places["axes"])
    assert "dsp" not in places["axes"] and "params" not in places["axes"]  # the same everywhere
    assert all(set(a["places"]) == {"0", "1", "2", "3"} for a in places["axes"].values())
    for dot in (*chart.others, *chart.front):
        field, part = places["field"], places["axes"][chart.x.name]["places"][str(dot.trial)]
        assert dot.x == round(field["left"] + part * (field["right"] - field["left"]), 1)


def test_the_command_makes_the_page_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = write_sweep_page(folder)
    first = written.read_bytes()
    written.unlink()
    assert main(["report", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"report": str(folder / "report.html")}
    assert written.read_bytes() == first


@pytest.mark.parametrize(
    ("name", "content"),
    [("trials.json", None), ("sweep.json", "{"), ("sweep.json", '{"name": "digits"}'), ("trials.json", '{"a": 1}')],
)
def test_a_damaged_sweep_is_said_with_the_remedy(folder: Path, name: str, content: str | None) -> None:
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises(InputError, match=r"no finished sweep .* give the same bitsmith sweep command again"):
        write_sweep_page(folder)


def test_a_sweep_of_one_trial_has_a_page_without_charts(folder: Path) -> None:
    summary, trials = (json.loads((folder / n).read_text()) for n in ("sweep.json", "trials.json"))
    summary["front"], summary["history"] = summary["front"][:1], summary["history"][:1]
    del summary["ideal"]
    (folder / "sweep.json").write_text(json.dumps(summary))
    (folder / "trials.json").write_text(json.dumps(trials[:1]))
    data = sweep_data(folder)
    assert sweep_context(data)["chart"] is None and curve(data.progress) is None
    Elements(render_sweep(data))


def test_axes_are_logarithmic_for_costs_above_zero_only() -> None:
    cost = axis("lut", [100.0, 10000.0])
    # five hundredths of two decades are free at both ends: 100 stands at 0.05 / 1.1 of the axis
    assert cost.log and cost.place(100.0) == 0.0455 and cost.place(1000.0) == 0.5
    assert [label for _, label in cost.ticks] == ["100", "200", "500", "1,000", "2,000", "5,000", "10,000"]
    assert not axis("dsp", [0.0, 4.0]).log
    assert axis("dsp", [0.0, 4.0]).place(2.0) == 0.5
    share = axis("accuracy_test", [0.5, 1.0])
    assert not share.log and [label for _, label in share.ticks] == ["50 %", "60 %", "70 %", "80 %", "90 %", "100 %"]
    # less than a decade: round values, evenly spaced
    assert [label for _, label in axis("latency_ns", [50.0, 110.0]).ticks] == ["60 ns", "80 ns", "100 ns"]


def test_ticks_are_round_and_few() -> None:
    assert steps(0.0, 1.0, 6) == [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]
    for low, high in ((0.0, 1.0), (3.0, 3.7), (1e-9, 4e-9), (17.0, 81234.0)):
        assert 2 <= len(steps(low, high, 7)) <= 7


def test_the_line_joins_the_best_of_two_figures() -> None:
    # user units grow downwards: (1, 9) is cheap and bad, (5, 1) dear and good, (6, 2) is beaten, (3, 9) too
    points = [(5.0, 1.0), (6.0, 2.0), (1.0, 9.0), (3.0, 9.0), (3.0, 4.0)]
    assert staircase(points, right_is_better=False, up_is_better=True) == "M1 9H3V4H5V1"
    # both more: from the right end up
    assert staircase(points, right_is_better=True, up_is_better=True) == "M6 2H5V1"
    # both less: (1, 9) is best in both
    assert staircase(points, right_is_better=False, up_is_better=False) == "M1 9"


def test_the_hypervolume_stays_until_a_trial_enlarges_it() -> None:
    found = curve([Progress(0, 1.0, 0.0, 0.0), Progress(1, 2.0, 1.0, 0.5)])
    assert found is not None
    # x: 66 + 542 / 2 = 337 and 608; y: 184 at 0, 184 - 172 / 1.05 = 20.2 at 1, 102.1 at a half
    assert found.validation == "M337 184H608V20.2" and found.test == "M337 184H608V102.1"
