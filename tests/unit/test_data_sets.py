"""The data sets themselves: real files where they are to be had, generated ones of the same form elsewhere."""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bitsmith.models.data import load, names
from bitsmith.models.data.cifar import BATCHES, BINARY, PYTHON, load_cifar
from bitsmith.models.data.files import Places, Source
from bitsmith.models.data.jets import CLASSES, FEATURES, FILE
from bitsmith.models.ir.errors import InputError


def test_digits_is_always_the_same():
    data = load("digits")
    assert data.x_train.shape == (1437, 8, 8, 1) and data.x_test.shape == (360, 8, 8, 1)
    assert len(data.x_test) / (len(data.x_train) + len(data.x_test)) >= 0.2
    assert set(np.unique(data.x_train * 16)) == set(range(17))
    assert np.bincount(data.y_test).min() >= 34
    assert data.sha256 == "7ea471b484509ed526aea6e04a1bae0f19fc92749cb123175415426690961353"


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(InputError, match="there is no data set 'digit'; did you mean digits"):
        load("digit")
    assert names() == ["digits", "mnist", "fashion", "cifar10", "jets"]


@pytest.mark.parametrize("name", ["mnist", "fashion"])
def test_idx_sets(name, data_dir, tmp_path):
    data = load(name, data_dir, tmp_path)
    assert data.x_train.shape == (60000, 28, 28, 1) and data.x_test.shape == (10000, 28, 28, 1)
    assert data.x_train.min() == 0 and data.x_train.max() == 255 / 256
    counts = np.bincount(data.y_train)
    assert len(data.classes) == 10
    assert counts.tolist() == (
        [6000] * 10 if name == "fashion" else [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    )


def test_cifar10_png_files(data_dir, tmp_path):
    data = load("cifar10", data_dir, tmp_path)
    rows = len(data.x_train)
    assert rows % 10000 == 0 and f"{rows:,} of 50,000 training rows" in data.source
    assert data.x_test.shape == (10000, 32, 32, 3) and np.bincount(data.y_test).tolist() == [1000] * 10
    assert np.bincount(data.y_train[:10000]).tolist() == [1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981]


def archive(path: Path, members: dict[str, bytes]) -> str:
    with tarfile.open(path, "w:gz") as tar:
        for name, body in members.items():
            entry = tarfile.TarInfo(f"cifar-10-batches/{name}")
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def python2_batch(pixels: np.ndarray, labels: np.ndarray) -> bytes:
    """The opcodes that Python 2 wrote: a dict with byte strings, one uint8 array, one list."""
    n = len(pixels)
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    array += b"(K\x01K" + bytes([n]) + b"M" + struct.pack("<H", 3072) + b"\x86"
    array += b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array += b"\x89T" + struct.pack("<i", n * 3072) + pixels.tobytes() + b"tb"
    numbers = b"](" + b"".join(b"K" + bytes([int(label)]) for label in labels) + b"e"
    return b"\x80\x02}(U\x04data" + array + b"U\x06labels" + numbers + b"u."


@pytest.mark.parametrize("layout", [BINARY, PYTHON])
def test_cifar10_official_archives(layout, tmp_path, rng):
    folder = tmp_path / "cifar10"
    folder.mkdir()
    pixels = rng.integers(0, 256, (6, 4, 3, 32, 32)).astype(np.uint8)
    labels = rng.integers(0, 10, (6, 4)).astype(np.uint8)
    members = {}
    for name, images, classes in zip((*BATCHES, "test_batch"), pixels, labels, strict=True):
        flat = images.reshape(4, 3072)
        if layout == BINARY:
            members[f"{name}.bin"] = np.concatenate([classes[:, None], flat], axis=1).tobytes()
        else:
            members[name] = python2_batch(flat, classes)
    members["readme.html"] = b"not a batch"
    source = Source("cifar10", "small", ("cifar10",), (), {BINARY: "", PYTHON: ""})
    source.sha256[layout] = archive(folder / layout, members)  # type: ignore[index]
    data = load_cifar(source, Places(tmp_path, tmp_path / "cache"), progress=False)
    assert (data.x_train * 256 == pixels[:5].reshape(20, 3, 32, 32).transpose(0, 2, 3, 1)).all()
    assert (data.x_test * 256 == pixels[5].transpose(0, 2, 3, 1)).all()
    assert (data.y_train == labels[:5].ravel()).all() and (data.y_test == labels[5]).all()
    assert layout in data.source


def test_a_pickle_that_wants_more_than_arrays_is_refused(tmp_path):
    evil = b"cos\nsystem\n(S'true'\ntR."
    members = dict.fromkeys((*BATCHES, "test_batch"), evil)
    (tmp_path / "cifar10").mkdir()
    digest = archive(tmp_path / "cifar10" / PYTHON, members)
    source = Source("cifar10", "small", ("cifar10",), (), {BINARY: "", PYTHON: digest})
    with pytest.raises(InputError, match=r"holds a os\.system"):
        load_cifar(source, Places(tmp_path, tmp_path / "cache"), progress=False)


@pytest.fixture
def openml(monkeypatch, rng):
    """Stands in for OpenML: the columns, types and ranges of the real set, 400 rows, columns shuffled."""
    highs = [-0.2, 0.4, 0.1, 0.01, 0.2, 0.1, 3.0, 2.0, 3.0, 2.0, 0.2, 0.1, 0.4, 0.4, 300.0, 120.0]
    columns = [rng.uniform(min(0.0, 20 * high), max(0.0, high), 400) for high in highs]
    order = rng.permutation(len(FEATURES))
    table = SimpleNamespace(
        data=np.stack(columns, axis=1)[:, order],
        feature_names=[FEATURES[i] for i in order],
        target=rng.choice(np.array(CLASSES, dtype=object), 400),
    )
    calls = []

    def fetch_openml(**options):
        calls.append(options)
        return table

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch_openml)
    return SimpleNamespace(table=table, calls=calls, x=np.stack(columns, axis=1))


