"""The host link without any hardware: bytes, frames, clocks, pins, and the client against a scripted board."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import pytest

from bitsmith.hls.backends.rtl.host import protocol
from bitsmith.hls.backends.rtl.host.client import ATTEMPTS, Client
from bitsmith.hls.backends.rtl.host.clock import clock_for
from bitsmith.hls.backends.rtl.host.frames import Frames
from bitsmith.hls.backends.rtl.host.pins import host_board, host_boards
from bitsmith.hls.backends.rtl.host.project import CONSTRAINTS, HERE, timeout_log2, uart_of
from bitsmith.hls.backends.rtl.host.protocol import Identity, crc16, request, sealed
from bitsmith.hls.backends.rtl.packing import pack_rows
from bitsmith.hls.boards import board_names, load_board
from bitsmith.models.ir import InputError, ToolError

IDENTITY = Identity(1, bytes(range(8)), 70_000, 40, 19_875_000)


def test_the_crc_is_the_published_one() -> None:
    assert crc16(b"123456789") == 0x29B1  # check value of CRC-16/IBM-3740
    assert crc16(sealed(b"any bytes")) == 0


def test_requests_are_as_documented() -> None:
    assert request(protocol.IDENTIFY) == bytes.fromhex("b501f1d1")
    assert request(protocol.INFER, b"\x05\x80") == b"\xb5" + sealed(b"\x02\x05\x80")


def test_identity_goes_there_and_back() -> None:
    data = IDENTITY.encode()
    assert len(data) == protocol.IDENTITY_BYTES == 19
    assert data[9:12] == (70_000).to_bytes(3, "little")
    assert Identity.decode(data) == IDENTITY


@pytest.mark.parametrize(("beats", "lanes", "bits", "signed", "size"), [(1, 12, 5, True, 12), (4, 3, 7, False, 12)])
def test_frames_go_there_and_back(
    rng: np.random.Generator, beats: int, lanes: int, bits: int, signed: bool, size: int
) -> None:
    frames = Frames(beats, lanes, bits, signed, (lanes * bits + 7) // 8)
    low = -(1 << (bits - 1)) if signed else 0
    rows = rng.integers(low, low + (1 << bits), (50, size))
    packed = frames.pack(rows)
    assert packed.shape == (50, frames.frame_bytes)
    assert (frames.unpack(packed, (size,)) == rows).all()
    if beats == 1:
        assert (packed == pack_rows(rows, bits)).all()
    else:  # beat 2 begins with element 6, in the lowest bits
        assert (packed[:, 2 * frames.bytes] & 0x7F == rows[:, 6]).all()


def test_a_last_beat_may_have_lanes_too_many() -> None:
    frames = Frames(3, 4, 8, False, 4)
    rows = np.arange(10).reshape(1, 10)
    assert frames.pack(rows).tolist() == [[*range(10), 0, 0]]
    assert (frames.unpack(frames.pack(rows), (5, 2)) == rows.reshape(1, 5, 2)).all()


@dataclass
class Scripted:
    """A link whose board answers each request with the next of its answers."""

    answers: list[bytes]
    baud: int = 115200
    sent: list[bytes] = field(default_factory=list)
    pending: bytes = b""

    def write(self, data: bytes) -> None:
        self.sent.append(data)
        self.pending += self.answers.pop(0) if self.answers else b""

    def read(self, count: int, timeout_s: float) -> bytes:
        data, self.pending = self.pending[:count], self.pending[count:]
        return data

    def close(self) -> None:
        pass


def answer(status: int, body: bytes = b"") -> bytes:
    return bytes([protocol.RESPONSE]) + sealed(bytes([status]) + body)


@pytest.mark.parametrize(
    "first",
    [b"", b"\x00\x11", answer(1), answer(0, IDENTITY.encode())[:-1], answer(0, IDENTITY.encode())[:-1] + b"\x00"],
    ids=["silence", "noise", "bad crc at the board", "cut", "bad crc here"],
)
def test_a_bad_line_costs_an_attempt(first: bytes) -> None:
    link = Scripted([first, answer(0, IDENTITY.encode())])
    client = Client(link)
    assert client.identify() == IDENTITY
    assert client.resent == 1 and len(link.sent) == 2


def test_noise_before_a_response_is_passed_over() -> None:
    client = Client(Scripted([b"\x00\xb5" + answer(protocol.SELF_TEST_FAILED, b"\x07" + (1234).to_bytes(4, "little"))]))
    got = client.infer(b"\x01", 1)
    assert (got.frame, got.cycles, client.resent) == (b"\x07", 1234, 0)
    assert client.self_test_failed


def test_nobody_there() -> None:
    link = Scripted([])
    with pytest.raises(ToolError, match=r"did not answer 3 requests \(nothing came\); check the port"):
        Client(link).identify()
    assert len(link.sent) == ATTEMPTS


def test_a_request_that_the_board_does_not_know() -> None:
    with pytest.raises(ToolError, match=r"does not know the request \(status 0x02\); load"):
        Client(Scripted([answer(protocol.UNKNOWN)])).identify()


PLLS = {"SB_PLL40_CORE": (12.0, "ice40up5k"), "EHXPLLL": (25.0, "lfe5u-85f"), "rPLL": (27.0, "gw1nr-9")}


@pytest.mark.parametrize("pll", PLLS)
def test_clocks_are_never_faster_than_asked(pll: str) -> None:
    osc, device = PLLS[pll]
    for wanted in (0.3, 1.0, 5.0, 11.9, 13.0, 16.0, 20.0, 25.0, 33.3, 48.0, 60.0, 100.0, 133.0, 200.0):
        clock = clock_for(pll, device, osc, wanted)
        assert wanted * 0.5 < clock.mhz <= wanted * (1 + 1e-9), (pll, wanted, clock)
        assert clock.ratio == (round(osc / clock.mhz) if clock.primitive == "bitsmith_clock_divider" else 1)
    same = clock_for(pll, device, osc, osc)
    assert (same.primitive, same.mhz) == ("", osc)


def test_known_clocks() -> None:
    ice = clock_for("SB_PLL40_PAD", "ice40up5k", 12.0, 24.0)
    assert ice.parameters == {
        "FEEDBACK_PATH": '"SIMPLE"',
        "DIVR": "4'd0",
        "DIVF": "7'd63",
        "DIVQ": "3'd5",
        "FILTER_RANGE": "3'd1",
    }
    ecp5 = clock_for("EHXPLLL", "lfe5u-85f", 25.0, 60.0)
    assert ecp5.mhz == 60.0 and ecp5.parameters["CLKOP_DIV"] == "24" and ecp5.parameters["CLKOS_DIV"] == "10"
    slow = clock_for("SB_PLL40_PAD", "ice40up5k", 12.0, 6.0)
    assert (slow.primitive, slow.mhz, slow.parameters) == ("bitsmith_clock_divider", 6.0, {"PERIOD": "2"})
    with pytest.raises(InputError, match="too slow"):
        clock_for("EHXPLLL", "lfe5u-85f", 25.0, 0.01)


def test_uart_rates() -> None:
    assert uart_of(12.0) == (115200, 104)
    assert uart_of(0.5) == (38400, 13)  # 57600 would be 3.5 % off
    for mhz in (0.25, 1.0, 3.0, 12.0, 19.875, 25.0, 100.0, 200.0):
        baud, divider = uart_of(mhz)
        assert abs(mhz * 1e6 / divider / baud - 1) <= 0.02
        assert 0.06 < (1 << timeout_log2(mhz * 1e6)) / (mhz * 1e6) <= 0.125
    with pytest.raises(InputError, match="no usual UART rate"):
        uart_of(0.05)


def test_pins() -> None:
    known = [name for board in host_boards() for name in board.boards]
    assert len(known) == len(set(known))
    must = {"icebreaker", "upduino", "hx8k-breakout", "ulx3s-12f", "ulx3s-85f", "tang-nano-9k", "tang-nano-20k"}
    assert must <= set(known) <= set(board_names())
    for board in host_boards():
        used = [board.clock, *(pin.pin for pin in (*board.pins, *board.ties))]
        assert len(used) == len(set(used)), board.boards
        assert {"uart_rx", "uart_tx", "led_pass"} <= {pin.port for pin in board.pins}
        assert board.source and board.wiring and all("{bitstream}" in line for line in board.flash)
        assert (HERE / "templates" / f"clock_{board.pll}.j2").exists() and (HERE / "sim" / f"{board.pll}.sv").exists()
    for name, board in itertools.product(board_names(), host_boards()):
        if name in board.boards:  # both files say the same of the clock
            facts = load_board(name)
            assert (facts.clock_pin, facts.clock_mhz) == (board.clock, board.clock_mhz), name
            assert facts.device.family in CONSTRAINTS
    assert host_board("zcu102") is None
