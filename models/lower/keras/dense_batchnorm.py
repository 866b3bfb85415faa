"""QDenseBatchnorm: a QDense with the BatchNormalization that follows it folded into its weights.

QKeras 0.9 has the layer for convolutions only; networks trained with other
versions of QKeras hold the dense one.  It is QConv2DBatchnorm with a matrix
product: statistics are folded first, the folded weights are quantized.
"""

from __future__ import annotations

import functools
from typing import Any

from bitsmith.models.lower.keras.io import import_qkeras, import_tensorflow

OF_DENSE = ("units", "activation", "use_bias", "kernel_quantizer", "bias_quantizer", "name", "trainable", "dtype")
OF_BATCHNORM = ("axis", "momentum", "epsilon", "center", "scale")


@functools.cache
def qdense_batchnorm_class() -> Any:
    """The layer class, for inference: it keeps its moving statistics as they are."""
    tf, qkeras = import_tensorflow(), import_qkeras()

    class QDenseBatchnorm(qkeras.QDense):  # type: ignore[misc, name-defined]  # a class of an untyped library
        """y = activation(x @ quantize(kernel * inv) + quantize((bias - mean) * inv + beta))."""

        def __init__(self, units: int, **options: Any) -> None:
            dense = {k: v for k, v in options.items() if k in OF_DENSE}
            super().__init__(units, **dense)
            self.batchnorm = tf.keras.layers.BatchNormalization(
                **{k: v for k, v in options.items() if k in OF_BATCHNORM}
            )
            self.options = options

        def build(self, input_shape: Any) -> None:
            super().build(input_shape)
            self._iteration = tf.Variable(-1, trainable=False, name="iteration", dtype=tf.int64)
            self.batchnorm.build((None, self.units))

        def get_folded_weights(self) -> list[Any]:
            """Kernel and bias with the moving statistics folded in, not yet quantized."""
            norm = self.batchnorm
            inv = tf.math.rsqrt(norm.moving_variance + norm.epsilon)
            if norm.gamma is not None:
                inv *= norm.gamma
            bias = (self.bias if self.use_bias else 0.0) - norm.moving_mean
            folded = inv * bias if norm.beta is None else inv * bias + norm.beta
            return [inv * self.kernel, folded]

        def call(self, inputs: Any, training: Any = None) -> Any:
            kernel, bias = self.get_folded_weights()
            if self.kernel_quantizer_internal is not None:
                kernel = self.kernel_quantizer_internal(kernel)
            if self.bias_quantizer_internal is not None:
                bias = self.bias_quantizer_internal(bias)
            outputs = tf.keras.backend.bias_add(tf.keras.backend.dot(inputs, kernel), bias)
            return outputs if self.activation is None else self.activation(outputs)

        def get_config(self) -> dict[str, Any]:
            norm = self.batchnorm.get_config()
            return {**super().get_config(), **{k: norm[k] for k in OF_BATCHNORM}}

    return QDenseBatchnorm
