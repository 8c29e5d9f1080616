"""Reading registry files: what is accepted, and what each error says."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import yaml

from benchmark.common.errors import UsageError
from benchmark.registry import RegistryError, load, load_registry, read_registry, shipped_root

GOOD = """\
models:
  net:
    plugin: nets.py:Net
    params: {width: 3}
    checkpoint: {file: net.safetensors, how: train it}
    trained_on: [norms]
    variants:
      big:
        params: {depth: 9}
datasets:
  images: {kind: stimuli, plugin: "data:images"}
  norms: {kind: target, plugin: "data:norms"}
tasks:
  rank: {plugin: "rank.py:Rank"}
suites:
  small:
    miniature: true
    models: [net, "net@untrained:3"]
    bindings:
      norms_rank: {task: rank, stimuli: images, target: norms, on: word}
  big: {}
"""


def written(folder: Path, text: str, name: str = "registry.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def error_of(folder: Path, text: str) -> str:
    """The one line of the error, its folder taken off."""
    with pytest.raises(RegistryError) as caught:
        read_registry([written(folder, text)])
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{folder}/", "")


def test_good_registry(tmp_path):
    registry = read_registry([written(tmp_path, GOOD)])
    assert registry.dataset("norms").entry.kind == "target"
    assert registry.task("rank").base == tmp_path
    assert registry.binding("small", "norms_rank").on == "word"
    assert registry.suite("small").models == ("net", "net@untrained:3")
    assert registry.model("net").where == f"{tmp_path}/registry.yaml:2"


@pytest.mark.parametrize("missing", ["models", "datasets", "tasks", "suites"])
def test_good_is_good_for_a_reason(tmp_path, missing):
    content = yaml.load(GOOD, yaml.BaseLoader)
    del content[missing]
    if missing == "suites":
        assert "unknown suite 'big'" in error_of(tmp_path, yaml.safe_dump(content))
    else:
        assert f"unknown {missing[:-1]}" in error_of(tmp_path, yaml.safe_dump(content))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "checkpoint: {",
            "chekpoint: {",
            "registry.yaml:5: models.net.chekpoint: unknown key; did you mean checkpoint?",
        ),
        (
            "file: net.safetensors",
            "fiel: net.safetensors, hwo: x",
            "registry.yaml:5: models.net.checkpoint.fiel: unknown key; did you mean file? (and 1 more)",
        ),
        (
            "params: {depth",
            "parms: {depth",
            "registry.yaml:9: models.net.variants.big.parms: unknown key; did you mean params?",
        ),
        ("on: word", "onn: word", "bindings.norms_rank.onn: unknown key; did you mean on?"),
        ("models:\n  net", "modles:\n  net", "registry.yaml:1: modles: unknown key; did you mean models?"),
        ("plugin: nets.py:Net", "description: x", "registry.yaml:2: models.net.plugin: this key is required"),
        ("nets.py:Net", "nets.py", "registry.yaml:3: models.net.plugin: 'nets.py' names no class"),
        ("{width: 3}", "[3]", "registry.yaml:4: models.net.params: should be a valid dictionary, not [3]"),
        (
            "miniature: true",
            "miniature: maybe",
            "registry.yaml:17: suites.small.miniature: should be a valid boolean",
        ),
        (
            "file: net.safetensors",
            "file: a, hub: b",
            "needs exactly one of file, package, url, hub, untrained; has file, hub",
        ),
        ("file: net.safetensors", "url: 'https://a.b/c'", "a url needs the sha256 of its file"),
        ("how: train it", "sha256: abc", "registry.yaml:5: models.net.checkpoint.sha256: 'abc' is no sha256"),
        (
            "kind: target",
            "kind: targte",
            "registry.yaml:12: datasets.norms.kind: should be 'stimuli', 'target' or 'training'",
        ),
        (
            "trained_on: [norms]",
            "trained_on:\n      - images\n      - norm",
            "registry.yaml:8: models.net.trained_on.1: unknown dataset 'norm'; did you mean norms?",
        ),
        ("task: rank", "task: rnak", "bindings.norms_rank.task: unknown task 'rnak'; did you mean rank?"),
        ("target: norms", "target: images", "dataset 'images' is of kind stimuli, not target"),
        (
            "[net, ",
            "[ent, ",
            "registry.yaml:18: suites.small.models.0: unknown model 'ent'; did you mean net?",
        ),
        ("net@untrained:3", "net@untraind:3", "cannot read model 'net@untraind:3'"),
        ("net@untrained:3", "net", "registry.yaml:18: suites.small.models.1: model 'net' stands twice"),
        ("  net:", "  net/../x:", "models.net/../x: 'net/../x' is no name"),
        ("  net:", "  ne..t:", "'ne..t' is no name"),
        ("  net:", "  .net:", "'.net' is no name"),
        ("  net:", "  7:", "registry.yaml:2: models.7: should be a valid string, not 7"),
        (
            "  images: {",
            "  norms: {",
            "registry.yaml:12: datasets.norms: stands twice; it is already at line 11",
        ),
        ("width: 3", "width: 3, width: 4", "registry.yaml:4: models.net.params.width: stands twice"),
        ("width: 3", "width: &a [*a]", "registry.yaml:4: the anchor 'a' refers to itself"),
        ("{width: 3}", "{width: 3", "is not YAML"),
        ("nets.py:Net", "@x", "registry.yaml:3: is not YAML"),
    ],
)
def test_error_says_where_and_what(tmp_path, old, new, message):
    assert GOOD.count(old) >= 1
    assert message in error_of(tmp_path, GOOD.replace(old, new, 1))


@pytest.mark.parametrize("text", ["[a, b]", "just words", "3"])
def test_not_a_mapping(tmp_path, text):
    assert "a registry is a mapping of models, datasets, tasks, suites" in error_of(tmp_path, text)


def test_empty_file_adds_nothing(tmp_path):
    assert read_registry([written(tmp_path, "# nothing yet\n")]).models == {}


def test_missing_file(tmp_path):
    with pytest.raises(RegistryError, match=r"cannot read registry .*nope\.yaml: No such file"):
        load_registry([tmp_path / "nope.yaml"])


def test_binary_file(tmp_path):
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00models")
    with pytest.raises(RegistryError, match="is not UTF-8"):
        read_registry([tmp_path / "x.yaml"])


def test_second_file_may_use_the_first_but_not_retake_its_names(tmp_path):
    first = written(tmp_path, GOOD)
    more = "models: {mine: {plugin: 'p.py:P', trained_on: [norms]}}\n"
    registry = read_registry([first, written(tmp_path, more, "more.yaml")])
    assert registry.model("mine", "small").entry.trained_on == ("norms",)
    again = written(tmp_path, "\nmodels:\n  net: {plugin: 'p.py:P'}\n", "again.yaml")
    expected = rf"again\.yaml:3: models\.net: this name is taken: it is already at {first}:2"
    with pytest.raises(RegistryError, match=expected):
        read_registry([first, again])


def test_paths_are_relative_to_each_file(tmp_path):
    (tmp_path / "sub").mkdir()
    more = written(tmp_path / "sub", "models: {mine: {plugin: 'p.py:P'}}", "more.yaml")
    registry = read_registry([written(tmp_path, GOOD), more])
    assert registry.models["mine"].base == tmp_path / "sub"
    assert registry.models["net"].base == tmp_path


def installed(monkeypatch, *points: EntryPoint) -> None:
    monkeypatch.setattr(
        load.importlib.metadata, "entry_points", lambda group: [p for p in points if p.group == group]
    )


def test_installed_models_are_added(monkeypatch, tmp_path):
    points = (
        EntryPoint("theirs", "their.models:Net [gpu]", "semantic_benchmark.models"),
        EntryPoint("other", "their.models:Other", "another.group"),
    )
    installed(monkeypatch, *points)
    registry = read_registry([written(tmp_path, GOOD)])
    assert registry.models["theirs"].entry.plugin == "their.models:Net"
    assert "other" not in registry.models


@pytest.mark.parametrize(("name", "message"), [("net", "this name is taken"), ("a/b", "is no name")])
def test_installed_model_of_a_bad_name(monkeypatch, tmp_path, name, message):
    installed(monkeypatch, EntryPoint(name, "their.models:Net", "semantic_benchmark.models"))
    with pytest.raises(RegistryError, match=message):
        read_registry([written(tmp_path, GOOD)])


def test_registry_error_is_a_usage_error():
    assert issubclass(RegistryError, UsageError)


def test_shipped_registry_loads_and_every_path_is_relative():
    registry = load_registry()
    assert registry.files == (shipped_root() / "registry.yaml",)
    assert registry.suite("mini").miniature
    assert not registry.suite("human").miniature
    assert len(registry.bindings("mini")) >= 8
    for placed in (*registry.models.values(), *registry.tasks.values()):
        assert re.match(r"(models|tasks)/\w+\.py:\w+$", placed.entry.plugin)


def test_shipped_mini_suite_has_every_task_and_an_untrained_twin_of_every_network():
    registry = load_registry()
    suite = registry.suite("mini")
    assert {b.task for b in suite.bindings.values()} == set(registry.tasks)
    networks = [n for n in suite.models if "@" not in n and registry.model(n, "mini").entry.checkpoint]
    assert networks
    assert {f"{n}@untrained:0" for n in networks} <= set(suite.models)


def test_shipped_root_of_a_wheel(monkeypatch, tmp_path):
    package = tmp_path / "site-packages" / "benchmark"
    package.mkdir(parents=True)
    monkeypatch.setattr("benchmark.registry.shipped.PACKAGE", package)
    with pytest.raises(RegistryError, match="the installation is incomplete"):
        shipped_root()
    written(package.parent, "")
    assert shipped_root() == package.parent
    written(package, "")
    assert shipped_root() == package
