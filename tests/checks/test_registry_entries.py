"""Untrained twins of what the registry names pass the checks: every family small, then every architecture."""

from __future__ import annotations

import pytest

from benchmark.checks import Status, check_model
from benchmark.registry import load_registry
from benchmark.runner import Options, Session

SMALL = "{resize: 64, crop: 64, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5]}"
FAMILIES = {
    "squeezenet1_1": ("torchvision_models.py:Torchvision", "{}"),
    "resnet18": ("torchvision_models.py:Torchvision", "{}"),
    "mobilenetv3_small_050": ("timm_models.py:Timm", "{}"),
    "convnext_atto": ("timm_models.py:Timm", "{}"),
    "vit_tiny_patch16_224": ("timm_models.py:Timm", "{img_size: 64}"),
}


def faults(name: str, *registries) -> list[str]:
    found = check_model(Session(Options(registries=registries)), name)
    return [f"{check.name}: {check.detail}" for check in found if check.status is Status.failed]


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, shared_cache):
    monkeypatch.setenv("BENCH_CACHE", str(shared_cache))


@pytest.mark.parametrize("architecture", FAMILIES)
def test_families_at_small_size(architecture, tmp_path):
    plugin, kwargs = FAMILIES[architecture]
    (tmp_path / "mine.yaml").write_text(
        f"models:\n  small:\n    plugin: models/{plugin}\n    checkpoint: {{untrained: 0}}\n    params:\n"
        f"      architecture: {architecture}\n      kwargs: {kwargs}\n      preprocessing: {SMALL}\n"
    )
    assert faults("small@untrained:0", tmp_path / "mine.yaml") == []


@pytest.mark.parametrize("name", ["mini_encoder", "mini_classifier", "mini_clip", "swow_assoc"])
def test_networks_of_the_miniature(name):
    assert faults(f"{name}@untrained:0") == []


#: Same architecture as another entry, with other weights or wider
ALIKE = (
    "taskonomy_",
    "swow_mobilenetv2_",
    "swow_mobilenetv1_classes-tuned",
    "swow_mobilenetv1_classes-frozen-1",
    "swow_squeezenet1_frozen-1",
    "moco",
    "swav",
    "barlow",
    "vicreg",
    "dino_resnet50",
    "dinov2_vit_b14",
    "clip_vit_b16_datacomp_xl",
)


def networks() -> list[str]:
    """Entries with weights, one for each architecture."""
    models = load_registry().models
    named = [name for name, placed in models.items() if placed.entry.checkpoint is not None]
    twins = [name for name in named if name.startswith(ALIKE) and name != "taskonomy_class_object"]
    return [n for n in named if n not in twins and not models[n].entry.plugin.endswith(":Features")]


@pytest.mark.slow
@pytest.mark.parametrize("name", networks())
def test_every_architecture_of_the_registry(name):
    assert faults(f"{name}@untrained:0") == []
