"""``hear-fusion features``: a feature table of people's recordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hear_fusion.cli import options
from hear_fusion.cli.errors import printable

if TYPE_CHECKING:
    from hear_fusion.embeddings.features.rows import Rows
    from hear_fusion.embeddings.features.run import Outcome
    from hear_fusion.names import Choice


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=options.PATH)
@click.option("--model", required=True, metavar="NAME", help="Such as yamnet_5_13 or cnn14.")
@click.option(
    "--out",
    required=True,
    type=options.PATH,
    help="The table: .parquet, .npz or .csv; without a suffix a folder of .npy.",
)
@click.option("--glob", metavar="PATTERN", help="Names of files in folders, such as '*.wav'.")
@click.option(
    "--segments",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="List of parts of recordings: a CSV with path, start, stop, id (in s); a Raven selection "
    "table; an Audacity label track.",
)
@click.option("--frames", is_flag=True, help="One vector a frame, not one a sound.")
@click.option("--hop-ms", type=int, help="Hop of the frames in ms.  [default: the network's own]")
@click.option("--window", type=float, metavar="S", help="One vector a window of so many seconds.")
@click.option("--step", type=float, metavar="S", help="From window to window.  [default: --window]")
@click.option(
    "--compress",
    type=click.IntRange(min=1),
    metavar="K",
    help="Whiten each layer to K components, fitted on these sounds: fewer numbers, better "
    "neighbours.",
)
@options.weights
@options.device
@click.option("--strict", is_flag=True, help="Stop at the first sound that cannot be used.")
@options.no_wait
def features(
    paths: tuple[Path, ...],
    model: str,
    out: Path,
    glob: str | None,
    segments: Path | None,
    frames: bool,
    hop_ms: int | None,
    window: float | None,
    step: float | None,
    compress: int | None,
    weights: Path | None,
    device: str,
    strict: bool,
) -> None:
    """Turn sound files, and folders of them, into a table of vectors.

    One row a sound: path, start, stop, id, then the features, named by their layers. Any format of
    libsndfile is read, at any rate, mono or not, of any length. What the vectors were made with is
    in the file itself.

    Sounds that cannot be used are told in errors.csv beside the table, and the exit code is then 1;
    the others go on. What is done when the command is stopped is not done again.

    \b
    Examples:
      hear-fusion features recordings --model yamnet_5_13 --out features.parquet
      hear-fusion features night.flac --model cnn14_3_6 --window 5 --step 2.5 --out night.npz
      hear-fusion features night.wav --segments night.selections.txt --model yamnet \\
          --out calls.csv
    """  # noqa: D301 - click marks paragraphs to keep with a real backspace
    from hear_fusion import load
    from hear_fusion.embeddings.features.listing import find_sounds, listed_segments
    from hear_fusion.embeddings.features.run import make_table, record_of
    from hear_fusion.embeddings.tables.files import check_suffix
    from hear_fusion.errors import HearFusionError
    from hear_fusion.names import parse

    if not paths and segments is None:
        raise click.UsageError("PATH must be a file or folder, got none; or give --segments")
    if segments is not None and glob is not None:
        raise click.UsageError("--glob must be without --segments, which name their files")
    try:
        check_suffix(out)
        rows = _rows(parse(model), frames, hop_ms, window, step)
        if segments is not None:
            sounds = listed_segments(segments, paths)
        else:
            sounds = find_sounds(paths, glob)
    except HearFusionError as err:
        raise click.UsageError(printable(err)) from err
    loaded = load(model, weights, device=device)
    record = record_of(loaded, weights, rows, compress)
    outcome = make_table(loaded, record, sounds, rows, out, strict=strict)
    _tell(out, len(sounds), outcome)


def _rows(
    choice: Choice, frames: bool, hop_ms: int | None, window: float | None, step: float | None
) -> Rows:
    """Make out what a row is about."""
    from hear_fusion.embeddings.features.rows import Rows
    from hear_fusion.errors import InvalidError
    from hear_fusion.names import check_hop

    if window is not None and (frames or hop_ms is not None):
        raise InvalidError("rows must be frames or windows, got --window and --frames")
    if step is not None and window is None:
        raise InvalidError("--step must be with --window, got none")
    if hop_ms is not None and not frames:
        raise InvalidError("--hop-ms must be with --frames, got none")
    if window is not None:
        return Rows("window", window_s=window, step_s=window if step is None else step)
    if frames:
        if None not in (hop_ms, choice.hop_ms) and hop_ms != choice.hop_ms:
            raise InvalidError(f"--hop-ms must be {choice.hop_ms} as in {choice}, got {hop_ms}")
        hop_ms = choice.hop_ms if hop_ms is None else hop_ms
        check_hop(choice.backbone, hop_ms)
        return Rows("frame", hop_ms=hop_ms)
    return Rows()


def _tell(out: Path, n_sounds: int, outcome: Outcome) -> None:
    for note in outcome.notes:
        click.echo(printable(f"Note: {note}"), err=True)
    speed = "all were there"
    if outcome.n_new:
        per_s = outcome.n_new / outcome.wall_s
        speed = (
            f"{outcome.wall_s:.1f} s, {per_s:.3g} files/s, "
            f"{outcome.seconds / outcome.wall_s:.3g} s of sound/s"
        )
    n_good = n_sounds - len(outcome.failures)
    click.echo(
        printable(
            f"{out}: {n_good} sounds, {outcome.n_rows} vectors of {outcome.dim} features; {speed}"
        )
    )
    if outcome.failures:
        segment, why = outcome.failures[0]
        raise click.ClickException(
            printable(
                f"{len(outcome.failures)} of {n_sounds} sounds could not be used, the first "
                f"{segment.path}: {why}; see {outcome.errors_file}"
            )
        )
