"""What a user can get wrong with a Keras model, and what it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qkeras_nets import assert_exact, keras, qk, sequential

from bitsmith.models.ir import InputError, UnsupportedError
from bitsmith.models.lower.qkeras import load_model, lower

DENSE = {"kernel_quantizer": "quantized_bits(4,0,alpha=1)", "bias_quantizer": "quantized_bits(4,0,alpha=1)"}


def good() -> Any:
    return sequential((4,), qk().QDense(3, **DENSE), qk().QActivation("quantized_relu(4,1)"))


def test_a_saved_model_comes_back(tmp_path: Path) -> None:
    model = good()
    model.save(tmp_path / "m.h5")
    assert_exact(load_model(tmp_path / "m.h5"))


def test_files_that_are_not_models(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"m\.h5: no such file"):
        load_model(tmp_path / "m.h5")
    with pytest.raises(InputError, match=r"ends in \.h5, \.hdf5, \.keras, not in '\.pt'"):
        load_model(tmp_path / "m.pt")
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(InputError, match=r"text\.h5: not a readable HDF5 file, truncated or damaged"):
        load_model(tmp_path / "text.h5")


def test_a_truncated_file(tmp_path: Path) -> None:
    good().save(tmp_path / "m.h5")
    whole = (tmp_path / "m.h5").read_bytes()
    for part in (0.3, 0.7, 0.99):
        (tmp_path / "cut.h5").write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(InputError, match=r"cut\.h5: "):
            load_model(tmp_path / "cut.h5")


def test_weights_without_their_model(tmp_path: Path) -> None:
    good().save_weights(tmp_path / "w.h5")
    with pytest.raises(InputError, match=r"holds weights only; save the whole model"):
        load_model(tmp_path / "w.h5")


def test_keras_files_that_qkeras_cannot_reload(tmp_path: Path) -> None:
    relu = qk().QActivation(qk().quantized_relu(4, 1))
    sequential((4,), qk().QDense(3, **DENSE), relu).save(tmp_path / "m.keras")
    with pytest.raises(InputError, match=r"save the model as \.h5"):
        load_model(tmp_path / "m.keras")


def test_an_unknown_layer_class_in_a_file(tmp_path: Path) -> None:
    class Doubled(keras().layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return 2 * x

    keras().Sequential([keras().layers.InputLayer((4,)), Doubled()]).save(tmp_path / "m.h5")
    with pytest.raises(InputError, match="Doubled"):
        load_model(tmp_path / "m.h5")


def test_all_unsupported_layers_are_listed() -> None:
    layers = keras().layers
    model = sequential(
        (4, 4, 2), layers.Conv2D(2, 1, name="float_conv"), layers.Conv2DTranspose(2, 2, name="transposed"),
        layers.BatchNormalization(axis=1, name="rows"), layers.Lambda(lambda x: 2 * x, name="twice"),
        qk().QConv2D(2, 1, name="half_quantized"), layers.UpSampling2D(2, interpolation="bilinear", name="smooth"),
    )  # fmt: skip
    with pytest.raises(UnsupportedError) as caught:
        lower(model, name="n")
    text = str(caught.value)
    assert "6 layer(s) stand in the way" in text
    for line in (
        "float_conv (Conv2D): has float weights; train it as QConv2D",
        "transposed (Conv2DTranspose): has no meaning in a QNet; use UpSampling2D and a QConv2D",
        "rows (BatchNormalization): works along axis [1]",
        "twice (Lambda): has no meaning in a QNet",
        "half_quantized (QConv2D): has float weights (no kernel_quantizer)",
        "smooth (UpSampling2D): interpolates (bilinear)",
    ):
        assert line in text
    assert "--bits" in text


def test_all_places_without_a_grid_are_listed() -> None:
    layers = keras().layers
    model = sequential(
        (4,), qk().QDense(3, **DENSE), layers.BatchNormalization(name="n1"),
        qk().QDense(3, name="reads_reals", **DENSE),
        layers.Activation("tanh"), qk().QDense(3, name="reads_tanh", **DENSE),
    )  # fmt: skip
    with pytest.raises(UnsupportedError) as caught:
        lower(model, name="n")
    text = str(caught.value)
    assert "reads_reals (QDense): reads the real values of n1, which are on no integer grid; put a quantizer" in text
    assert "reads_tanh (QDense): reads the real values of tanh" in text


def test_softmax_inside_and_accumulators_beyond_62_bits() -> None:
    wide = {"kernel_quantizer": "quantized_bits(30,0,alpha=1)", "bias_quantizer": "quantized_bits(4,0,alpha=1)"}
    act = qk().QActivation("quantized_bits(4,0,alpha=1)")
    model = sequential(
        (4,), keras().layers.Softmax(name="soft"), act, *(qk().QDense(4, name=f"wide{i}", **wide) for i in range(3))
    )
    with pytest.raises(UnsupportedError) as caught:
        lower(model, name="n")
    assert "softmax mixes channels" in str(caught.value)
    assert "wide1 (QDense): values reach 2^62.6, more than 62 bits; use fewer bits" in str(caught.value)


def test_an_output_that_is_no_grid() -> None:
    model = sequential((4,), qk().QDense(3, **DENSE), keras().layers.BatchNormalization())
    with pytest.raises(UnsupportedError, match="its output reads the real values of batch_normalization"):
        lower(model, name="n")


def test_same_padded_averages() -> None:
    model = sequential((5, 5, 2), qk().QConv2D(2, 1, **DENSE), keras().layers.AveragePooling2D(2, padding="same"))
    with pytest.raises(UnsupportedError, match="averages over fewer places at the border; use padding='valid'"):
        lower(model, name="n")


def test_nan_weights_are_named() -> None:
    model = good()
    kernel, bias = model.layers[0].get_weights()
    kernel[1, 1], bias[0] = np.nan, np.inf
    model.layers[0].set_weights([kernel, bias])
    with pytest.raises(InputError, match=r"NaN or infinite values in \S*kernel:0, \S*bias:0"):
        lower(model, name="n")


def test_a_channel_of_zeros_is_no_reason_to_refuse() -> None:
    layer = qk().QDense(3, kernel_quantizer="quantized_bits(4,0,alpha='auto')", bias_quantizer="quantized_bits(4,0)")
    model = sequential((4,), layer, qk().QActivation("quantized_bits(4,1,alpha=1)"))
    kernel, bias = layer.get_weights()
    kernel[:, 1] = 0
    layer.set_weights([kernel, bias])
    assert_exact(model)


def test_weights_that_the_quantizer_turns_into_nan() -> None:
    layer = qk().QDense(3, kernel_quantizer="quantized_bits(1,0,alpha='auto')", bias_quantizer="quantized_bits(4,0)")
    model = sequential((4,), layer)
    with pytest.raises(InputError, match=f"layer {layer.name}: quantized_bits turns kernel into NaN"):
        lower(model, name="n")


def test_models_without_one_input_and_output() -> None:
    a, b = keras().Input((2,)), keras().Input((2,))
    with pytest.raises(InputError, match="has 2 inputs and 1 outputs"):
        lower(keras().Model([a, b], keras().layers.Add()([a, b])), name="n")
    with pytest.raises(InputError, match="every size to be known"):
        lower(sequential((None, 3), qk().QConv1D(2, 2, **DENSE)), name="n")
    with pytest.raises(InputError, match="no graph of layers"):
        lower(keras().Sequential([qk().QDense(2, **DENSE)]), name="n")


def test_one_output_without_a_sigmoid_has_no_class() -> None:
    with pytest.raises(InputError, match="one output without a sigmoid"):
        lower(sequential((4,), qk().QDense(1, **DENSE)), name="n", head="argmax")
