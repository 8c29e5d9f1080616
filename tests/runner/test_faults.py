"""Faults that a machine brings on, each really caused: what is said, and that no other cell is lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_cluster import answers

RUN = ("run", "--model", "pixels", "--task", "people_rdm,area_early_rdm")
HANGS = """
import signal, time

import numpy as np
from benchmark.model import Model


class Hangs(Model):
    layers = ("all",)

    def features(self, stimuli, layers, *, device="cpu", progress=None):
        if len(stimuli) > 1:  # not the probe of the fingerprint
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
            time.sleep(600)
        return {"all": np.ones((len(stimuli), 2), np.float32)}
"""


def run(
    arguments: Sequence[object],
    cache: Path,
    prefix: Sequence[str] = (),
    before: Callable[[], None] | None = None,
    program: Sequence[str] = ("-m", "benchmark"),
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, sys.executable, *program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "BENCH_CACHE": str(cache)},
        preexec_fn=before,
        timeout=300,
    )


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The results where nothing is wrong."""
    folder = tmp_path_factory.mktemp("sound")
    done = run((*RUN, "--output", folder / "results"), folder / "cache")
    assert done.returncode == 0, done.stderr
    return answers(folder / "results")


def without_rights() -> list[str]:
    """What to write before a command so that root, too, may not write to a read-only folder."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root writes to read-only folders, and setpriv is not here")
    return ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]


def test_features_of_a_read_only_cache_are_computed_and_not_kept(tmp_path, sound):
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o555)
    done = run((*RUN, "--output", tmp_path / "results"), cache, without_rights())
    assert done.returncode == 0, done.stderr
    assert answers(tmp_path / "results") == sound
    (said,) = done.stderr.splitlines()
    assert said.startswith(f"cannot write to the cache {cache}/features: Permission denied; features are")
    assert files(cache) == []


#: Features of any size are files, as if they took more than 1 GiB
LARGE = "from benchmark.extraction import rows; rows.IN_MEMORY = 0; from benchmark.cli import main; main()"


@pytest.mark.slow
def test_large_features_of_a_read_only_cache_are_computed_and_not_kept(tmp_path):
    cache, told = tmp_path / "cache", ("run", "--model", "mini_encoder@untrained:0", "--task", "people_rdm")
    cache.mkdir(mode=0o555)
    done = run((*told, "--output", tmp_path / "large"), cache, without_rights(), program=("-c", LARGE))
    assert done.returncode == 0, done.stderr
    (said,) = [line for line in done.stderr.splitlines() if "cache" in line]
    assert said.startswith(f"cannot write to the cache {cache}/features: Permission denied; features are")
    assert files(cache) == []
    assert run((*told, "--output", tmp_path / "small"), tmp_path / "other").returncode == 0
    assert answers(tmp_path / "large") == answers(tmp_path / "small")


def limited(size: int) -> Callable[[], None]:
    """No file may grow beyond ``size`` bytes: writing more fails, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_where_features_do_not_fit_the_cells_are_scored(tmp_path, sound):
    cache = tmp_path / "cache"
    done = run((*RUN, "--output", tmp_path / "results"), cache, before=limited(100_000))
    assert done.returncode == 0, done.stderr
    assert answers(tmp_path / "results") == sound
    (said,) = done.stderr.splitlines()
    assert "features: it does not take the whole file; features are computed and not kept" in said
    assert not [path for path in files(cache / "features") if path.stat().st_size > 0]


def test_where_a_result_does_not_fit_it_is_said_and_nothing_is_torn(tmp_path, sound):
    told = (*RUN, "--output", tmp_path / "results", "--format", "json")
    done = run(told, tmp_path / "cache", before=limited(3000))
    assert done.returncode == 1
    for cell in json.loads(done.stdout):
        assert cell["status"] == "not_possible"
        assert cell["reason"].startswith("cannot write result")
        assert cell["reason"].endswith(": File too large")
    assert "Traceback" not in done.stderr
    assert files(tmp_path / "results") == []
    assert run(told, tmp_path / "cache").returncode == 0
    assert answers(tmp_path / "results") == sound


def test_a_damaged_entry_is_said_put_aside_and_computed_again(tmp_path, sound):
    cache = tmp_path / "cache"
    assert run((*RUN, "--output", tmp_path / "first"), cache).returncode == 0
    (array,) = (cache / "features").rglob("*.npy")
    content = bytearray(array.read_bytes())
    content[-5] ^= 1
    array.write_bytes(content)
    done = run((*RUN, "--output", tmp_path / "second"), cache)
    assert done.returncode == 0
    assert "are damaged (the array differs from its checksum): put aside, computed again" in done.stderr
    assert answers(tmp_path / "second") == sound
    assert len(list((cache / "features").rglob("*.npy.damaged"))) == 1


OWN = """
datasets:
  photos: {kind: stimuli, plugin: "benchmark.datasets.readers.folders:image_folder", params: {path: photos}}
  people:
    kind: target
    plugin: "benchmark.datasets.readers.rdm_files:rdm_files"
    params: {files: [people.npy], ids: ids.txt}
suites:
  own:
    models: [pixels]
    bindings:
      alike: {task: rdm_correlation, stimuli: photos, target: people}
"""


def test_a_changed_image_under_the_same_name_is_scored_again(tmp_path):
    rng = np.random.default_rng(0)
    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(12):
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(photos / f"p{i:02}.png")
    upper = np.triu(rng.random((12, 12)), 1)
    np.save(tmp_path / "people.npy", upper + upper.T)
    (tmp_path / "ids.txt").write_text("".join(f"p{i:02}\n" for i in range(12)))
    (tmp_path / "own.yaml").write_text(OWN)

    def cell() -> dict:
        done = run(
            ("run", "--model", "pixels", "--task", "alike", "--suite", "own", "--format", "json",
             "--registry", tmp_path / "own.yaml", "--output", tmp_path / "results"),
            tmp_path / "cache",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)[0]

    first = cell()
    assert cell()["cached"]
    changed = photos / "p03.png"
    times = changed.stat().st_mtime_ns
    Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(changed)
    os.utime(changed, ns=(times, times))
    second = cell()
    assert not second["cached"]
    assert second["score"] != first["score"]


@pytest.fixture
def hanging(tmp_path) -> Path:
    (tmp_path / "hangs.py").write_text(HANGS)
    path = tmp_path / "mine.yaml"
    path.write_text("models:\n  hangs: {plugin: 'hangs.py:Hangs', description: d}\n")
    return path


def test_a_model_that_hangs_costs_its_cell(tmp_path, hanging):
    done = run(
        ("run", "--model", "hangs", "--task", "people_rdm", "--registry", hanging, "--format", "json",
         "--output", tmp_path / "results", "--time-limit", 3),
        tmp_path / "cache",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    (cell,) = json.loads(done.stdout)
    assert cell["status"] == "failed"
    assert cell["reason"] == "it took longer than 3 s, the time limit: its process was ended"
    assert "Traceback" not in done.stderr


def test_a_time_limit_is_not_for_a_cluster(bench, tmp_path):
    done = bench(*RUN, "--output", tmp_path, "--backend", "dask", "--time-limit", 60)
    assert done.status == 2
    assert "--time-limit cannot stop a task of a dask cluster; limit the time of the jobs" in done.err
