"""What a design will cost, before it is synthesised: ``estimate`` and the ``op_counts`` below it."""

from bitsmith.hls.estimate.counts import op_counts
from bitsmith.hls.estimate.price import estimate
from bitsmith.hls.estimate.table import LayerTable, PriceTable, layer_table

__all__ = ["LayerTable", "PriceTable", "estimate", "layer_table", "op_counts"]
