"""RDMs of responses: against rsatoolbox from single trials, what halves hold, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from benchmark.common.errors import NotPossible, UsageError
from benchmark.datasets import DataRoot, ResponseTarget
from benchmark.datasets.readers.response_files import response_file_rdms
from benchmark.datasets.response_rdms import noise_precision, response_rdms

N, C, R = 9, 5, 4


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def neurons(rng):
    mixing = np.eye(C) + 0.4 * rng.standard_normal((C, C))
    noise = np.einsum("nrc,cd->ndr", rng.standard_normal((N, R, C)), mixing)
    repeats = 2 * rng.standard_normal((N, C, 1)) + noise
    return ResponseTarget(
        "neurons",
        tuple(f"i{i}" for i in range(N)),
        "h",
        repeats=repeats,
        channels=tuple("abcde"),
        subjects=("x", "x", "x", "y", "y"),
    )


def test_crossnobis_is_that_of_rsatoolbox_from_single_trials(neurons):
    from rsatoolbox.data import Dataset
    from rsatoolbox.data.noise import prec_from_unbalanced
    from rsatoolbox.rdm import calc_rdm

    trials = neurons.repeats.transpose(0, 2, 1).reshape(-1, C)
    dataset = Dataset(
        trials,
        obs_descriptors={"image": np.repeat(np.arange(N), R), "run": np.tile(np.arange(R), N)},
    )
    noise = prec_from_unbalanced(dataset, "image", method="shrinkage_diag")
    np.testing.assert_allclose(noise_precision(neurons.repeats), noise, rtol=1e-8)
    oracle = calc_rdm(dataset, "crossnobis", "image", noise=noise, cv_descriptor="run")
    found = response_rdms(neurons, "r", "h", "crossnobis")
    np.testing.assert_allclose(found.rdms[0], oracle.get_matrices()[0], atol=1e-10)


def test_crossnobis_of_noise_is_zero_on_average_and_keeps_negative_values(rng):
    noise = ResponseTarget(
        "noise",
        tuple(map(str, range(60))),
        "h",
        repeats=rng.standard_normal((60, 8, 6)),
        channels=tuple("abcdefgh"),
    )
    pairs = squareform(response_rdms(noise, "r", "h", "crossnobis").rdms[0], checks=False)
    assert (pairs < 0).any()
    assert abs(pairs.mean()) < 4 * pairs.std() / np.sqrt(60)


@pytest.mark.parametrize("metric", ["correlation", "euclidean"])
def test_channels_of_high_rates_do_not_decide(neurons, metric):
    means = neurons.repeats.mean(axis=2)
    scaled = (means - means.mean(axis=0)) / means.std(axis=0)
    found = response_rdms(neurons, "r", "h", metric)
    np.testing.assert_allclose(found.rdms[0], squareform(pdist(scaled, metric)), atol=1e-12)
    louder = ResponseTarget(
        "l",
        neurons.ids,
        "h",
        repeats=neurons.repeats * [[[9]], [[1]], [[1]], [[1]], [[1]]][0],
        channels=neurons.channels,
    )
    np.testing.assert_allclose(response_rdms(louder, "r", "h", metric).rdms, found.rdms, atol=1e-12)


def test_halves_share_no_repeat_and_missing_ones_are_skipped(neurons):
    halves = response_rdms(neurons, "r", "h", split="halves")
    assert halves.subjects == ("first half", "second half")
    for half, rows in zip(halves.rdms, (slice(0, None, 2), slice(1, None, 2)), strict=True):
        own = ResponseTarget(
            "o", neurons.ids, "h", repeats=neurons.repeats[:, :, rows], channels=neurons.channels
        )
        np.testing.assert_allclose(half, response_rdms(own, "r", "h").rdms[0])
    padded = np.concatenate([np.full((N, C, 1), np.nan), neurons.repeats], axis=2)
    same = ResponseTarget("p", neurons.ids, "h", repeats=padded, channels=neurons.channels)
    np.testing.assert_allclose(response_rdms(same, "r", "h", split="halves").rdms, halves.rdms)


def test_subjects_have_their_channels(neurons):
    found = response_rdms(neurons, "r", "h", "euclidean", "subjects")
    assert found.subjects == ("x", "y")
    own = ResponseTarget("o", neurons.ids, "h", repeats=neurons.repeats[:, 3:], channels=("d", "e"))
    np.testing.assert_allclose(found.rdms[1], response_rdms(own, "r", "h", "euclidean").rdms[0])


def test_says_what_is_wrong(neurons):
    one = ResponseTarget("o", neurons.ids, "h", repeats=neurons.repeats[:, :, :1], channels=neurons.channels)
    for more in ({"split": "halves"}, {"metric": "crossnobis"}):
        with pytest.raises(NotPossible, match="has 1 of the 2 repeats that are needed"):
            response_rdms(one, "r", "h", **more)
    with pytest.raises(NotPossible, match="not known"):
        response_rdms(one, "r", "h", split="subjects")
    single = ResponseTarget("o", neurons.ids, "h", repeats=neurons.repeats[:, :1], channels=("1",))
    with pytest.raises(
        NotPossible, match=r"constant features: correlation undefined .*; take another metric"
    ):
        response_rdms(single, "r", "h")
    with pytest.raises(UsageError, match="expected one of correlation"):
        response_rdms(one, "r", "h", "cosine")


def test_from_a_file(tmp_path, neurons):
    np.save(tmp_path / "a.npy", neurons.repeats)
    (tmp_path / "ids.txt").write_text("\n".join(neurons.ids))
    params = {"file": "a.npy", "ids": "ids.txt", "metric": "crossnobis", "split": "halves"}
    found = response_file_rdms(DataRoot(tmp_path), name="r", **params)
    np.testing.assert_allclose(found.rdms, response_rdms(neurons, "r", "h", "crossnobis", "halves").rdms)
    assert response_file_rdms.hash_of(DataRoot(tmp_path), name="r", **params) == found.hash
    other = response_file_rdms.hash_of(DataRoot(tmp_path), name="r", **{**params, "metric": "correlation"})
    assert other != found.hash
