"""Overlays: the DMA bridge in simulation, the PYNQ driver against it, and Vivado's script executed against stubs."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from test_rtl_netlist import random_rows
from test_rtl_timing import mlp

from bitsmith.hls.backends.base import Backend, read_manifest
from bitsmith.hls.backends.rtl.folded.backend import RtlFolded
from bitsmith.hls.backends.rtl.overlay.files import BOARDS, BRIDGE, overlay_files, word_bytes
from bitsmith.hls.backends.rtl.packing import hex_rows, pack_rows, row_bytes, unpack_rows
from bitsmith.hls.backends.rtl.unrolled.backend import RtlUnrolled
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.tools import verilator
from bitsmith.hls.tools.run import run_tool
from bitsmith.models.ir import QNet, execute

HERE = Path(__file__).parent / "overlay"

Rows = np.ndarray


def side(beats: int, lanes: int, bits: int, signed: bool) -> dict[str, object]:
    return {"beats": beats, "lanes": lanes, "bits": bits, "signed": signed, "bytes": row_bytes(lanes, bits)}


def files_for(stream: dict, board: str = "pynq-z2", clock_mhz: float = 100.0, **names: object) -> dict[str, str]:
    given = {"top": "demo_axis", "rtl": ["rtl/demo_axis.sv"], "data": [], "name": "demo", **names}
    return overlay_files(stream, hw=HwConfig(load_board(board), clock_mhz), **given)


def write(files: dict[str, str], folder: Path) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


# the bridge in simulation


def build(stream: dict, folder: Path, board: str, early: bool) -> tuple[Path, int, int]:
    """The simulated IP around the test's network, and the bytes of a word each way."""
    files = files_for(stream, board)
    write(files, folder)
    words = [word_bytes(stream[s]["bytes"], 8 if BOARDS[board].processor == "ps7" else 16) for s in ("input", "output")]
    numbers = {
        f"{s}_{k.upper()}": stream[n][k] for s, n in (("IN", "input"), ("OUT", "output")) for k in ("bytes", "beats")
    }
    options = [f"-D{name}={value}" for name, value in (numbers | {"EARLY": f"1'b{int(early)}"}).items()]
    harness = folder / "harness.cpp"
    defines = f"#define IN_WORD {words[0]}\n#define OUT_WORD {words[1]}\n"
    harness.write_text(defines + (HERE / "harness.cpp").read_text())
    sources = [HERE / "demo_axis.sv", folder / "overlay/bitsmith_dma_bridge.sv", folder / "overlay/demo_axis_dma.v"]
    return verilator.build(sources, "demo_axis_dma", folder / "sim", harness, options), words[0], words[1]


def reference(rows: Rows, stream: dict, early: bool) -> Rows:
    """What the network of demo_axis.sv answers: beats (n * beats, bytes)."""
    source, result = stream["input"], stream["output"]
    modulus = 1 << (8 * result["bytes"])
    answers = []
    for frame in rows.reshape(-1, source["beats"], source["bytes"]):
        values = [int.from_bytes(beat.tobytes(), "little") for beat in frame]
        terms = [v + (v >> (4 * source["bytes"])) for v in values]
        total = 0
        for term in terms[:1] if early else terms:
            total = (total * 3 + term) % modulus
        beats = [(total + k) % modulus for k in range(result["beats"])]
        answers += [list(value.to_bytes(result["bytes"], "little")) for value in beats]
    return np.array(answers, np.uint8)


def padded(rows: Rows, word: int) -> Rows:
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % word)))


