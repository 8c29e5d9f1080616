"""What a model's page shows of arrays: RDMs, plans, mistakes, profiles, maps, and what is passed on."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from scipy.spatial.distance import squareform
from scipy.stats import spearmanr
from test_page import build, cell, data

from benchmark.leaderboard import build_page
from benchmark.leaderboard.shown import shown, small
from benchmark.registry import load_registry
from benchmark.results import ResultStore

NAMES = ("cat", "car", "dog", "bus")


def arrays(seed=0, **more):
    rng = np.random.default_rng(seed)
    return {
        "concepts": np.array(NAMES),
        "categories": np.array(["animal", "vehicle", "animal", "vehicle"]),
        "rdm/one": rng.random(6).astype(np.float32),
        "rdm/two": rng.random(6).astype(np.float32),
        "target_rdm": rng.random(6).astype(np.float32),
        "bootstrap_draws": rng.random(10),
        **more,
    }


def plan(shift):
    """Each concept is matched with that ``shift`` places on."""
    columns = (np.arange(4)[:, None] + shift + np.arange(4)) % 4
    return {
        "plan/two": np.eye(4, dtype=np.float32)[columns[:, 0]] / 4,
        "likeliest/two": columns.astype(np.int32),
        "probability/two": np.tile(np.float32([0.7, 0.2, 0.1, 0]), (4, 1)),
        "sweep/two": np.array([[0.01, 0, 0.5, 0.25, 0.5, 1], [0.1, 1, 0.7, 0, 0.5, 1]]),
    }


def numbers(text):
    return np.frombuffer(base64.b64decode(text), np.uint8)


def test_an_rdm_is_ranks_in_the_order_of_the_categories():
    found = shown(cell(), arrays(**{"rdm/two": np.float32([1, 2, 3, 4, 5, np.nan])}))["rdm"]
    assert found["concepts"] == ["cat", "dog", "car", "bus"]
    # cat-dog, cat-car, cat-bus, dog-car, dog-bus, car-bus: ranks 2, 1, 3, 4, undefined, 5 of 5
    assert numbers(found["model"]).tolist() == [64, 0, 127, 190, 255, 254]


def test_a_plan_has_its_matches_and_solutions_in_the_order_that_is_shown():
    found = shown(cell(), arrays(**plan(1)))["plan"]
    # cat -> car, dog -> bus, car -> dog, bus -> cat
    assert numbers(found["shares"]).reshape(4, 4).argmax(axis=1).tolist() == [2, 3, 1, 0]
    assert [row[0] for row in found["likeliest"]] == [2, 3, 1, 0]
    assert found["probability"][0] == [0.7, 0.2, 0.1, 0.0]
    assert found["solutions"] == [[0.01, 0.5, 0.25, 0.5], [0.1, 0.7, 0.0, 0.5]]


def test_mistakes_of_one_kind_are_one_row_with_their_mean_in_each_layer():
    found = shown(
        cell(),
        {
            "concepts": np.array(NAMES),
            "true": np.array(["cat", "cat", "bus"]),
            "taken_for": np.array(["dog", "dog", "car"]),
            "outcomes/one": np.float32([1, 0, 0.5]),
            "outcomes/two": np.float32([1, 1, 0]),
        },
    )["mistakes"]
    assert found == {
        "layers": ["one", "two"],
        "rows": [["cat", "dog", 2, 0.5, 1.0], ["bus", "car", 1, 0.5, 0.0]],
    }


def test_profiles_keep_their_strengths_and_what_was_held_out():
    found = shown(
        cell(),
        {
            "concepts": np.array(["cat", "car"]),
            "held_out": np.array([False, True]),
            "vocabulary": np.array(["fur", "road"]),
            "profiles/two": np.float32([[0.5, -0.1], [0.01, 7.0]]),
            "profiles_people": np.float32([[0.4, 0], [0, 0.3]]),
        },
    )["words"]
    assert found["held_out"] == [False, True]
    read = np.frombuffer(base64.b64decode(found["model"]), "<u2").reshape(2, 2)
    assert read.tolist() == [[5000, 0], [100, 65535]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"concepts": np.array(["cat"])},
        {"rdm/two": np.zeros((2, 2, 2), np.float32)},
        {"target_rdm": np.array(["a"])},
        {**plan(0), "likeliest/two": np.full((4, 4), 9)},
        {**plan(0), "sweep/two": np.zeros(3)},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_arrays_that_do_not_fit_cost_their_figure_and_not_the_page(tmp_path, wrong):
    store = ResultStore(tmp_path)
    store.write(cell("wrong"), arrays(**wrong))
    store.write(cell("right"), arrays())
    said = build_page(tmp_path, tmp_path / "page.html", load_registry())
    assert "wrong.json" in said
    text = (tmp_path / "page.html").read_text()
    assert {c["model"] for c in data(text)["suites"][0]["bindings"][0]["cells"]} == {"wrong", "right"}
    assert set(data(text, "arrays")["here"]) == {"mini/right"}


def test_the_map_keeps_the_distances_of_few_models(tmp_path):
    store = ResultStore(tmp_path)
    for seed, name in enumerate("ab"):
        store.write(cell(name), {**arrays(seed), "target_rdm": arrays(9)["target_rdm"]})
    build_page(tmp_path, tmp_path / "page.html", load_registry())
    mapped = data((tmp_path / "page.html").read_text())["suites"][0]["maps"]["people_rdm"]
    place = {name: np.array(point) for name, *point in mapped["points"]}
    assert set(place) == {"a", "b", ""}
    correlation = spearmanr(arrays(0)["rdm/two"], arrays(1)["rdm/two"])[0]
    # three points have a plane of their own, so no distance is lost
    assert np.linalg.norm(place["a"] - place["b"]) == pytest.approx(np.sqrt(2 - 2 * correlation), abs=1e-3)


def test_only_drawings_of_the_project_are_pictures(tmp_path):
    store = ResultStore(tmp_path)
    store.write(cell("a"), arrays())
    store.write(cell("a", suite="human", binding="hit_rdm"), arrays())
    build_page(tmp_path, tmp_path / "page.html", load_registry())
    of = {suite["name"]: suite["pictures"] for suite in data((tmp_path / "page.html").read_text())["suites"]}
    assert of["mini"]["cat"].startswith("data:image/jpeg;base64,")
    assert of["human"] == {}


def test_without_arrays_the_page_carries_no_picture(tmp_path):
    text, _, _ = build(tmp_path, cell("a"))
    assert data(text)["suites"][0]["pictures"] == {}
    assert data(text, "arrays") == {"here": {}}


def test_what_is_passed_on_shows_the_same_and_is_small():
    whole = arrays(
        **plan(2), **{"outcomes/one": np.float32([1]), "true": np.array(["a"]), "taken_for": np.array(["b"])}
    )
    kept = small(cell(), whole)
    assert "rdm/one" not in kept
    assert "bootstrap_draws" not in kept
    assert kept["rdm/two"].dtype == np.float16
    assert kept["sweep/two"].dtype == np.float64
    assert shown(cell(), kept)["rdm"] == shown(cell(), whole)["rdm"]
    np.testing.assert_allclose(squareform(kept["rdm/two"]), squareform(whole["rdm/two"]), rtol=1e-3)
    assert small(cell(), {"concepts": np.array(NAMES), "bootstrap_draws": np.zeros(3)}) == {}
