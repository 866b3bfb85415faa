"""Well-known networks as QNets with random 8-bit weights: their shapes are what a price depends on.

The four of MLPerf Tiny (Banbury et al., arXiv 2106.07597; reference models of
mlcommons/tiny, v0.5 and later), three examples of Analog Devices, and two that
vendors quote.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bitsmith.models.ir import NetBuilder, QNet, QuantType, Rounding

INT8 = QuantType(8, True, 2.0**-7)


class _Net:
    """A builder that adds 8-bit layers with biases and a ReLU, padded as TensorFlow pads ``same``."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.b = NetBuilder(name)
        self.rng = np.random.default_rng(0)
        self.x = self.b.input("x", shape, INT8)

    def _quantized(self, name: str, x: str, relu: bool) -> str:
        shift = max(0, self.b.ops[x].type.bits - 8)
        return self.b.requant(f"{name}_q", x, 2.0**-7, 0 if relu else -128, 127, shift, rounding=Rounding.HALF_UP)

    def _pads(self, kernel: tuple[int, int], stride: int, x: str) -> tuple[tuple[int, int], ...]:
        pads = []
        for k, size in zip(kernel, self.b.ops[x].shape, strict=False):
            total = max((-(-size // stride) - 1) * stride + k - size, 0)
            pads.append((total // 2, total - total // 2))
        return tuple(pads)

    def conv(
        self, name: str, outputs: int, kernel: tuple[int, int], stride: int = 1, x: str | None = None, relu: bool = True
    ) -> str:
        x = x or self.x
        weight = self.rng.integers(-127, 128, (*kernel, self.b.ops[x].shape[-1], outputs))
        bias = self.rng.integers(-1000, 1000, outputs)
        y = self.b.conv(name, x, weight, bias, 2.0**-7, (stride, stride), self._pads(kernel, stride, x))
        self.x = self._quantized(name, y, relu)
        return self.x

    def depthwise(self, name: str, kernel: tuple[int, int] = (3, 3), stride: int = 1) -> str:
        channels = self.b.ops[self.x].shape[-1]
        weight = self.rng.integers(-127, 128, (*kernel, 1, channels))
        bias, pads = self.rng.integers(-1000, 1000, channels), self._pads(kernel, stride, self.x)
        y = self.b.conv(name, self.x, weight, bias, 2.0**-7, (stride, stride), pads, groups=channels)
        self.x = self._quantized(name, y, True)
        return self.x

    def separable(self, n: int, outputs: int, stride: int = 1) -> None:
        self.depthwise(f"dw{n}", stride=stride)
        self.conv(f"pw{n}", outputs, (1, 1))

    def add(self, name: str, a: str, b: str) -> str:
        y = self.b.add(name, [a, b], 2.0**-7)
        self.x = self._quantized(name, y, True)
        return self.x

    def average(self) -> str:
        window = self.b.ops[self.x].shape[:-1]
        y = self.b.pool("average", self.x, "sum", window, scale=2.0**-7 / float(np.prod(window)))
        self.x = self.b.requant("average_q", y, 2.0**-7, 0, 127, 6, mult=max(1, round(64 / float(np.prod(window)))))
        channels = self.b.ops[self.x].shape[-1]
        self.x = self.b.reshape("flat", self.x, (channels,))
        return self.x

    def dense(self, name: str, outputs: int, quantize: bool = False, relu: bool = True) -> str:
        weight = self.rng.integers(-127, 128, (self.b.ops[self.x].shape[-1], outputs))
        self.x = self.b.dense(name, self.x, weight, self.rng.integers(-1000, 1000, outputs), 2.0**-7)
        if quantize:
            self.x = self._quantized(name, self.x, relu)
        return self.x

    def done(self) -> QNet:
        return self.b.build(self.x)


def kws() -> QNet:
    """Keyword spotting, DS-CNN: 49 x 10 features, one convolution, four separable ones, 12 classes."""
    n = _Net("kws", (49, 10, 1))
    n.conv("conv", 64, (10, 4), 2)
    for i in range(4):
        n.separable(i, 64)
    n.average()
    n.dense("fc", 12)
    return n.done()


def ad() -> QNet:
    """Anomaly detection: 640 - 4 x 128 - 8 - 4 x 128 - 640."""
    n = _Net("ad", (640,))
    for i, width in enumerate((128, 128, 128, 128, 8, 128, 128, 128, 128)):
        n.dense(f"fc{i}", width, quantize=True)
    n.dense("fc9", 640)
    return n.done()


def ic() -> QNet:
    """Image classification, ResNet-8: 32 x 32 x 3, three stacks of 16, 32 and 64 channels, 10 classes."""
    n = _Net("ic", (32, 32, 3))
    n.conv("conv", 16, (3, 3))
    for i, (width, stride) in enumerate(((16, 1), (32, 2), (64, 2))):
        before = n.x
        n.conv(f"a{i}", width, (3, 3), stride)
        main = n.conv(f"b{i}", width, (3, 3), relu=False)
        side = before if stride == 1 else n.conv(f"side{i}", width, (1, 1), stride, before, relu=False)
        n.add(f"add{i}", main, side)
    n.average()
    n.dense("fc", 10)
    return n.done()


def _mobilenet(name: str, side: int, alpha: float, classes: int) -> QNet:
    n = _Net(name, (side, side, 3))
    n.conv("conv", int(32 * alpha), (3, 3), 2)
    widths = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
    strides = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    for i, (width, stride) in enumerate(zip(widths, strides, strict=True)):
        n.separable(i, int(width * alpha), stride)
    n.average()
    n.dense("fc", classes)
    return n.done()


def vww() -> QNet:
    """Visual wake words, MobileNetV1 0.25: 96 x 96 x 3, 2 classes."""
    return _mobilenet("vww", 96, 0.25, 2)


def mobilenet_v1() -> QNet:
    """MobileNetV1 1.0 at 224 x 224, 1,000 classes (Howard et al., arXiv 1704.04861)."""
    return _mobilenet("mobilenet_v1", 224, 1.0, 1000)


def _resnet50(side: int) -> QNet:
    n = _Net(f"resnet50_{side}", (side, side, 3))
    n.conv("conv", 64, (7, 7), 2)
    n.x = n.b.pool("pool", n.x, "max", (3, 3), (2, 2), n._pads((3, 3), 2, n.x))
    for s, (width, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for i in range(blocks):
            stride, before = 2 if i == 0 and s > 0 else 1, n.x
            n.conv(f"a{s}_{i}", width, (1, 1), stride)
            n.conv(f"b{s}_{i}", width, (3, 3))
            main = n.conv(f"c{s}_{i}", 4 * width, (1, 1), relu=False)
            side_x = n.conv(f"side{s}", 4 * width, (1, 1), stride, before, relu=False) if i == 0 else before
            n.add(f"add{s}_{i}", main, side_x)
    n.average()
    n.dense("fc", 1000)
    return n.done()


def resnet50() -> QNet:
    """ResNet-50 at 224 x 224, 1,000 classes (He et al., arXiv 1512.03385)."""
    return _resnet50(224)


def resnet50_299() -> QNet:
    """ResNet-50 at 299 x 299."""
    return _resnet50(299)


def _adi(name: str, shape: tuple[int, ...], layers: tuple[tuple[str, int, int, int], ...], classes: int) -> QNet:
    """An example for MAX7800x: per layer the pool before it or none, outputs, kernel side, padding; then classes."""
    n = _Net(name, shape)
    axes = len(shape) - 1
    for i, (pool, outputs, k, pad) in enumerate(layers):
        if pool:
            scale = 2.0**-7 / 2**axes if pool == "sum" else None
            n.x = n.b.pool(f"pool{i}", n.x, pool, (2,) * axes, (2,) * axes, scale=scale)
        if pool == "sum":
            n.x = n.b.requant(f"pool{i}_q", n.x, 2.0**-7, 0, 127, axes, rounding=Rounding.FLOOR)
        weight = n.rng.integers(-127, 128, (*(k,) * axes, n.b.ops[n.x].shape[-1], outputs))
        y = n.b.conv(f"conv{i}", n.x, weight, scale=2.0**-7, pads=((pad, pad),) * axes)
        n.x = n._quantized(f"conv{i}", y, True)
    n.x = n.b.reshape("flat", n.x, (int(np.prod(n.b.ops[n.x].shape)),))
    n.x = n.b.dense("fc", n.x, n.rng.integers(-127, 128, (n.b.ops[n.x].shape[-1], classes)), scale=2.0**-7)
    return n.done()


def adi_mnist() -> QNet:
    """The mnist example of Analog Devices' MSDK (Examples/MAX78000/CNN/mnist, cnn.c), 28 x 28 pixels."""
    layers = (("", 60, 3, 1), ("max", 60, 3, 2), ("max", 56, 3, 1), ("sum", 12, 3, 1))
    return _adi("adi_mnist", (28, 28, 1), layers, 10)


def adi_kws20() -> QNet:
    """The kws20_v3 example of Analog Devices' MSDK: 128 samples of 128 channels, 21 keywords."""
    layers = (
        *(("", 100, 1, 0), ("", 96, 3, 0), ("max", 64, 3, 1), ("", 48, 3, 0), ("max", 64, 3, 1), ("", 96, 3, 0)),
        *(("sum", 100, 3, 1), ("max", 64, 6, 1)),
    )
    return _adi("adi_kws20", (128, 128), layers, 21)


def adi_cats_dogs() -> QNet:
    """The cats-against-dogs example of Analog Devices for MAX78002: 128 x 128 x 3, 2 classes."""
    layers = (
        *(("", 16, 3, 1), ("max", 32, 3, 1), ("max", 64, 3, 1), ("max", 32, 3, 1), ("max", 32, 3, 1)),
        ("", 16, 3, 1),
    )
    return _adi("adi_cats_dogs", (128, 128, 3), layers, 2)


TINY: dict[str, Callable[[], QNet]] = {"kws": kws, "ad": ad, "ic": ic, "vww": vww}
MAXIM: dict[str, Callable[[], QNet]] = {
    "adi-mnist": adi_mnist,
    "adi-kws20": adi_kws20,
    "adi-cats-dogs": adi_cats_dogs,
}
LARGE: dict[str, Callable[[], QNet]] = {
    "mobilenet-v1": mobilenet_v1,
    "resnet-50": resnet50,
    "resnet-50-299": resnet50_299,
}
