"""Files that are made to harm: each is refused with one line, at once and in little memory."""

from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmark.common.arrays import load_array

#: Reads a file as the first argument says; says the error, and the growth of memory in MiB
READ = """
import resource, sys, time
from pathlib import Path

import numpy as np

from benchmark.common.errors import BenchError
from benchmark.datasets.readers.files import read_array
from benchmark.datasets.readers.image_files import open_rgb
from benchmark.datasets.readers.number_files import read_number_file
from benchmark.extraction import read_state_dict
from benchmark.results import ResultStore

path = Path(sys.argv[2])
read = {
    "result": lambda: ResultStore(path.parent).read(path),
    "array": lambda: read_array(path, "a"),
    "numbers": lambda: read_number_file(path),
    "image": lambda: open_rgb(path),
    "weights": lambda: read_state_dict(path),
}[sys.argv[1]]
np.zeros(2) @ np.zeros(2)
before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
try:
    read()
except BenchError as error:
    print(str(error).replace(str(path.parent), ""))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before >> 10, time.process_time() - start)
"""


class Runs:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.mark,)


def huge_result(folder: Path) -> Path:
    path = folder / "huge.json"
    with path.open("wb") as stream:
        stream.truncate(10**9)  # of zeros, which take no room on the disk
    return path


def deep_result(folder: Path) -> Path:
    path = folder / "deep.json"
    path.write_text('{"a":' * 10_000 + "1" + "}" * 10_000)
    return path


def npz_bomb(folder: Path) -> Path:
    path = folder / "bomb.npz"
    piece = bytes(1 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as stream:
        np.lib.format.write_array_header_1_0(
            stream, {"descr": "|u1", "fortran_order": False, "shape": (1500 << 20,)}
        )
        for _ in range(1500):
            stream.write(piece)
    return path


def header(shape: tuple[int, ...]) -> bytes:
    text = repr({"descr": "<f8", "fortran_order": False, "shape": shape}).encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def npz_that_lies(folder: Path) -> Path:
    path = folder / "lies.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", header((200_000, 10_000)) + bytes(80))
    return path


def npy_that_lies(folder: Path) -> Path:
    path = folder / "lies.npy"
    path.write_bytes(header((200_000, 10_000)) + bytes(80))
    return path


def large_image(folder: Path) -> Path:
    path = folder / "large.png"

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    size = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(150_001) * 20)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    return path


def npy_that_ends_as_an_archive(folder: Path) -> Path:
    """Its last bytes are the end of an empty archive; numpy reads it as an array by its first ones."""
    path = npy_that_lies(folder)
    path.write_bytes(path.read_bytes() + b"PK\x05\x06" + bytes(18))
    return path


def tensors(folder: Path, said: dict, length: int | None = None) -> Path:
    path = folder / "lies.safetensors"
    text = json.dumps(said).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + bytes(16))
    return path


def tensor_that_lies(folder: Path) -> Path:
    return tensors(folder, {"w": {"dtype": "F32", "shape": [10**6, 10**6], "data_offsets": [0, 4 * 10**12]}})


def tensor_of_another_size(folder: Path) -> Path:
    return tensors(folder, {"w": {"dtype": "F32", "shape": [10**5, 10**5], "data_offsets": [0, 16]}})


def long_header(folder: Path) -> Path:
    return tensors(folder, {}, 2**62)


def pickle_checkpoint(folder: Path) -> Path:
    path = folder / "runs.pt"
    path.write_bytes(pickle.dumps(Runs(folder / "ran")))
    return path


CASES = [
    ("result", huge_result, "/huge.json is not a result: it has more than 64 MiB"),
    ("result", deep_result, "/deep.json is not a result: Invalid JSON"),
    ("array", npz_bomb, "/bomb.npz: cannot be read as an array (it would unpack to 1.5 GiB)"),
    ("array", npz_that_lies, "promises an array of shape (200000, 10000), and holds 208 bytes"),
    ("array", npy_that_lies, "promises an array of shape (200000, 10000), and holds 208 bytes"),
    ("array", npy_that_ends_as_an_archive, "promises an array of shape (200000, 10000), and holds 230 bytes"),
    ("numbers", npz_bomb, "/bomb.npz: cannot be read as an array (it would unpack to 1.5 GiB)"),
    ("numbers", npy_that_lies, "promises an array of shape"),
    ("image", large_image, "/large.png: cannot be decoded as an image"),
    ("weights", tensor_that_lies, "/lies.safetensors: not a safetensors file"),
    ("weights", tensor_of_another_size, "/lies.safetensors: not a safetensors file"),
    ("weights", long_header, "/lies.safetensors: not a safetensors file"),
    ("weights", pickle_checkpoint, "/runs.pt: "),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "make", "said"), CASES)
def test_it_is_refused_in_bounded_time_and_memory(
    tmp_path: Path, kind: str, make: Callable[[Path], Path], said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", READ, kind, make(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    line, measured = done.stdout.splitlines()
    mebibytes, seconds = measured.split()
    assert said in line
    assert int(mebibytes) < 200
    assert float(seconds) < 10
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_archives_and_arrays_that_are_what_they_say_are_read(tmp_path: Path, save: Callable) -> None:
    arrays = {"a": np.zeros((500, 500)), "b": np.array(["é", "x"]), "c": np.array(3.0), "d": np.zeros((0, 4))}
    save(tmp_path / "whole.npz", **arrays)
    with load_array(tmp_path / "whole.npz") as found:
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
    np.save(tmp_path / "whole.npy", np.asfortranarray(np.ones((3, 2))))
    np.testing.assert_array_equal(load_array(tmp_path / "whole.npy", mmap_mode="r"), np.ones((3, 2)))


def test_arrays_of_objects_are_not_read(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        load_array(tmp_path / "objects.npy")
