"""Two amounts of every test, and a line of counts for each in the summary."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.harness import Fuzz


@pytest.fixture(params=["few", pytest.param("all", marks=pytest.mark.slow)])
def fuzz(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fuzz]:
    """What feeds inputs: a few, or all of them where slow tests are asked for."""
    fuzz = Fuzz(request.param == "all", tmp_path / "canary")
    yield fuzz
    request.node.user_properties.append(("fuzz", dict(fuzz.counts)))  # plain, for other processes


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many inputs there were."""
    total = 0
    for report in terminalreporter.stats.get("", []):
        for name, counts in report.user_properties:
            if name == "fuzz" and report.when == "teardown":
                total += sum(counts.values())
                told = ", ".join(f"{n} {what}" for what, n in sorted(counts.items()))
                terminalreporter.write_line(f"fuzz: {report.nodeid.split('/')[-1]}: {told}")
    if total:
        terminalreporter.write_line(f"fuzz: {total} inputs")
