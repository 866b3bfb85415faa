#!/usr/bin/env python3
"""What other tools make of our QONNX files: a table over the nets of the conformance suite, or over saved nets.

python scripts/check_qonnx_export.py [--rows N] [--skip-hls4ml] [--finn PYTHON] [NET ...]

NET is a name of the suite or the folder of a saved net; PYTHON is that of FINN's environment (scripts/finn-env).

Per net: whether qonnx computes the integers of ``execute`` on every row; whether the file comes back as the same
net; what hls4ml's own ONNX front end computes from it (Vitis, io_parallel, C++ emulation, the default precision that
the project's README names); what FINN's converter makes of it (64 rows, compared a second time with the net whose
roundings are all half up, for that is how FINN turns quantizers into thresholds).  Real results are brought back to
integers before they are compared.  Every net has a process of its own, which is given up after --limit seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import subprocess
import sys
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
FINN_ROWS = 64
sys.path.insert(0, str(ROOT / "tests" / "conformance"))

from nets import NETS  # noqa: E402

from bitsmith.hls.backends.qonnx.check import find_problems  # noqa: E402
from bitsmith.hls.backends.qonnx.encode import encode  # noqa: E402
from bitsmith.hls.backends.qonnx.encoder import channels_first  # noqa: E402
from bitsmith.hls.backends.qonnx.readme import hls4ml_precision  # noqa: E402
from bitsmith.hls.backends.qonnx.run import real_inputs, run_file  # noqa: E402
from bitsmith.models.ir import QNet, Rounding, content_hash, execute, load, random_inputs  # noqa: E402
from bitsmith.models.ir.ops import Input, Requant  # noqa: E402
from bitsmith.models.lower.exported.net import decode  # noqa: E402


def qonnx_cell(file: Path, net: QNet, x: np.ndarray, want: np.ndarray) -> str:
    got, _ = run_file(file, net, x, taps=False)
    wrong = int((got != want).reshape(len(x), -1).any(axis=1).sum())
    return f"{wrong} rows differ" if wrong else "exact"


def hls4ml_reads(file: Path, net: QNet, folder: Path) -> Any:
    """hls4ml's compiled model of ``file``, prepared as the README of the project says."""
    import hls4ml
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
    from qonnx.util.cleanup import cleanup_model

    model = cleanup_model(ModelWrapper(str(file)))
    if channels_first(net):
        model = cleanup_model(model.transform(ConvertToChannelsLastAndClean()))
    config = hls4ml.utils.config.config_from_onnx_model(
        model, granularity="name", backend="Vitis", default_precision=hls4ml_precision(net)
    )
    found = hls4ml.converters.convert_from_onnx_model(
        model, backend="Vitis", io_type="io_parallel", hls_config=config, output_dir=str(folder)
    )
    found.compile()
    return found


def hls4ml_cell(file: Path, net: QNet, folder: Path, x: np.ndarray, want: np.ndarray) -> str:
    try:
        model = hls4ml_reads(file, net, folder)
        real = model.predict(np.ascontiguousarray(real_inputs(net.input, x)))
    except Exception as error:  # whatever hls4ml raises is what the table is to say
        lines = str(error).strip().splitlines() or [""]
        return f"{type(error).__name__}: {lines[0][:110]}"
    got = np.rint(np.asarray(real, np.float64).reshape(want.shape) / np.asarray(net.output.type.scale))
    wrong = int((got != want).reshape(len(x), -1).any(axis=1).sum())
    return f"{wrong} rows differ" if wrong else "exact"


def half_up(net: QNet) -> QNet:
    """``net`` with every rounding half up."""
    ops = (replace(op, rounding=Rounding.HALF_UP) if isinstance(op, Requant | Input) else op for op in net.ops)
    return net.with_ops(tuple(ops))


def finn_cell(python: str, file: Path, net: QNet, x: np.ndarray) -> str:
    source, result = file.with_name("x.npy"), file.with_name("y.npy")
    np.save(source, real_inputs(net.input, x))
    command = [python, str(ROOT / "scripts" / "finn_reads.py"), str(file), str(source), str(result)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1][:110]
    got = np.rint(np.load(result) / np.asarray(net.output.type.scale))
    wrong, wrong_up = (int((got != execute(n, x)).reshape(len(x), -1).any(axis=1).sum()) for n in (net, half_up(net)))
    return f"{wrong} of {len(x)} rows differ, {wrong_up} from half up" if wrong else "exact"


def row(name: str, args: argparse.Namespace) -> str:
    net = NETS[name]() if name in NETS else load(Path(name))
    title = name if name in NETS else net.name
    found = find_problems(net)
    if found:
        return f"| {title} | refused: {found[0].text} | | | |"
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "model.onnx"
        model = encode(net)
        file.write_bytes(model.SerializeToString())
        x = random_inputs(net, args.rows, seed=7)
        want = execute(net, x)
        back = decode(model)
        same = "same" if back is not None and content_hash(back) == content_hash(net) else "DIFFERS"
        cells = [qonnx_cell(file, net, x, want), same]
        with contextlib.redirect_stdout(sys.stderr):
            cells.append("" if args.skip_hls4ml else hls4ml_cell(file, net, Path(scratch) / "hls", x, want))
        cells.append(finn_cell(args.finn, file, net, x[:FINN_ROWS]) if args.finn else "")
    return f"| {title} | {' | '.join(cells)} |"


def alone(name: str, args: argparse.Namespace) -> str:
    """The row of one net, made by a process of its own."""
    options = ["--alone", "--rows", str(args.rows), *(["--skip-hls4ml"] if args.skip_hls4ml else [])]
    options += ["--finn", args.finn] if args.finn else []
    command = [sys.executable, __file__, *options, name]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=args.limit, check=True)
    except subprocess.TimeoutExpired:
        return f"| {name} | | | no end after {args.limit} s | |"
    return done.stdout.strip().splitlines()[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", default=list(NETS), metavar="NET")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--limit", type=int, default=180, metavar="SECONDS")
    parser.add_argument("--skip-hls4ml", action="store_true")
    parser.add_argument("--finn", metavar="PYTHON", default="")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    if args.alone:
        print(row(args.nets[0], args))
        return
    print(f"| net ({args.rows} rows) | qonnx | comes back | hls4ml | FINN |\n|---|---|---|---|---|")
    for name in args.nets:
        print(alone(name, args), flush=True)


if __name__ == "__main__":
    main()
