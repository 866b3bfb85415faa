"""Complete board tops, simulated pin by pin: self-test, every request, every way a line can go wrong."""

from __future__ import annotations

import json
import os
import shutil
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from test_rtl_netlist import random_rows
from test_rtl_timing import mlp

from bitsmith.flows.cli import main
from bitsmith.flows.host import host_folder
from bitsmith.hls.backends.base import read_manifest, write_manifest
from bitsmith.hls.backends.rtl.host import protocol
from bitsmith.hls.backends.rtl.host.client import QUIET_S, Client
from bitsmith.hls.backends.rtl.host.pins import host_boards
from bitsmith.hls.backends.rtl.host.project import HostTop, host_files
from bitsmith.hls.backends.rtl.host.protocol import crc16, request, sealed
from bitsmith.hls.backends.rtl.host.run import ask_board
from bitsmith.hls.backends.rtl.host.simulate import SimulatedBoard
from bitsmith.hls.backends.rtl.unrolled.backend import RtlUnrolled
from bitsmith.hls.boards import load_board
from bitsmith.hls.config import HwConfig
from bitsmith.hls.tools import verilator
from bitsmith.hls.verify import save_vectors
from bitsmith.models.ir import InputError, MismatchError, NetBuilder, QNet, QuantType, ToolError, content_hash, execute
from bitsmith.models.ir.types import IntArray

BACKEND = RtlUnrolled()
LOOP = Path(__file__).parents[1] / "host_loop.sv"


def small() -> QNet:
    return mlp((6, 5, 3), 4, 0.5)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("board")
    BACKEND.emit(small(), HwConfig(load_board("icebreaker"), 20.0), folder, random_rows(small(), 3))
    save_vectors(folder, random_rows(small(), 40))
    return folder


@pytest.fixture
def board(project: Path) -> Iterator[SimulatedBoard]:
    simulated = SimulatedBoard(project)
    yield simulated
    simulated.close()


def prove(board: SimulatedBoard, rows: int = 3) -> None:
    """Answers are right, whatever came before."""
    net = small()
    x = random_rows(net, rows)
    client = Client(board)
    frames = [
        client.infer(
            bytes(
                [row[0] & 15 | (row[1] & 15) << 4, row[2] & 15 | (row[3] & 15) << 4, row[4] & 15 | (row[5] & 15) << 4]
            ),
            _out(),
        )
        for row in x
    ]
    assert client.resent == 0
    assert [f.frame for f in frames] == [_result(y) for y in execute(net, x)]


def _out() -> int:
    return (3 * small().output.type.bits + 7) // 8


def _result(y: IntArray) -> bytes:
    bits = small().output.type.bits
    return sum((int(v) & ((1 << bits) - 1)) << (bits * i) for i, v in enumerate(y)).to_bytes(_out(), "little")


def test_the_self_test_passes_and_rows_are_exact(project: Path, board: SimulatedBoard) -> None:
    lights = board.lights()
    assert lights.passed and not lights.failed
    net = small()
    identity = Client(board).identify()
    assert identity == protocol.Identity(1, bytes.fromhex(content_hash(net))[:8], 3, _out(), 19_875_000)
    result = ask_board(project, board, random_rows(net, 150))
    assert result.exact and result.samples == 150 and result.resent == 0
    assert result.latency_cycles == result.predicted_cycles == read_manifest(project)["latency_cycles"]
    assert result.clock_mhz == 19.875
    prove(board)


def test_garbage_and_back_to_back_requests(board: SimulatedBoard) -> None:
    noise = np.random.default_rng(3).integers(0, 256, 200).astype(np.uint8).tobytes().replace(b"\xb5", b"\xb4")
    board.write(noise)
    prove(board)  # at once: noise without the sync byte leaves the board waiting for one
    board.write(noise + b"\xb5")
    board.read(100, QUIET_S)  # a sync byte in the noise costs the silence after it
    prove(board)
    line = request(protocol.IDENTIFY)
    answers = []
    for _ in range(20):  # the next request leaves when the last byte of the answer is there
        board.write(line)
        answers.append(board.read(23, 0.1))
    assert len(set(answers)) == 1 and crc16(answers[0][1:]) == 0 and answers[0][:2] == b"\x5b\x00"


