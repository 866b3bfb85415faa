"""Sends a project's vectors to its board and compares what comes back with ``execute``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bitsmith.hls.backends.base import read_manifest
from bitsmith.hls.backends.rtl.host.client import Client, Link
from bitsmith.hls.backends.rtl.host.frames import Frames
from bitsmith.hls.backends.rtl.host.protocol import HASH_BYTES, VERSION
from bitsmith.hls.results import Mismatch
from bitsmith.hls.verify import first_difference, load_net
from bitsmith.models.ir import execute
from bitsmith.models.ir.errors import InputError, MismatchError
from bitsmith.models.ir.types import IntArray


@dataclass(frozen=True)
class HostResult:
    """What a board answered.  Latencies are in cycles of its clock, from the first beat in to the last one out."""

    exact: bool
    samples: int
    net_sha256: str
    clock_mhz: float
    latency_cycles: int | None  # None if the answers differ in it
    latency_cycles_min: int
    latency_cycles_max: int
    predicted_cycles: int | None
    resent: int  # requests that the line made necessary to repeat
    mismatch: Mismatch | None
    outputs: IntArray  # (n, *output shape)


def ask_board(project: Path, link: Link, rows: IntArray) -> HostResult:
    """One request per row of input integers ``rows`` (n, *input shape).

    ToolError if nobody answers, InputError if the board holds another net, MismatchError if its self-test failed.
    """
    manifest = read_manifest(project)
    net = load_net(project)
    expected = execute(net, rows)  # also checks the rows
    source, result = Frames.of(manifest["stream"]["input"]), Frames.of(manifest["stream"]["output"])
    client = Client(link)
    identity = client.identify()
    wanted = bytes.fromhex(manifest["net_sha256"])[:HASH_BYTES]
    if identity.version != VERSION or identity.net_hash != wanted:
        raise InputError(
            f"the board holds another net ({identity.net_hash.hex()}, protocol {identity.version}) than {project} "
            f"({wanted.hex()}, protocol {VERSION}); load this project's bitstream"
        )
    if client.self_test_failed:
        raise MismatchError("the board's self-test failed: it does not compute what the net does; load it anew")
    patience = manifest.get("latency_cycles", 0) / identity.clock_hz
    answers = [client.infer(f.tobytes(), result.frame_bytes, patience) for f in source.pack(rows)]
    frames = np.frombuffer(b"".join(a.frame for a in answers), np.uint8).reshape(len(answers), result.frame_bytes)
    outputs = result.unpack(frames, net.output.shape)
    cycles = [a.cycles for a in answers]
    mismatch = first_difference({net.output.name: expected}, {net.output.name: outputs})
    return HostResult(
        exact=mismatch is None,
        samples=len(rows),
        net_sha256=manifest["net_sha256"],
        clock_mhz=identity.clock_hz / 1e6,
        latency_cycles=cycles[0] if len(set(cycles)) == 1 else None,
        latency_cycles_min=min(cycles),
        latency_cycles_max=max(cycles),
        predicted_cycles=manifest.get("latency_cycles"),
        resent=client.resent,
        mismatch=mismatch,
        outputs=outputs,
    )
