"""What every data set of the registry must say and do; a new entry is tested by being there."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from benchmark.common.errors import NotPossible
from benchmark.datasets import Stimuli, Target
from benchmark.registry import Placed, load_registry
from benchmark.registry.schema import DatasetEntry
from benchmark.runner import Options, Session

REGISTRY = load_registry()
MINI = [name for name in REGISTRY.datasets if name.startswith("mini_")]
READ = [name for name, placed in REGISTRY.datasets.items() if placed.entry.kind != "training"]
#: Why an entry names no paper
WITHOUT_CITATION = {"swow_assoc_images": "it lists images of other data sets, which bench train has sampled"}


@pytest.fixture(params=REGISTRY.datasets)
def placed(request) -> Placed[DatasetEntry]:
    return REGISTRY.dataset(request.param)


def load(session: Session, name: str) -> Stimuli | Target:
    kind: Callable = session.stimuli if REGISTRY.dataset(name).entry.kind == "stimuli" else session.target
    return kind(name)


def require_identity(data: Stimuli | Target, name: str, options: Options) -> None:
    """Ids are there and unique, and a sha256 says what the data are: that of ``hash_of``, if there is one."""
    assert data.name == name
    assert data.ids
    assert len(set(data.ids)) == len(data.ids)
    own = data.manifest if isinstance(data, Stimuli) else data.hash
    assert re.fullmatch("[0-9a-f]{64}", own)
    if hasattr(REGISTRY.dataset(name).load(), "hash_of"):
        assert Session(options).hash_of(name) == own


def test_says_what_it_is(placed):
    entry = placed.entry
    assert entry.description
    if placed.name in MINI:
        assert entry.licence
        return
    assert entry.citation or placed.name in WITHOUT_CITATION
    assert entry.kind == "training" or (entry.licence and entry.how)


def test_reasons_are_for_entries_without_a_citation():
    assert [name for name in WITHOUT_CITATION if REGISTRY.dataset(name).entry.citation] == []


@pytest.mark.parametrize("name", READ)
def test_reader_resolves(name):
    assert callable(REGISTRY.dataset(name).load())


@pytest.mark.parametrize("name", MINI)
def test_the_miniature_needs_no_files(name, tmp_path):
    data = load(Session(Options(data=tmp_path)), name)
    require_identity(data, name, Options(data=tmp_path))
    assert data.miniature if isinstance(data, Stimuli) else data.simulated


@pytest.mark.parametrize("name", [name for name in READ if name not in MINI])
def test_a_real_one_without_its_files_says_how_to_get_them(name, tmp_path):
    with pytest.raises(NotPossible) as error:
        load(Session(Options(data=tmp_path)), name)
    assert str(tmp_path) in str(error.value)
    assert REGISTRY.dataset(name).entry.how in str(error.value)


@pytest.mark.human_data
@pytest.mark.parametrize(
    "name",
    [
        # a network as the target reads a thousand images
        pytest.param(name, marks=pytest.mark.slow if name == "mobilenetv1_imagenet" else ())
        for name in READ
        if name not in MINI
    ],
)
def test_a_real_one_loads(name, human_data):
    try:
        data = load(Session(Options(data=human_data)), name)
    except NotPossible as error:
        pytest.skip(str(error))
    require_identity(data, name, Options(data=human_data))
    assert not (data.miniature if isinstance(data, Stimuli) else data.simulated)
