"""QNet: the one meaning of a quantized network, in integers (specified in ``docs/ir.md``)."""

from bitsmith.models.ir.builder import NetBuilder
from bitsmith.models.ir.errors import (
    BitsmithError,
    DoesNotFitError,
    InputError,
    InvalidNetError,
    MismatchError,
    ToolError,
    UnsupportedError,
)
from bitsmith.models.ir.execute import execute, quantize_input, real_output, trace
from bitsmith.models.ir.intervals import Interval, intervals
from bitsmith.models.ir.ops import (
    Add,
    ArgMax,
    Concat,
    Conv,
    Dense,
    Input,
    Lut,
    Op,
    Pad,
    Pool,
    QNet,
    Requant,
    Reshape,
    Thresholds,
    Upsample,
)
from bitsmith.models.ir.samples import random_inputs
from bitsmith.models.ir.store import content_hash, load, save
from bitsmith.models.ir.structure import (
    BlockDiagonal,
    Codebook,
    NofM,
    find_block_diagonal,
    find_codebook,
    find_n_of_m,
)
from bitsmith.models.ir.text import to_text
from bitsmith.models.ir.types import Overflow, QuantType, Rounding
from bitsmith.models.ir.verify import problems, verify

__all__ = [
    "Add",
    "ArgMax",
    "BitsmithError",
    "BlockDiagonal",
    "Codebook",
    "Concat",
    "Conv",
    "Dense",
    "DoesNotFitError",
    "Input",
    "InputError",
    "Interval",
    "InvalidNetError",
    "Lut",
    "MismatchError",
    "NetBuilder",
    "NofM",
    "Op",
    "Overflow",
    "Pad",
    "Pool",
    "QNet",
    "QuantType",
    "Requant",
    "Reshape",
    "Rounding",
    "Thresholds",
    "ToolError",
    "UnsupportedError",
    "Upsample",
    "content_hash",
    "execute",
    "find_block_diagonal",
    "find_codebook",
    "find_n_of_m",
    "intervals",
    "load",
    "problems",
    "quantize_input",
    "random_inputs",
    "real_output",
    "save",
    "to_text",
    "trace",
    "verify",
]
