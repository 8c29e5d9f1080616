"""Whatever can change a number makes stored features and results stale, and ``bench why`` names it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent

import pytest

from benchmark.registry import imports

MODEL = """
    import numpy as np
    from benchmark.model import Model
    {imports}
    class Tiny(Model):
        layers = ("output",)
        def features(self, stimuli, layers, *, device="cpu", progress=None):
            {late}
            small = [stimuli.image(i).resize(({size}, {size})) for i in range(len(stimuli))]
            return {{"output": np.array([np.asarray(image).ravel() for image in small], np.float32)}}
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))
    return path


class Lab:
    """A folder of a user with a registry file, scored by commands as a user gives them."""

    def __init__(self, folder: Path, bench) -> None:
        self.folder, self._bench = folder, bench
        self.binding = "people_rdm"

    def model(self, **parts: str) -> None:
        text = dedent(MODEL).format(**{"imports": "", "late": "pass", "size": "SIZE", **parts})
        write(self.folder / "models" / "deep" / "tiny.py", text)
        self.registry("models: {tiny: {plugin: models/deep/tiny.py:Tiny, description: small pixels}}")

    def registry(self, text: str) -> None:
        write(self.folder / "mine.yaml", text)

    def run(self, *more: str, model: str = "tiny") -> str:
        return self._ask("run", "-m", model, "-t", self.binding, *more)

    def why(self, *more: str, model: str = "tiny") -> str:
        return self._ask("why", model, self.binding, *more)

    def _ask(self, verb: str, *words: str) -> str:
        options = ("--registry", self.folder / "mine.yaml", "--output", self.folder / "results")
        suite = ("--suite", "own") if "suites:" in (self.folder / "mine.yaml").read_text() else ()
        done = self._bench(verb, *words, *options, *suite)
        assert done.status == 0 or verb == "why", done.err
        return done.out

    def is_stale_because(self, *reasons: str) -> None:
        """The result is stale for these reasons, is scored again, and is then current."""
        told = self.why()
        assert "stale" in told
        for reason in reasons:
            assert reason in told, told
        assert "nothing was recomputed" not in self.run()
        assert "current" in self.why()


@pytest.fixture
def lab(tmp_path, bench, monkeypatch) -> Lab:
    path, modules = list(sys.path), set(sys.modules)
    yield Lab(tmp_path, bench)
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).is_relative_to(tmp_path):
            del sys.modules[name]


def test_the_module_beside_a_plug_in(lab):
    prep = write(lab.folder / "models" / "deep" / "prep.py", "SIZE = 4\n")
    lab.model(imports="from prep import SIZE")
    lab.run()
    assert "nothing was recomputed" in lab.run()
    prep.write_text("SIZE = 8\n")
    lab.is_stale_because("code that the plug-in imports: prep", "fingerprint of the output of the model")


@pytest.mark.parametrize("late", [False, True])
def test_a_package_two_folders_up_that_imports_another(lab, late):
    write(lab.folder / "labcode" / "__init__.py", "")
    write(lab.folder / "labcode" / "prep.py", "from .constants import SIDE as SIZE\n")
    constants = write(lab.folder / "labcode" / "constants.py", "SIDE = 4\n")
    up = "import sys, pathlib; sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))"
    line = "from labcode.prep import SIZE"
    lab.model(imports=up, late=line) if late else lab.model(imports=f"{up}\n{line}")
    lab.run()
    assert "nothing was recomputed" in lab.run()
    constants.write_text("SIDE = 8\n")
    if late:  # this process has imported it: a new one is needed, as the user's next command is
        for name in [name for name in sys.modules if name.startswith(("labcode", "benchmark_plugin_tiny"))]:
            del sys.modules[name]
    lab.is_stale_because("code that the plug-in imports: labcode.constants")


def test_an_installed_library_that_changes_its_resize_under_one_version(lab, monkeypatch):
    site = lab.folder / "site"
    library = write(site / "fastresize" / "__init__.py", "def size():\n    return 4\n")
    monkeypatch.syspath_prepend(str(site))
    folders = (*imports._installed(), site)
    monkeypatch.setattr(imports, "_installed", lambda: folders)
    lab.model(imports="import fastresize", size="fastresize.size()")
    lab.run()
    assert "nothing was recomputed" in lab.run()
    library.write_text("def size():\n    return 8\n")
    del sys.modules["fastresize"]
    for name in [name for name in sys.modules if name.startswith("benchmark_plugin_tiny")]:
        del sys.modules[name]
    told = lab.why()
    assert "code that" not in told
    lab.is_stale_because("fingerprint of the output of the model")


def test_a_file_that_a_plug_in_reads_and_nobody_names(lab):
    size = write(lab.folder / "models" / "deep" / "size.txt", "4")
    lab.model(size="int(__import__('pathlib').Path(__file__).with_name('size.txt').read_text())")
    lab.run()
    assert "nothing was recomputed" in lab.run()
    size.write_text("8")
    lab.is_stale_because("fingerprint of the output of the model")


def test_the_module_beside_a_task(lab):
    write(
        lab.folder / "own_task.py",
        """
        from pathlib import Path
        from factor import FACTOR
        from benchmark.registry import load_plugin

        class OwnTask(load_plugin("tasks/rdm_correlation.py:RDMCorrelation", Path())):
            factor = FACTOR
        """,
    )
    factor = write(lab.folder / "factor.py", "FACTOR = 1\n")
    lab.registry(
        """
        tasks:
          own: {plugin: own_task.py:OwnTask, description: own}
        suites:
          own:
            description: own
            models: [pixels]
            bindings:
              people_rdm: {task: own, stimuli: mini_images, target: mini_people}
        """
    )
    lab.run(model="pixels")
    assert "nothing was recomputed" in lab.run(model="pixels")
    factor.write_text("FACTOR = 2\n")
    assert "code that the task imports: factor" in lab.why(model="pixels")
    assert "nothing was recomputed" not in lab.run(model="pixels")


