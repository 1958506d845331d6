"""Differences under heareval's own predictor, as a section of the page."""

from __future__ import annotations

from collections.abc import Sequence

from hear_fusion.evaluate.difference import Difference
from hear_fusion.report.formats import Number, Table
from hear_fusion.report.sections import Section


def official_section(differences: Sequence[Difference]) -> Section:
    """Show what a fusion gains over the original embedding by heareval's scores.

    Args:
        differences: One a task, of any of heareval's metrics.
    """
    rows = tuple(
        (
            row.first.task,
            row.first.metric,
            Number(row.first.n, digits=0),
            Number(row.first.value, row.first.low, row.first.high, digits=2),
            Number(row.second.value, row.second.low, row.second.high, digits=2),
            Number(row.value, row.low, row.high, digits=2, signed=True),
        )
        for row in differences
    )
    modules = sorted({row.second.module for row in differences}, key=len)
    table = Table(
        "heareval",
        "Original and fused under heareval's own head",
        "Scores as heareval computes them, between 0 and 1, with 95 % intervals over n test clips "
        "(files where events are scored); differences are paired.",
        ("task", "metric", "n", "original", "fused", "difference"),
        rows,
    )
    words = (
        "heareval's predictor, a small multilayer perceptron, takes features as they are, so that "
        "layers of large variance dominate a fusion; the linear evaluation above standardises "
        f"them. Fused: {', '.join(modules) or 'nothing was scored'}."
    )
    return Section("heareval", "The official HEAR head", (words,), (table,))
