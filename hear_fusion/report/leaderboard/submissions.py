"""Our modules among the HEAR submissions: tables and files."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from hear_fusion.files.atomic import write_whole
from hear_fusion.files.lock import exclusive
from hear_fusion.report.drawing import to_png, to_svg
from hear_fusion.report.formats import NONE, Cell, Number, Table, no_formula, to_markdown
from hear_fusion.report.leaderboard.board import COLUMNS, METRICS
from hear_fusion.report.leaderboard.heatmap import heat_map
from hear_fusion.report.leaderboard.ranking import Standing
from hear_fusion.report.leaderboard.runs import Runs
from hear_fusion.report.sections import LOCK_FILE, Picture, Section, write_section

TITLE = "Among the HEAR submissions"


def make_tables(standing: Standing, runs: Sequence[Runs], source: str) -> list[Table]:
    """Make all tables of a comparison; those without a row are left out.

    Args:
        standing: Our modules among the submissions.
        runs: What our modules' folders hold, in the order of our entries.
        source: Where the leaderboard came from.
    """
    tables = [
        _overall(standing, source),
        _by_task(standing),
        _missing(standing),
        _remarks("refused", "Did not join", "why", {run.module: run.refused for run in runs}),
        _remarks("cautions", "Cautions", "caution", {run.module: run.cautions for run in runs}),
    ]
    return [table for table in tables if table.rows]


def standing_csv(standing: Standing) -> str:
    """Write a standing as CSV: a row a model; score, rank and normalised score a compared task."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    parts = ("score", "rank", "normalised")
    columns = [COLUMNS.index(name) for name in standing.compared]
    totals = ("mean", "mean rank", "overall", "overall rank", "tasks")
    head = [f"{COLUMNS[column]} {part}" for column in columns for part in parts]
    writer.writerow(["model", "ours", *totals, *head])
    for i, entry in enumerate(standing.entries):
        values = [
            float(part[i, column])
            for column in columns
            for part in (standing.scores, standing.ranks, standing.normalised)
        ]
        overall = (standing.mean, standing.mean_rank, standing.overall, standing.overall_rank)
        writer.writerow(
            [
                no_formula(entry.model),
                "yes" if entry.is_ours else "no",
                *(_csv(float(value[i])) for value in overall),
                standing.n_compared[i],
                *map(_csv, values),
            ]
        )
    return text.getvalue()


def write_comparison(
    folder: Path,
    standing: Standing,
    tables: Sequence[Table],
    submitted: str,
) -> None:
    """Write everything into a folder, each file whole or not at all.

    Args:
        folder: Made if absent.
        standing: Our modules among the submissions.
        tables: Of ``make_tables``.
        submitted: Text of ``submission.csv``.
    """
    drawing = heat_map(standing)
    picture = Picture(drawing.name, drawing.title, drawing.caption, to_svg(drawing))
    files = {
        "comparison.md": "\n".join([f"# {TITLE}\n", *map(to_markdown, tables)]).encode(),
        "comparison.csv": standing_csv(standing).encode(),
        "submission.csv": submitted.encode(),
        "heatmap.svg": picture.svg.encode(),
        "heatmap.png": to_png(drawing),
    }
    # Plain text and the drawing: the page escapes the one and shows the other as an image.
    section = Section("leaderboard", TITLE, tables=tuple(tables), pictures=(picture,))
    with exclusive(folder / LOCK_FILE, keep=False):
        for name, content in files.items():
            write_whole(folder / name, content)
        write_section(section, folder)


def _overall(standing: Standing, source: str) -> Table:
    # By the mean, then by the other; NaN, which is no rank, sorts to the end.
    sorted_ = np.lexsort((standing.overall_rank, standing.mean_rank))
    order = [int(i) for i in sorted_ if standing.n_compared[i]]
    rows = tuple(
        (
            _name(standing, i),
            _rank(float(standing.mean_rank[i])),
            _score(float(standing.mean[i])),
            _rank(float(standing.overall_rank[i])),
            _score(float(standing.overall[i])),
            Number(int(standing.n_compared[i]), digits=0),
        )
        for i in order
    )
    ours = frozenset(row for row, i in enumerate(order) if standing.entries[i].is_ours)
    n_submitted = sum(not entry.is_ours for entry in standing.entries)
    mean = (
        f"over the {len(standing.shared)} tasks that all of ours have "
        f"({', '.join(standing.shared)}), of models that have them too; {standing.n_left_out} "
        "submissions lack one and have none"
        if standing.shared
        else "none, since ours have no task in common"
    )
    caption = (
        f"Mean: {mean}. Normalised: each task "
        "standardised over its submissions, clipped to -1 and 1, averaged over those of the "
        f"{len(standing.compared)} compared tasks that a model has (their number in the last "
        "column; few tasks make a rough rank). Blanks are left out, whereas the leaderboard's own "
        "script estimates them. Equal scores share the better rank."
    )
    head = ("model", "rank", "mean", "rank (norm.)", "normalised", "tasks")
    title = f"Overall, beside {n_submitted} submissions ({source})"
    return Table("comparison-overall", title, caption, head, rows, ours)


def _by_task(standing: Standing) -> Table:
    ours = [i for i, entry in enumerate(standing.entries) if entry.is_ours]
    rows = []
    for name in standing.compared:
        scores, ranks = (part[:, COLUMNS.index(name)] for part in (standing.scores, standing.ranks))
        n_ranked = int((~np.isnan(scores)).sum())
        submitted = [
            (float(scores[i]), entry.model)
            for i, entry in enumerate(standing.entries)
            if not entry.is_ours and not math.isnan(scores[i])
        ]
        best = max(submitted, key=lambda row: row[0], default=None)
        rows.append(
            (
                name,
                METRICS[name],
                f"{best[0]:.3f} {best[1]}" if best else NONE,
                *(
                    NONE
                    if math.isnan(scores[i])
                    else f"{scores[i]:.3f} ({ranks[i]:.0f} of {n_ranked})"
                    for i in ours
                ),
            )
        )
    names = [standing.entries[i].model for i in ours]
    caption = (
        "Score of each of our modules and its rank among all models with a score, ours "
        "included. Scores over folds are their means; Beehive is the mean of its two folds, as in "
        "the leaderboard."
    )
    head = ("task", "metric", "best submission", *names)
    return Table("comparison-tasks", "By task", caption, head, tuple(rows))


def _missing(standing: Standing) -> Table:
    rows = []
    for entry in standing.entries:
        missing = [name for name in COLUMNS if name not in entry.scores]
        if entry.is_ours and missing:
            rows.append((entry.model, Number(len(missing), digits=0), ", ".join(missing)))
    title = f"Missing of the {len(COLUMNS)} tasks of the leaderboard"
    return Table("comparison-missing", title, "", ("model", "missing", "tasks"), tuple(rows))


def _remarks(name: str, title: str, what: str, by_module: Mapping[str, Mapping[str, str]]) -> Table:
    rows = tuple(
        (module, task, remark)
        for module, remarks in by_module.items()
        for task, remark in remarks.items()
    )
    return Table(f"comparison-{name}", title, "", ("model", "task folder", what), rows)


def _name(standing: Standing, i: int) -> str:
    entry = standing.entries[i]
    return f"{entry.model} (ours)" if entry.is_ours else entry.model


def _rank(rank: float) -> Cell:
    return NONE if math.isnan(rank) else Number(rank, digits=0)


def _score(score: float) -> Cell:
    return NONE if math.isnan(score) else Number(score, digits=3)


def _csv(value: float) -> str:
    return "" if math.isnan(value) else f"{round(value, 6):.10g}"
