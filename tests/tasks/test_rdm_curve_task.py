"""The task rdm_curve on the simulated MEG of the miniature, whose truth is known; from file to figure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr
from typer.testing import CliRunner

from benchmark.calibration import ArrayView, synthetic_stimuli
from benchmark.calibration.simulate import features_with_rdm
from benchmark.cli.app import app
from benchmark.common.errors import NotPossible
from benchmark.datasets import Axis, RDMSeriesTarget, join
from benchmark.datasets.mini import structure
from benchmark.representation.curves import ROWS
from benchmark.runner import Options, Session

UPPER = np.triu_indices(48, 1)


@pytest.fixture(scope="module")
def meg() -> RDMSeriesTarget:
    return Session(Options()).target("mini_meg")


def late_rdm() -> np.ndarray:
    """Category and form, without ties: float32 features would break them."""
    rdm = structure.standardise(structure.category_rdm()) + structure.standardise(structure.form_rdm())
    rdm += 1e-3 * np.random.default_rng(9).normal(size=rdm.shape)
    rdm = rdm + rdm.T
    np.fill_diagonal(rdm, 0)
    return rdm


def scored(plugin, target, features, **params):
    stimuli = synthetic_stimuli(target.ids)
    task = plugin("rdm_curve").RDMCurve()
    return task.score(ArrayView(stimuli, features), join(stimuli, target), params, np.random.default_rng(0))


@pytest.fixture(scope="module")
def result(plugin, meg):
    rng = np.random.default_rng(0)
    return scored(
        plugin,
        meg,
        {
            "late": features_with_rdm(late_rdm()),
            "unrelated": rng.normal(size=(48, 30)),
            "flat": np.ones((48, 3)),
        },
    )


def row(plugin, result, layer: str, name: str) -> np.ndarray:
    return result.arrays[f"curve/{layer}"][ROWS.index(name)]


def test_the_curve_is_the_mean_of_scipy_over_subjects(plugin, meg, result):
    rdm = late_rdm()[UPPER]
    expected = [np.mean([spearmanr(rdm, own)[0] for own in meg.pairs[:, t]]) for t in range(len(meg.axis))]
    assert row(plugin, result, "late", "score") == pytest.approx(expected, abs=1e-5)


def test_semantics_are_found_late_and_not_before_the_picture(plugin, meg, result):
    times = np.array(meg.axis.places)
    significant = row(plugin, result, "late", "p") < 0.05
    assert not significant[times < 100].any()
    assert significant[(times >= 225) & (times <= 325)].all()
    values = result.layers["late"].values
    assert abs(values["peak_latency"] - 275) <= 50
    assert values["onset_low"] <= values["onset"] <= values["onset_high"] < values["peak_latency"]
    assert "onset" not in result.layers["unrelated"].values
    assert "constant" in result.layers["flat"].undefined


def test_the_score_is_over_times_of_agreement_that_no_model_decides(plugin, meg, result):
    counted = result.arrays["axis_counted"]
    times = np.array(meg.axis.places)
    assert not counted[(times < 0) | (times > 500)].any()
    assert counted[np.isin(times, [100, 275])].all()
    other = scored(plugin, meg, {"other": np.random.default_rng(1).normal(size=(48, 5))})
    assert (other.arrays["axis_counted"] == counted).all()
    low, high = result.ceiling["spearman"]
    assert 0 < low < high < 1


def test_intervals_over_concepts_change_no_score(plugin, meg, result):
    features = {"late": features_with_rdm(late_rdm())}
    other = scored(plugin, meg, features, population="concepts")
    assert row(plugin, other, "late", "score") == pytest.approx(row(plugin, result, "late", "score"))
    wide, narrow = (row(plugin, r, "late", "high") - row(plugin, r, "late", "low") for r in (other, result))
    assert not np.allclose(wide, narrow)
    assert (wide > 0).all()


def test_regions_have_false_discovery_rates_and_no_latency(plugin, meg):
    regions = replace(meg, pairs=meg.pairs[:, [8, 15]], axis=Axis("region", ("early", "late")))
    found = scored(plugin, regions, {"late": features_with_rdm(late_rdm())})
    assert row(plugin, found, "late", "p") == pytest.approx(row(plugin, found, "late", "p_fdr"))
    assert "onset" not in found.layers["late"].values


def test_few_subjects_are_tested_over_concepts_and_said_so(plugin, meg):
    three = replace(meg, pairs=meg.pairs[:3], subjects=meg.subjects[:3])
    found = scored(plugin, three, {"noise": np.random.default_rng(0).normal(size=(48, 9))})
    assert np.isnan(row(plugin, found, "noise", "p_subjects")).all()
    assert found.arrays["axis_counted"].all()
    assert any("every place counts" in note for note in found.notes)


def test_subjects_with_nothing_in_common_have_no_score(plugin, meg):
    noise = np.random.default_rng(3).normal(size=meg.pairs.shape)
    with pytest.raises(NotPossible, match="have anything in common"):
        scored(plugin, replace(meg, pairs=noise), {"noise": np.random.default_rng(0).normal(size=(48, 9))})


def test_from_a_file_to_a_figure(meg, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("meg.npy", structure_squares(meg)[:, 4:20:3])
    (tmp_path / "ids.txt").write_text("\n".join(meg.ids))

    def bench(*words: str) -> str:
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == 0, done.output
        return done.output

    shown = bench(
        *("data", "new", "rdm", "mine", "meg.npy", "--ids", "ids.txt", "--times=0:75:375"),
        *("--stimuli", "mini_images"),
    )
    assert "axis: time, 6 places (0 ms to 375 ms)" in shown
    assert (tmp_path / "mine.preview.png").stat().st_size > 1000
    bench("run", "--registry", "mine.yaml", "--model", "pixels", "--target", "mine")
    bench("plot", "curve", "results/mine/mine_rdm_curve", "--output", "curve.svg")
    drawn = (tmp_path / "curve.svg").read_text()
    assert "time (ms)" in drawn
    assert "MINIATURE" in drawn


def structure_squares(meg: RDMSeriesTarget) -> np.ndarray:
    squares = np.zeros((*meg.pairs.shape[:2], 48, 48))
    squares[:, :, UPPER[0], UPPER[1]] = squares[:, :, UPPER[1], UPPER[0]] = meg.pairs
    return squares


def test_the_curve_is_that_of_rsatoolbox(plugin, meg, result):
    from rsatoolbox.rdm import RDMs, compare

    model = RDMs(late_rdm()[None])
    expected = [compare(model, RDMs(meg.pairs[:, t].astype(float)), "spearman").mean() for t in range(29)]
    assert row(plugin, result, "late", "score") == pytest.approx(expected, abs=1e-5)