def test_wrong_crc_and_unknown_command(board: SimulatedBoard) -> None:
    good = request(protocol.INFER, b"\x01\x02\x03")
    for place in range(1, len(good)):
        if place == 1:
            continue  # another command has another length
        for bit in (0, 7):
            bad = bytearray(good)
            bad[place] ^= 1 << bit
            board.write(bytes(bad))
            assert board.read(10, 0.01) == b"\x5b" + sealed(bytes([protocol.BAD_CRC]))
    board.write(request(0x33))
    assert board.read(10, 0.01) == b"\x5b" + sealed(bytes([protocol.UNKNOWN]))
    prove(board)


def test_a_truncated_request_is_forgotten(board: SimulatedBoard) -> None:
    line = request(protocol.INFER, b"\x01\x02\x03")
    for length in range(1, len(line)):
        board.write(line[:length])
        assert board.read(10, QUIET_S) == b""
        board.write(request(protocol.IDENTIFY))
        assert len(board.read(23, 0.1)) == 23, length
    board.write(line[:4])
    prove_resent = Client(board)  # a client that meets such a board repeats itself
    assert prove_resent.infer(b"\x00\x00\x00", _out()).frame == _result(execute(small(), np.zeros((1, 6), int))[0])
    assert prove_resent.resent == 1


def test_breaks_and_glitches(board: SimulatedBoard) -> None:
    bit = 1 / board.baud
    for seconds in (0.3 * bit, 15 * bit, 0.05):  # less than half a start bit; a frame without a stop bit; a long break
        board.hold(0, seconds)
        board.hold(1, 2 * bit)
        prove(board, 2)
    line = request(protocol.INFER, b"\x01\x02\x03")
    board.write(line[:3])
    board.hold(0, 12 * bit)  # in the middle of a request: the frame without a stop bit counts as no byte
    board.hold(1, 2 * bit)
    board.write(line[3:])
    assert board.read(1, 0.1) == b"\x5b"
    board.read(100, QUIET_S)
    prove(board)


def test_reset_in_the_middle(board: SimulatedBoard) -> None:
    board.write(request(protocol.INFER, b"\x01\x02\x03")[:4])
    board.press(0.001)
    pressed = board.lights()
    assert not pressed.passed and not pressed.failed
    board.hold(1, 0.005)
    assert board.lights().passed
    prove(board)


@pytest.mark.parametrize("bit_cycles", [97, 103])
def test_the_boards_own_rate_and_one_three_percent_off(project: Path, bit_cycles: int) -> None:
    simulated = SimulatedBoard(project, 100, bit_cycles)
    prove(simulated, 2)
    simulated.close()


def test_the_true_divider(project: Path) -> None:
    top = read_manifest(project)["board_top"]
    assert top["divider"] == 173 and top["baud"] == 115200  # 19.875 MHz
    simulated = SimulatedBoard(project, top["divider"])
    assert ask_board(project, simulated, random_rows(small(), 3)).exact
    simulated.close()


