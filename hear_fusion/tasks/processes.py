"""One function over many items on all cores, in bounded memory."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_AHEAD = 4  # items handed out for each process, so that none waits for the next


class Workers:
    """Processes that are spawned once and used for several rounds of work.

    Leaving the context, also by Ctrl-C, lets what is being done end and drops what is not begun.

    Args:
        jobs: Number of processes; 1 does the work in this one.
    """

    def __init__(self, jobs: int) -> None:
        self._limit = jobs * _AHEAD
        self._pool = None
        if jobs > 1:
            # Spawned, not forked: the parent may hold threads.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(jobs, context, initializer=_obey_parent)

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def unordered(
        self, function: Callable[[_Item], _Result], items: Iterable[_Item]
    ) -> Iterator[_Result]:
        """Yield the function's results as they come; few items are taken ahead.

        Args:
            function: A function of a module, since processes import it.
            items: Its arguments.

        Raises:
            RuntimeError: If a process died. What the function raises is raised as it is.
        """
        if self._pool is None:
            yield from map(function, items)
            return
        running: set[Future[_Result]] = set()
        try:
            for item in items:
                running.add(self._pool.submit(function, item))
                if len(running) >= self._limit:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        except BrokenProcessPool as err:
            raise RuntimeError(
                "a process was ended from outside, perhaps for want of memory; "
                "run the same command again with a lower --jobs"
            ) from err


def available_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _obey_parent() -> None:
    # Ctrl-C reaches every process of the terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def end_with_parent() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=end_with_parent, daemon=True).start()
