"""A family of models is one entry; its members are models like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.common.errors import UsageError
from benchmark.registry import RegistryError, load_registry, read_registry

FAMILY = """\
models:
  plain: {plugin: "nets.py:Plain"}
  net:
    plugin: nets.py:Net
    description: Net of {size} for {member}
    params: {task: "{member}", sizes: ["{size}", 3]}
    checkpoint: {file: "{member}.pth", sha256: "{digits}"}
    members:
      edges: {size: small, digits: "DIGITS"}
      faces:
        size: large
        digits: "DIGITS"
""".replace("DIGITS", "a" * 64)


def registry(folder: Path, text: str = FAMILY):
    path = folder / "registry.yaml"
    path.write_text(text)
    return read_registry([path])


def error(folder: Path, old: str, new: str) -> str:
    assert old in FAMILY
    with pytest.raises(RegistryError) as caught:
        registry(folder, FAMILY.replace(old, new, 1))
    return str(caught.value).replace(f"{folder}/", "")


def test_members_are_entries_of_their_own(tmp_path):
    found = registry(tmp_path)
    assert list(found.models) == ["plain", "net_edges", "net_faces"]
    faces = found.model("net_faces")
    assert faces.entry.description == "Net of large for faces"
    assert faces.entry.params == {"task": "faces", "sizes": ["large", 3]}
    assert faces.entry.checkpoint.file == "faces.pth"
    assert faces.entry.members == {}
    assert faces.where.endswith("registry.yaml:10")
    assert found.model("net_edges").where.endswith("registry.yaml:9")
    assert found.model("net_edges@untrained:2").entry.checkpoint.untrained == 2


def test_a_name_nearly_right_is_told(tmp_path):
    with pytest.raises(UsageError, match="did you mean net_edges"):
        registry(tmp_path).model("net_edge")


@pytest.mark.parametrize(
    "old, new, says",
    [
        ("size: large", "sise: large", "registry.yaml:10: models.net.members.faces: the entry says {size}"),
        ("edges: {size", "e/s: {size", "registry.yaml:3: models.net: 'net_e/s' is no name"),
        (
            "edges: {size: small",
            "edges: {size: 3",
            "registry.yaml:9: models.net.members.edges: must map keys",
        ),
        ("plain:", "net_edges:", "registry.yaml:9: models.net.members.edges: the name net_edges is taken"),
        (
            "    checkpoint:",
            "    chekpoint:",
            "registry.yaml:7: models.net.chekpoint: unknown key; did you mean",
        ),
        (
            "    members:\n",
            "    membrs:\n",
            "registry.yaml:8: models.net.membrs: unknown key; did you mean members",
        ),
        (
            "    members:\n",
            "    members: []\n    variants:\n",
            "registry.yaml:8: models.net.members: must map",
        ),
        (
            "    members:\n",
            "    trained_on: [norms]\n    members:\n",
            "models.net.trained_on.0: unknown dataset",
        ),
        ('"{digits}"', '"{size}"', "registry.yaml:7: models.net.checkpoint.sha256: 'small' is no sha256"),
    ],
)
def test_an_error_says_where_the_family_stands(tmp_path, old, new, says):
    message = error(tmp_path, old, new)
    assert says in message
    assert "\n" not in message


def test_the_taskonomy_encoders_are_all_there_with_the_checksums_of_their_files():
    from visualpriors.taskonomy_network import TASKONOMY_PRETRAINED_URLS

    models = load_registry().models
    encoders = {name[10:]: placed.entry for name, placed in models.items() if name.startswith("taskonomy_")}
    urls = {
        k.removesuffix("_encoder"): url for k, url in TASKONOMY_PRETRAINED_URLS.items() if "_encoder" in k
    }
    assert len(encoders) == 25
    assert set(encoders) == set(urls)
    for feature, entry in encoders.items():
        assert entry.params == {"feature": feature}
        assert entry.checkpoint.hub == feature
        assert f"-{entry.checkpoint.sha256}.pth" in urls[feature]


def test_what_networks_were_trained_with_is_named_but_never_read(tmp_path):
    registry = load_registry()
    with pytest.raises(UsageError, match="of kind training: a name, with nothing to read"):
        registry.dataset("imagenet_1k").load()
    assert registry.model("vgg16", "human").entry.trained_on == ("imagenet_1k",)
    text = "datasets:\n  photos: {kind: training, plugin: a.py:f}\n"
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(
        RegistryError, match=r"r\.yaml:2: datasets\.photos: a dataset of kind training has no"
    ):
        read_registry([path])
    path.write_text("datasets:\n  photos: {kind: stimuli}\n")
    with pytest.raises(RegistryError, match="a dataset of kind stimuli needs a plugin"):
        read_registry([path])
