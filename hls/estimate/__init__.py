"""What a design will cost, before it is synthesised: ``estimate`` and the ``op_counts`` below it."""

from bitsmith.hls.estimate.counts import op_counts
from bitsmith.hls.estimate.price import estimate

__all__ = ["estimate", "op_counts"]
