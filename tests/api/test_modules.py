"""A torch module, an array, a data frame or a dict is scored as what it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from torch import nn
from torchvision.transforms import functional

import benchmark
from benchmark.common.errors import UsageError
from benchmark.datasets.mini.concepts import CONCEPTS
from benchmark.extraction import seeded

NAMES = [concept.id for concept in CONCEPTS]
FEATURES = np.random.default_rng(0).normal(size=(48, 12)).astype(np.float32)


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def module():
    with seeded(7):
        return nn.Sequential(nn.Conv2d(3, 4, 8, 8), nn.Dropout(0.9), nn.Flatten())


def preprocess(image):
    return functional.to_tensor(functional.resize(image, [64, 64]))


def twice(image):
    return 2 * preprocess(image)


def test_a_module_has_its_blocks_as_layers_and_stays_as_it_is():
    mine = module().train()
    (cell,) = benchmark.run(mine, "people_rdm", preprocess=preprocess)
    assert [layer.name for layer in cell.layers] == ["0", "output"]
    assert cell.model == "Sequential"
    assert mine.training
    assert next(mine.parameters()).requires_grad


def test_weights_and_preprocessing_of_a_module_are_its_key():
    first = benchmark.run(module(), "people_rdm", preprocess=preprocess)
    assert benchmark.run(module(), "people_rdm", preprocess=preprocess).outcomes[0].cached
    other = module()
    other[0].weight.data *= 2
    assert not benchmark.run(other, "people_rdm", preprocess=preprocess).outcomes[0].cached
    again = benchmark.run(module(), "people_rdm", preprocess=twice)
    assert not again.outcomes[0].cached
    assert again[0].provenance.preprocessing.endswith("twice")
    assert first[0].provenance.preprocessing.endswith("preprocess")


def test_a_module_is_checked_with_its_preprocessing():
    checks = benchmark.check(module(), preprocess=preprocess)
    assert {"weights", "eval mode", "preprocessing"} <= {check.name for check in checks}
    assert len(repr(checks).splitlines()) == len(checks) + 1, "a row for each check, below the names"
    with pytest.raises(UsageError, match="give preprocess="):
        benchmark.check(module())
    with pytest.raises(UsageError, match="belongs to a torch module"):
        benchmark.check("pixels", preprocess=preprocess)


def test_features_in_run_are_those_of_score():
    (expected,) = benchmark.score(FEATURES, NAMES, tasks="people_rdm", output="a")
    for given in (FEATURES, pd.DataFrame(FEATURES, NAMES), {"output": FEATURES}):
        ids = None if isinstance(given, pd.DataFrame) else NAMES
        (cell,) = benchmark.run(given, "people_rdm", ids=ids, output="b")
        assert (cell.score, cell.ci_low, cell.model) == (expected.score, expected.ci_low, "features")


@pytest.mark.parametrize("tasks", ["people_rdm, area_late_rdm", ["people_rdm", "area_late_rdm"]])
def test_names_stand_in_a_list_or_between_commas_as_on_the_command_line(tasks):
    planned = benchmark.run("pixels,mini_clip", tasks, dry_run=True)
    assert planned.to_frame()["binding"].tolist() == ["people_rdm", "area_late_rdm"] * 2
    assert planned.to_frame()["model"].tolist() == ["pixels"] * 2 + ["mini_clip"] * 2


def test_a_dry_run_scores_nothing_and_prints_a_table(tmp_path):
    planned = benchmark.run(FEATURES, "people_rdm", ids=NAMES, dry_run=True)
    assert planned[0].state == "to score"
    assert "people_rdm" in repr(planned)
    assert not list((tmp_path / "results").rglob("*.json"))


def test_jobs_give_the_order_of_the_plan_and_an_object_takes_one():
    with pytest.raises(UsageError, match="one process"):
        benchmark.run(module(), "people_rdm", preprocess=preprocess, jobs=2)


def test_kept_features_can_be_reproduced(bench, tmp_path):
    done = benchmark.score(FEATURES, NAMES, name="mine", tasks="people_rdm", keep="kept")
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["mine.npz", "mine.yaml"]
    file = str(done.outcomes[0].path)
    assert bench("reproduce", file, "--registry", str(tmp_path / "kept" / "mine.yaml")).status == 0
    missing = bench("reproduce", file)
    assert missing.status == 2
    assert "mine" in missing.err
