"""Extraction of all layers beside a plain forward pass, an extractor that clones, and a pass a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.datasets import Stimuli
from benchmark.extraction import NetworkModel
from benchmark.extraction.network import BATCH, BATCH_ON_CPU
from benchmark.extraction.precision import AGREEMENT
from benchmark.model import OUTPUT, ModelSpec
from benchmark.registry import load_registry

pytestmark = pytest.mark.benchmark

THREADS = 2


@pytest.fixture(autouse=True)
def _two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def stimuli() -> Stimuli:
    """Smooth noise: unlike white noise, images that differ, as photographs do."""
    small = np.random.default_rng(0).integers(0, 256, (BATCH, 8, 8, 3), dtype=np.uint8)
    pictures = [Image.fromarray(one).resize((224, 224), Image.Resampling.BICUBIC) for one in small]
    ids = tuple(map(str, range(BATCH)))
    return Stimuli("smooth noise", ids, ids, "smooth noise", lambda i: pictures[i])


def resnet(**params: object) -> NetworkModel:
    placed = load_registry().model("resnet50@untrained:0", "human")
    return placed.load()(ModelSpec("resnet50", {**placed.entry.params, **params}, untrained=0))


def preprocessed(model: NetworkModel, stimuli: Stimuli) -> torch.Tensor:
    return torch.stack([model.preprocess(stimuli.image(i)) for i in range(len(stimuli))])


def extractor_that_clones(
    model: NetworkModel, batch: torch.Tensor, layers: Sequence[str]
) -> Callable[[], dict[str, np.ndarray]]:
    """What thingsvision's ``extract_features`` does with several modules, then the average over space.

    One pass in NCHW order, 32 images a batch (as in its README); a hook clones every activation; they are
    kept whole, lists of batches are joined by ``torch.cat`` and become arrays. Averaging is left to its user.
    It is given the preprocessed batch, which here costs nothing.
    """
    net = resnet().network.to(memory_format=torch.contiguous_format)
    found: dict[str, list[torch.Tensor]] = {layer: [] for layer in layers}
    for layer in layers:
        if layer == OUTPUT:
            continue
        path = model.path_of(layer)
        module = net.get_submodule(path.removesuffix(":input"))

        def hook(_module: Any, inputs: Any, output: torch.Tensor, layer: str = layer) -> None:
            given = inputs[0] if model.path_of(layer).endswith(":input") else output
            found[layer].append(given.clone().detach())

        module.register_forward_hook(hook)

    def extract() -> dict[str, np.ndarray]:
        for kept in found.values():
            kept.clear()
        with torch.no_grad():
            output = net(batch)
        if OUTPUT in found:
            found[OUTPUT].append(output)
        whole = {layer: torch.cat(kept) for layer, kept in found.items()}
        return {k: (v.mean((2, 3)) if v.ndim == 4 else v).numpy() for k, v in whole.items()}

    return extract


def layers_that_agree(exact: dict[str, np.ndarray], reduced: dict[str, np.ndarray]) -> list[str]:
    """The layers whose RDMs agree to .9999.

    The weights are random: the deeper the layer, the more all images look alike to it, and the more of their
    differences is rounding.
    """
    upper = np.triu_indices(BATCH, 1)
    agreement = {
        layer: np.corrcoef(*(np.corrcoef(features[layer])[upper] for features in (exact, reduced)))[0, 1]
        for layer in exact
    }
    return [layer for layer, value in agreement.items() if value >= AGREEMENT]


def test_beside_a_plain_forward_pass(beside: Any, stimuli: Stimuli) -> None:
    model = resnet()
    batch = preprocessed(model, stimuli).contiguous(memory_format=torch.channels_last)
    net = model.network.to(memory_format=torch.channels_last)

    def plain() -> torch.Tensor:
        with torch.inference_mode():
            return torch.cat([net(part) for part in batch.split(BATCH_ON_CPU)])

    assert np.allclose(model.features(stimuli, ["output"])["output"], plain().numpy(), atol=1e-5)
    beside(
        f"ResNet-50, {len(model.layers)} layers pooled, decoded images to features",
        "its forward pass alone, no hooks, same layout and batches",
        ours=lambda: model.features(stimuli, model.layers),
        peer=plain,
        at_least=0.9,
        rounds=5,
    )


def test_beside_an_extractor_that_clones(beside: Any, stimuli: Stimuli) -> None:
    model = resnet()
    peer = extractor_that_clones(model, preprocessed(model, stimuli), model.layers)
    expected, found = peer(), model.features(stimuli, model.layers)
    for layer in model.layers:
        assert np.allclose(found[layer], expected[layer], rtol=1e-3, atol=1e-4), layer
    beside(
        f"ResNet-50, {len(model.layers)} layers pooled, float32",
        "one pass that clones activations, NCHW",
        ours=lambda: model.features(stimuli, model.layers),
        peer=peer,
        at_least=1.7,
        rounds=5,
    )


def test_bfloat16_beside_an_extractor_that_clones(beside: Any, stimuli: Stimuli) -> None:
    if not hasattr(torch.cpu, "_is_avx512_bf16_supported") or not torch.cpu._is_avx512_bf16_supported():
        pytest.skip("this processor has no bfloat16 arithmetic (avx512_bf16): it would be emulated")
    exact, model, unchecked = resnet(), resnet(precision="bfloat16"), resnet(precision="bfloat16")
    # what the check costs, two batches once a stimulus set, is not part of a batch
    unchecked._require_same_rdms = lambda *_: None  # type: ignore[method-assign]
    layers = layers_that_agree(
        exact.features(stimuli, exact.layers), unchecked.features(stimuli, exact.layers)
    )
    model.features(stimuli, layers)  # refused if an RDM does not agree
    peer = extractor_that_clones(exact, preprocessed(exact, stimuli), layers)
    beside(
        f"ResNet-50, the {len(layers)} of {len(exact.layers)} layers whose RDMs agree to .9999, bfloat16",
        "one pass that clones activations, NCHW, float32",
        ours=lambda: unchecked.features(stimuli, layers),
        peer=peer,
        at_least=3.5,
        rounds=5,
    )


def test_beside_a_pass_for_each_layer(beside: Any, stimuli: Stimuli) -> None:
    model = resnet()
    count = len(model.layers)
    beside(
        f"ResNet-50, {count} layers pooled, one pass",
        "the same, a pass for each layer",
        ours=lambda: model.features(stimuli, model.layers),
        peer=lambda: model.features(stimuli, ["layer2.0"]),
        at_least=count / 1.5,
        rounds=3,
        peer_scale=count,  # one of them is timed: each goes through the whole network
    )
