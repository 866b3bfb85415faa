"""Talks to a board over any link that carries bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bitsmith.hls.backends.rtl.host.protocol import (
    BAD_CRC,
    CRC_BYTES,
    CYCLES_BYTES,
    IDENTIFY,
    IDENTITY_BYTES,
    INFER,
    OK,
    RESPONSE,
    SELF_TEST_FAILED,
    Identity,
    crc16,
    request,
)
from bitsmith.models.ir.errors import ToolError

QUIET_S = 0.25
"""Longer than the 125 ms of silence after which a board forgets an incomplete request."""

PATIENCE_S = 1.0
"""What a response may take beyond the time of its bytes and of the inference."""

ATTEMPTS = 3


class Link(Protocol):
    """Carries bytes to a board and back."""

    baud: int

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""
        ...

    def read(self, count: int, timeout_s: float) -> bytes:
        """``count`` bytes, or what came of them within ``timeout_s``."""
        ...

    def close(self) -> None:
        """Free the port."""
        ...


@dataclass(frozen=True)
class Answer:
    """The result of one inference: the output frame, and the clock cycles until all of it was offered."""

    frame: bytes
    cycles: int


class _Unusable(Exception):
    """A response that is missing, garbled or a complaint about the CRC: the request is sent anew."""


class Client:
    """Requests and their responses; ``self_test_failed`` is as the last response said."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.self_test_failed = False
        self.resent = 0
        """Requests that had to be sent again."""

    def identify(self) -> Identity:
        """Who is there; ToolError if nobody answers."""
        return Identity.decode(self._ask(IDENTIFY, b"", IDENTITY_BYTES, 0.0))

    def infer(self, frame: bytes, out_frame: int, patience_s: float = 0.0) -> Answer:
        """One inference; the answer has ``out_frame`` bytes, and the net may take ``patience_s`` seconds."""
        body = self._ask(INFER, frame, out_frame + CYCLES_BYTES, patience_s)
        return Answer(body[:out_frame], int.from_bytes(body[out_frame:], "little"))

    def _ask(self, command: int, payload: bytes, expected: int, patience_s: float) -> bytes:
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self.resent += 1
                self.link.read(1 << 20, QUIET_S)  # the board forgets what it had, and we what it said
            self.link.write(request(command, payload))
            try:
                return self._response(expected, patience_s)
            except _Unusable as error:
                reason = str(error)
        raise ToolError(
            f"the board did not answer {ATTEMPTS} requests ({reason}); check the port, that the bitstream of this "
            f"project is loaded, and that the port runs at {self.link.baud} baud"
        )

    def _response(self, expected: int, patience_s: float) -> bytes:
        deadline = PATIENCE_S + patience_s + 10 * (expected + 8) / self.link.baud
        while (first := self.link.read(1, deadline)) != bytes([RESPONSE]):
            if not first:
                raise _Unusable("nothing came")
        status = self._exactly(1, deadline)
        error = status[0] & ~SELF_TEST_FAILED
        body = self._exactly(expected if error == OK else 0, deadline)
        crc = self._exactly(CRC_BYTES, deadline)
        if crc16(status + body + crc):
            raise _Unusable("the response's CRC is wrong")
        if error == BAD_CRC:
            raise _Unusable("the board received a wrong CRC")
        self.self_test_failed = bool(status[0] & SELF_TEST_FAILED)
        if error:
            raise ToolError(
                f"the board does not know the request (status {status[0]:#04x}); load this project's bitstream"
            )
        return body

    def _exactly(self, count: int, timeout_s: float) -> bytes:
        data = self.link.read(count, timeout_s)
        if len(data) < count:
            raise _Unusable(f"{len(data)} bytes came of {count}")
        return data
