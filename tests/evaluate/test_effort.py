"""The account of a study's time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hear_fusion.evaluate.effort import Effort


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr("hear_fusion.evaluate.effort.time.monotonic", lambda: now[0])
    return now


def test_runs_add_up_also_those_broken_off(tmp_path: Path, clock: list[float]) -> None:
    path = tmp_path / "effort.json"
    first = Effort(path, "one")
    with first.step("embed"):
        clock[0] += 5

    def broken_off() -> None:
        with first.step("heads"):
            clock[0] += 7
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    second = Effort(path, "one")
    assert second.seconds == {"embed": 5, "heads": 7}
    with second.step("heads"):
        clock[0] += 1
    assert second.seconds == {"embed": 5, "heads": 8}
    assert second.peak_bytes >= first.peak_bytes > 1e7


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"recipe": "one", "seconds": 3}'])
def test_other_settings_or_another_file_begin_anew(
    tmp_path: Path, clock: list[float], content: str
) -> None:
    path = tmp_path / "effort.json"
    path.write_text(content)
    effort = Effort(path, "one")
    with effort.step("embed"):
        clock[0] += 5
    assert effort.seconds == {"embed": 5}
    assert json.loads(path.read_text())["seconds"] == {"embed": 5}
    assert Effort(path, "other").seconds == {}