def test_a_wrong_golden_frame_shows(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(project, folder)
    rom = folder / read_manifest(folder)["board_top"]["data"][0]
    lines = rom.read_text().splitlines()
    lines[0] = f"{int(lines[0], 16) ^ 0x77:02x}"  # another golden input: another CRC of the result
    rom.write_text("\n".join(lines) + "\n")
    simulated = SimulatedBoard(folder)
    lights = simulated.lights()
    assert lights.failed and not lights.passed
    prove(simulated)  # it still answers
    with pytest.raises(MismatchError, match="self-test failed"):
        ask_board(folder, simulated, random_rows(small(), 1))
    simulated.close()
    assert main(["host", str(folder), "--simulate"]) == 5
    assert "self-test failed" in capsys.readouterr().err


def test_another_net_or_a_broken_one(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "other"
    shutil.copytree(project, folder)
    manifest = read_manifest(folder)
    rom = folder / manifest["board_top"]["data"][0]
    kept = rom.read_text()
    lines = kept.splitlines()
    lines[4] = "00" if lines[4] != "00" else "01"  # first byte of the content hash
    rom.write_text("\n".join(lines) + "\n")
    simulated = SimulatedBoard(folder)
    with pytest.raises(InputError, match="the board holds another net"):
        ask_board(folder, simulated, random_rows(small(), 1))
    simulated.close()
    rom.write_text(kept)
    fc = folder / "rtl" / "mlp_fc1.sv"
    fc.write_text(fc.read_text().replace(" + ", " - ", 1))
    # the golden row may come out right all the same; the vectors must not
    code = main(["host", str(folder), "--simulate", "--samples", "40"])
    assert code == 5
    said = capsys.readouterr()
    assert "MISMATCH in op" in said.out or "self-test failed" in said.err


def test_command_line(project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["host", str(project), "--simulate", "--json", "--samples", "7"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["exact"] is True and data["samples"] == 7 and data["engine"].startswith("board top in Verilator")
    assert data["latency_cycles"] == data["predicted_cycles"]
    rows = tmp_path / "rows.npz"
    np.savez(rows, x=random_rows(small(), 5))
    assert main(["host", str(project), "--simulate", "--rows", str(rows)]) == 0
    assert "5 rows" in capsys.readouterr().out
    np.savez(rows, x=np.zeros((2, 6)))
    assert main(["host", str(project), "--simulate", "--rows", str(rows)]) == 2
    assert "not integers" in capsys.readouterr().err
    assert main(["host", str(project), "--port", str(tmp_path / "ttyNone")]) == 4
    assert "there is no port" in capsys.readouterr().err
    assert main(["host", str(project), "--port", os.devnull]) == 4
    assert "no serial port" in capsys.readouterr().err


def test_a_board_without_a_top(tmp_path: Path) -> None:
    project = BACKEND.emit(small(), HwConfig(load_board("zcu102"), 100.0), tmp_path, random_rows(small(), 2))
    assert not any(name.startswith("board/") for name in project.files)
    with pytest.raises(InputError, match="no board top: none is written for the board zcu102"):
        host_folder(tmp_path, None, 1, None)
    with pytest.raises(InputError, match="no board top"):
        SimulatedBoard(tmp_path)


def test_through_a_real_port(project: Path) -> None:
    """A pseudo terminal whose other end is the simulated board."""
    ours, theirs = os.openpty()
    tty.setraw(ours)
    simulated = SimulatedBoard(project)

    def carry() -> None:
        while True:
            try:
                data = os.read(ours, 1024)
            except OSError:  # the other end was closed
                return
            simulated.write(data)
            os.write(ours, simulated.read(1024, 0.01))

    thread = threading.Thread(target=carry, daemon=True)
    thread.start()
    path = os.ttyname(theirs)
    data = host_folder(project, path, 5, None)
    assert data["exact"] and data["engine"] == f"board on {path}, 115200 baud" and data["resent"] == 0
    os.close(theirs)
    thread.join(5.0)
    os.close(ours)
    simulated.close()


def test_a_port_where_nobody_answers(project: Path) -> None:
    ours, theirs = os.openpty()
    with pytest.raises(ToolError, match="did not answer 3 requests"):
        host_folder(project, os.ttyname(theirs), 1, None)
    os.close(theirs)
    os.close(ours)


SHAPES = [(1, 12, 1, 12), (3, 4, 2, 6), (2, 6, 12, 1)]
MORE_SHAPES = [(12, 1, 1, 12), (5, 3, 3, 5), (1, 1, 1, 1), (4, 300, 8, 150), (7, 2, 1, 14), (24, 3, 12, 6)]


@pytest.mark.parametrize(
    ("in_bytes", "in_beats", "out_bytes", "out_beats"),
    [*SHAPES, *(pytest.param(*shape, marks=pytest.mark.nightly) for shape in MORE_SHAPES)],
)
def test_beats_of_any_size(in_bytes: int, in_beats: int, out_bytes: int, out_beats: int, tmp_path: Path) -> None:
    """A unit that gives frames back in other beats stands in for the net; it stalls its input now and then."""
    size = in_bytes * in_beats
    b = NetBuilder("loop")
    x = b.input("x", (size,), QuantType(8, False))
    net = b.build(b.requant("same", x, 1.0, 0, 255, 0))
    sides = {"bits": 8, "signed": False}
    stream = {
        "input": {"beats": in_beats, "lanes": in_bytes, "bytes": in_bytes, **sides},
        "output": {"beats": out_beats, "lanes": out_bytes, "bytes": out_bytes, **sides},
    }
    first = 4 * in_beats + 20
    latency = first + out_beats - 1
    (tmp_path / "rtl").mkdir()
    text = LOOP.read_text()
    values = {"IN_BYTES": in_bytes, "IN_BEATS": in_beats, "OUT_BYTES": out_bytes, "OUT_BEATS": out_beats}
    for name, value in {**values, "LATENCY": first}.items():
        before, rest = text.split(f"parameter int {name.ljust(9)} = ", 1)
        text = f"{before}parameter int {name} = {value}" + rest[len(rest.split(",")[0].split("\n")[0]) :]
    (tmp_path / "rtl" / "loop_axis.sv").write_text(text.replace("host_loop", "loop_axis"))
    hw = HwConfig(load_board("ulx3s-85f"), 25.0)
    x_rows = np.random.default_rng(1).integers(0, 256, (6, size))
    top = host_files(net, hw, stream, "loop_axis", x_rows)
    assert isinstance(top, HostTop)
    for name, body in top.files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)
    facts = {"rtl": ["rtl/loop_axis.sv"], "stream": stream, "board_top": top.entry, "latency_cycles": latency}
    write_manifest(tmp_path, net, hw, facts)
    simulated = SimulatedBoard(tmp_path)
    assert simulated.lights().passed
    result = ask_board(tmp_path, simulated, x_rows)
    assert result.exact and result.resent == 0
    assert result.latency_cycles == latency
    simulated.close()


def test_every_board_is_clean_in_lint(tmp_path: Path) -> None:
    """The oscillator, a PLL and a divider on each board; all of Verilator's warnings are errors."""
    net = small()
    BACKEND.emit(net, HwConfig(load_board("icebreaker"), 12.0), tmp_path, random_rows(net, 2))
    manifest = read_manifest(tmp_path)
    primitives = set()
    for name in (b.boards[0] for b in host_boards()):
        board = load_board(name)
        for clock_mhz in (board.clock_mhz, 1.9 * board.clock_mhz, 2.0):
            top = host_files(net, HwConfig(board, clock_mhz), manifest["stream"], manifest["top"], random_rows(net, 2))
            assert top is not None
            for file, body in top.files.items():
                (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / file).write_text(body)
            files = (*manifest["rtl"], *top.entry["simulation"]["rtl"], *top.entry["rtl"])
            verilator.lint([tmp_path / f for f in files], top.entry["top"], tmp_path / "lint.log")
            text = (tmp_path / top.entry["constraints"]).read_text()
            source = (tmp_path / top.entry["rtl"][-1]).read_text()
            assert all(pin in text for pin in ("clock", "uart_rx", "uart_tx", "led_pass"))
            primitives |= {word for word in source.split() if word in ("EHXPLLL", "rPLL", "bitsmith_clock_divider")}
    assert primitives == {"EHXPLLL", "rPLL", "bitsmith_clock_divider"}


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("board", "clock_mhz"),
    [("icebreaker", 4.0), ("upduino", 20.0), ("ulx3s-12f", 60.0), ("colorlight-i5", 25.0), ("tang-nano-9k", 40.0)],
)
def test_every_way_to_make_the_clock(board: str, clock_mhz: float, tmp_path: Path) -> None:
    net = small()
    BACKEND.emit(net, HwConfig(load_board(board), clock_mhz), tmp_path, random_rows(net, 2))
    simulated = SimulatedBoard(tmp_path)
    assert simulated.lights().passed
    result = ask_board(tmp_path, simulated, random_rows(net, 20))
    simulated.close()
    assert result.exact and result.resent == 0 and result.latency_cycles == result.predicted_cycles


@pytest.mark.nightly
def test_three_hundred_and_sixty_rows_of_sixty_four(tmp_path: Path) -> None:
    net = mlp((64, 32, 32, 10), 4, 0.75)
    x = random_rows(net, 360)
    BACKEND.emit(net, HwConfig(load_board("ulx3s-85f"), 60.0), tmp_path, x[:3])
    simulated = SimulatedBoard(tmp_path)
    result = ask_board(tmp_path, simulated, x)
    simulated.close()
    assert result.exact and result.samples == 360 and result.latency_cycles == result.predicted_cycles
