"""Claims between real processes."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmark.common import claim as module
from benchmark.common.claim import claim, remove_free

HOLDER = """
import sys
from pathlib import Path
from benchmark.common.claim import claim

with claim(Path(sys.argv[1])) as is_ours:
    print(is_ours, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def hold() -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    """Start a process that has a claim until it gets a line, or is killed."""
    started = []

    def start(path: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLDER, str(path)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_claim_is_free_then_ours_then_gone(tmp_path: Path) -> None:
    path = tmp_path / "suite" / "binding" / ".model.claim"
    with claim(path) as first:
        assert first
        assert path.exists()
        with claim(path) as second:
            assert not second
        assert path.exists(), "who did not get the claim does not remove it"
    assert list(tmp_path.iterdir()) == [], "no empty folders stay"


def test_folders_that_hold_something_stay(tmp_path: Path) -> None:
    path = tmp_path / "suite" / "binding" / ".model.claim"
    with claim(path):
        path.with_name("model.json").touch()
    assert [p.name for p in path.parent.iterdir()] == ["model.json"]


def test_another_process_has_it_until_it_is_killed(tmp_path: Path, hold: Callable) -> None:
    path = tmp_path / "a" / "b" / ".claim"
    process = hold(path)
    with claim(path) as is_ours:
        assert not is_ours
    process.kill()
    process.wait()
    assert path.exists(), "the file of a killed process stays, and says nothing"
    with claim(path) as is_ours:
        assert is_ours
    assert not path.exists()


def test_waiting_says_so_and_ends_when_the_other_is_done(
    tmp_path: Path, hold: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a" / "b" / ".claim"
    process = hold(path)
    threading.Timer(0.3, lambda: process.communicate("done\n")).start()
    with caplog.at_level(logging.WARNING), claim(path, "another works on it: waiting") as is_ours:
        assert is_ours
        assert process.poll() is not None or process.wait(10) == 0
    assert caplog.messages == ["another works on it: waiting"]
    caplog.clear()
    with claim(path, "another works on it: waiting"):
        assert caplog.messages == []


def test_many_that_wait_come_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / ".claim"
    inside, most, turns = 0, 0, 0

    def work() -> None:
        nonlocal inside, most, turns
        for _ in range(20):
            with claim(path, "waiting"):
                inside += 1
                most = max(most, inside)
                turns += 1
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, turns) == (1, 80)


def test_only_claims_that_nobody_has_are_removed(tmp_path: Path, hold: Callable) -> None:
    held, killed = tmp_path / "a" / "b" / ".held.claim", tmp_path / "a" / "b" / ".killed.claim"
    hold(held)
    process = hold(killed)
    process.kill()
    process.wait()
    remove_free(held.parent.glob(".*.claim"))
    assert (held.exists(), killed.exists()) == (True, False)


@pytest.mark.parametrize("fault", ["no locks", "no folder"])
def test_where_no_claim_can_be_made_the_work_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    path = tmp_path / "a" / "b" / ".claim"
    if fault == "no locks":
        monkeypatch.setattr(module, "fcntl", None)
    else:
        (tmp_path / "a").touch()  # a file stands where the folder should be
    with claim(path) as first, claim(path, "waiting") as second:
        assert first
        assert second