READER = """
    import numpy as np
    from benchmark.datasets import RDMTarget
    from order import ORDER
    def read(root, *, name, scale=1.0):
        names = sorted({names})
        x = np.arange(len(names), dtype=float)
        rdm = np.abs(x[:, None] - x[None, :]) ** scale
        return RDMTarget(
            name=name, ids=tuple(names[::ORDER]), hash="one hash for all", rdms=rdm[None], subjects=("one",)
        )
"""


@pytest.fixture
def own_target(lab) -> Lab:
    from benchmark.datasets.mini.concepts import CONCEPTS

    write(lab.folder / "reader.py", dedent(READER).replace("{names}", repr([c.id for c in CONCEPTS])))
    write(lab.folder / "order.py", "ORDER = 1\n")
    lab.registry(
        """
        datasets:
          mine: {kind: target, plugin: reader.py:read, description: a line, params: {scale: 1.0}}
        suites:
          own:
            description: own
            models: [pixels]
            bindings:
              line: {task: rdm_correlation, stimuli: mini_images, target: mine}
        """
    )
    lab.binding = "line"
    return lab


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("order.py", "ORDER = 1", "ORDER = -1", "code that the reader of the target imports: order"),
        ("reader.py", "sorted(", "list(", "code of the reader of the target"),
        ("mine.yaml", "scale: 1.0", "scale: 0.5", "params of the target's entry"),
    ],
)
def test_a_reader_of_a_user(own_target, file, old, new, reason):
    assert "1 of 1" in own_target.run(model="pixels")
    assert "nothing was recomputed" in own_target.run(model="pixels")
    path = own_target.folder / file
    path.write_text(path.read_text().replace(old, new))
    told = own_target.why(model="pixels")
    assert "stale" in told
    assert reason in told
    assert "nothing was recomputed" not in own_target.run(model="pixels")


def test_two_entries_whose_fingerprints_differ_share_no_features(lab):
    write(lab.folder / "models" / "deep" / "size.txt", "4")
    lab.model(
        size="4 if self.spec.name == 'tiny' else 8",  # the name of an entry is in no key
    )
    lab.registry(
        """
        models:
          tiny: {plugin: models/deep/tiny.py:Tiny, description: small pixels}
          large: {plugin: models/deep/tiny.py:Tiny, description: small pixels}
        """
    )
    small = lab.run("--format", "json")
    large = lab.run("--format", "json", model="large")
    assert small.split('"score"')[1][:12] != large.split('"score"')[1][:12]
    assert "nothing was recomputed" in lab.run()


def test_a_module_of_one_name_beside_two_plug_ins(lab):
    for folder, size in (("one", 4), ("two", 8)):
        write(lab.folder / folder / "helper_of_both.py", f"SIZE = {size}\n")
        write(
            lab.folder / folder / "tiny.py",
            dedent(MODEL).format(imports="from helper_of_both import SIZE", late="pass", size="SIZE"),
        )
    lab.registry(
        """
        models:
          tiny: {plugin: one/tiny.py:Tiny, description: one}
          other: {plugin: two/tiny.py:Tiny, description: two}
        """
    )
    done = lab._bench(
        "run",
        "-m",
        "tiny,other",
        "-t",
        "people_rdm",
        "--registry",
        lab.folder / "mine.yaml",
        "--output",
        lab.folder / "results",
    )
    assert done.status == 1
    assert "1 of 2 cells scored" in done.out
    assert "give one of the two another name" in " ".join(done.out.split() + done.err.split())


@pytest.mark.slow
def test_the_preprocessing_of_torchvision_changes_its_resize(tmp_path):
    """With a copy of the library in which the default interpolation is another, under the same version."""
    copy = tmp_path / "site" / "torchvision"
    shutil.copytree(Path(find_spec("torchvision").origin).parent, copy)
    write(
        tmp_path / "mine.yaml",
        """
        models:
          squeeze:
            plugin: models/torchvision_models.py:Torchvision
            description: SqueezeNet with random weights
            params: {architecture: squeezenet1_1, preprocessing: IMAGENET1K_V1, layers: [classifier]}
            checkpoint: {untrained: 0}
        """,
    )

    def bench(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "benchmark", *words, "--registry", "mine.yaml", "--output", "out"],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), str(Path(__file__).parents[2])]),
                "BENCH_CACHE": str(tmp_path / "cache"),
            },
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0 or words[0] == "why", done.stderr
        return done.stdout

    run = ("run", "-m", "squeeze", "-t", "people_rdm")
    bench(*run)
    assert "nothing was recomputed" in bench(*run)
    presets = copy / "transforms" / "_presets.py"
    text = presets.read_text()
    assert "InterpolationMode.BILINEAR" in text
    presets.write_text(text.replace("InterpolationMode.BILINEAR", "InterpolationMode.NEAREST"))
    told = bench("why", "squeeze", "people_rdm")
    assert "fingerprint of the preprocessed pixels" in told, told
    assert "nothing was recomputed" not in bench(*run)
    assert "nothing was recomputed" in bench(*run)
