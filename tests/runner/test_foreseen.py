"""What a task refuses without a look at the features, a dry run says already, in the same words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from benchmark.common.errors import BenchError
from benchmark.datasets import join
from benchmark.registry import load_registry
from benchmark.runner import score as scoring
from benchmark.runner.plan import Cell
from benchmark.runner.prospect import prospects
from benchmark.runner.session import Options, Session

PLUGIN = """
import dataclasses
import numpy as np
from benchmark.datasets.mini import images
from benchmark.model import ClassProbabilities, Model


class Plain(Model):
    layers = ("output",)

    def features(self, stimuli, layers, *, device="cpu", progress=None):
        rows = [np.frombuffer(concept.encode().ljust(24)[:24], np.uint8) for concept in stimuli.concepts]
        return {layer: np.array(rows, np.float32) for layer in layers}

    def classify(self, output):
        classes = ("n01440764", "n01443537")
        return ClassProbabilities(classes, np.full((len(output), 2), 0.5))


class Knowing(Plain):
    '''Its classes are the concepts of the miniature.'''

    def classify(self, output):
        classes = tuple(images(None, name="mini_images").concept_ids)
        return ClassProbabilities(classes, np.full((len(output), len(classes)), 1 / len(classes)))


class Few(Plain):
    '''It can represent three concepts.'''

    def covered(self, stimuli):
        return frozenset(stimuli.concept_ids[:3])


def seldom_shown(root, *, name):
    '''All images of one concept are for training.'''
    shown = images(root, name=name)
    first = shown.concepts[0]
    splits = tuple("train" if c == first else s for c, s in zip(shown.concepts, shown.splits))
    return dataclasses.replace(shown, splits=splits)


def unsplit(root, *, name):
    return dataclasses.replace(images(root, name=name), splits=None, held_out=frozenset())
"""
MODELS = {name.lower(): {"plugin": f"plain.py:{name}"} for name in ("Plain", "Knowing", "Few")}
DATASETS = {
    name: {"kind": "stimuli", "plugin": f"plain.py:{name}", "description": name, "licence": "none"}
    for name in ("seldom_shown", "unsplit")
}
#: A binding of each task in the miniature
BOUND = {binding.task: binding for binding in load_registry().bindings("mini").values()}
#: Of association_topk, classes without a test image are not scored
SHOWN = sorted(set(BOUND) - {"association_topk"})
#: What three concepts are too few for, with what stands in the message
TOO_FEW = {
    "alignment": "neighbours need at least",
    "encoding": "too few for 5 folds",
    "encoding_partition": "too few for 5 folds",
    "property_decoding": "no property has production frequency",
    "property_mapping": "no property has production frequency",
    "reweighted_rdm": "too few for 5 folds",
    "two_vs_two": "at least 5 are needed",
    "versa": "too few for 5 folds",
    "word_similarity": "pairs are needed",
}
#: Parameters that a binding cannot have
WRONG = [
    ("alignment", {"neighbours": 0}),
    ("association_topk", {"split": "pictures"}),
    ("category_clustering", {"metric": "angle"}),
    ("encoding", {"across": "images"}),
    ("encoding", {"folds": 1}),
    ("encoding", {"least_reliability": "high"}),
    ("encoding_partition", {"beyond": ["pixels"], "folds": 1}),
    ("gwot_matching", {"epsilons": [0]}),
    ("gwot_matching", {"starts": 0}),
    ("odd_one_out", {"similarity": "angle"}),
    ("one_vs_two", {"groups": 0}),
    ("property_decoding", {"folds": 6, "concepts": 5}),
    ("property_mapping", {"steps": [0]}),
    ("rdm_correlation", {"standardise": "twice"}),
    ("rdm_curve", {"population": "planets"}),
    ("reweighted_rdm", {"folds": 2}),
    ("two_vs_two", {"groups": 1000}),
    ("versa", {"folds": 1}),
    ("word_similarity", {"colour": "red"}),
]


@pytest.fixture
def foreseen(tmp_path: Path):
    """``foreseen(model, task, ...)``: what a dry run says and what ``score`` says of a cell."""
    (tmp_path / "plain.py").write_text(PLUGIN)

    def ask(model: str, task: str, *, stimuli: str = "mini_images", params: dict | None = None):
        bound = BOUND[task]
        binding = {
            "task": task,
            "stimuli": stimuli,
            "target": bound.target,
            "params": bound.params if params is None else params,
        }
        suite = {"miniature": True, "description": "ours", "bindings": {"asked": binding}}
        entries = {"models": MODELS, "datasets": DATASETS, "suites": {"ours": suite}}
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump(entries))
        session = Session(Options((path,), output=tmp_path / "out"))
        cell = Cell(model, "asked", "ours")
        (prospect,) = prospects(session, [cell])
        parts = scoring.assemble(session, cell)
        joined = join(parts.stimuli, parts.target, parts.binding.on)
        view, given = scoring.view(session, parts, compared=joined.concepts), session.params(parts.binding)
        with pytest.raises(BenchError) as said:
            parts.task.score(view, joined, given, np.random.default_rng(0))
        return prospect, str(said.value)

    return ask


@pytest.mark.parametrize("task", SHOWN)
def test_a_concept_without_a_test_image(foreseen, task) -> None:
    prospect, said = foreseen("knowing", task, stimuli="seldom_shown")
    assert "test image" in said
    assert (prospect.state, said in prospect.why) == ("not possible", True)


@pytest.mark.parametrize("task", TOO_FEW)
def test_too_few_concepts(foreseen, task) -> None:
    prospect, said = foreseen("few", task)
    assert TOO_FEW[task] in said
    assert (prospect.state, said in prospect.why) == ("not possible", True)


@pytest.mark.parametrize(("task", "params"), WRONG)
def test_a_parameter_that_is_not_allowed(foreseen, task, params) -> None:
    prospect, said = foreseen("knowing", task, params=params)
    assert any(key in said for key in params)
    assert (prospect.state, said in prospect.why) == ("not possible", True)


def test_classes_that_the_stimuli_do_not_show(foreseen) -> None:
    prospect, said = foreseen("plain", "one_vs_two")
    assert "0 of 48 concepts of 'mini_images' have a word vector and are classes of the model" in said
    assert (prospect.state, said in prospect.why) == ("not possible", True)


def test_stimuli_without_images_to_fit_a_readout_on(foreseen) -> None:
    prospect, said = foreseen("knowing", "association_topk", stimuli="unsplit", params={"split": "images"})
    assert "has no training images" in said
    assert (prospect.state, said in prospect.why) == ("not possible", True)
