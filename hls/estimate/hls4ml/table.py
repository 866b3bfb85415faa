"""hls4ml projects priced as tables: the columns of :mod:`layers` from those of a search."""

from __future__ import annotations

import numpy as np

from bitsmith.hls.config import HwConfig
from bitsmith.hls.estimate.hls4ml.bounds import bound
from bitsmith.hls.estimate.hls4ml.coefficients import load_calibration
from bitsmith.hls.estimate.hls4ml.layers import KINDS, Columns
from bitsmith.hls.estimate.hls4ml.model import predict
from bitsmith.hls.estimate.hls4ml.weights import expected_products
from bitsmith.hls.estimate.table import LayerTable, PriceTable

NAMES = {"latency": "latency_cycles", "ii": "ii_cycles"}


def columns_of(table: LayerTable, hw: HwConfig) -> Columns:
    """The matrices of all designs; functions between them are left out, which are small beside them."""
    n, designs = table.design.size, table.designs
    one, no = np.ones(n), np.zeros(designs, bool)
    span = np.maximum(0.0, table.w_bits - 1)
    nonzero = table.inputs * table.outputs * table.density
    ones, twos, soft, hard = expected_products(table.inputs, nonzero, span, table.a_bits)
    width = np.where(table.cols > 1, table.kernel, 1.0)
    windows = table.kernel > 1
    return Columns(
        kind=np.where(windows | (table.rows > 1), KINDS.index("conv"), KINDS.index("dense")),
        n_in=table.inputs, n_out=table.outputs, places_in=table.rows * table.cols, places_out=table.places,
        kernel_h=table.kernel, kernel_w=width, channels=table.channels, in_bits=table.a_bits,
        out_bits=np.where(table.act_bits > 0, table.act_bits, table.acc_bits), acc_bits=table.acc_bits,
        weight_bits=table.w_bits, nonzero=nonzero, ones=ones, twos=twos, soft=soft, hard=hard, span_bits=span,
        reuse=table.reuse, resource=np.full(n, hw.strategy == "resource"), single_stream=np.zeros(n, bool),
        rounds=np.zeros(n, bool), saturates=np.zeros(n, bool),
        copies=np.where(windows & (hw.io != "io_stream"), table.places, one), design=table.design,
        stream=np.full(designs, hw.io == "io_stream"), clock_ns=np.full(designs, hw.clock_ns),
        vitis=np.full(designs, hw.hls_tool != "vivado"), series7=np.full(designs, hw.board.device.family == "xc7"),
        plain=np.ones(designs, bool), axi=no, module=no,
    )  # fmt: skip


def price_table(table: LayerTable, hw: HwConfig) -> PriceTable:
    """What Vivado's synthesis will make of every design, and the cycles of its HLS schedule."""
    calibration = load_calibration()
    c = columns_of(table, hw)
    values = predict(c, calibration.coefficients, vivado=True, worst=False).designs
    bounds = bound(c, values, calibration, vivado=True)
    value, low, high = ({NAMES.get(t, t): v for t, v in d.items()} for d in (values, bounds.low, bounds.high))
    return PriceTable(value, low, high, f"{calibration.id}; by table")
