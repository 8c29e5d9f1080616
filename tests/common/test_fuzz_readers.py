"""Damaged files of every kind give data or an error of one line: registry, results, RDMs, norms.

``BENCH_FUZZ=20000 python -m pytest tests/common/test_fuzz_readers.py`` tries as many files of each kind.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.common.errors import BenchError
from benchmark.datasets import DataRoot
from benchmark.datasets.readers.norms import associations, cslb
from benchmark.datasets.readers.property_tables import buchanan, mcrae
from benchmark.datasets.readers.rdm_files import rdm_files
from benchmark.datasets.readers.triplet_files import triplet_file
from benchmark.datasets.readers.words import vectors
from benchmark.registry import read_registry
from benchmark.results import CellResult, ResultStore

EXAMPLES = int(os.environ.get("BENCH_FUZZ", "25"))


def saved(save: Callable, *arrays: np.ndarray, **named: np.ndarray) -> bytes:
    stream = io.BytesIO()
    save(stream, *arrays, **named)
    return stream.getvalue()


SQUARE = np.array([[0.0, 1, 2, 3], [1, 0, 4, 5], [2, 4, 0, 6], [3, 5, 6, 0]])
NAMES = np.array(["a", "b", "c", "d"])
TABLE = ",a,b,c,d\na,0,1,2,3\nb,1,0,4,5\nc,2,4,0,6\nd,3,5,6,0\n"
RESULT = CellResult(model="m", task="t", binding="b", suite="s", status="failed", reason="why")


def rdms(folder: Path, file: str) -> object:
    (folder / "ids.txt").write_text("a\nb\nc\nd\n")
    ids = "ids.txt" if file.endswith("npy") else None
    return rdm_files(DataRoot(folder), name="x", files=[file], ids=ids)


def reader(read: Callable) -> Callable[[Path, str], object]:
    return lambda folder, file: read(DataRoot(folder), name="x", path=file)


#: File, its content, and what reads it
KINDS: dict[str, tuple[str, bytes, Callable[[Path, str], object]]] = {
    "registry": (
        "r.yaml",
        b"models:\n  m: {plugin: p.py:P, description: d, params: {a: [1, 2.5]}}\n"
        b"datasets:\n  x: {kind: stimuli, plugin: p.py:x}\n",
        lambda folder, file: read_registry([folder / file]),
    ),
    "result": (
        "m.json",
        RESULT.model_dump_json().encode(),
        lambda folder, file: ResultStore(folder).read(folder / file),
    ),
    "npy": ("r.npy", saved(np.save, SQUARE), rdms),
    "npz": ("r.npz", saved(np.savez, rdm=SQUARE, ids=NAMES), rdms),
    "packed npz": ("r.npz", saved(np.savez_compressed, rdm=SQUARE, ids=NAMES), rdms),
    "csv": ("r.csv", TABLE.encode(), rdms),
    "associations": (
        "n.csv",
        b"cue\tresponse\tR1\tN\tR1.Strength\ndog\tcat\t3\t5\t.6\ndog\tbone\t2\t5\t.4\n",
        reader(associations),
    ),
    "cslb": (
        "n.dat",
        b"domain\tfeature type\tconcept\tfeature\tpf\tfeature alternatives\tparticipant list\r\n"
        b"animal\tvisual\tdog\thas_legs\t7\tlegs\t1 2 3\r\n",
        reader(cslb),
    ),
    "mcrae": (
        "n.txt",
        b"Concept\tFeature\tProd_Freq\tBR_Label\ndog\thas_legs\t7\tvisual-motion\n",
        reader(mcrae),
    ),
    "buchanan": (
        "n.csv",
        b"cue,feature,translated,frequency_translated,n\ndog,legs,leg,7,30\n",
        reader(buchanan),
    ),
    "vectors": ("v.txt", b"2 3\ndog 1 2 3\ncat .5 1e3 -2\n", reader(vectors)),
    "triplets": ("t.csv", b"a,b,c\nb,a,c\n", reader(triplet_file)),
}

TEXTS = ["\0", "\n", "\r", '"', ",", "\t", ";"]
TEXTS += ["nan", "inf", "-1", "1e400", "9" * 30, "{", "]", "(", "é", "<f8", "|O", "|S0"]
PIECES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([*map(str.encode, TEXTS), b"\xff\xfe", b"\xef\xbb\xbf", b"PK\x05\x06"]),
)
DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 8), PIECES), min_size=0, max_size=6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    file, content, read = KINDS[kind]

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(damage=DAMAGE, kept=st.floats(0, 1) | st.just(1.0))
    def check(damage: list[tuple[float, int, bytes]], kept: float) -> None:
        damaged = bytearray(content)
        for place, dropped, piece in damage:
            start = int(place * len(damaged))
            damaged[start : start + dropped] = piece
        (tmp_path / file).write_bytes(damaged[: round(kept * len(damaged))])
        said = ""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                read(tmp_path, file)
        except BenchError as error:
            said = str(error)
        assert len(said.splitlines()) <= 1
        assert len(said) < 2000

    check()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "result"])
def test_the_file_without_damage_is_read(tmp_path: Path, kind: str) -> None:
    file, content, read = KINDS[kind]
    (tmp_path / file).write_bytes(content)
    read(tmp_path, file)
