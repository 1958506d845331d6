"""``hear-fusion tasks check``: what heareval would trip over in task folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hear_fusion.cli.errors import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hear_fusion.tasks.findings import Finding, TaskReport

_SHOWN = 10  # findings of one kind


@click.command()
@click.argument("tasks_dir", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write all findings to this JSON file.",
)
def check(tasks_dir: Path, json_file: Path | None) -> None:
    """Check the task folder TASKS_DIR, or all in it, before a long evaluation.

    Errors are what heareval fails on, or scores wrongly without a word: metadata, vocabulary,
    labels, events, names, missing or unreadable files, rates, channels, lengths, the same sound in
    two splits. Notes are what it runs over, such as labels absent from a split. Every sound is
    read; nothing is changed. The exit code is 1 if there is an error.

    \b
    Example:
      hear-fusion tasks check tasks
      hear-fusion tasks check tasks/esc50-v2.0.0-full --json findings.json
    """  # noqa: D301 -- click wants the character itself
    import json
    from dataclasses import asdict

    from hear_fusion.files import write_whole
    from hear_fusion.progress import progress_bar
    from hear_fusion.tasks.check import check_task, count_files, list_tasks

    tasks, strays = list_tasks(tasks_dir)
    total = sum(count_files(task) for task in tasks)
    with progress_bar(f"checking {tasks_dir}", total, "file") as bar:
        reports = [check_task(task, bar.update) for task in tasks]
    for report in reports:
        _show(report)
    _show_findings(strays)
    if json_file is not None:
        content = {"tasks": [asdict(r) for r in reports], "strays": [asdict(s) for s in strays]}
        write_whole(json_file, json.dumps(content, indent=1) + "\n")
    n_errors = len(strays) + sum(report.n_errors for report in reports)
    if n_errors:
        raise click.ClickException(f"{n_errors} errors in {len(reports)} tasks of {tasks_dir}")
    click.echo(f"no errors in {len(reports)} tasks of {tasks_dir}")


def _show(report: TaskReport) -> None:
    splits = " / ".join(f"{n} {split}" for split, n in report.clips_by_split.items())
    click.echo(f"{report.name}: {splits or 'nothing'}, {report.n_classes} classes")
    for rate in report.rates:
        click.echo(f"  {rate.sample_rate} Hz: {rate.n_files} files, {rate.seconds:.0f} s")
    _show_findings(report.findings)


def _show_findings(findings: Sequence[Finding]) -> None:
    shown: dict[tuple[str, str], int] = {}
    for finding in findings:
        kind = (finding.severity, finding.rule)
        shown[kind] = shown.get(kind, 0) + 1
        if shown[kind] <= _SHOWN:
            click.echo(printable(f"  {finding.severity}: {finding.where}: {finding.what}"))
    for (severity, rule), n in shown.items():
        if n > _SHOWN:
            click.echo(f"  {severity}: {n - _SHOWN} more of '{rule}' (--json tells all)")
