"""Files that are made to harm: each is refused with one line, at once and in little memory."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from unittest import mock

import h5py
import numpy as np
import pytest

from benchmark.common.arrays import load_array
from benchmark.common.errors import BenchError
from benchmark.datasets.readers.files import read_array
from benchmark.datasets.readers.hdf5_files import read_hdf5
from benchmark.datasets.readers.matlab_files import require_bounded
from benchmark.datasets.readers.number_files import read_number_file

#: Reads each file that a line names, in a process of its own; says what it took, and the error
READ = """
import os, resource, sys, time
from pathlib import Path

import numpy as np

from benchmark.common.errors import BenchError
from benchmark.datasets.readers.files import read_array
from benchmark.datasets.readers.image_files import open_rgb
from benchmark.datasets.readers.number_files import read_number_file
from benchmark.datasets.readers.words import read_vectors
from benchmark.extraction import read_state_dict
from benchmark.results import ResultStore

READERS = {
    "result": lambda path: ResultStore(path.parent).read(path),
    "array": lambda path: read_array(path, "a"),
    "numbers": read_number_file,
    "vectors": read_vectors,
    "image": open_rgb,
    "weights": read_state_dict,
}


def measured(read, path):
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    said = "read"
    try:
        read(path)
    except BenchError as error:
        said = str(error).replace(str(path.parent), "")
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before >> 10
    print(growth, time.process_time() - start, said, flush=True)


