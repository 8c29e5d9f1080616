"""Processes really killed: each loses the item that it worked on, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from benchmark.common.processes import ProcessEnded, TookTooLong, in_processes


def work(item: int | str, noted: Path | None = None) -> object:
    if item == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if item == "exit":
        os._exit(3)
    if item == "pause":
        time.sleep(1)
    if item == "raise":
        raise LookupError("no such item")
    if item == "sleep":
        (noted / str(os.getpid())).touch()
        time.sleep(600)
    return item, os.getpid()


def test_all_items_are_answered_once_by_other_processes() -> None:
    batches = [[1, 2, 3], [], [4, 5], [6]]
    answers = list(in_processes(work, batches, jobs=2))
    assert (
        sorted(item for item, _ in answers) == [answer[0] for _, answer in sorted(answers)] == [*range(1, 7)]
    )
    assert len({process for _, (_, process) in answers}) == 2
    assert os.getpid() not in {process for _, (_, process) in answers}


@pytest.mark.parametrize("batches", [[[*range(8)]], [[*range(6)], [6], [7]]])
def test_a_process_with_nothing_left_takes_items_of_the_longest_batch(
    batches: list[list[int]],
) -> None:
    by_process: dict[int, list[int]] = {}
    for item, process in in_processes(rest, batches, jobs=2):
        by_process.setdefault(process, []).append(item)
    first, second = by_process.values()
    assert len(first) == len(second) == 4
    assert sorted(first + second) == [*range(8)]
    # in order, so that what neighbours share is kept
    for items in (first, second):
        long = [item for item in items if item in batches[0]]
        assert long == sorted(long)


def rest(_: int) -> int:
    time.sleep(0.5)
    return os.getpid()


def test_no_more_processes_are_started_than_there_are_items() -> None:
    assert {item: answer[0] for item, answer in in_processes(work, [[1, 2], [3]], jobs=9)} == {
        1: 1,
        2: 2,
        3: 3,
    }
    assert not list(in_processes(work, [[]], jobs=3))


@pytest.mark.parametrize("end, how", [("kill", "SIGKILL"), ("exit", "3")])
def test_a_process_that_ends_costs_its_item_alone(end: str, how: str) -> None:
    answers = dict(in_processes(work, [[1, end, 2], [3, 4, 5, 6]], jobs=2))
    lost = answers.pop(end)
    assert isinstance(lost, ProcessEnded)
    assert how in lost.how
    assert how in str(lost)
    assert {item: answer[0] for item, answer in answers.items()} == {i: i for i in range(1, 7)}


def test_every_item_may_end_its_process() -> None:
    answers = list(in_processes(work, [["kill"], ["exit"], ["kill"]], jobs=2))
    assert [item for item, _ in answers].count("kill") == 2
    assert all(isinstance(answer, ProcessEnded) for _, answer in answers)


def test_a_process_that_is_killed_while_it_has_nothing_to_do_costs_nothing() -> None:
    answers = in_processes(work, [["pause"], [3]], jobs=2)
    done = {}
    for item, answer in answers:
        done[item] = answer[0]
        if item == 3:
            os.kill(answer[1], signal.SIGKILL)
    assert done == {"pause": "pause", 3: 3}


def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(LookupError, match="no such item"):
        list(in_processes(work, [[1], ["raise"]], jobs=2))


def test_a_caller_that_stops_leaves_no_process(tmp_path: Path, gone: Callable[[int], bool]) -> None:
    answers = in_processes(partial(work, noted=tmp_path), [["sleep"], [1]], jobs=2)
    next(answers)
    deadline = time.monotonic() + 60
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    (sleeper,) = (int(path.name) for path in tmp_path.iterdir())
    answers.close()
    while not gone(sleeper) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert gone(sleeper)


FIRST = """
import os, signal, sys, time
from functools import partial
from pathlib import Path

from benchmark.common.processes import in_processes
from test_processes import work

noted = Path(sys.argv[1])
answers = in_processes(partial(work, noted=noted), [["sleep"], [1]], jobs=2)
print(next(answers)[1][1])
while not list(noted.iterdir()):
    time.sleep(0.05)
print(next(noted.iterdir()).name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="a process keeps the number of its parent")
def test_processes_end_with_the_first_one(tmp_path: Path, gone: Callable[[int], bool]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST, tmp_path],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL
    left = [int(line) for line in done.stdout.split()]
    assert len(left) == 2
    deadline = time.monotonic() + 30
    while not all(map(gone, left)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert all(map(gone, left)), "one works and one waits: both must end"


@pytest.fixture
def gone() -> Callable[[int], bool]:
    def is_gone(process: int) -> bool:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        return False

    return is_gone


def test_each_process_gets_its_share_of_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.common.processes.cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    answers = [answer for _, answer in in_processes(threads, [[1], [2]], jobs=2)]
    assert answers == [("4", "3"), ("4", "3")]


def threads(_: int) -> tuple[str | None, str | None]:
    return os.environ.get("OMP_NUM_THREADS"), os.environ.get("MKL_NUM_THREADS")


def test_an_item_that_reaches_the_limit_costs_itself_alone(
    tmp_path: Path, gone: Callable[[int], bool]
) -> None:
    slow = partial(work, noted=tmp_path)
    answers = dict(in_processes(slow, [[1, "sleep", 2], [3]], jobs=2, limit=20))
    late = answers.pop("sleep")
    assert isinstance(late, TookTooLong)
    assert str(late) == "it took longer than 20 s, the time limit: its process was ended"
    assert {item: answer[0] for item, answer in answers.items()} == {1: 1, 2: 2, 3: 3}
    (process,) = tmp_path.iterdir()
    assert gone(int(process.name))
