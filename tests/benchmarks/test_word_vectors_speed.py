"""2,000 words of a file of 400,000 x 300 word vectors, beside numpy, and gensim where it is installed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.datasets import DataRoot
from benchmark.datasets.readers.words import vectors

pytestmark = pytest.mark.benchmark

N, DIMENSIONS, WANTED = 400_000, 300, 2_000
#: Words that numpy reads: it takes minutes for all
PART = 4_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("glove")
    rng = np.random.default_rng(0)
    rows = [" ".join(f"{x:.5f}" for x in rng.normal(size=DIMENSIONS)) for _ in range(50)]
    with (folder / "glove.txt").open("w") as stream:
        stream.writelines(f"word{i} {rows[i % 50]}\n" for i in range(N))
    (folder / "list.txt").write_text("\n".join(f"word{i}" for i in range(0, N, N // WANTED)))
    yield folder
    (folder / "glove.txt").unlink()


def test_text_beside_numpy(beside: Any, folder: Path) -> None:
    def numpy_of_a_part() -> None:
        with (folder / "glove.txt").open() as lines:
            np.loadtxt(islice(lines, PART), usecols=range(1, DIMENSIONS + 1), dtype=np.float32)

    beside(
        "2,000 of 400,000 x 300 word vectors, GloVe text",
        "numpy.loadtxt of all",
        ours=lambda: vectors(DataRoot(folder), name="g", path="glove.txt", words="list.txt"),
        peer=numpy_of_a_part,
        at_least=5,
        rounds=2,
        peer_scale=N / PART,
    )


def test_text_beside_gensim(beside: Any, folder: Path) -> None:
    gensim = pytest.importorskip("gensim")
    load = gensim.models.KeyedVectors.load_word2vec_format
    part = 40_000
    beside(
        "2,000 of 400,000 x 300 word vectors, GloVe text",
        "gensim of all",
        ours=lambda: vectors(DataRoot(folder), name="g", path="glove.txt", words="list.txt"),
        peer=lambda: load(str(folder / "glove.txt"), no_header=True, limit=part),
        at_least=2,
        rounds=2,
        peer_scale=N / part,
    )


MEASURED = """
import resource, sys, time
from pathlib import Path
from benchmark.datasets import DataRoot
from benchmark.datasets.readers.words import vectors
start = time.perf_counter()
found = vectors(DataRoot(Path(sys.argv[1])), name="g", path="glove.txt", words="list.txt")
print(len(found.ids), time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def test_time_and_memory(folder: Path) -> None:
    """A whole process, its imports and the hash of the file included."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(folder)], capture_output=True, text=True, check=True
    )
    words, seconds, mib = map(float, done.stdout.split())
    print(f"{words:.0f} words in {seconds:.1f} s and {mib:.0f} MiB")
    assert words == WANTED
    assert seconds < 15
    assert mib < 300
