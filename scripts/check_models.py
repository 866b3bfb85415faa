#!/usr/bin/env python3
"""Lowers networks that others trained and compares every integer with QKeras.

    scripts/check_models.py MODELS DATA [--rows 1000] [--images 10000]

MODELS holds mlperftiny-v0.7/*.h5 and wa-hls4ml-pregen/pregen_models/*.h5, DATA holds cifar10/.
Ends with 5 if any integer differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from bitsmith.models.ir import QuantType, execute, quantize_input
from bitsmith.models.lower.qkeras import compare, load_model, lower, reference

PIXEL = QuantType(8, False, 1 / 255)
GRIDS = {
    "AD08": (QuantType(8, True, 2.0**-7), QuantType(8, True, 2.0**-3), QuantType(8, True, 1.0)),
    "RN07": (QuantType(8, False, 2.0**-8), PIXEL),
}


def check_file(path: Path, rows: int) -> bool:
    model = load_model(path)
    exact = True
    for grid in GRIDS.get(path.stem, (None,)):
        start = time.monotonic()
        net = lower(model, name=path.stem, input_type=grid)
        result = compare(model, net, rows, seed=0)
        exact &= result.exact
        print(
            f"{path.stem:20} {net.input.type!s:14} {len(net.ops):4} {result.samples:8,} {result.exact!s:6} "
            f"{result.max_abs_error:10.3g} {time.monotonic() - start:8.1f}"
        )
    return exact


def check_images(path: Path, data: Path, images: int) -> bool:
    """RN07 on CIFAR-10's test images, pixels / 255: the class and every logit of every image."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    pixels = np.asarray(Image.open(data / "cifar10/test_batch.png").convert("RGB")).reshape(-1, 32, 32, 3)[:images]
    labels = np.array(json.loads((data / "cifar10/test_lables.json").read_text()))[:images]
    model = load_model(path)
    net = lower(model, name=path.stem, input_type=PIXEL)
    real = pixels.astype(np.float32) / np.float32(255)
    expected, got = reference(model, net, real), execute(net, quantize_input(net, real))
    theirs, ours = expected.argmax(axis=-1), got.argmax(axis=-1)
    same_logits = (net.output.type.real(got) == expected).all(axis=-1)
    print(f"\n{path.stem} on {len(pixels):,} CIFAR-10 test images, pixels / 255")
    print(f"  QKeras classifies {np.mean(theirs == labels):.2%} right, the net {np.mean(ours == labels):.2%}")
    print(f"  same class: {np.sum(theirs == ours):,} images, all ten logits equal: {np.sum(same_logits):,} images")
    return bool(same_logits.all())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--images", type=int, default=10000)
    args = parser.parse_args()
    tiny = args.models / "mlperftiny-v0.7"
    files = [*sorted((args.models / "wa-hls4ml-pregen/pregen_models").glob("*.h5")), *sorted(tiny.glob("*.h5"))]
    print(f"{'model':20} {'input':14} {'ops':>4} {'rows':>8} {'exact':6} {'max error':>10} {'seconds':>8}")
    exact = [check_file(path, args.rows) for path in files]
    if args.images:
        exact.append(check_images(tiny / "RN07.h5", args.data, args.images))
    return 0 if exact and all(exact) else 5


if __name__ == "__main__":
    sys.exit(main())
