"""What every test may use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from benchmark.cli import main

ROOT = Path(__file__).parents[1]

# The same examples on every machine, so that what fails once fails again; how long one takes says more about
# what else the machine does.
settings.register_profile(
    "suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")


def pytest_configure() -> None:
    """Have each worker of pytest-xdist work in one thread: beside each other threads wait for each other."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def human_data() -> Path:
    """The real-data root: ``$BENCH_DATA``, else ``../shared/data``; skipped where there is none."""
    folder = Path(os.environ.get("BENCH_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "SHA256SUMS").is_file():
        pytest.skip(f"real data are not here ({folder}); set BENCH_DATA to a data root to run this test")
    return folder


class Bench(NamedTuple):
    """What a command left."""

    status: int
    out: str
    err: str

    @property
    def cells(self) -> list[dict]:
        """The cells of ``bench run --format json``."""
        return json.loads(self.out)


@pytest.fixture
def bench(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shared_cache: Path
) -> Callable[..., Bench]:
    """Run ``bench`` as a user does, in this process: ``bench("run", "--model", "pixels") -> Bench``."""
    monkeypatch.setenv("BENCH_CACHE", str(shared_cache))

    def run(*arguments: object) -> Bench:
        monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return Bench(int(stop.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of features for the whole session, never the user's own."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def writer() -> Iterator[Callable[[Path], tuple[subprocess.Popen[str], Path]]]:
    """Starts a process that never ends writing a file in a folder; gives it and its temporary file."""
    processes = []
    endless = (
        "import sys, time; from pathlib import Path; from benchmark.common.files import open_temporary; "
        "print(open_temporary(Path(sys.argv[1]))[1], flush=True); time.sleep(600)"
    )

    def start(folder: Path) -> tuple[subprocess.Popen[str], Path]:
        command = [sys.executable, "-c", endless, str(folder)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        return process, Path(process.stdout.readline().strip())

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()
