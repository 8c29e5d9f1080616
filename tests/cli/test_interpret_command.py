"""``bench interpret``: properties of photos in layers, as a table, a figure, a page and rows."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression

from benchmark.datasets.mini.drawing import draw
from benchmark.representation.concepts import concept_images, concept_means, normalised
from benchmark.runner import Options, Session

MINI = ("interpret", "--suite", "mini", "--model", "mini_classifier", "--layers", "conv1,hidden")


@pytest.fixture
def dog(tmp_path: Path) -> Path:
    path = tmp_path / "dog.png"
    drawing = Image.fromarray(draw("dog", "test", 3)).convert("RGBA")
    drawing.putalpha(255)
    drawing.save(path)
    return path


@pytest.mark.slow
def test_the_rows_are_those_of_scikit_learn_on_the_same_features(bench, dog):
    done = bench(*MINI, dog, "-k", 43, "--format", "json")
    assert done.status == 0, done.err
    rows = json.loads(done.out)
    session = Session(Options())
    model = session.model("mini_classifier", "mini").model
    stimuli, norms = session.stimuli("mini_images"), session.target("mini_properties")
    images = concept_images(stimuli, norms.ids)
    features = normalised(concept_means(model.features(stimuli, ["hidden"])["hidden"], images), "l2")
    shown = stimuli.of_concepts({"dog"})
    same = [
        i for i in range(len(shown)) if np.array_equal(np.asarray(shown.image(i)), draw("dog", "test", 3))
    ]
    photo = normalised(model.features(shown, ["hidden"])["hidden"][same], "l2")
    common = norms.cut()
    for row in (r for r in rows if r["layer"] == "hidden" and r["rank"] % 10 == 1):
        j = common.columns.index(row["property"])
        theirs = LogisticRegression(class_weight="balanced", tol=1e-8)
        theirs.fit(features, common.counts.toarray()[:, j] > 0)
        assert row["probability"] == pytest.approx(theirs.predict_proba(photo)[0, 1], abs=1e-3)
        assert row["type"] == common.types[j]
    assert [r["rank"] for r in rows] == [*range(1, 44)] * 2
    hidden = [r["probability"] for r in rows if r["layer"] == "hidden"]
    assert hidden == sorted(hidden, reverse=True)


def test_a_table_a_figure_and_a_page(bench, dog, tmp_path):
    page, figure = tmp_path / "p.html", tmp_path / "p.png"
    done = bench(*MINI, dog, tmp_path / "gone.png", "-k", 3, "--plot", figure, "--html", page)
    assert done.status == 1
    assert "has four legs" in done.out
    assert "MINIATURE" in done.out
    assert done.err.count("\n") == 1
    assert "gone.png" in done.err
    assert "has four legs" in page.read_text()
    assert "gone.png" not in page.read_text()
    assert Image.open(figure).size[0] > 500


def test_csv_has_a_row_a_property(bench, dog):
    done = bench(*MINI, dog, "-k", 2, "--format", "csv")
    rows = list(csv.DictReader(done.out.splitlines()))
    assert [row["layer"] for row in rows] == ["conv1", "conv1", "hidden", "hidden"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--model", "mini_classifier_svd"), "name the network it is built from"),
        (("--model", "mini_classifier", "--layers", "conv9"), "conv9"),
        (("--model", "swow_assoc", "--layers", "output"), "holds associations"),
        (("--model", "mini_classifier", "--plot", "a.gif"), "unknown format"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_line(bench, dog, options, said):
    done = bench("interpret", dog, "--suite", "mini", *options)
    assert done.status == 2
    assert said in done.err
    assert len(done.err.strip().splitlines()) == 1
