"""A serial port, through the standard library's termios."""

from __future__ import annotations

import os
import select
import time

from bitsmith.models.ir.errors import InputError, ToolError


class SerialPort:
    """An open port at ``baud``, 8 data bits, no parity, 1 stop bit; implements :class:`.client.Link`.

    ToolError if there is no such port, it may not be opened or is none; InputError if the system has no such rate.
    """

    def __init__(self, path: str, baud: int) -> None:
        try:
            import termios
        except ImportError as error:  # Windows
            raise ToolError("serial ports need termios; use Linux, macOS or WSL") from error

        self.baud = baud
        self.path = path
        rate = getattr(termios, f"B{baud}", None)
        if rate is None:
            raise InputError(f"this system knows no rate of {baud} baud; emit the project for another clock")
        try:
            self.file = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except FileNotFoundError as error:
            raise ToolError(f"there is no port {path}; plug the board in and see ls /dev/tty*") from error
        except PermissionError as error:
            raise ToolError(f"{path} may not be opened; join its group: sudo usermod -aG dialout $USER") from error
        except OSError as error:
            raise ToolError(f"{path} cannot be opened ({error}); end the program that holds it") from error
        try:
            control = termios.CS8 | termios.CREAD | termios.CLOCAL
            termios.tcsetattr(self.file, termios.TCSANOW, [0, 0, control, 0, rate, rate, [b"\0"] * 32])
            termios.tcflush(self.file, termios.TCIOFLUSH)
        except termios.error as error:
            os.close(self.file)
            raise ToolError(f"{path} is no serial port ({error}); see ls /dev/tty*") from error

    def write(self, data: bytes) -> None:
        """Send all of ``data``; ToolError if the port is gone."""
        while data:
            select.select([], [self.file], [], 1.0)
            try:
                data = data[os.write(self.file, data) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise ToolError(f"{self.path} is gone ({error}); plug the board in again") from error

    def read(self, count: int, timeout_s: float) -> bytes:
        """``count`` bytes, or what came of them within ``timeout_s``; ToolError if the port is gone."""
        data, deadline = b"", time.monotonic() + timeout_s
        while len(data) < count and (left := deadline - time.monotonic()) > 0:
            if not select.select([self.file], [], [], left)[0]:
                break
            try:
                part = os.read(self.file, count - len(data))
            except BlockingIOError:
                continue
            except OSError as error:
                raise ToolError(f"{self.path} is gone ({error}); plug the board in again") from error
            if not part:
                raise ToolError(f"{self.path} was closed; plug the board in again")
            data += part
        return data

    def close(self) -> None:
        """Free the port."""
        os.close(self.file)
