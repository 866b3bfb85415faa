"""How many designs of one dense layer the hls4ml model prices per second:  python scripts/bench_hls4ml_estimates.py"""

from __future__ import annotations

import time

import numpy as np

from bitsmith.hls.estimate.hls4ml.bounds import bound
from bitsmith.hls.estimate.hls4ml.coefficients import load_calibration
from bitsmith.hls.estimate.hls4ml.layers import dense_columns
from bitsmith.hls.estimate.hls4ml.model import predict
from bitsmith.hls.estimate.hls4ml.weights import expected_products

N = 200_000


def main() -> None:
    rng = np.random.default_rng(1)
    n_in, n_out = (rng.choice([16.0, 32.0, 64.0, 128.0, 256.0], N) for _ in range(2))
    weight_bits = rng.integers(2, 15, N).astype(np.float64)
    in_bits, acc_bits = np.full(N, 16.0), np.full(N, 16.0)
    resource = rng.random(N) < 0.5
    reuse = np.where(resource, n_in * rng.choice([1.0, 2.0, 4.0, 8.0], N), 1.0)
    calibration = load_calibration()
    start = time.perf_counter()
    span = weight_bits - 2
    products = [n_in * n_out, *expected_products(n_in, n_in * n_out, span, in_bits), span]
    c = dense_columns(n_in, n_out, in_bits, acc_bits, weight_bits, products, reuse, resource)
    values = predict(c, calibration.coefficients).designs
    middle = time.perf_counter()
    bound(c, values, calibration)
    end = time.perf_counter()
    print(f"{N / (middle - start):,.0f} designs/s, {N / (end - start):,.0f} with bounds")


if __name__ == "__main__":
    main()
