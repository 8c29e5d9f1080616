"""Packages as pip installs them: their models are there, and what is wrong with one is its own."""

from __future__ import annotations

import pytest

CLASS = """
import numpy as np
from benchmark.model import Model

class Net(Model):
    layers = ("a",)
    def features(self, stimuli, layers, **rest):
        rows = [np.asarray(stimuli.image(i)).ravel()[:3000] for i in range(len(stimuli))]
        return {layer: np.array(rows, float) for layer in layers}
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """``install(package, code, name)`` leaves what pip leaves: the module and its dist-info folder."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def done(package: str, code: str, name: str) -> None:
        (tmp_path / f"{package}.py").write_text(code)
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[semantic_benchmark.models]\n{name} = {package}:Net\n")

    return done


def run(bench, tmp_path, models):
    return bench("run", "-m", models, "-t", "people_rdm", "--output", tmp_path / "results")


def test_an_installed_model_is_scored_with_no_registry_file(bench, install, tmp_path):
    install("lab_one_net", CLASS, "lab_net")
    done = run(bench, tmp_path, "lab_net")
    assert done.status == 0, done.out + done.err
    assert bench("check-model", "lab_net", "--device", "cpu").status == 0


def test_two_packages_with_one_name_are_both_named(bench, install, tmp_path):
    install("lab_two_net", CLASS, "same_net")
    install("lab_three_net", CLASS, "same_net")
    done = run(bench, tmp_path, "same_net")
    assert done.status == 2
    assert "lab_two_net" in done.err
    assert "lab_three_net" in done.err
    assert "this name is taken" in done.err


def test_one_that_raises_at_import_is_named_and_the_others_run(bench, install, tmp_path):
    install("lab_bad_net", "x = 1\nraise RuntimeError('no luck')\n", "bad_net")
    done = run(bench, tmp_path, "bad_net,pixels")
    assert done.status == 1
    assert "RuntimeError: no luck" in done.out
    assert "lab_bad_net.py:2" in done.out
    assert (tmp_path / "results" / "mini" / "people_rdm" / "pixels.json").exists()
