"""Bad input: the exit code and a message that names the remedy; never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bitsmith.flows.cli import main
from bitsmith.flows.inputs import parse_type
from bitsmith.models.ir import InputError, NetBuilder, QuantType, save


@pytest.fixture
def net_folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    b = NetBuilder("tiny")
    x = b.input("x", (4,), QuantType(4, True))
    save(b.build(b.dense("d", x, rng.integers(-3, 4, (4, 2)))), tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BITSMITH_DATA", raising=False)


def fails(capsys: pytest.CaptureFixture[str], code: int, *argv: str) -> str:
    assert main(argv) == code
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "Traceback" not in streams.err
    return streams.err


def test_no_such_file_offers_the_nearest_task(capsys) -> None:
    message = fails(capsys, 2, "import", "digts")
    assert "no such file or task: digts; did you mean digits" in message
    assert "no such file or task: /no/model.h5" in fails(capsys, 2, "import", "/no/model.h5")


def test_wrong_suffix(capsys, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_text("")
    message = fails(capsys, 2, "import", "model.pt")
    assert "has the suffix .pt" in message and ".h5" in message


def test_folder_without_net(capsys, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no net" in fails(capsys, 2, "estimate", "empty")
    assert "is no project and holds none" in fails(capsys, 2, "verify", "empty")
    assert "no such folder" in fails(capsys, 2, "verify", "nowhere")


@pytest.mark.parametrize("command", ["estimate", "emit", "build"])
def test_unknown_board_offers_the_nearest(capsys, net_folder: Path, command: str) -> None:
    message = fails(capsys, 2, command, str(net_folder), "--board", "arty-a7-53t")
    assert "arty-a7-35t" in message
    assert not (Path("runs") / "tiny").exists(), "nothing is done before the names are known to be right"


def test_unknown_backend_offers_the_nearest(capsys, net_folder: Path) -> None:
    assert "did you mean hls4ml" in fails(capsys, 2, "emit", str(net_folder), "--backend", "hls4lm")


def test_unwritable_output(capsys, net_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    message = fails(capsys, 2, "build", str(net_folder), "--out", "file/inside")
    assert "cannot write into file/inside" in message and "--out" in message


def test_config_with_several_mistakes_lists_them_all(capsys, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('[data]\nname = "digits"\n[hardware]\nclok_mhz = 1\nreuse = 0\n')
    message = fails(capsys, 2, "train", "bad.toml")
    assert "bad.toml has" in message
    assert "hardware.clok_mhz: unknown key, did you mean clock_mhz?" in message
    assert "hardware.reuse: Input should be greater than or equal to 1" in message
    assert "net: Field required" in message
    (tmp_path / "broken.toml").write_text("[data\n")
    assert "cannot be read as TOML" in fails(capsys, 2, "train", "broken.toml")


def test_only_tasks_are_trained(capsys, net_folder: Path) -> None:
    assert "only those are trained; use bitsmith import" in fails(capsys, 2, "train", str(net_folder))


def test_missing_data_folder(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITSMITH_DATA", "/no/such/place")
    assert "no such folder of data sets: /no/such/place" in fails(capsys, 2, "train", "digits")


def test_missing_tool(capsys, net_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["emit", str(net_folder), "--out", "project", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["project"] == "project"
    monkeypatch.setattr("bitsmith.hls.tools.run.find_tool", lambda name: None)
    message = fails(capsys, 4, "verify", "project")
    assert "is missing; install it with: " in message


def test_doctor_names_the_line_that_installs(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bitsmith.hls.backends.hls4ml.backend.find_tool", lambda name: None)
    assert main(["doctor", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["backends"]["hls4ml"]["usable"] is False
    (missing,) = data["backends"]["hls4ml"]["missing"]
    assert missing["name"] == "g++" and "g++" in missing["remedy"]
    assert main(["doctor"]) == 0
    assert f"g++ missing: {missing['remedy']}" in capsys.readouterr().out


def test_number_types() -> None:
    assert parse_type("u8/255") == QuantType(8, False, 1 / 255)
    assert parse_type("i16*2^-10") == QuantType(16, True, 2.0**-10)
    assert parse_type("u4*0.5") == QuantType(4, False, 0.5)
    assert parse_type("i6") == QuantType(6, True)
    for wrong in ("x8", "u8/0", "u99", "u8*2^", "", "u8*1e999"):
        with pytest.raises(InputError, match="is no number type"):
            parse_type(wrong)


def keras_file(path: Path, *more: str, spoil: bool = False) -> str:
    """A small Keras model on disk: a QDense, then plain layers of the given kinds."""
    from bitsmith.models.lower.keras.io import import_qkeras, import_tensorflow

    keras, qkeras = import_tensorflow().keras, import_qkeras()
    first = qkeras.QDense(4, kernel_quantizer="quantized_bits(4,0,1)", name="first")
    plain = {"dense": keras.layers.Dense(4, name="plain"), "loop": keras.layers.SimpleRNN(2, name="loop")}
    shape = [keras.layers.Reshape((2, 2))] if "loop" in more else []
    model = keras.Sequential([keras.layers.InputLayer((6,)), first, *(plain[m] for m in more if m != "loop"), *shape])
    if "loop" in more:
        model.add(plain["loop"])
    if spoil:
        kernel, bias = first.get_weights()
        kernel[1, 2] = np.nan
        first.set_weights([kernel, bias])
    model.save(path)
    return str(path)


def test_truncated_h5(capsys, tmp_path: Path) -> None:
    whole = Path(keras_file(tmp_path / "whole.h5"))
    (tmp_path / "cut.h5").write_bytes(whole.read_bytes()[:2000])
    message = fails(capsys, 2, "import", "cut.h5")
    assert "cut.h5: not a readable HDF5 file, truncated or damaged" in message and "copy it anew" in message


def test_nan_weights(capsys, tmp_path: Path) -> None:
    message = fails(capsys, 2, "import", keras_file(tmp_path / "nan.h5", spoil=True))
    assert "NaN or infinite values in first/kernel" in message and "train again" in message


def test_every_unsupported_layer_is_listed(capsys, tmp_path: Path) -> None:
    message = fails(capsys, 2, "import", keras_file(tmp_path / "odd.h5", "dense", "loop"))
    assert "plain (Dense)" in message and "loop (SimpleRNN)" in message, message


def test_a_reader_that_has_read_enough_is_no_error() -> None:
    """``bitsmith boards | head -1``"""
    command = [sys.executable, "-m", "bitsmith", "boards"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0
