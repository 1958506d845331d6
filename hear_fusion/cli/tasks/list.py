"""``hear-fusion tasks list``: public data sets and where to get them."""

from __future__ import annotations

import click

from hear_fusion.datasets import DATA_SETS


@click.command("list")
def list_data_sets() -> None:
    """Show the data sets that 'hear-fusion tasks prepare' takes, and where to get them.

    \b
    Example:
      hear-fusion tasks list
    """  # noqa: D301 -- click wants the character itself
    for data_set in DATA_SETS.values():
        ways = [way for way in (data_set.splitting, data_set.fallback) if way is not None]
        counts = " / ".join(f"{n} {split}" for split, n in ways[0].expected.items())
        click.echo(f"{data_set.name}\n  {data_set.title}; {data_set.seconds:g} s")
        for word, text in (
            ("archive", ", ".join(data_set.archives)),
            ("from", data_set.url),
            ("licence", data_set.licence),
            ("cite", data_set.citation),
            ("clips", counts),
            *zip(("split", "or else"), (way.rule for way in ways), strict=False),
            ("folder", ", ".join(data_set.metadata(w, w.mode).folder_name for w in ways)),
        ):
            click.echo(f"  {word:8} {text}")
