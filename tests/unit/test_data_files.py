"""Where data files come from: the data folder, the cache, a server, nowhere."""

from __future__ import annotations

import gzip
import hashlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from bitsmith.models.data.files import Places, Source, fetch, find, read_sources
from bitsmith.models.data.idx import load_idx, read_idx
from bitsmith.models.ir.errors import InputError

FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def idx(array: np.ndarray) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0)


@dataclass
class Server:
    """Serves ``files``; sends only the first ``cut`` bytes of each if set, though it announces all."""

    files: dict[str, bytes]
    cut: int | None = None
    asked: list[str] = field(default_factory=list)
    base: str = ""


@pytest.fixture
def server(rng: np.random.Generator) -> Iterator[Server]:
    arrays = [
        rng.integers(0, 256, (20, 28, 28)),
        rng.integers(0, 10, 20),
        rng.integers(0, 256, (8, 28, 28)),
        rng.integers(0, 10, 8),
    ]
    state = Server({name: idx(array) for name, array in zip(FILES, arrays, strict=True)})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.strip("/")
            state.asked.append(name)
            if name not in state.files:
                self.send_error(404)
                return
            body = state.files[name]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.cut])

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state.base = f"http://127.0.0.1:{http.server_address[1]}/"
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield state
        http.shutdown()
        thread.join()


@pytest.fixture
def source(server: Server) -> Source:
    hashes = {name: hashlib.sha256(body).hexdigest() for name, body in server.files.items()}
    return Source("mnist", "a small MNIST", ("mnist",), (server.base,), hashes)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "data", tmp_path / "cache")


def test_downloads_once_into_the_cache_with_a_bar(server, source, places, capsys):
    data = load_idx(source, places, progress=True)
    assert data.x_train.shape == (20, 28, 28, 1) and data.x_test.shape == (8, 28, 28, 1)
    assert sorted(server.asked) == sorted(FILES)
    told = capsys.readouterr()
    assert "train-images-idx3-ubyte.gz" in told.err and told.out == ""
    again = load_idx(source, places, progress=False)
    assert len(server.asked) == len(FILES) and again.sha256 == data.sha256
    assert sorted(p.name for p in (places.cache_dir / "mnist").iterdir()) == sorted(FILES)


def test_pixels_are_exactly_bytes_over_256(server, source, places):
    data = load_idx(source, places, progress=False)
    raw = gzip.decompress(server.files[FILES[0]])[16:]
    assert (data.x_train.ravel() * 256 == np.frombuffer(raw, np.uint8)).all()
    assert (data.y_train == np.frombuffer(gzip.decompress(server.files[FILES[1]])[8:], np.uint8)).all()


def test_the_data_folder_comes_first(server, source, places):
    folder = places.data_dir / "mnist"
    folder.mkdir(parents=True)
    for name, body in server.files.items():
        (folder / name).write_bytes(body)
    load_idx(source, places, progress=False)
    assert server.asked == [] and not places.cache_dir.exists()


def test_a_wrong_file_in_the_data_folder_is_refused_and_left_alone(server, source, places):
    path = places.data_dir / "mnist" / FILES[0]
    path.parent.mkdir(parents=True)
    path.write_bytes(b"something else")
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte\.gz is not the published file: its SHA-256 is"):
        fetch(source, FILES[0], places, progress=False)
    assert path.read_bytes() == b"something else" and server.asked == []


def test_a_damaged_file_of_the_cache_is_fetched_anew(server, source, places):
    path = places.cache_dir / "mnist" / FILES[0]
    path.parent.mkdir(parents=True)
    path.write_bytes(server.files[FILES[0]][:50])
    assert find(source, FILES[0], places) is None
    assert fetch(source, FILES[0], places, progress=False).read_bytes() == server.files[FILES[0]]


def test_a_download_with_another_hash_leaves_nothing_behind(server, source, places):
    server.files[FILES[0]] = b"not what was published"
    with pytest.raises(InputError, match="what came has the SHA-256"):
        fetch(source, FILES[0], places, progress=False)
    assert list((places.cache_dir / "mnist").iterdir()) == []


def test_an_interrupted_download_leaves_nothing_behind(server, source, places):
    server.cut = 100
    with pytest.raises(InputError, match=r"the connection ended after 100 of [\d,]+ bytes"):
        fetch(source, FILES[0], places, progress=False)
    assert list((places.cache_dir / "mnist").iterdir()) == []
    server.cut = None
    assert fetch(source, FILES[0], places, progress=False).is_file()


def test_the_next_address_is_tried(server, source, places):
    two = replace(source, base=(f"{server.base}gone/", server.base))
    assert fetch(two, FILES[0], places, progress=False).is_file()
    assert server.asked == [f"gone/{FILES[0]}", FILES[0]]


def test_offline_says_what_is_missing_and_where_to_put_it(source, places):
    with socket.socket() as free:  # a port that nobody listens on
        free.bind(("127.0.0.1", 0))
        offline = replace(source, base=(f"http://127.0.0.1:{free.getsockname()[1]}/",))
        with pytest.raises(InputError) as caught:
            fetch(offline, FILES[1], places, progress=False)
    message = str(caught.value)
    assert f"needs the file {FILES[1]}" in message and f"{offline.base[0]}{FILES[1]}: " in message
    assert message.endswith(f"put it into {places.data_dir / 'mnist'}")


def test_an_unwritable_cache_is_named(source, tmp_path):
    (tmp_path / "cache").write_text("a file, not a folder")
    with pytest.raises(InputError, match="cannot be made"):
        fetch(source, FILES[0], Places(None, tmp_path / "cache"), progress=False)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"plain", "is not a complete gzip file"),
        (idx(np.zeros((4, 4)))[:-12], "is not a complete gzip file"),
        (gzip.compress(b"\x00\x00\x0d\x01", mtime=0), "is not an idx file of unsigned bytes"),
        (
            gzip.compress(b"\x00\x00\x08\x01\x00\x00\x00\x05abc", mtime=0),
            r"holds 3 bytes of data, its header says \(5,\)",
        ),
    ],
)
def test_damaged_idx_files(tmp_path, body, message):
    path = tmp_path / "x.gz"
    path.write_bytes(body)
    with pytest.raises(InputError, match=message):
        read_idx(path)


def test_every_published_file_has_a_hash_and_an_address():
    for source in read_sources().values():
        assert source.base and all(base.endswith("/") and "://" in base for base in source.base)
        assert all(len(bytes.fromhex(digest)) == 32 for digest in source.sha256.values())
