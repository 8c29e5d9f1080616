"""Long work of a task: its bar, and that what is done stays done when the run is killed."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from benchmark.cli.run import WorkBar
from benchmark.common.memo import FolderMemo
from benchmark.extraction.cache import contents, remove
from benchmark.measures.gromov_wasserstein import search
from benchmark.runner import Options, Session, execute, plan
from benchmark.runner.score import assemble, view

ROOT = Path(__file__).parents[2]
#: Of the one layer of pixels, and then of the ceiling: six
STARTS, EPSILONS, SEARCHES = 2, 2, 7
#: Runs bench, and kills it once so many records are kept
DYING = """
import os, signal, sys
from benchmark.cli import main
from benchmark.common.memo import FolderMemo
keep, left = FolderMemo.__setitem__, [int(sys.argv.pop(1))]
def keep_and_die(self, key, record):
    keep(self, key, record)
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
FolderMemo.__setitem__ = keep_and_die
main()
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "suites:\n  quick:\n    models: [pixels]\n    miniature: true\n    bindings:\n"
        "      quick_gwot: {task: gwot_matching, stimuli: mini_images, target: mini_people,\n"
        f"        params: {{starts: {STARTS}, epsilons: [0.05, 0.01]}}}}\n"
    )
    return path


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The epsilon of each entropic problem of a search that is solved in this process."""
    found: list[float] = []
    solve = search.entropic

    def counting(problem, plan, epsilon, tolerance):  # type: ignore[no-untyped-def]
        found.append(epsilon)
        return solve(problem, plan, epsilon, tolerance)

    def around(one, plan):  # type: ignore[no-untyped-def]
        with monkeypatch.context() as after_the_search:
            after_the_search.setattr(search, "entropic", solve)
            return look_around(one, plan)

    look_around = search.Search.around
    monkeypatch.setattr(search, "entropic", counting)
    monkeypatch.setattr(search.Search, "around", around)
    return found


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_to_the_same_bytes(
    bench: Callable, mine: Path, shared_cache: Path, tmp_path: Path, solved: list[float]
) -> None:
    command = ("run", "--registry", mine, "--suite", "quick", "--model", "pixels", "--task", "quick_gwot")
    # the layer's search, its outcome, and the entropic solutions of the next search, those of its first start
    kept = (EPSILONS + STARTS) + 1 + EPSILONS
    died = subprocess.run(
        [sys.executable, "-c", DYING, str(kept), *map(str, command), "--output", str(tmp_path / "resumed")],
        env=os.environ | {"BENCH_CACHE": str(shared_cache), "OMP_NUM_THREADS": "1"},
        cwd=ROOT,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL
    assert not list((tmp_path / "resumed").glob("**/*.json"))
    assert "unfinished" in bench("cache", "ls").out

    (resumed,) = bench(*command, "--output", tmp_path / "resumed", "--format", "json").cells
    assert len(solved) == SEARCHES * EPSILONS - 2 * EPSILONS
    assert "unfinished" not in bench("cache", "ls").out, "with the result stored it is of no use"
    solved.clear()
    (whole,) = bench(*command, "--output", tmp_path / "whole", "--format", "json").cells
    assert len(solved) == SEARCHES * EPSILONS
    # what differs is where the result stands, when it was made and how long it took
    same = {key for key in whole if whole[key] == resumed[key]}
    assert {"score", "ci_low", "ci_high", "ceiling_low", "ceiling_high", "chance"} <= same
    arrays = [next((tmp_path / run).glob("**/*.npz")) for run in ("resumed", "whole")]
    assert arrays[0].name == arrays[1].name
    assert arrays[0].read_bytes() == arrays[1].read_bytes()


def test_one_bar_moves_over_all_searches_of_a_cell(
    monkeypatch: pytest.MonkeyPatch, mine: Path, shared_cache: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(shared_cache))
    session = Session(Options(registries=(mine,), output=tmp_path / "results"))
    seen: dict[str, list[tuple[int, int]]] = {}

    def bar(what: str) -> Callable[[int, int], None]:
        return lambda done, total: seen.setdefault(what, []).append((done, total))

    (outcome,) = execute(plan(session.registry, ["pixels"], ["quick_gwot"], "quick"), session, bars=bar)
    assert outcome.cell.status == "scored"
    steps = seen["quick_gwot of pixels"]
    # among few conditions the first start alone is entropic, at each epsilon; each start ends with a search
    total = SEARCHES * (EPSILONS + STARTS)
    assert {of for _, of in steps} == {total}
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert {done for done, _ in steps} == set(range(total + 1))


def test_a_bar_that_does_not_reach_its_end_can_be_taken_away() -> None:
    bars = Progress(console=Console(file=io.StringIO()), disable=True)
    bar = WorkBar(bars, "work")
    bar(1, 3)
    assert [task.description for task in bars.tasks] == ["work"]
    bar.close()
    bar.close()
    assert bars.tasks == []
    bar(3, 3)
    assert bars.tasks == []


def test_unfinished_work_can_be_removed_from_the_cache(tmp_path: Path) -> None:
    memo = FolderMemo(tmp_path / "unfinished" / "0123")
    memo["a"] = {}
    (kept,) = contents(tmp_path)
    assert kept.kind == "unfinished"
    assert remove([kept]) == kept.size > 0
    assert list((tmp_path / "unfinished").iterdir()) == []


def test_clearing_a_memo_takes_its_records_and_nothing_else(tmp_path: Path) -> None:
    memo = FolderMemo(tmp_path / "memo")
    memo["a"] = memo["b"] = {}
    other = tmp_path / "memo" / "notes.txt"
    other.write_text("mine")
    memo.clear()
    assert len(memo) == 0
    assert other.read_text() == "mine"
    other.unlink()
    memo.clear()
    assert not (tmp_path / "memo").exists()
    memo.clear()


@pytest.mark.parametrize(("device", "told"), [("cpu", None), ("cuda", "cuda"), ("mps", "mps")])
def test_a_task_is_told_of_the_accelerator_of_the_run(
    mine: Path, device: str, told: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.runner.session.resolve_device", lambda name: name)  # none is here
    session = Session(Options(registries=(mine,), device=device))
    (cell,) = plan(session.registry, ["pixels"], ["quick_gwot"], "quick")
    assert view(session, assemble(session, cell)).work.device == told
