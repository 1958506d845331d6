"""Processes that come and go, watched from outside."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path


def wait_for(found: Callable[[], object], seconds: float = 30.0) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = found()
        if result:
            return str(result)
        time.sleep(0.1)
    raise AssertionError("nothing came of it")


def is_alive(pid: int) -> bool:
    if sys.platform == "linux":
        # Where nobody collects orphans they stay on as zombies.
        status = Path(f"/proc/{pid}/stat")
        return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
