"""Figures for a paper, from results alone."""

from __future__ import annotations

import numpy as np
import pytest
from test_page import HOSTILE, cell

from benchmark.common.errors import DataError
from benchmark.leaderboard.figures import differences, plans, profiles, rdms, similarities
from benchmark.leaderboard.figures.style import COLUMN, PAGE
from benchmark.leaderboard.order import order_of
from benchmark.results import ResultStore

NAMES = ("cat", "car", "dog", "bus")


def arrays(seed=0, **more):
    rng = np.random.default_rng(seed)
    return {
        "concepts": np.array(NAMES),
        "categories": np.array(["animal", "vehicle", "animal", ""]),
        "rdm/two": rng.random(6).astype(np.float32),
        "target_rdm": rng.random(6).astype(np.float32),
        "plan/two": np.full((4, 4), 1 / 16, dtype=np.float32),
        **more,
    }


def words(figure):
    return " ".join(text.get_text() for text in figure.findobj(lambda one: hasattr(one, "get_text")))


def test_concepts_are_sorted_by_category_and_those_without_one_come_last():
    order, categories, how = order_of(arrays())
    assert [NAMES[i] for i in order] == ["cat", "dog", "car", "bus"]
    assert categories == ["animal", "animal", "vehicle", ""]
    assert "category" in how


def test_an_rdm_is_drawn_in_the_order_of_the_categories_as_ranks():
    kept = arrays(**{"rdm/two": np.array([1, 2, 3, 4, 5, 6], dtype=np.float32)})
    figure = rdms([(cell(), kept)])
    people, model = (panel for panel in figure.axes[:2])
    shown = np.asarray(model.get_images()[0].get_array())
    # cat and dog, the second pair of the upper triangle, stand beside each other
    assert shown[0, 1] == pytest.approx(1 / 5)
    assert people.get_title(loc="left") == "people (mean)"


def test_what_a_result_does_not_keep_is_said():
    with pytest.raises(DataError, match="keeps no RDM"):
        rdms([(cell(), {"concepts": np.array(NAMES)})])
    with pytest.raises(DataError, match="keeps no transport plan"):
        plans([(cell(), {"concepts": np.array(NAMES)})])
    with pytest.raises(DataError, match="run it again"):
        differences([cell("a"), cell("b")])


def test_models_on_other_concepts_share_no_figure():
    other = arrays(concepts=np.array(["a", "b", "c", "d"]))
    with pytest.raises(DataError, match="other concepts"):
        similarities([(cell("a"), arrays()), (cell("b"), other)])


def test_models_with_one_rdm_share_a_label_on_the_map():
    other = arrays(**{"rdm/two": np.float16([0.9, 0.1, 0.5, 0.3, 0.7, 0.2])})
    figure = similarities([(cell("a"), arrays()), (cell("b"), other), (cell("c"), arrays())])
    # 1 is the RDM of people
    labels = [text.get_text() for text in figure.axes[1].texts]
    assert sorted(n for label in labels for n in label.split(", ")) == ["1", "2", "3", "4"]
    assert any("2, 4" in label for label in labels)


def test_the_plan_of_categories_is_the_mean_over_their_concepts():
    plan = np.eye(4, dtype=np.float32)[[1, 0, 2, 3]]  # cat and car are exchanged
    figure = plans([(cell(), arrays(**{"plan/two": plan}))])
    shown = np.asarray(figure.axes[1].get_images()[0].get_array())
    np.testing.assert_allclose(shown, [[0.5, 0.5], [1, 0]])


def test_sizes_are_those_of_a_journal_and_the_miniature_says_so():
    assert profiles([cell()]).get_figwidth() == COLUMN
    wide = profiles([cell(), cell(binding="area_late_rdm")])
    assert wide.get_figwidth() == PAGE
    assert "MINIATURE" in words(wide)


def test_paired_differences_show_p_and_its_correction():
    changes = ((0.01, -0.01) * 32, (0.001, -0.001) * 32)
    still = ((0.0,) * 64, (0.0,) * 64)
    figure = differences([cell("a", 0.5, perturbed=changes), cell("b", 0.3, perturbed=still)])
    assert "p < .001; corrected < .001; n 48" in words(figure)


@pytest.mark.parametrize("ending", ["pdf", "svg", "png"])
def test_the_command_writes_each_format_and_a_name_is_no_markup(bench, tmp_path, ending):
    ResultStore(tmp_path / "results").write(cell(HOSTILE + " $x$"), arrays())
    done = bench("plot", "rdm", tmp_path / "results" / "mini", "--output", tmp_path / f"figure.{ending}")
    assert done.status == 0
    written = (tmp_path / f"figure.{ending}").read_bytes()
    assert written.startswith({"pdf": b"%PDF", "svg": b"<?xml", "png": b"\x89PNG"}[ending])


def test_results_of_two_suites_share_no_figure(bench, tmp_path):
    store = ResultStore(tmp_path / "results")
    store.write(cell())
    store.write(cell(suite="human", binding="hit_rdm"))
    done = bench("plot", "profile", tmp_path / "results", "--output", tmp_path / "figure.pdf")
    assert done.status == 2
    assert "2 suites" in done.err
