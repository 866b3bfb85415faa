"""Arguments of every command.  Imports nothing heavy: ``bitsmith --help`` is quick."""

from __future__ import annotations

import argparse

import bitsmith

MODEL_HELP = (
    "a task (digits, mnist, ...), a config .toml, a Keras/QKeras .h5 or .keras, an ONNX/QONNX .onnx, "
    "or a folder with a saved net"
)


def make_parser() -> argparse.ArgumentParser:
    """The parser of ``bitsmith``."""
    parser = argparse.ArgumentParser(prog="bitsmith", description=bitsmith.__doc__)
    parser.add_argument("--version", action="version", version=bitsmith.__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--json", action="store_true", help="print one JSON object on standard output")
        return sub

    command("doctor", "what is installed, what each backend lacks, the line that installs it")
    command("boards", "the boards")
    train = command("train", "train a task, save model and net")
    _model(train)
    _data(train)
    imported = command("import", "lower a model to a net and compare it with the source framework")
    _model(imported)
    _data(imported)
    _lowering(imported)
    estimate = command("estimate", "price a model before synthesis")
    emit = command("emit", "write the firmware project of one backend")
    build = command("build", "the main job: train or import, price, emit, verify, synthesise, report")
    for sub in (estimate, emit, build):
        _model(sub)
        _data(sub)
        _lowering(sub)
        _hardware(sub)
    estimate.add_argument(
        "--rate", type=float, metavar="PER_S", help="a sensor node that infers so often: its mean power and energy"
    )
    estimate.add_argument("--explain", action="store_true", help="every row, and where each figure comes from")
    estimate.add_argument("--battery-mwh", type=float, metavar="E", help="with --rate: how long this battery lasts")
    build.add_argument("--no-synth", action="store_true", help="leave the synthesis of the RTL out")
    build.add_argument("--force", action="store_true", help="go on even if the design is far too large for the board")
    sweep = command("sweep", "search bits, zeros, architecture and folding of a task for a front of verified IP")
    _model(sweep)
    _data(sweep)
    _hardware(sweep)
    _sweep(sweep)
    verify = command("verify", "simulate a project against the net's integers")
    _folder(verify)
    verify.add_argument("--samples", type=_positive, help="rows (default: all that are kept, at least 1,000)")
    verify.add_argument("--seed", type=int, help="of the random rows")
    _folder(command("synth", "run the board's synthesis tool on a project, parse its report"))
    host = command("host", "ask the board that holds a project, compare its answers with the net's integers")
    host.add_argument("dir", metavar="DIR", help="the project folder that the board's bitstream is of")
    place = host.add_mutually_exclusive_group(required=True)
    place.add_argument("--port", metavar="P", help="serial port of the board, /dev/ttyUSB1 for example")
    place.add_argument("--simulate", action="store_true", help="the complete board top in Verilator instead of a board")
    host.add_argument("--samples", type=_positive, help="rows (default: 100, or all of --rows)")
    host.add_argument("--rows", metavar="FILE", help="an .npz with input integers as x (default: the project's)")
    _folder(command("report", "rebuild the report page of a build or of a sweep"))
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _model(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    sub.add_argument("--out", metavar="DIR", help="output folder (default: runs/NAME)")
    sub.add_argument("--seed", type=int, help="seed of everything random (default: the task's)")
    sub.add_argument("--framework", choices=("qkeras", "brevitas"), help="what trains a task (default: the task's)")


def _folder(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("dir", metavar="DIR", help="a project folder, or the folder of a build")


def _data(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--data-dir", metavar="DIR", help="folder with data sets (default: $BITSMITH_DATA, then the cache)"
    )


def _sweep(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--trials", type=_positive, default=200, metavar="N", help="candidates to train (default: 200)")
    sub.add_argument("--workers", type=_positive, metavar="W", help="worker processes (default: one a core)")
    sub.add_argument(
        "--space", metavar="S", help="bits, bits+sparsity, all, or a TOML file like those (default: bits+sparsity)"
    )
    sub.add_argument(
        "--search",
        metavar="NAME",
        help="inherit, random, grid, tpe, nsga2, nsga3: what is tried next (default: inherit)",
    )
    sub.add_argument(
        "--objectives", metavar="A,B", help="figures to trade (default: accuracy,lut,latency_ns,energy_uj)"
    )
    sub.add_argument(
        "--limit",
        metavar="NAME=VALUE",
        action="append",
        help="a hard limit: lut=2000, latency_ns=100, accuracy=0.95 (at least); the board's own hold always",
    )
    sub.add_argument(
        "--storage", metavar="URL", help="database of the trials (default: a journal in the output folder)"
    )
    sub.add_argument("--ray", metavar="ADDRESS", help="train on a Ray cluster")
    sub.add_argument("--warm-start", metavar="DIR", help="begin with the front of an earlier sweep")
    sub.add_argument(
        "--synth", type=_positive, nargs="?", const=10_000, metavar="N", help="synthesise N points of the front, or all"
    )
    sub.add_argument("--trial-limit", type=float, metavar="S", help="seconds after which a trial is given up")


def _lowering(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--dataset", metavar="NAME", help="measure accuracy on this data set (default: the task's)")
    sub.add_argument("--samples", type=_positive, help="rows to compare where there is no data set (default: 1,000)")
    sub.add_argument("--bits", metavar="W8A8", help="quantize a float model after training: bits of weights, of values")
    sub.add_argument(
        "--calibration-data",
        metavar="DATA",
        help="--bits: a data set or a file.npz with rows to choose scales by (default: the data set)",
    )
    sub.add_argument("--output", choices=("logits", "argmax"), help="what the firmware returns (default: logits)")
    sub.add_argument(
        "--input-type",
        metavar="TYPE",
        help="input integers of a model without input quantizer: u8, i8, u8/255, i16*2^-10, ... (bits, then the scale)",
    )


def _hardware(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--board", metavar="B", help="see bitsmith boards (default: the task's)")
    sub.add_argument(
        "--backend",
        metavar="X",
        action="append",
        help="rtl-unrolled, rtl-folded, hls4ml, qonnx, finn; build takes several",
    )
    sub.add_argument("--clock-mhz", type=float, metavar="F", help="clock target")
    sub.add_argument("--reuse", type=_positive, metavar="N", help="hls4ml: reuse factor")
    sub.add_argument("--target-ii", type=_positive, metavar="N", help="cycles between two results that are good enough")
    sub.add_argument("--target-rate", type=float, metavar="F", help="the same as frames per second")
    sub.add_argument(
        "--target-latency", type=_positive, metavar="N", help="rtl-folded: most cycles from input to result"
    )
    sub.add_argument(
        "--folding", metavar="FILE", help="rtl-folded: TOML or JSON, {op: {pe, simd}} or {op: {unrolled: true}}"
    )
    sub.add_argument("--io", choices=("io_parallel", "io_stream"), help="hls4ml: interface")
    sub.add_argument("--strategy", choices=("latency", "resource"), help="hls4ml: strategy")
    sub.add_argument(
        "--hls-tool",
        choices=("vitis", "vivado", "quartus", "oneapi", "catapult", "libero"),
        help="hls4ml: tool that the project is for",
    )
