"""A network with an association head is compared by its strengths, under the rule of the binding."""

import json

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from benchmark.datasets.join import join
from benchmark.measures import compare_rdms, rdm
from benchmark.representation.associations import AssociationRule
from benchmark.representation.concepts import concept_images, concept_means
from benchmark.representation.readout import read_classes
from benchmark.runner import Cell, Options, Session
from benchmark.runner.score import assemble, view

SUITE = """
suites:
  rules:
    description: people_rdm under rules of comparison
    miniature: true
    bindings:
      plain: {task: rdm_correlation, stimuli: mini_images, target: mini_people}
      logits: {task: rdm_correlation, stimuli: mini_images, target: mini_people, associations: {rule: logits}}
      spread:
        task: rdm_correlation
        stimuli: mini_images
        target: mini_people
        associations: {rule: spread, norms: mini_associations, decay: DECAY}
      shared:
        task: rdm_correlation
        stimuli: mini_images
        target: mini_people
        associations: {rule: spread, norms: NORMS}
      mistakes:
        task: one_vs_two
        stimuli: mini_images
        target: mini_word_vectors
        associations: {rule: spread, norms: mini_associations}
"""


def registry(folder, decay=0.4, norms="mini_associations"):
    path = folder / "rules.yaml"
    path.write_text(SUITE.replace("DECAY", str(decay)).replace("NORMS", norms))
    return path


@pytest.mark.parametrize("binding", ["plain", "logits", "spread"])
def test_the_layer_output_is_what_the_rule_says(bench, tmp_path, binding):
    path = registry(tmp_path)
    command = ("--registry", path, "--suite", "rules", "--model", "swow_assoc", "--layers", "output")
    done = bench("run", *command, "--task", binding, "--output", tmp_path / "out", "--format", "json")
    assert done.status == 0, done.err
    session = Session(Options((path,), output=tmp_path / "out", layers=("output",)))
    parts = assemble(session, Cell("swow_assoc", binding, "rules"))
    joined = join(parts.stimuli, parts.target)
    seen = view(session, parts, compared=joined.concepts)
    head = seen.associations()
    logits = parts.model.model.features(parts.stimuli, ["output"])["output"]
    norms = session.target("mini_associations")
    rows = {
        "plain": AssociationRule("hellinger").rows(head),
        "logits": logits,
        "spread": AssociationRule("spread", norms, 0.4).rows(head, np.array(parts.stimuli.splits) == "test"),
    }[binding]
    np.testing.assert_allclose(seen.features("output"), rows, atol=1e-4)
    means = concept_means(rows, concept_images(parts.stimuli, joined.concepts))
    each = [compare_rdms(rdm(means), person, "spearman") for person in joined.target.rdms]
    (row,) = json.loads(done.out)
    assert row["score"] == pytest.approx(np.mean(each), abs=1e-4)
    stored = session.results.last("rules", binding, "swow_assoc")
    said = [note for note in stored.cell.notes if "compared under the rule" in note]
    expected = {"plain": "hellinger", "spread": "spread by mini_associations, decay 0.4"}.get(binding)
    assert [note.rpartition("rule ")[2] for note in said] == ([expected] if expected else [])


def test_another_rule_is_a_change_for_a_network_with_associations_alone(bench, tmp_path):
    command = ("--suite", "rules", "--task", "spread", "--layers", "output", "--output", tmp_path / "out")
    for model in ("swow_assoc", "pixels"):
        path = registry(tmp_path)
        assert bench("run", "--registry", path, "--model", model, *command).status == 0
        path = registry(tmp_path, decay=0.6)
        positions = (model, "spread", *command[:2], *command[4:])
        told = bench("why", "--registry", path, *positions)
        if model == "pixels":
            assert told.status == 0, told.out
        else:
            assert told.status == 1
            assert "rule for association profiles decay  0.4 -> 0.6" in told.out.replace("\n", " ")


#: A model that says what people say to the concept of an image, with so much noise that some images are
#: mistaken
WORDS = """
import numpy as np
from benchmark.datasets import DataRoot
from benchmark.datasets.mini import associations
from benchmark.model import Associations, Model

NORMS = associations(DataRoot("."), name="mini_associations")

class Words(Model):
    layers = ("output",)
    def features(self, stimuli, layers, *, device="cpu", progress=None):
        rng = np.random.default_rng(0)
        profiles = NORMS.counts.toarray()[NORMS.rows(stimuli.concepts)]
        return {"output": (profiles + 100 * rng.random(profiles.shape)).astype(np.float32)}
    def associations(self, output):
        return Associations(NORMS.columns, output)
"""


