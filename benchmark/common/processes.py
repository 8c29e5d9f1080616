"""Work in several processes. A process that is killed loses the item it worked on, and nothing else."""

from __future__ import annotations

import os
import re
import signal
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from threading import Thread
from typing import Generic, TypeVar

from joblib import cpu_count
from joblib.externals.loky import ProcessPoolExecutor

Item = TypeVar("Item")
Answer = TypeVar("Answer")

#: Variables that decide how many threads a library starts; the same as joblib sets for its workers
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


@dataclass(frozen=True)
class ProcessEnded:
    """Stands for the answer of an item whose process ended before it answered.

    Attributes
    ----------
    how : str
        The signal or the exit status, such as ``SIGKILL(-9)``; empty: not known.
    """

    how: str

    def __str__(self) -> str:
        how = f" ({self.how})" if self.how else ""
        return f"its process ended{how}: it was killed, ran out of memory or crashed"


class TookTooLong(ProcessEnded):
    """Stands for the answer of an item that reached the time limit, so that its process was ended."""

    def __str__(self) -> str:
        return f"it took longer than {self.how}, the time limit: its process was ended"


@dataclass
class _Lane(Generic[Item]):
    """One process, and the batch it works on. One process for each lane, so that the lost item is known."""

    batch: deque[Item]
    start: Callable[[], ProcessPoolExecutor]
    item: Item = field(init=False)
    began: float = field(init=False)
    process: ProcessPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self.process = self.start()

    def submit(self, work: Callable[[Item], Answer]) -> Future[Answer]:
        """Start the work on the next item of the batch."""
        self.item = self.batch.popleft()
        self.began = time.monotonic()
        try:
            return self.process.submit(work, self.item)  # type: ignore[no-any-return]
        except BrokenProcessPool:  # the process was killed while it had nothing to do
            self.restart()
            return self.process.submit(work, self.item)  # type: ignore[no-any-return]

    def restart(self) -> None:
        """Take a new process for one that ended."""
        self.process.shutdown(kill_workers=True)
        self.process = self.start()


def in_processes(
    work: Callable[[Item], Answer],
    batches: Iterable[Sequence[Item]],
    jobs: int,
    limit: float | None = None,
) -> Iterator[tuple[Item, Answer | ProcessEnded]]:
    """Do some work for every item, in ``jobs`` processes.

    Parameters
    ----------
    work : callable
        A function of a module, or a partial of one. What it raises is raised here.
    batches : iterable of sequence
        Items. One process takes the items of a batch in order, so that it can keep what they share. A process
        with nothing left takes every second item that is left of the longest batch.
    jobs : int
        Number of processes, at least 1.
    limit : float, optional
        Most seconds for an item, with the start of its process. The process of an item that takes longer is
        killed.

    Yields
    ------
    item, answer
        As soon as the answer is there. :class:`ProcessEnded` stands for the answer that a process did not
        give because it ended; the rest of its batch goes on in a new process. :class:`TookTooLong` stands
        for the answer of an item that reached the limit.
    """
    # loky replaces a worker whose memory has grown, and nothing is lost
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs", category=UserWarning)
    waiting = deque(deque(batch) for batch in batches if batch)
    jobs = min(jobs, sum(map(len, waiting)))
    start = partial(
        ProcessPoolExecutor,
        1,
        initializer=_follow,
        initargs=(os.getpid(),),
        env=_threads(jobs),
    )
    lanes: list[_Lane[Item]] = []
    running = {}
    try:
        while len(lanes) < jobs:
            lanes.append(_Lane(_next(waiting, lanes), start))
        running = {lane.submit(work): lane for lane in lanes}
        while running:
            done, _ = wait(running, timeout=_left(running.values(), limit), return_when=FIRST_COMPLETED)
            late = {future for future, lane in running.items() if _left([lane], limit) == 0}
            for future in done | late:
                lane = running.pop(future)
                answer = lane.item, _answer(future, limit)
                if isinstance(answer[1], ProcessEnded):
                    lane.restart()
                lane.batch = lane.batch or _next(waiting, lanes)
                if lane.batch:
                    running[lane.submit(work)] = lane
                yield answer
    finally:
        for lane in lanes:
            lane.process.shutdown(kill_workers=bool(running))


def _next(waiting: deque[deque[Item]], lanes: Iterable[_Lane[Item]]) -> deque[Item]:
    """A batch that no process has begun, or else every second item that is left of the longest one."""
    if waiting:
        return waiting.popleft()
    longest = max((lane.batch for lane in lanes), key=len, default=deque[Item]())
    left = list(longest)
    # not the second half: a long item in the middle would be reached later
    kept, taken = (left[::2], left[1::2]) if len(left) > 1 else ([], left)
    longest.clear()
    longest.extend(kept)
    return deque(taken)


def _left(lanes: Iterable[_Lane[Item]], limit: float | None) -> float | None:
    """Seconds until the first of the lanes reaches the limit."""
    return None if limit is None else max(0.0, min(lane.began for lane in lanes) + limit - time.monotonic())


def _answer(future: Future[Answer], limit: float | None) -> Answer | ProcessEnded:
    if not future.done():
        return TookTooLong(f"{limit:g} s")
    try:
        return future.result()
    except BrokenProcessPool as error:
        how = re.search(r"exit codes of the workers are \{(.*?)\}", str(error))
        return ProcessEnded(how[1] if how else "")


def _follow(first: int) -> None:
    """Leave Ctrl-C to the process ``first``, which started this one, and end with it."""
    # Ctrl-C reaches every process of a terminal; the first one stops the others
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.name == "posix":  # elsewhere a process keeps the number of its parent

        def end_with_it() -> None:
            while os.getppid() == first:
                time.sleep(1)
            os._exit(1)  # nobody waits for an answer; loky's worker would wait for ever

        Thread(target=end_with_it, daemon=True).start()


def _threads(jobs: int) -> dict[str, str]:
    """The share of the processors that each process gets, where the user did not set it."""
    share = str(max(1, cpu_count() // max(1, jobs)))
    return {name: os.environ.get(name, share) for name in _THREADS}
