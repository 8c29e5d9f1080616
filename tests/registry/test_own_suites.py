"""Shipped models on a user's own targets, and suites that extend a shipped one."""

from __future__ import annotations

import pytest

from benchmark.common.errors import UsageError
from benchmark.registry import load_registry

SUITE = """
suites:
  ours:
    SAID
    bindings:
      judged: {task: rdm_correlation, stimuli: mini_images, target: mini_people}
"""


@pytest.fixture
def own(tmp_path):
    def write(said: str = "description: ours"):
        (tmp_path / "mine.yaml").write_text(SUITE.replace("SAID", said))
        return load_registry([tmp_path / "mine.yaml"])

    return write


def test_any_shipped_model_may_take_part_in_a_suite_of_ones_own(own):
    registry = own("models: [mini_clip, squeezenet1_0]")
    for name in ("mini_clip", "squeezenet1_0", "pixels", "squeezenet1_0@untrained:3"):
        assert registry.model(name, "ours").entry.plugin
    with pytest.raises(UsageError, match="is not for suite 'mini'; it is for human"):
        registry.model("squeezenet1_0", "mini")


def test_a_name_with_other_weights_in_each_suite_is_never_guessed(own):
    for name in ("swow_assoc", "swow_assoc@untrained:0"):
        with pytest.raises(
            UsageError, match=r"suites mini, human, macaque; say whose .* 'ours': extends: human"
        ):
            own().model(name, "ours")
    assert own("extends: human").model("swow_assoc", "ours").entry.encoder == "taskonomy_class_object"
    assert own("miniature: true").model("swow_assoc", "ours").entry.encoder == "mini_encoder"
    miniature = own("extends: mini\n    miniature: true")
    assert miniature.model("swow_assoc", "ours").entry.encoder == "mini_encoder"


def test_a_suite_has_what_it_extends(own):
    registry = own("extends: human")
    human = registry.suite("human")
    assert list(registry.bindings("ours")) == [*human.bindings, "judged"]
    assert registry.suite("ours").models == human.models
    assert not registry.suite("ours").miniature


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            "extends: humans",
            r"mine\.yaml:4: suites\.ours\.extends: unknown suite 'humans'; did you mean human",
        ),
        ("extends: mini", r"mine\.yaml:4: .*'mini' is a miniature: write miniature: true"),
        ("extends: ours", "itself extends another suite"),
    ],
)
def test_what_cannot_be_extended_is_said_with_its_line(own, said, why):
    with pytest.raises(UsageError, match=why):
        own(said)


def test_a_binding_of_the_extended_suite_keeps_its_name(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        SUITE.replace("SAID", "extends: human").replace("judged", "things_rdm_1854")
    )
    with pytest.raises(UsageError, match="suite 'human' has a binding of this name: give another"):
        load_registry([tmp_path / "mine.yaml"])


def test_every_result_says_whose_weights_the_name_means(bench, tmp_path):
    (tmp_path / "mine.yaml").write_text(SUITE.replace("SAID", "miniature: true"))
    command = ("run", "--registry", tmp_path / "mine.yaml", "--suite", "ours", "--output", tmp_path / "out")
    assert bench(*command, "--model", "swow_assoc", "--task", "all", "--layers", "output").status == 0
    text = (tmp_path / "out" / "ours" / "judged" / "swow_assoc.json").read_text()
    assert "swow_assoc is that of suite ours here: models/weights/mini_swow_assoc.safetensors" in text
    (tmp_path / "mine.yaml").write_text(SUITE.replace("SAID", "description: on photographs"))
    refused = bench(*command, "--model", "swow_assoc", "--task", "all")
    assert refused.status == 2
    assert "say whose it has in suite 'ours': extends: human" in refused.err
    assert bench(*command, "--model", "mini_clip", "--task", "all").status == 0