def test_without_a_classifier_the_nearest_profile_is_the_class(bench, tmp_path):
    (tmp_path / "words.py").write_text(WORDS)
    path = registry(tmp_path)
    path.write_text(path.read_text() + "models:\n  words: {plugin: words.py:Words, description: words}\n")
    command = ("--registry", path, "--suite", "rules", "--output", tmp_path / "out", "--task", "mistakes")
    done = bench("run", *command, "--model", "words")
    assert done.status == 0, done.out
    session = Session(Options((path,), output=tmp_path / "out"))
    stored = session.results.last("rules", "mistakes", "words").cell
    assert any("profile in norms mini_associations" in note for note in stored.notes)
    seen = view(session, assemble(session, Cell("words", "mistakes", "rules")))
    norms = session.target("mini_associations")
    nearest = cosine_similarity(seen.associations().strengths, norms.counts.toarray()).argmax(axis=1)
    right = np.array(norms.ids)[nearest] == np.array(seen.stimuli.concepts)
    assert 0 < stored.counts["misclassified"] < stored.counts["stimuli"]
    assert stored.counts["correct"] == right[np.array(seen.stimuli.splits) == "test"].sum()


def test_norms_that_share_no_word_make_the_cell_not_possible(bench, tmp_path):
    path = registry(tmp_path, norms="foreign")
    (tmp_path / "foreign.csv").write_text("cue\tresponse\tR1\tN\nHund\tKatze\t3\t3\nKatze\tHund\t3\t3\n")
    path.write_text(
        path.read_text()
        + "datasets:\n  foreign:\n    kind: target\n"
        + "    plugin: benchmark.datasets.readers.norms:associations\n"
        + "    params: {path: foreign.csv}\n    description: foreign\n"
    )
    command = ("--registry", path, "--suite", "rules", "--task", "shared", "--output", tmp_path / "out")
    done = bench("run", *command, "--data", tmp_path, "--model", "swow_assoc")
    assert done.status == 1
    assert "is a response in norms 'foreign'" in done.out
    # a model without an association head needs no norms
    (tmp_path / "foreign.csv").unlink()
    assert bench("run", *command, "--data", tmp_path, "--model", "pixels").status == 0


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{rule: spread}", "rule spread needs norms"),
        ("{rule: hellinger, norms: mini_associations}", "needs no norms"),
        ("{rule: ppmi, norms: mini_associations, decay: 0.5}", "decay belongs to rule spread"),
        ("{rule: spread, norms: mini_associations, decay: 1.0}", "less than 1"),
        ("{rule: spread, norms: mini_asociations}", "did you mean mini_associations"),
        ("{rule: spread, norms: mini_images}", "is of kind stimuli, not target"),
        ("{rule: cosine}", "logits"),
    ],
)
def test_a_rule_that_cannot_be(bench, tmp_path, written, said):
    path = tmp_path / "rules.yaml"
    path.write_text(
        "suites:\n  rules:\n    description: x\n    bindings:\n      b: {task: rdm_correlation, "
        f"stimuli: mini_images, target: mini_people, associations: {written}}}\n"
    )
    done = bench("run", "--registry", path, "--suite", "rules", "--model", "pixels", "--task", "all")
    assert done.status == 2
    assert said in done.err
    assert f"{path}:5" in done.err


#: A trunk of a network, with noise enough that its readout mistakes some images
TRUNK = """
import numpy as np
from benchmark.model import Model

class Trunk(Model):
    layers = ("output",)
    classes_read_out = True
    def features(self, stimuli, layers, *, device="cpu", progress=None):
        rng = np.random.default_rng(0)
        known = {concept: rng.standard_normal(8) for concept in sorted(set(stimuli.concepts))}
        rows = np.array([known[concept] for concept in stimuli.concepts])
        return {"output": (rows + 0.5 * rng.standard_normal(rows.shape)).astype(np.float32)}
"""


def test_a_trunk_has_the_classes_of_a_readout(bench, tmp_path):
    (tmp_path / "trunk.py").write_text(TRUNK)
    path = registry(tmp_path)
    path.write_text(path.read_text() + "models:\n  trunk: {plugin: trunk.py:Trunk, description: trunk}\n")
    command = ("--registry", path, "--suite", "rules", "--output", tmp_path / "out", "--task", "mistakes")
    assert "to score" in bench("run", *command, "--model", "trunk", "--dry-run").out
    done = bench("run", *command, "--model", "trunk")
    assert done.status == 0, done.out
    session = Session(Options((path,), output=tmp_path / "out"))
    stored = session.results.last("rules", "mistakes", "trunk").cell
    assert any("readout of layer output predicts, cross-validated" in note for note in stored.notes)
    seen = view(session, assemble(session, Cell("trunk", "mistakes", "rules")))
    test = np.array(seen.stimuli.splits) == "test"
    read = read_classes(seen.features("output"), seen.stimuli).predicted
    assert stored.counts["correct"] == (read == np.array(seen.stimuli.concepts))[test].sum()
    assert 0 < stored.counts["misclassified_joined"] < stored.counts["stimuli"]
