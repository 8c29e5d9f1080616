"""``bench pairs`` end to end."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

from benchmark.model_similarity import moved_pairs
from benchmark.runner import Options, Session

#: Concepts on a half circle. In the second network the third concept stands where the last one was
PLUGIN = """
import numpy as np
from benchmark.model import Model

class Circle(Model):
    layers = ("features", "output")
    def features(self, stimuli, layers, *, device="cpu", progress=None):
        places = {concept: i for i, concept in enumerate(stimuli.concept_ids)}
        ids = stimuli.concept_ids
        if self.spec.params.get("moved"):
            places[ids[2]], places[ids[-1]] = places[ids[-1]], places[ids[2]]
        angles = np.array([places[c] for c in stimuli.concepts]) / len(ids) * np.pi
        made = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1).astype(np.float32)
        return {layer: made if layer == "output" else np.ones_like(made) for layer in layers}
"""
REGISTRY = """
models:
  before: {plugin: mine.py:Circle}
  after: {plugin: mine.py:Circle, params: {moved: true}, encoder: before}
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "mine.yaml").write_text(REGISTRY)
    return tmp_path


def asked(bench, *more):
    command = ("pairs", "--registry", "mine.yaml", "-m", "after", "--metric", "euclidean")
    return bench(*command, "--reference-layer", "output", *more)


def test_the_concept_that_moved_is_in_every_pair(bench, own):
    done = asked(bench, "-k", 3, "--format", "json")
    assert done.status == 0, done.err
    said = json.loads(done.out)
    first, last = said["concepts"][2], said["concepts"][-1]
    assert [row["group"] for row in said["pairs"]] == [group for group in said["groups"] for _ in range(6)]
    for n, row in enumerate(said["pairs"]):
        assert {first, last} & {row["concept_a"], row["concept_b"]}
        assert row["change"] == row["after"] - row["before"]
        assert (row["change"] < 0) == (n % 6 < 3)
        assert 0 < row["before"] < 1
    assert sum(about["pairs"] for about in said["groups"].values()) == 48 * 47 / 2
    assert said["groups"]["held out"]["pairs"] == 16 * 15 / 2
    assert {"reference", "stimuli_manifest", "packages", "seed"} <= set(said)


def test_stimuli_without_held_out_concepts_are_one_group(bench, own):
    for concept in "abcdef":
        (own / "photos" / concept).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(own / "photos" / concept / "0.png")
    done = asked(bench, "--stimuli", own / "photos", "-k", 2)
    assert "these stimuli name no held-out concepts" in done.out
    assert "all: 15 pairs" in done.out
    assert "trained" not in done.out.replace("trained on", "")


def test_every_form_has_the_same_pairs(bench, own):
    rows = list(csv.DictReader(io.StringIO(asked(bench, "-k", 2, "--format", "csv").out)))
    done = asked(bench, "-k", 2, "--html", own / "page.html")
    assert "MINIATURE" in done.out
    assert "before: before output; after: after output; 48 concepts" in done.out
    page = (own / "page.html").read_text()
    for row in rows:
        both = f"{row['label_a']} and {row['label_b']}"
        assert both in done.out
        assert f"<p>{both}</p>" in page
    assert len(re.findall(r'<img src="data:image/jpeg;base64,[^"]{100,}"', page)) == 2 * len(rows)
    assert "http:" not in page
    assert "https:" not in page
    assert "Miniature" in page


@pytest.mark.slow
def test_pairs_that_bring_the_same_words_to_mind_come_closer_in_the_miniature(shared_cache, monkeypatch):
    """People gave the words for which swow_assoc was trained, so for these concepts the truth is known."""
    monkeypatch.setenv("BENCH_CACHE", str(shared_cache))
    session = Session(Options())
    found = moved_pairs(session, "swow_assoc", "encoder", "mini")
    norms = session.target("mini_associations")
    counts = norms.counts.toarray()[[norms.ids.index(concept) for concept in found.concepts]]
    people = pdist(np.sqrt(counts), "cosine")
    trained = found.groups()["trained"]
    before, after = (spearmanr(rdm[trained], people[trained])[0] for rdm in (found.before, found.after))
    assert after > before + 0.3
    held_out = {c for c in found.concepts if c in found.stimuli.held_out}
    closer, apart = [], []
    for pair in found.most(10):
        assert (pair.group == "held out") == (len(held_out & {*pair.concepts}) == 2)
        if pair.group == "trained":
            i, j = (counts[found.concepts.index(concept)] for concept in pair.concepts)
            (closer if pair.change < 0 else apart).append(pdist(np.sqrt([i, j]), "cosine")[0])
    assert np.mean(closer) < np.mean(apart) - 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-m", "aftr"), "unknown model 'aftr'; did you mean after?"),
        (("-m", "before"), "model 'before' names no encoder"),
        (("-m", "after", "--reference", "befor"), "unknown model 'befor'; did you mean before?"),
        (("-m", "after", "--layer", "outpt"), "has no layer 'outpt'; did you mean output?"),
        (("-m", "after", "--layer", "all"), "'all' means 2 layers of after: name one"),
        (("-m", "after",), "model 'before', layer 'features': constant features"),
        (("-m", "after", "--reference", "after", "--reference-layer", "output"), "no pair moves"),
        (("-m", "after", "--stimuli", "mini_image"), "did you mean mini_images?"),
        (("-m", "after", "--decay", "0.5"), "--norms and --decay belong to --rule"),
        (
            ("-m", "after", "--rule", "spread", "--norms", "swow", "--decay", "2"),
            "--decay 2.0: should be less than 1",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(bench, own, arguments, message):
    done = bench("pairs", "--registry", "mine.yaml", *arguments)
    assert done.status == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1