def prove(name: str, folder: Path, rng: np.random.Generator, built: tuple[Path, int, int] | None = None) -> None:
    """Three batches, one right after the other, with random stalls on both sides."""
    stream, board, early = SHAPES[name]
    program, in_word, out_word = built or build(stream, folder, board, early)
    source, result = stream["input"], stream["output"]
    frames = (5, 1, 9)
    rows = rng.integers(0, 256, (sum(frames) * source["beats"], source["bytes"]), dtype=np.uint8)
    per_beat = [padded(rows[:1], in_word).shape[1] // in_word, -(-result["bytes"] // out_word)]
    (folder / "in.bin").write_bytes(padded(rows, in_word).tobytes())
    for stall, seed in ((0, 1), (40, 2), (75, 3)):
        batches = [str(n * source["beats"] * per_beat[0]) for n in frames]
        log = folder / f"run{seed}.log"
        told = run_tool([program, folder / "in.bin", folder / "out.bin", str(stall), str(seed), *batches], folder, log)
        assert [int(line) for line in told.split()] == [n * result["beats"] * per_beat[1] for n in frames]
        got = np.frombuffer((folder / "out.bin").read_bytes(), np.uint8).reshape(-1, per_beat[1] * out_word)
        expected = padded(reference(rows, stream, early), out_word)
        assert (got == expected).all()


ODD = "odd widths, many beats"
SHAPES = {
    "one beat each": ({"input": side(1, 6, 7, True), "output": side(1, 3, 5, False)}, "pynq-z2", False),
    ODD: ({"input": side(7, 5, 8, True), "output": side(3, 11, 8, True)}, "pynq-z2", False),
    "wide, one to many": ({"input": side(1, 77, 8, False), "output": side(10, 1, 12, True)}, "kv260", False),
    "finished early": ({"input": side(9, 2, 4, False), "output": side(2, 1, 8, False)}, "zybo-z7-10", True),
    "single words": ({"input": side(4, 4, 8, False), "output": side(1, 4, 8, False)}, "zcu104", False),
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, int]:
    stream, board, early = SHAPES[ODD]
    return build(stream, tmp_path_factory.mktemp("odd"), board, early)


def test_bridge_keeps_every_word(odd, tmp_path, rng):
    prove(ODD, tmp_path, rng, odd)


def test_bridge_waits_for_the_rest_of_a_frame_that_is_finished_early(tmp_path, rng):
    prove("finished early", tmp_path, rng)


@pytest.mark.nightly
@pytest.mark.parametrize("name", SHAPES)
def test_bridge_keeps_every_word_in_all_shapes(name, tmp_path, rng):
    prove(name, tmp_path, rng)


@pytest.mark.parametrize("name", SHAPES)
def test_ip_is_clean(name, tmp_path):
    stream, board, _ = SHAPES[name]
    write(files_for(stream, board), tmp_path)
    numbers = {
        f"{s}_{k.upper()}": stream[n][k] for s, n in (("IN", "input"), ("OUT", "output")) for k in ("bytes", "beats")
    }
    # The network of the test truncates at will; what is looked at is the bridge and its wrapper.
    stub = re.sub(r"`(\w+)", lambda m: str((numbers | {"EARLY": "1'b0"})[m[1]]), (HERE / "demo_axis.sv").read_text())
    (tmp_path / "demo_axis.sv").write_text("/* verilator lint_off WIDTH */\n/* verilator lint_off CMPCONST */\n" + stub)
    sources = [tmp_path / "overlay" / name for name in ("bitsmith_dma_bridge.sv", "demo_axis_dma.v")]
    verilator.lint([*sources, tmp_path / "demo_axis.sv"], "demo_axis_dma", tmp_path / "lint.log")


# the driver


class Buffer(np.ndarray):
    freed = False

    def freebuffer(self) -> None:
        self.freed = True


def fake_pynq(answer: Callable[[Rows], Rows], transfers: list[int], file: str = "demo.bit") -> ModuleType:
    """A module ``pynq`` whose DMA gives ``answer`` to the bytes sent, once both sides are started."""

    class Channel:
        def __init__(self) -> None:
            self.buffer: Rows | None = None
            self.started = False

        def transfer(self, buffer: Rows) -> None:
            assert isinstance(buffer, Buffer) and not buffer.freed and buffer.dtype == np.uint8
            self.buffer, self.started = buffer, True

        def wait(self) -> None:
            assert self.started
            if receive.buffer is not None and send.buffer is not None:
                transfers.append(send.buffer.size)
                receive.buffer[:] = answer(np.asarray(send.buffer))
                send.buffer = receive.buffer = None

    send, receive = Channel(), Channel()
    module = ModuleType("pynq")

    class Overlay:
        def __init__(self, bitfile: str) -> None:
            assert bitfile.endswith(f"/overlay/{file}")
            self.dma = SimpleNamespace(sendchannel=send, recvchannel=receive)

    def allocate(shape: tuple[int, ...], dtype: type) -> Buffer:
        buffer = np.full(shape, 0xA5, dtype).view(Buffer)  # a fresh buffer holds anything
        return buffer

    module.Overlay, module.allocate = Overlay, allocate  # type: ignore[attr-defined]
    return module


def load_driver(folder: Path, monkeypatch: pytest.MonkeyPatch, pynq: ModuleType | None = None) -> SimpleNamespace:
    if pynq is not None:
        monkeypatch.setitem(sys.modules, "pynq", pynq)
    return SimpleNamespace(**runpy.run_path(str(folder / "overlay" / "driver.py"), run_name="driver"))


PACKED = [side(1, 6, 7, True), side(4, 3, 1, False), side(2, 5, 12, True), side(3, 2, 32, True), side(1, 1, 8, False)]


@pytest.mark.parametrize("kind", PACKED, ids=lambda k: f"{k['beats']}x{k['lanes']}x{k['bits']}")
def test_driver_packs_as_the_house_does(kind, tmp_path, monkeypatch, rng):
    write(files_for({"input": kind, "output": kind}), tmp_path)
    driver = load_driver(tmp_path, monkeypatch)
    low = -(1 << (kind["bits"] - 1)) if kind["signed"] else 0
    x = rng.integers(low, low + (1 << kind["bits"]), (50, kind["beats"], kind["lanes"]))
    x[0], x[1] = low, low + (1 << kind["bits"]) - 1
    rows = driver.pack(x, driver.INPUT)
    assert (rows == pack_rows(x.reshape(-1, kind["lanes"]), kind["bits"])).all()
    assert (driver.unpack(rows, driver.OUTPUT) == x.reshape(50, -1)).all()
    assert (
        driver.unpack(rows, driver.OUTPUT).reshape(-1, kind["lanes"])
        == unpack_rows(rows, kind["lanes"], kind["bits"], kind["signed"])
    ).all()


def test_driver_refuses_what_the_net_cannot_take(tmp_path, monkeypatch):
    write(files_for({"input": side(2, 3, 4, True), "output": side(1, 1, 8, True)}), tmp_path)
    driver = load_driver(tmp_path, monkeypatch)
    with pytest.raises(SystemExit, match="takes 6 integers per frame, not 5"):
        driver.pack(np.zeros((1, 5), int), driver.INPUT)
    with pytest.raises(SystemExit, match="from -8 to 7"):
        driver.pack(np.full((1, 6), 8), driver.INPUT)
    with pytest.raises(SystemExit, match="takes integers, not float64"):
        driver.pack(np.zeros((1, 6)), driver.INPUT)


STREAM = {"input": side(2, 3, 5, True), "output": side(1, 2, 9, True)}


def network(x: Rows) -> Rows:
    """A net of two outputs: the sum of all six inputs, and their difference of halves."""
    return np.stack([x.sum(axis=1), x[:, :3].sum(axis=1) - x[:, 3:].sum(axis=1)], axis=1)


def answering(stream: dict) -> Callable[[Rows], Rows]:
    """Bytes of a transfer to those of its answer, by the packing of the house."""
    source, result = stream["input"], stream["output"]

    def answer(sent: Rows) -> Rows:
        assert sent.shape[1] == -(-source["bytes"] // 4) * 4 and not sent[:, source["bytes"] :].any()
        x = unpack_rows(sent, source["lanes"], source["bits"], source["signed"]).reshape(
            -1, source["beats"] * source["lanes"]
        )
        y = network(x).reshape(-1, result["lanes"])
        return padded(pack_rows(y, result["bits"]), 4)

    return answer


def write_golden(folder: Path, stream: dict, x: Rows) -> None:
    (folder / "tb").mkdir()
    rows = pack_rows(x.reshape(-1, stream["input"]["lanes"]), stream["input"]["bits"])
    results = pack_rows(network(x).reshape(-1, stream["output"]["lanes"]), stream["output"]["bits"])
    (folder / "tb" / "rows.hex").write_text(hex_rows(rows))
    (folder / "tb" / "results.hex").write_text(hex_rows(results))


def test_driver_runs_batches(tmp_path, monkeypatch, rng):
    write(files_for(STREAM), tmp_path)
    transfers: list[int] = []
    driver = load_driver(tmp_path, monkeypatch, fake_pynq(answering(STREAM), transfers))
    x = rng.integers(-16, 16, (30, 6))
    accelerator = driver.Accelerator()
    assert (accelerator.run(x) == network(x)).all()
    assert transfers == [30 * 2 * 4]
    assert accelerator.run(x[:0]).shape == (0, 2)
    driver.Accelerator.run_beats.__globals__["MOST_BYTES"] = 7 * 2 * 4  # seven frames a transfer
    transfers.clear()
    assert (accelerator.run(x) == network(x)).all()
    assert transfers == [56, 56, 56, 56, 16]


def test_driver_checks_itself_and_can_fail(tmp_path, monkeypatch, rng, capsys):
    write(files_for(STREAM), tmp_path)
    x = rng.integers(-16, 16, (20, 6))
    write_golden(tmp_path, STREAM, x)
    driver = load_driver(tmp_path, monkeypatch, fake_pynq(answering(STREAM), []))
    driver.main([])
    assert capsys.readouterr().out == "PASS: 20 frames of tb/ on demo\n"
    results = tmp_path / "tb" / "results.hex"
    lines = results.read_text().splitlines()
    lines[7] = f"{int(lines[7], 16) ^ 1:06x}"
    results.write_text("\n".join(lines) + "\n")
    with pytest.raises(SystemExit, match="FAIL: 1 of 20 beats differ; first frame 7, beat 0: expected"):
        driver.main([])
    np.save(tmp_path / "x.npy", x)
    driver.main([str(tmp_path / "x.npy"), str(tmp_path / "y.npy")])
    assert (np.load(tmp_path / "y.npy") == network(x)).all()


def test_driver_and_simulated_overlay_agree(odd, tmp_path, monkeypatch, rng):
    """The driver's transfers through the very Verilog of the overlay."""
    stream, board, early = SHAPES[ODD]
    program, _, out_word = odd
    write(files_for(stream, board), tmp_path)

    def simulate(sent: Rows) -> Rows:
        (tmp_path / "in.bin").write_bytes(sent.tobytes())
        words = str(sent.size // word_bytes(stream["input"]["bytes"], 8))
        run_tool([program, "in.bin", "out.bin", "30", "5", words], tmp_path, tmp_path / "dma.log")
        got = np.frombuffer((tmp_path / "out.bin").read_bytes(), np.uint8)
        return got.reshape(-1, -(-stream["output"]["bytes"] // out_word) * out_word)

    driver = load_driver(tmp_path, monkeypatch, fake_pynq(simulate, []))
    x = rng.integers(-128, 128, (12, 7 * 5))
    rows = driver.pack(x, driver.INPUT)
    expected = driver.unpack(reference(rows, stream, early), driver.OUTPUT)
    assert (driver.Accelerator().run(x) == expected).all()


# a real net


def emitted(folder: Path, backend: Backend, target_ii: int | None = None) -> tuple[QNet, dict]:
    """A small net as a project for a PYNQ board, with its overlay."""
    net = mlp((16, 12, 5), 4, 0.5)
    hw = HwConfig(load_board("pynq-z2"), 100.0, backend=backend.name, target_ii=target_ii)
    backend.emit(net, hw, folder, random_rows(net, 25))
    manifest = read_manifest(folder)
    names = {"rtl": manifest["rtl"], "data": manifest.get("data", []), "name": manifest["net"]}
    write(overlay_files(manifest["stream"], manifest["top"], hw=hw, **names), folder)
    return net, manifest


def test_driver_on_an_emitted_project(tmp_path, monkeypatch, capsys):
    net, manifest = emitted(tmp_path, RtlUnrolled())
    source, result = manifest["stream"]["input"], manifest["stream"]["output"]

    def answer(sent: Rows) -> Rows:
        x = unpack_rows(sent, source["lanes"], source["bits"], source["signed"])
        return padded(pack_rows(execute(net, x.reshape(-1, *net.input.shape)), result["bits"]), 4)

    driver = load_driver(tmp_path, monkeypatch, fake_pynq(answer, [], f"{manifest['net']}.bit"))
    driver.main([])
    assert capsys.readouterr().out == f"PASS: 25 frames of tb/ on {manifest['net']}\n"
    x = random_rows(net, 40)
    assert (driver.Accelerator().run(x) == execute(net, x)).all()


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("backend", "target_ii"), [(RtlUnrolled(), None), (RtlFolded(), 40)], ids=["unrolled", "folded"]
)
def test_overlay_of_an_emitted_project_is_exact(backend, target_ii, tmp_path, monkeypatch):
    net, manifest = emitted(tmp_path, backend, target_ii)
    top, stream = f"{manifest['top']}_dma", manifest["stream"]
    words = [word_bytes(stream[s]["bytes"], 8) for s in ("input", "output")]
    harness = tmp_path / "harness.cpp"
    defines = f"#define IN_WORD {words[0]}\n#define OUT_WORD {words[1]}\n"
    harness.write_text(defines + (HERE / "harness.cpp").read_text().replace("Vdemo_axis_dma", f"V{top}"))
    sources = [tmp_path / name for name in (*manifest["rtl"], f"overlay/{BRIDGE}", f"overlay/{top}.v")]
    verilator.lint(sources, top, tmp_path / "lint.log")
    program = verilator.build(sources, top, tmp_path / "built", harness)

    def simulate(sent: Rows) -> Rows:
        (tmp_path / "in.bin").write_bytes(sent.tobytes())
        count = str(sent.size // words[0])
        command = [program, tmp_path / "in.bin", tmp_path / "out.bin", "30", "5", count]
        run_tool(command, tmp_path / "rtl", tmp_path / "dma.log")  # where the ROMs are
        got = np.frombuffer((tmp_path / "out.bin").read_bytes(), np.uint8)
        return got.reshape(-1, -(-stream["output"]["bytes"] // words[1]) * words[1])

    driver = load_driver(tmp_path, monkeypatch, fake_pynq(simulate, [], f"{manifest['net']}.bit"))
    x = random_rows(net, 500)
    accelerator = driver.Accelerator()
    assert (accelerator.run(x) == execute(net, x)).all()
    assert accelerator.check() == 25
