"""``bench robustness``: one binding under every recipe of an RDM."""

import json
import re
from itertools import combinations

import numpy as np
import pytest

from benchmark.datasets.join import join
from benchmark.measures import compare_rdms, rdm
from benchmark.representation.concepts import concept_images, concept_means, standardised
from benchmark.robustness.multiverse import RECIPES
from benchmark.runner import Options, Session

MODELS = "pixels,mini_encoder,mini_encoder@untrained:0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("robustness")


@pytest.fixture
def answer(bench, folder):
    command = ("robustness", "--binding", "people_rdm", "--model", MODELS, "--layers", "output")
    done = bench(*command, "--output", folder, "--format", "json")
    assert done.status == 0, done.err
    return json.loads(done.out)


def test_every_score_is_that_of_its_recipe(answer, folder):
    session = Session(Options(output=folder))
    people = session.target("mini_people")
    stimuli = session.stimuli("mini_images")
    joined = join(stimuli, people)
    images = concept_images(stimuli, joined.concepts)
    pixels = session.model("pixels", "mini").model
    features = concept_means(pixels.features(stimuli, ["output"])["output"], images)
    found = {(s["metric"], s["standardise"]): s["score"] for s in answer["scores"] if s["model"] == "pixels"}
    assert found.keys() == {recipe[:2] for recipe in RECIPES}
    for (metric, standardise), score in found.items():
        model = rdm(standardised(features, standardise), metric=metric)
        each = [compare_rdms(model, person, "spearman") for person in joined.target.rdms]
        assert score == pytest.approx(np.mean(each), abs=1e-6), (metric, standardise)


def test_an_order_counts_the_recipes_under_which_it_holds(answer):
    score = {(s["model"], s["metric"], s["standardise"]): s["score"] for s in answer["scores"]}
    models = dict.fromkeys(s["model"] for s in answer["scores"])
    orders = {(order["first"], order["second"]): order for order in answer["orders"]}
    assert len(orders) == 3
    for pair in combinations(models, 2):
        order = orders.get(pair) or orders[pair[::-1]]
        first, second = order["first"], order["second"]
        holds = sum(score[(first, *recipe[:2])] > score[(second, *recipe[:2])] for recipe in RECIPES)
        assert order["holds"] == holds >= len(RECIPES) / 2
        assert order["decided"] <= holds
        assert order["reversed"] <= len(RECIPES) - holds
    trained = next(o for o in answer["orders"] if {o["first"], o["second"]} == {"pixels", "mini_encoder"})
    assert trained["first"] == "mini_encoder"
    assert trained["decided"] == len(RECIPES)


@pytest.mark.slow
def test_networks_pooled_otherwise_are_further_recipes(bench, tmp_path):
    command = ("robustness", "--binding", "people_rdm", "--model", "mini_encoder", "--layers", "stage3")
    done = bench(*command, "--pooling", "max", "--output", tmp_path, "--format", "json")
    assert done.status == 0, done.err
    answer = json.loads(done.out)
    assert answer["recipes"] == 2 * len(RECIPES)
    score = {(s["model"], s["metric"], s["standardise"], s["pooling"]): s["score"] for s in answer["scores"]}
    session = Session(Options(output=tmp_path))
    stimuli, people = session.stimuli("mini_images"), session.target("mini_people")
    joined = join(stimuli, people)
    maximum = (
        session.model("mini_encoder", "mini").model.pooled("max").features(stimuli, ["stage3"])["stage3"]
    )
    means = concept_means(maximum, concept_images(stimuli, joined.concepts))
    for metric in ("correlation", "euclidean"):
        each = [compare_rdms(rdm(means, metric=metric), person, "spearman") for person in joined.target.rdms]
        assert score["mini_encoder", metric, "none", "max"] == pytest.approx(np.mean(each), abs=1e-6)
        assert score["mini_encoder", metric, "none", None] != score["mini_encoder", metric, "none", "max"]


def test_ranks_are_those_of_the_recipe(answer):
    for recipe in RECIPES:
        of_recipe = [s for s in answer["scores"] if (s["metric"], s["standardise"]) == recipe[:2]]
        for one in of_recipe:
            assert one["rank"] == 1 + sum(other["score"] > one["score"] for other in of_recipe)


def test_the_page_shows_the_range_beside_the_score_and_no_column_of_its_own(answer, bench, folder):
    assert answer
    assert bench("leaderboard", "build", "--output", folder).status == 0
    page = (folder / "leaderboard.html").read_text()
    scores = [s["score"] for s in answer["scores"] if s["model"] == "mini_encoder"]
    content = json.loads(re.search('id="content">(.*?)</script>', page, re.S)[1])
    (binding,) = content["suites"][0]["bindings"]
    assert binding["name"] == "people_rdm"
    (cell,) = (c for c in binding["cells"] if c["model"] == "mini_encoder")
    assert cell["recipes"] == {
        "n": 8,
        "scores": pytest.approx([min(scores), max(scores)], abs=5e-5),
        "ranks": [1, 1],
        "ahead_of": ["mini_encoder@untrained:0", "pixels"],
    }


def test_the_table_says_under_how_many(answer, bench, folder):
    assert answer
    done = bench(
        "robustness", "--binding", "people_rdm", "--model", MODELS, "--layers", "output", "--output", folder
    )
    assert done.status == 0
    assert "MINIATURE" in done.out
    assert "of 8 recipes" in done.out
    rows = {line.split("  ")[1]: line for line in done.out.splitlines() if line.startswith("  ")}
    for score in answer["scores"]:
        recipe = ", ".join(filter(None, (score["metric"], score["standardise"].replace("none", ""))))
        assert f"{score['score']:.3f} ({score['rank']:.0f})" in rows[recipe]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--binding", "words_two_vs_two", "--model", "pixels"), "makes no RDM of features"),
        (("--binding", "people_rmd", "--model", "pixels"), "did you mean people_rdm"),
        (("--binding", "people_rdm", "--model", "pixel"), "did you mean pixels"),
    ],
)
def test_bad_names_end_with_one_line(bench, tmp_path, arguments, said):
    done = bench("robustness", *arguments, "--output", tmp_path)
    assert done.status == 2
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_model_that_cannot_take_part_is_named_and_the_status_is_1(bench, tmp_path):
    (tmp_path / "own.py").write_text(
        "from benchmark.model import Model\n"
        "class Broken(Model):\n"
        "    layers = ('output',)\n"
        "    def features(self, stimuli, layers, *, device='cpu', progress=None):\n"
        "        raise RuntimeError('out of paper')\n"
    )
    registry = tmp_path / "mine.yaml"
    registry.write_text("models:\n  broken:\n    plugin: own.py:Broken\n    description: broken\n")
    command = ("--registry", registry, "--binding", "people_rdm", "--model", "pixels,broken")
    done = bench("robustness", *command, "--output", tmp_path / "results")
    assert done.status == 1
    assert "broken: not scored" in done.out
    assert "out of paper" in done.out
    assert "pixels" in done.out
