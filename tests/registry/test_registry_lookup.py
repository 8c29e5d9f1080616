"""Looking things up by name."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.common.did_you_mean import did_you_mean
from benchmark.common.errors import BenchError, UsageError
from benchmark.registry import (
    Registry,
    parse_model_name,
    read_registry,
    unknown,
)
from benchmark.registry.names import check_name

TEXT = """\
models:
  net:
    plugin: nets.py:Net
    description: plain
    params: {width: 3, depth: 1}
    checkpoint: {file: net.safetensors}
    trained_on: [norms]
    licence: MIT
    variants:
      big: {description: great, params: {depth: 9}, licence: null}
  pixels: {plugin: "nets.py:Pixels", suites: [small]}
datasets:
  norms: {kind: target, plugin: "data:norms"}
suites:
  small: {}
  big: {}
"""


@pytest.fixture
def registry(tmp_path) -> Registry:
    (tmp_path / "registry.yaml").write_text(TEXT)
    return read_registry([tmp_path / "registry.yaml"])


def test_variant_is_laid_over_the_entry_key_by_key(registry):
    small, big = registry.model("net", "small").entry, registry.model("net", "big").entry
    assert (small.description, small.params, small.licence) == ("plain", {"width": 3, "depth": 1}, "MIT")
    assert (big.description, big.params, big.licence) == ("great", {"depth": 9}, None)
    assert big.checkpoint == small.checkpoint
    assert big.variants == small.variants == {}


def test_untrained_twin(registry):
    twin = registry.model("net@untrained:5", "big")
    assert (twin.name, twin.untrained) == ("net@untrained:5", 5)
    assert twin.entry.checkpoint.untrained == 5
    assert twin.entry.checkpoint.file is None
    assert twin.entry.trained_on == ()
    assert twin.entry.params == {"depth": 9}
    assert registry.model("net", "big").entry.trained_on == ("norms",)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda r: r.model("nte"), "unknown model 'nte'; did you mean net\\?"),
        (lambda r: r.model("NET@untrained:1"), "unknown model 'NET'; did you mean net\\?"),
        (lambda r: r.model("net", "smal"), "unknown suite 'smal'; did you mean small\\?"),
        (lambda r: r.model("pixels", "big"), "model 'pixels' is not for suite 'big'; it is for small"),
        (lambda r: r.model("pixels@untrained:0"), "model 'pixels' has no weights"),
        (lambda r: r.task("rank"), "unknown task 'rank'; there is none"),
        (lambda r: r.dataset("x"), "unknown dataset 'x'; there is norms"),
        (lambda r: r.bindings("x"), "unknown suite 'x'; there is big, small"),
        (lambda r: r.binding("big", "x"), "unknown binding of suite 'big' 'x'; there is none"),
    ],
)
def test_unknown_names(registry, ask, message):
    with pytest.raises(UsageError, match=message):
        ask(registry)


def test_load_says_where_the_entry_stands(registry):
    with pytest.raises(BenchError, match=r"registry\.yaml:2: net: plug-in nets\.py: .* is not there"):
        registry.model("net").load()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("{file: a.csv}", None),
        ("{file: a.csv, units: ms}", "read has no parameter 'units'; did you mean unit?"),
        ("{unit: ms}", "read needs the parameter 'file'; write it under params"),
    ],
)
def test_parameters_that_a_reader_does_not_take_are_named_with_their_entry(tmp_path, params, message):
    (tmp_path / "data.py").write_text(
        "def read(root, *, name, file, unit='s'): ...\ndef some(root, **params): ...\n"
    )
    (tmp_path / "registry.yaml").write_text(
        f"datasets:\n  own: {{kind: target, plugin: data.py:read, params: {params}}}\n"
        f"  some: {{kind: target, plugin: data.py:some, params: {params}}}\n"
    )
    registry = read_registry([tmp_path / "registry.yaml"])
    assert callable(registry.dataset("some").load())
    if message is None:
        assert registry.dataset("own").load().__name__ == "read"
        return
    with pytest.raises(UsageError, match=rf"registry.yaml:2: own: {re.escape(message)}"):
        registry.dataset("own").load()


@pytest.mark.parametrize(
    "text", ["net@", "net@trained:1", "net@untrained", "net@untrained:x", "net@untrained:-1"]
)
@pytest.mark.parametrize("suffix", ["", "@untrained:1"])
def test_bad_model_name(text, suffix):
    with pytest.raises(UsageError, match="write NAME@untrained:SEED"):
        parse_model_name(text + suffix)


@given(st.text(max_size=20), st.integers(0, 2**32 - 1))
def test_model_name_round_trip(name, seed):
    name = name.replace("@", "")
    asked = parse_model_name(f"{name}@untrained:{seed}")
    assert (asked.name, asked.untrained) == (name, seed)
    assert str(asked) == f"{name}@untrained:{seed}"


@given(st.text(max_size=30))
def test_a_name_is_never_a_path(tmp_path_factory, text):
    try:
        check_name(text)
    except ValueError:
        return
    folder = tmp_path_factory.getbasetemp()
    assert (folder / text).resolve().parent == folder.resolve()
    assert not any(c in text for c in "<>&\"'/\\\n")


@pytest.mark.parametrize(
    ("name", "known", "most", "says"),
    [
        ("swow_asoc", ["swow_assoc", "pixels"], 1, "did you mean swow_assoc?"),
        ("PIXELS", ["swow_assoc", "pixels"], 1, "did you mean pixels?"),
        ("conv", ["conv12", "conv1", "fc"], 3, "did you mean conv1 or conv12?"),
        ("conv", ["conv12", "conv1", "fc"], 1, "did you mean conv1?"),
        ("zzz", ["swow_assoc", "pixels"], 1, "there is swow_assoc, pixels"),
        ("zzz", [], 1, "there is none"),
    ],
)
def test_the_nearest_names_or_those_there_are(name, known, most, says):
    assert did_you_mean(name, known, most) == says


def test_of_many_names_a_dozen_is_listed():
    assert unknown("task", "zzz", [f"t{i:02}" for i in range(40)]).endswith("t10, t11, ...")
