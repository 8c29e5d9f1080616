"""The task rdm_partition on RDMs along an axis: unique variance at each time of the simulated MEG."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import squareform
from typer.testing import CliRunner

from benchmark.calibration import ArrayView, synthetic_stimuli
from benchmark.calibration.simulate import features_with_rdm
from benchmark.cli.app import app
from benchmark.datasets import Axis, DataRoot, RDMSeriesTarget, join
from benchmark.datasets.mini import structure
from benchmark.datasets.mini.areas import image_energy
from benchmark.measures import variance_partition
from benchmark.representation.curves import ROWS
from benchmark.runner import Options, Session

UPPER = np.triu_indices(48, 1)


@pytest.fixture(scope="module")
def meg() -> RDMSeriesTarget:
    return Session(Options()).target("mini_meg")


@pytest.fixture(scope="module")
def rdms() -> dict[str, np.ndarray]:
    """The two geometries of the simulation, and what an image control has: colours with noise."""
    rng = np.random.default_rng(9)
    late = sum(map(structure.standardise, (structure.category_rdm(), structure.form_rdm())))
    colour = image_energy(DataRoot("."))[0].reshape(48, -1)
    early = structure.cosine_distances(colour - colour.mean(axis=1, keepdims=True))
    noise = rng.normal(size=late.shape) * 1e-3
    np.fill_diagonal(noise, 0)
    late = late + noise + noise.T
    np.fill_diagonal(late, 0)
    return {"late": late, "early": early}


@pytest.fixture(scope="module")
def result(plugin, meg, rdms):
    features = {name: features_with_rdm(rdm) for name, rdm in rdms.items()}
    layers = {
        "late": features["late"],
        "control": 2.0 * features["early"] + 1.0,
        "unrelated": np.random.default_rng(0).normal(size=(48, 30)),
    }
    stimuli = synthetic_stimuli(meg.ids)
    reference = ArrayView(stimuli, {"layer": features["early"]})
    view = ArrayView(stimuli, layers, references={"image": reference})
    task = plugin("rdm_partition").RDMPartition()
    return task.score(view, join(stimuli, meg), {"beyond": ["image"]}, np.random.default_rng(0))


def row(result, layer: str, name: str) -> np.ndarray:
    return result.arrays[f"curve/{layer}"][ROWS.index(name)]


def test_a_place_of_the_curve_is_the_partition_of_its_rdms(meg, result, rdms):
    t = meg.axis.places.index(275.0)
    people = np.array([squareform(own.astype(float)) for own in meg.pairs[:, t]])
    parts = variance_partition(people, {"model": rdms["late"], "image": rdms["early"]})
    assert row(result, "late", "score")[t] == pytest.approx(parts.components[("model",)], abs=1e-4)


def test_semantics_are_unique_late_and_an_image_control_is_not_at_any_time(meg, result):
    times = np.array(meg.axis.places)
    significant = row(result, "late", "p") < 0.05
    assert not significant[times < 125].any()
    assert significant[(times >= 225) & (times <= 325)].all()
    assert abs(result.layers["late"].values["peak_latency"] - 275) <= 50
    for layer in ("control", "unrelated"):
        assert not (row(result, layer, "p") < 0.05).any()
        assert "onset" not in result.layers[layer].values
    assert row(result, "control", "score") == pytest.approx(0, abs=1e-6)
    assert result.layers["control"].p == 1


def test_the_score_is_of_the_mean_rdms_where_subjects_agree(meg, result):
    counted = result.arrays["axis_counted"]
    assert 0 < counted.sum() < len(meg.axis)
    low, high = result.ceiling["unique"]
    score = float(result.layers["late"].statistics["unique"](np.ones((1, 48)))[0])
    assert 0 < score < high
    assert low < high
    assert set(result.layers["late"].statistics) == {"unique", "shared", "total"}


def test_regions_and_one_subject(plugin, meg, rdms):
    one = replace(
        meg,
        pairs=meg.pairs[:1, [8, 15]],
        subjects=meg.subjects[:1],
        axis=Axis("region", ("early", "late")),
    )
    stimuli = synthetic_stimuli(meg.ids)
    image = ArrayView(stimuli, {"layer": features_with_rdm(rdms["early"])})
    view = ArrayView(stimuli, {"late": features_with_rdm(rdms["late"])}, references={"image": image})
    task = plugin("rdm_partition").RDMPartition()
    found = task.score(view, join(stimuli, one), {"beyond": ["image"]}, np.random.default_rng(0))
    early, late = row(found, "late", "score")
    assert early < late
    assert np.isnan(found.arrays["curve_ceiling"]).all()
    assert "one subject: there is no noise ceiling" in found.notes


@pytest.mark.slow
def test_from_a_suite_to_a_figure(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(
        "suites:\n  mine:\n    description: x\n    extends: mini\n    miniature: true\n    bindings:\n"
        "      beyond: {task: rdm_partition, stimuli: mini_images, target: mini_meg, "
        "params: {beyond: [pixels]}}\n"
    )
    for words in (
        "run --registry mine.yaml --suite mine --model mini_encoder --task beyond --layers default",
        "plot curve results/mine/beyond --output curve.svg",
    ):
        done = CliRunner().invoke(app, words.split())
        assert done.exit_code == 0, done.output
    assert "Unique variance" in (tmp_path / "curve.svg").read_text()