for line in sys.stdin:
    kind, path = line.split()
    child = os.fork()
    if child == 0:
        measured(READERS[kind], Path(path))
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print("0 0 crashed", flush=True)
"""


@pytest.fixture(scope="module")
def reading() -> Iterator[subprocess.Popen[str]]:
    """A process that has the readers imported, and forks one for each file."""
    with subprocess.Popen(
        [sys.executable, "-c", READ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


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


def packed_line(folder: Path) -> Path:
    """A line of 1.5 GiB; the file has a thousandth of it."""
    path = folder / "line.txt.gz"
    path.write_bytes(gzip.compress(b"a" * (1 << 20)) * 1500)
    return path


def packed_word(folder: Path) -> Path:
    path = folder / "word.bin.gz"
    path.write_bytes(gzip.compress(b"1000000000 300\n") + gzip.compress(b"a" * (1 << 20)) * 1500)
    return path


def one_word_again(folder: Path) -> Path:
    path = folder / "again.txt.gz"
    path.write_bytes(gzip.compress(b"dog 1 2\n" * (1 << 17)) * 1500)
    return path


def many_dimensions(folder: Path) -> Path:
    path = folder / "wide.bin"
    path.write_bytes(b"2 100000000000\ndog " + bytes(100))
    return path


def empty_hdf5(folder: Path, name: str = "lies.h5") -> Path:
    """10^12 numbers of which none is stored."""
    path = folder / name
    with h5py.File(path, "w") as file:
        item = file.create_dataset("a", (10**6, 10**6), "f8", chunks=(1000, 1000), compression="gzip")
        if name.endswith(".mat"):
            item.attrs["MATLAB_class"] = b"double"
    return path


def matlab_7_3(folder: Path) -> Path:
    path = empty_hdf5(folder, "lies.mat")
    content = bytearray(512)  # MATLAB writes its own header before that of HDF5
    content[:19] = b"MATLAB 7.3 MAT-file"
    content[124:128] = b"\x00\x02IM"
    path.write_bytes(bytes(content) + path.read_bytes())
    return path


def packed_zeros(start: bytes, mebibytes: int) -> bytes:
    """``start`` and so many MiB of zeros, packed; the checksum at the end is missing."""
    pack = zlib.compressobj()
    first = pack.compress(start) + pack.flush(zlib.Z_FULL_FLUSH)
    # after a full flush what follows does not depend on what was before
    return first + (pack.compress(bytes(1 << 20)) + pack.flush(zlib.Z_FULL_FLUSH)) * mebibytes


def chunk_that_lies(folder: Path) -> Path:
    """A chunk of 800 bytes that unpacks to 1.5 GiB."""
    path = folder / "chunk.h5"
    packed = packed_zeros(b"", 1500)
    with h5py.File(path, "w") as file:
        item = file.create_dataset("a", (10, 10), "f8", chunks=(10, 10), compression="gzip")
        item.id.write_direct_chunk((0, 0), packed)
    return path


def wide_chunk(folder: Path) -> Path:
    path = folder / "wide.h5"
    with h5py.File(path, "w") as file:
        item = file.create_dataset("a", (10, 10), "f8", chunks=(1 << 14, 1 << 14), maxshape=(None, None))
        assert item.chunks == (1 << 14, 1 << 14)
    return path


def matlab(folder: Path, shape: tuple[int, int], mebibytes: int) -> Path:
    """A packed variable of version 5 that says its ``shape``, and holds ``mebibytes`` of zeros."""
    path, size = folder / "bomb.mat", mebibytes << 20
    flags = struct.pack("<IIII", 6, 8, 6, 0) + struct.pack("<IIii", 5, 8, *shape)
    inside = flags + struct.pack("<HHI", 1, 1, ord("a")) + struct.pack("<II", 9, size)
    packed = packed_zeros(struct.pack("<II", 14, len(inside) + size) + inside, mebibytes)
    start = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM"
    path.write_bytes(start + struct.pack("<II", 15, len(packed)) + packed)
    return path


def matlab_bomb(folder: Path) -> Path:
    return matlab(folder, (1 << 14, 12_000), 1500)


def matlab_that_lies(folder: Path) -> Path:
    """The variable has four numbers by its shape, and 1.5 GiB by its length."""
    return matlab(folder, (2, 2), 1500)


def matlab_of_another_shape(folder: Path) -> Path:
    return matlab(folder, (10**6, 10**6), 1)


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
    ("numbers", empty_hdf5, "/lies.h5, array '/a': promises an array of shape (1000000, 1000000), and"),
    ("numbers", matlab_7_3, "/lies.mat, array '/a': promises an array of shape (1000000, 1000000), and"),
    ("numbers", chunk_that_lies, "cannot be read (a chunk unpacks to more than 800 bytes, its size)"),
    ("numbers", wide_chunk, "/wide.h5, array '/a': promises an array of shape (10, 10), and the file has"),
    ("numbers", matlab_bomb, "bytes, and would unpack to more than 1.0 GiB"),
    ("numbers", matlab_that_lies, "bytes, and would unpack to more than 1.0 GiB"),
    ("numbers", matlab_of_another_shape, "/bomb.mat: cannot be read as a MATLAB file"),
    ("vectors", packed_line, "/line.txt.gz, line 1: has more than 1,048,576 characters"),
    ("vectors", packed_word, "/word.bin.gz: word 1 has more than 1,048,576 bytes"),
    ("vectors", one_word_again, "/again.txt.gz: word 'dog' occurs twice"),
    ("vectors", many_dimensions, "/wide.bin: promises 100,000,000,000 dimensions, more than 1,048,576"),
    ("image", large_image, "/large.png: cannot be decoded as an image"),
    ("weights", tensor_that_lies, "/lies.safetensors: not a safetensors file"),
    ("weights", tensor_of_another_size, "/lies.safetensors: not a safetensors file"),
    ("weights", long_header, "/lies.safetensors: not a safetensors file"),
    ("weights", pickle_checkpoint, "/runs.pt: "),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "make", "said"), CASES)
def test_it_is_refused_in_bounded_time_and_memory(
    tmp_path: Path, reading: subprocess.Popen[str], kind: str, make: Callable[[Path], Path], said: str
) -> None:
    print(kind, make(tmp_path), file=reading.stdin, flush=True)
    assert reading.stdout is not None
    mebibytes, seconds, line = reading.stdout.readline().split(maxsplit=2)
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


@pytest.mark.parametrize("packing", [{"scaleoffset": 0}, {"shuffle": True, "fletcher32": True}])
def test_an_array_that_is_packed_in_the_usual_ways_is_read(tmp_path: Path, packing: dict) -> None:
    values = np.arange(2500).reshape(50, 50)
    with h5py.File(tmp_path / "packed.h5", "w") as file:
        file.create_dataset("x", data=values, compression="gzip", **packing)
    np.testing.assert_array_equal(read_hdf5(tmp_path / "packed.h5"), values)


def test_a_matlab_file_of_version_73_is_left_to_its_own_reader(tmp_path: Path) -> None:
    path = tmp_path / "large.mat"
    path.write_bytes(b"MATLAB 7.3".ljust(124) + b"\x00\x02IM" + bytes(2**20))
    with mock.patch("benchmark.datasets.readers.matlab_files.struct.unpack", wraps=struct.unpack) as unpacked:
        require_bounded(path)
    assert unpacked.call_count == 1  # the version, and no tag


def test_arrays_of_objects_are_not_read(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        load_array(tmp_path / "objects.npy")


@pytest.mark.parametrize("name", ["lies.npy", "lies.npz"])
def test_an_array_and_an_archive_are_told_apart_by_their_names(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        np.savez(file, a=np.eye(3)) if name == "lies.npy" else np.save(file, np.eye(3))
    with pytest.raises(ValueError, match="its name ends as that of an a"):
        load_array(path)
    for read in (partial(read_array, key="a"), read_number_file):
        with pytest.raises(BenchError, match="its name ends as that of an a") as said:
            read(path)
        assert len(str(said.value).splitlines()) == 1


@pytest.mark.parametrize("place, value, said", [(6, 64, "zip file version"), (8, 1 << 6, "encrypt")])
def test_an_archive_of_a_kind_that_is_not_read_is_refused(
    tmp_path: Path, place: int, value: int, said: str
) -> None:
    path = tmp_path / "odd.npz"
    np.savez(path, a=np.eye(3))
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    # in the header of the member, and in the directory
    content[place - 2] = content[directory + place] = value
    path.write_bytes(content)
    for read in (partial(read_array, key="a"), read_number_file):
        with pytest.raises(BenchError, match=said):
            read(path)
