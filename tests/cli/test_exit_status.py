"""The exit status of ``bench run``, and what it and ``--dry-run`` say of cells that are not possible."""

from __future__ import annotations

import pytest

REGISTRY = """
models:
  plain:
    plugin: plain.py:Plain
  faulty:
    plugin: plain.py:Faulty
  lost:
    plugin: plain.py:Plain
    checkpoint: {file: lost.pt}
suites:
  ours:
    bindings:
      mistakes: {task: one_vs_two, stimuli: mini_images, target: mini_word_vectors}
      judged: {task: rdm_correlation, stimuli: mini_images, target: mini_people}
"""
PLUGIN = """
import numpy as np
from benchmark.common.cost import Cost
from benchmark.datasets.mini import images
from benchmark.model import ClassProbabilities, Model


class Plain(Model):
    layers = ("output",)

    def features(self, stimuli, layers, *, device="cpu", progress=None):
        rows = [np.frombuffer(concept.encode().ljust(24)[:24], np.uint8) for concept in stimuli.concepts]
        return {layer: np.array(rows, np.float32) for layer in layers}

    def estimate(self, stimuli, layers, *, device="cpu"):
        return Cost(7200.0, 2**30, 2**20)


class Faulty(Plain):
    def classify(self, output):
        if len(output) > 1:
            raise RuntimeError("out of cheese")
        classes = tuple(images(None, name="mini_images").concept_ids)
        return ClassProbabilities(classes, np.full((1, len(classes)), 1 / len(classes)))
"""


@pytest.fixture
def run(bench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(REGISTRY)
    (tmp_path / "plain.py").write_text(PLUGIN)
    return lambda *more: bench("run", "--registry", "mine.yaml", "--suite", "ours", *more)


def test_a_cell_that_is_not_possible_does_not_stop_a_script_that_asks_for_all(run):
    done = run("--model", "plain", "--task", "all")
    assert done.status == 0
    assert "plain, mistakes: not possible: model 'plain' has no classes: task 'one_vs_two' needs" in done.out
    assert "1 of 2 cells scored" in done.out
    assert run("--model", "plain", "--task", "all", "--strict").status == 1
    assert run("--model", "plain", "--task", "mistakes,judged").status == 1, "each was asked for by name"


def test_a_fault_and_a_model_without_any_score_count_also_with_all(run):
    faulty = run("--model", "faulty", "--task", "all")
    assert faulty.status == 1
    assert "out of cheese" in faulty.out
    lost = run("--model", "plain,lost", "--task", "all")
    assert lost.status == 1
    assert lost.out.count("lost.pt") == 2, "one message, which names both places"
    assert "lost, mistakes, judged (2 cells): not possible: looked for weights" in lost.out


def test_a_dry_run_promises_only_what_will_run(run, tmp_path):
    (tmp_path / "plain.py").write_text(PLUGIN + "# another model, of which nothing is stored\n")
    done = run("--model", "plain", "--task", "all", "--dry-run")
    assert done.status == 0
    mistakes, judged = (line for line in done.out.splitlines() if "plain " in line)
    assert "not possible" in mistakes
    assert "about" not in mistakes
    assert "to score" in judged
    assert "2.0 h" in judged, "the cost stands at the cell that needs the features"
    assert "1 of 2 cells would be scored" in done.out


def test_a_dry_run_sees_that_the_model_lacks_the_layers_of_the_binding(run, tmp_path):
    (tmp_path / "mine.yaml").write_text(
        REGISTRY + "      traits: {task: property_mapping, stimuli: mini_images, target: mini_properties, "
        "params: {network: [pre_logits]}}\n"
    )
    done = run("--model", "plain", "--task", "traits", "--dry-run")
    assert "none of the layers pre_logits that params.network names" in done.out
    assert "0 of 1 cells would be scored" in done.out


def test_a_dry_run_sees_that_too_few_concepts_join(run, tmp_path):
    (tmp_path / "plain.py").write_text(
        PLUGIN.replace("    def estimate", "    def covered(self, stimuli):\n"
                       "        return frozenset(stimuli.concept_ids[:2])\n\n    def estimate")
    )  # fmt: skip
    done = run("--model", "plain", "--task", "judged", "--dry-run")
    assert "not possible" in done.out
    assert "0 of 1 cells would be scored" in done.out


def test_a_single_concept_is_not_possible_and_no_fault(run, tmp_path):
    (tmp_path / "mine.yaml").write_text(
        REGISTRY + "      words: {task: association_topk, stimuli: mini_images, target: mini_associations, "
        "params: {split: classes}}\n"
    )
    (tmp_path / "plain.py").write_text(
        PLUGIN.replace("    def estimate", "    def covered(self, stimuli):\n"
                       "        return frozenset(stimuli.concept_ids[:3])\n\n    def estimate")
    )  # fmt: skip
    done = run("--model", "plain", "--task", "words")
    assert "failed" not in done.out
    assert "not possible" in done.out
