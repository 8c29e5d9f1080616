"""A binding says how every network is pooled, and the key of its features holds that."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmark.registry import RegistryError, read_registry
from benchmark.runner import Cell, Options, Session
from benchmark.runner.score import assemble, view

SUITE = """
suites:
  pools:
    miniature: true
    bindings:
      plain: {task: rdm_correlation, stimuli: mini_images, target: mini_people}
      greatest: {task: rdm_correlation, stimuli: mini_images, target: mini_people, pooling: max}
"""


@pytest.fixture
def session(tmp_path, monkeypatch, shared_cache) -> Session:
    monkeypatch.setenv("BENCH_CACHE", str(shared_cache))
    (tmp_path / "pools.yaml").write_text(SUITE)
    return Session(Options((tmp_path / "pools.yaml",), output=tmp_path / "out"))


def features(session: Session, model: str, binding: str, layer: str) -> np.ndarray:
    return view(session, assemble(session, Cell(model, binding, "pools"))).features(layer)


def test_every_layer_of_a_network_is_the_maximum_over_positions(session: Session) -> None:
    network = session.model("mini_classifier", "pools").model
    layer = network.layers[0]
    maps = []
    hook = network.network.get_submodule(network.path_of(layer)).register_forward_hook(
        lambda _module, _inputs, output: maps.append(output.clone())
    )
    stimuli = session.stimuli("mini_images")
    with torch.no_grad():
        network.network(network.preprocess(stimuli.image(3))[None])
    hook.remove()
    session = Session(Options(session.options.registries, output=session.options.output, layers=(layer,)))
    found = {name: features(session, "mini_classifier", name, layer)[3] for name in ("plain", "greatest")}
    np.testing.assert_allclose(found["plain"], maps[0][0].mean((1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["greatest"], maps[0][0].amax((1, 2)), rtol=1e-4, atol=1e-5)


def test_only_a_network_of_its_own_is_pooled(session: Session) -> None:
    for name in ("mini_classifier_svd", "mini_classifier"):
        pooled = session.model(name, "mini", "max")
        assert (pooled is session.model(name, "mini")) is (name == "mini_classifier_svd")
        assert pooled is session.model(name, "mini", "max")


def test_the_key_holds_the_pooling_and_no_other_key_changes(session: Session) -> None:
    cells = [assemble(session, Cell("mini_classifier", name, "pools")) for name in ("plain", "greatest")]
    plain, greatest = (parts.feature_key for parts in cells)
    assert "pooling" not in plain
    assert {k: v for k, v in greatest.items() if k != "pooling"} == plain
    assert greatest["pooling"] == "max"
    assert "pooling" not in cells[0].key["binding"]


def test_a_grid_keeps_positions(session: Session) -> None:
    layer = session.model("mini_classifier", "mini").model.layers[0]
    plain, grid = (session.model("mini_classifier", "mini", how).model for how in (None, "grid:2"))
    one = session.stimuli("mini_images").of_concepts({"dog"})
    channels, kept = (m.features(one, [layer])[layer] for m in (plain, grid))
    assert kept.shape == (len(one), 4 * channels.shape[1])
    np.testing.assert_allclose(kept.reshape(len(one), -1, 4).mean(axis=2), channels, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("word", ["grid:0", "none", "projection:9"])
def test_what_no_binding_may_say(tmp_path, word) -> None:
    (tmp_path / "pools.yaml").write_text(SUITE.replace("pooling: max", f"pooling: {word!r}"))
    with pytest.raises(RegistryError, match=r"write average, max or grid:SIZE"):
        read_registry([tmp_path / "pools.yaml"])


def test_another_word_is_refused(tmp_path) -> None:
    (tmp_path / "pools.yaml").write_text(SUITE.replace("pooling: max", "pooling: greatest"))
    with pytest.raises(RegistryError, match="pooling"):
        read_registry([tmp_path / "pools.yaml"])
