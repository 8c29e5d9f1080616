"""THINGS' dimensions as responses: the numbers of the file, and a file that does not fit."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.common.errors import DataError
from benchmark.datasets import DataRoot
from benchmark.datasets.readers.things_dimensions import dimensions


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "things").mkdir()
    (tmp_path / "things/unique_id.txt").write_text("aardvark\nabacus\n")
    np.savetxt(tmp_path / "things/spose_embedding_3d_sorted.txt", [[0.5, 0.0, 1.0], [0.25, 2.0, 0.0]])
    return tmp_path


def test_a_channel_for_each_dimension(folder):
    target = dimensions(DataRoot(folder), name="own", dimensions=3)
    assert target.ids == ("aardvark", "abacus")
    assert target.channels == ("dimension 01", "dimension 02", "dimension 03")
    assert target.responses.tolist() == [[0.5, 0.0, 1.0], [0.25, 2.0, 0.0]]


def test_another_shape_is_refused(folder):
    (folder / "things/unique_id.txt").write_text("aardvark\nabacus\nabbey\n")
    with pytest.raises(DataError, match=r"shape \(2, 3\), expected \(3, 3\)"):
        dimensions(DataRoot(folder), name="own", dimensions=3)


def test_the_real_embedding(human_data):
    target = dimensions(DataRoot(human_data), name="things_dimensions")
    assert target.repeats.shape == (1854, 66, 1)
    assert target.responses.max() == pytest.approx(2.742, abs=1e-3)
