"""Segments to a feature table: what is done is kept, and what fails is told."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hear_fusion.embeddings.features.engine import Engine
from hear_fusion.embeddings.features.failures import write_failures
from hear_fusion.embeddings.features.hints import hints
from hear_fusion.embeddings.features.parts import Parts, keys_of
from hear_fusion.embeddings.features.rows import Rows
from hear_fusion.embeddings.tables.files import check_suffix
from hear_fusion.embeddings.tables.segments import Segment
from hear_fusion.embeddings.tables.table import Table, TableRecord
from hear_fusion.embeddings.tables.whitening import whitened
from hear_fusion.errors import InvalidError
from hear_fusion.files.lock import exclusive
from hear_fusion.files.space import make_folder
from hear_fusion.model import FusionModel
from hear_fusion.parallel.machine import package_versions
from hear_fusion.progress import progress_bar


@dataclass
class Outcome:
    """What a run has done.

    Attributes:
        n_new: Segments that were computed.
        n_rows: Rows of the table.
        dim: Features of a row.
        failures: Segments that have none, and why.
        seconds: Sound that was read.
        wall_s: Time that the computation took.
        notes: What the user should look at.
        errors_file: Where the failures are told, if there are any.
    """

    n_new: int = 0
    n_rows: int = 0
    dim: int = 0
    failures: list[tuple[Segment, str]] = field(default_factory=list)
    seconds: float = 0.0
    wall_s: float = 0.0
    notes: list[str] = field(default_factory=list)
    errors_file: Path | None = None


def record_of(
    model: FusionModel, weights: Path | None, rows: Rows, compress: int | None = None
) -> TableRecord:
    """Tell where the vectors of a model come from.

    Args:
        model: The model.
        weights: Its weight file; None for the default one.
        rows: What a row is about.
        compress: Components of each layer that vectors shall be whitened to; None: not at all.
    """
    taps = model.extractor.taps
    return TableRecord(
        model=str(model.choice),
        layers=tuple(layer.number for layer in taps),
        dims=tuple(layer.dim for layer in taps),
        weights="" if weights is None else str(weights),
        weights_sha256=model.weights_sha256,
        version=package_versions().get("hear_fusion", ""),
        sample_rate=model.sample_rate,
        options={"rows": asdict(rows), "compress": compress},
    )


def make_table(
    model: FusionModel,
    record: TableRecord,
    segments: Sequence[Segment],
    rows: Rows,
    out: Path,
    *,
    strict: bool = False,
) -> Outcome:
    """Compute the rows of segments and write them to a table.

    Rows are kept in a folder ``<out>.parts`` until all are there. Another run with the same model,
    weights and rows goes on from there; a file that has changed since is read again.

    Args:
        model: The network and its layers.
        record: Where its vectors come from.
        segments: Whose rows; those that fail are told and left out.
        rows: What a row is about.
        out: The table; one of the same record is made anew, any other is refused.
        strict: Whether the first segment that fails stops the run.

    Raises:
        ValueError: If the table is another one's, or all segments failed, or one under ``strict``.
        UnwritableError: If the disk does not take it.
        InUseError: If another process is at work on it, within `no_waiting`.
    """
    check_suffix(out)
    make_folder(out.parent)
    with exclusive(out.with_name(f".{out.name}.lock"), keep=False):
        before = _table_before(out, record)
        parts = Parts(out.with_name(f"{out.name}.parts"), record.recipe)
        outcome = Outcome()
        if parts.was_other:
            outcome.notes.append(f"{parts.folder} held parts of other settings; started anew")
        keys = list(keys_of(segments))
        if before is not None:
            parts.adopt(before, out, segments)
            if before.record.whitening_sha256 and not _is_all(before, keys, parts):
                parts.abandon()  # what became of vectors does not tell what they were
        try:
            _compute(Engine(model, rows), segments, keys, parts, outcome, strict=strict)
        finally:
            parts.flush()
            outcome.errors_file = write_failures(out, outcome.failures)
        done = [i for i, key in enumerate(keys) if key in parts]
        if not done:
            segment, why = outcome.failures[0]
            raise InvalidError(
                f"at least one sound must be readable, got {len(segments)} that are not, the first "
                f"of them {segment.path}: {why}; see {outcome.errors_file}"
            )
        if before is not None and before.record.whitening_sha256 and not outcome.n_new:
            outcome.n_rows, outcome.dim = before.vectors.shape
            parts.remove()
            return outcome
        starts, stops, vectors = parts.gather([keys[i] for i in done], sum(record.dims))
        owners = [segments[i] for i in done for _ in range(parts.n_rows(keys[i]))]
        paths, ids = [one.path for one in owners], [one.id for one in owners]
        table = Table(paths, starts, stops, ids, vectors, record)
        outcome.n_rows = len(table)
        outcome.notes += hints(table, {segments[i].path: parts.old_hz(keys[i]) for i in done})
        if outcome.n_new or before is None or not _same_rows(table, before):
            table = whitened(table, out, parts.folder, outcome.notes)
            table.write(out)
        outcome.dim = table.vectors.shape[1]
        del table, vectors
        parts.remove()
    return outcome


def _table_before(out: Path, record: TableRecord) -> Table | None:
    """Read the table that is to be made anew."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    table = Table.read(out)
    if table.record.recipe != record.recipe:
        raise InvalidError(
            f"{out} must be a table of the same model, weights and rows, or not be there, got one "
            f"of {table.record.model} with other settings; choose another --out or delete it"
        )
    return table


def _is_all(table: Table, keys: Sequence[str], parts: Parts) -> bool:
    known = [key for key in keys if key in parts]
    return len(known) == len(keys) and sum(map(parts.n_rows, known)) == len(table)


def _same_rows(table: Table, other: Table) -> bool:
    labels = ((one.paths, one.ids, one.starts.tobytes()) for one in (table, other))
    return next(labels) == next(labels)


def _compute(
    engine: Engine,
    segments: Sequence[Segment],
    keys: Sequence[str],
    parts: Parts,
    outcome: Outcome,
    *,
    strict: bool,
) -> None:
    todo = [i for i, key in enumerate(keys) if key not in parts]
    todo = [i for i in todo if not _is_unnamable(segments[i], outcome)]
    began, share = time.monotonic(), 0.0
    with progress_bar("features", len(keys), "sound", initial=len(keys) - len(todo)) as bar:

        def advance(_: int, read: float) -> None:
            nonlocal share
            bar.update(read - share)
            share = read

        for piece in engine.pieces([segments[i] for i in todo], advance):
            i = todo[piece.segment]
            if piece.error:
                parts.forget(keys[i])
                outcome.failures.append((segments[i], piece.error))
                if strict:
                    raise InvalidError(f"{segments[i].path}: {piece.error}")
            else:
                parts.add(keys[i], piece)
            if piece.is_last:
                outcome.n_new += not piece.error
                outcome.seconds += piece.seconds
                outcome.wall_s = max(time.monotonic() - began, 1e-9)
                bar.update(1 - share)
                bar.set_postfix_str(f"{outcome.seconds / outcome.wall_s:.0f} s of sound/s")
                share = 0.0


def _is_unnamable(segment: Segment, outcome: Outcome) -> bool:
    try:
        f"{segment.path}{segment.id}".encode()
    except UnicodeEncodeError:
        outcome.failures.append((segment, "must have a name in UTF-8; rename it"))
        return True
    return False
