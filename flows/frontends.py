"""Which front end lowers a model, by the file that it comes in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bitsmith.models.ir import ArgMax, QNet, QuantType
from bitsmith.models.lower.compare import Lowered
from bitsmith.models.zoo.spec import NetSpec

Floats = npt.NDArray[np.float64]
ONNX_SUFFIX = ".onnx"


def lower_file(path: Path, name: str, input_type: QuantType | None, head: Literal["logits", "argmax"]) -> Lowered:
    """The net in ``path`` with the framework it came from; InputError or UnsupportedError with the remedy."""
    if path.suffix.lower() == ONNX_SUFFIX:
        from bitsmith.models.lower import qonnx

        return qonnx.lowered(qonnx.load_model(path), name=name, input_type=input_type, head=head)
    from bitsmith.models.lower import qkeras

    return qkeras.lowered(qkeras.load_model(path), name=name, input_type=input_type, head=head)


@dataclass(frozen=True, eq=False)
class LoweredBrevitas:
    """A trained net beside the Brevitas module itself; ``exported`` is what its QONNX file was lowered to."""

    exported: Lowered
    module: Any
    framework: str = "Brevitas"

    @property
    def net(self) -> QNet:
        """The net."""
        return self.exported.net

    @property
    def rounds_input(self) -> bool:
        """Whether the module rounds its input itself."""
        return self.exported.rounds_input

    @property
    def left_out(self) -> tuple[str, ...]:
        """As the file's."""
        return self.exported.left_out

    def reference(self, x: npt.ArrayLike) -> Floats:
        """What the PyTorch module computes, in float32."""
        from bitsmith.models.train.brevitas import outputs

        y = outputs(self.module, np.asarray(x))
        return y.argmax(-1, keepdims=True).astype(np.float64) if isinstance(self.net.output, ArgMax) else y

    def reference_float64(self, x: npt.ArrayLike) -> Floats | None:
        """The exported graph in float64."""
        return self.exported.reference_float64(x)


def with_brevitas(exported: Lowered, spec: NetSpec, state: Path) -> Lowered:
    """The net of a training, with the module that was trained (weights in ``state``) as its reference."""
    from bitsmith.models.train.brevitas import load_brevitas

    return LoweredBrevitas(exported, load_brevitas(spec, state))