def test_jets_are_fetched_once_standardised_and_split(openml, tmp_path):
    data = load("jets", tmp_path / "data", tmp_path / "cache", progress=False)
    assert openml.calls[0]["data_id"] == 42468 and Path(openml.calls[0]["data_home"]).is_relative_to(tmp_path / "cache")
    assert data.x_train.shape == (320, 16) and data.x_test.shape == (80, 16) and data.classes == CLASSES
    np.testing.assert_allclose(data.x_train.mean(axis=0), 0, atol=1e-5)  # float32 rounding of the mean
    np.testing.assert_allclose(data.x_train.std(axis=0), 1, atol=1e-5)
    assert abs(data.x_test.mean(axis=0)).max() > 1e-3  # by the training part's statistics, not its own
    again = load("jets", tmp_path / "data", tmp_path / "cache", progress=False)
    assert len(openml.calls) == 1 and again.sha256 == data.sha256


def test_jets_rows_keep_their_class_and_their_columns(openml, tmp_path):
    load("jets", None, tmp_path, progress=False)
    with np.load(tmp_path / "jets" / FILE) as stored:
        assert (stored["x"] == openml.x.astype(np.float32)).all()
        assert [CLASSES[k] for k in stored["y"]] == list(openml.table.target)


def test_jets_from_the_data_folder(openml, tmp_path):
    load("jets", None, tmp_path / "elsewhere", progress=False)
    (tmp_path / "data" / "jets").mkdir(parents=True)
    (tmp_path / "elsewhere" / "jets" / FILE).rename(tmp_path / "data" / "jets" / FILE)
    load("jets", tmp_path / "data", tmp_path / "cache", progress=False)
    assert len(openml.calls) == 1


def test_jets_offline_says_where_to_put_them(monkeypatch, tmp_path):
    def fetch_openml(**options):
        raise OSError("Name or service not known")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch_openml)
    with pytest.raises(InputError) as caught:
        load("jets", tmp_path, tmp_path / "cache", progress=False)
    assert "openml.org/d/42468" in str(caught.value) and str(tmp_path / "jets") in str(caught.value)


def test_another_table_is_not_taken_for_jets(openml, tmp_path):
    openml.table.feature_names[3] = "something"
    openml.table.target[0] = "b"
    with pytest.raises(InputError, match=r"is not the jet data set: no columns \['\w+'\], unknown classes \['b'\]"):
        load("jets", None, tmp_path, progress=False)


def test_damaged_jets_file(tmp_path):
    (tmp_path / "jets").mkdir()
    (tmp_path / "jets" / FILE).write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(InputError, match="is damaged"):
        load("jets", tmp_path, tmp_path / "cache", progress=False)
