"""What every model of the registry must say and do; a new entry is tested by being there."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmark.api import run
from benchmark.model import OUTPUT, Model, ModelSpec
from benchmark.registry import Placed, load_registry
from benchmark.registry.schema import ModelEntry

REGISTRY = load_registry()
#: Why an entry states no licence
WITHOUT_LICENCE = {"clip_vit_b32_features": "the repository that holds the file states none for it"}


def cases() -> list[tuple[str, str]]:
    """Every model in every suite that it may take part in."""
    return [
        (name, suite)
        for name, placed in REGISTRY.models.items()
        for suite in placed.entry.suites or REGISTRY.suites
    ]


def has_twin(entry: ModelEntry) -> bool:
    return entry.checkpoint is not None or entry.built_from is not None


def twins_of_the_miniature() -> list[str]:
    return [
        name for name, suite in cases() if suite == "mini" and has_twin(REGISTRY.model(name, suite).entry)
    ]


@pytest.fixture(params=cases(), ids="-".join)
def placed(request) -> Placed[ModelEntry]:
    return REGISTRY.model(*request.param)


def test_says_what_it_is(placed):
    entry = placed.entry
    assert entry.description
    assert "{" not in entry.description, "a member of a family has no text for a word in braces"
    assert entry.checkpoint is None or entry.checkpoint.how, "how to get the weights"


def test_states_its_licence_or_why_not(placed):
    entry = placed.entry
    if entry.built_from is not None:
        entry = REGISTRY.model(entry.built_from.model).entry
    assert entry.licence or placed.name in WITHOUT_LICENCE


def test_reasons_are_for_entries_without_a_licence():
    assert [name for name in WITHOUT_LICENCE if REGISTRY.model(name).entry.licence] == []


def test_declares_layers_and_preprocessing(placed):
    """The network is built without weights and, where its library allows it, without memory for them."""
    entry = placed.entry
    plugin = placed.load()
    assert issubclass(plugin, Model)
    if entry.plugin.startswith("models/features.py") or entry.built_from is not None:
        pytest.skip("its layers are in a file, or come from another model")
    moves_tensors = entry.plugin.startswith("models/open_clip_models.py")
    with torch.device("cpu" if moves_tensors else "meta"):
        model = plugin(ModelSpec(placed.name, entry.params, untrained=0))
        layers = model.layers
    assert layers
    assert len(set(layers)) == len(layers)
    assert OUTPUT not in layers[:-1]
    assert model.preprocessing


@pytest.mark.parametrize("name", twins_of_the_miniature())
def test_untrained_twin_of_the_miniature_runs(name, tmp_path, monkeypatch, shared_cache):
    monkeypatch.setenv("BENCH_CACHE", str(shared_cache))
    (cell,) = run(f"{name}@untrained:0", "area_early_rdm", output=tmp_path)
    assert cell.status == "scored", cell.reason
    assert cell.untrained
    assert np.isfinite(cell.score)
