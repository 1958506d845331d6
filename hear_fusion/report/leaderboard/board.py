"""The public leaderboard of HEAR: its tasks and metrics, its file, and a copy for offline days."""

from __future__ import annotations

import csv
import io
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

from hear_fusion.errors import InvalidError
from hear_fusion.files.texts import csv_rows, decoded
from hear_fusion.report.formats import clean

_logger = logging.getLogger(__name__)

LEADERBOARD_URL = (
    "https://raw.githubusercontent.com/hearbenchmark/hear-benchmark/main/docs/leaderboard.csv"
)
MODEL, URL, DATE = "Model", "URL", "Submission Date"


@dataclass(frozen=True)
class OfficialTask:
    """A published HEAR task.

    Attributes:
        folder: Name of its folder, with version and mode.
        column: Its column of the leaderboard.
        metric: heareval's name of the score in that column: the task's first ``evaluation``.
    """

    folder: str
    column: str
    metric: str


# The column Beehive is the mean of its two folders: so it is, to three decimals, for all eleven
# submissions whose folds the organisers published one by one.
OFFICIAL_TASKS = (
    OfficialTask("beehive_states_fold0-v2-full", "Beehive", "aucroc"),
    OfficialTask("beehive_states_fold1-v2-full", "Beehive", "aucroc"),
    OfficialTask("beijing_opera-v1.0-hear2021-full", "Beijing Opera", "top1_acc"),
    OfficialTask("tfds_crema_d-1.0.0-full", "CREMA-D", "top1_acc"),
    OfficialTask("dcase2016_task2-hear2021-full", "DCASE 2016", "event_onset_200ms_fms"),
    OfficialTask("esc50-v2.0.0-full", "ESC-50", "top1_acc"),
    OfficialTask("fsd50k-v1.0-full", "FSD50K", "mAP"),
    OfficialTask("tfds_gtzan-1.0.0-full", "GTZAN Genre", "top1_acc"),
    OfficialTask("tfds_gtzan_music_speech-1.0.0-full", "GTZAN Music/Speech", "top1_acc"),
    OfficialTask("gunshot_triangulation-v1.0-full", "Gunshot", "top1_acc"),
    OfficialTask("libricount-v1.0.0-hear2021-full", "Libricount", "top1_acc"),
    OfficialTask("maestro-v3.0.0-5h", "Maestro 5h", "event_onset_50ms_fms"),
    OfficialTask("mridangam_stroke-v1.5-full", "Mridangam Stroke", "top1_acc"),
    OfficialTask("mridangam_tonic-v1.5-full", "Mridangam Tonic", "top1_acc"),
    OfficialTask("nsynth_pitch-v2.2.3-50h", "NSynth Pitch 50h", "pitch_acc"),
    OfficialTask("nsynth_pitch-v2.2.3-5h", "NSynth Pitch 5h", "pitch_acc"),
    OfficialTask("speech_commands-v0.0.2-5h", "Speech commands 5h", "top1_acc"),
    OfficialTask("speech_commands-v0.0.2-full", "Speech commands full", "top1_acc"),
    OfficialTask("vocal_imitation-v1.1.3-full", "Vocal Imitation", "mAP"),
    OfficialTask("vox_lingua_top10-hear2021-full", "VoxLingua107 top 10", "top1_acc"),
)
METRICS: Mapping[str, str] = {task.column: task.metric for task in OFFICIAL_TASKS}
COLUMNS = tuple(METRICS)


@dataclass(frozen=True)
class Entry:
    """A row of the leaderboard, or one that could become one.

    Attributes:
        model: Its name.
        scores: Score in [0, 1] by column; without those it lacks.
        is_ours: Whether it was measured here rather than submitted.
    """

    model: str
    scores: Mapping[str, float]
    is_ours: bool = False


@dataclass(frozen=True)
class Leaderboard:
    """The submissions of a leaderboard file.

    Attributes:
        head: All columns, in the order of the file.
        entries: Its rows.
        source: Where it came from, in words.
    """

    head: tuple[str, ...]
    entries: tuple[Entry, ...]
    source: str


def parse_leaderboard(text: str, source: str) -> Leaderboard:
    r"""Read the text of a leaderboard file.

    Args:
        text: CSV with the columns Model, URL, Submission Date and one a task; scores in [0, 1],
            blank where a model has none. Columns of further tasks are kept and not compared.
        source: Where the text came from, for messages.

    Raises:
        ValueError: If it is a web page, lacks a column, or holds a cell that is no score.

    >>> head = ",".join([MODEL, URL, DATE, *COLUMNS])
    >>> board = parse_leaderboard(f"{head}\nOne,,2026,,0.5{',' * 17}\n", "here")
    >>> board.entries[0].model, board.entries[0].scores
    ('One', {'Beijing Opera': 0.5})
    """
    if text.lstrip().startswith("<"):
        raise _refusal(source, "a web page", "download the raw file, not the page that shows it")
    try:
        rows = [row for row in csv_rows(text, "it", strict=True) if any(row)]
    except InvalidError as err:
        raise _refusal(source, f"text that is none ({err})") from err
    head = tuple(name.strip() for name in rows[0]) if rows else ()
    missing = [name for name in (MODEL, URL, DATE, *COLUMNS) if name not in head]
    if missing or len(set(head)) < len(head):
        fault = f"no column {', '.join(missing)}" if missing else "a column twice"
        raise _refusal(source, f"{fault} in {', '.join(head)[:200] or 'an empty file'}")
    if len(rows) == 1:
        raise _refusal(source, "a head without rows")
    return Leaderboard(head, tuple(_entry(head, row, source) for row in rows[1:]), source)


def load_leaderboard(source: str = LEADERBOARD_URL, *, progress: bool = True) -> Leaderboard:
    """Read a leaderboard from a file, or fetch it from its address.

    What is fetched is kept in the folder of downloaded weights, and read from there when a later
    fetch fails; `Leaderboard.source` then says so.

    Args:
        source: Path, or HTTP address.
        progress: Whether to show it on stderr.

    Raises:
        ValueError: If the file cannot be read, or the address cannot be fetched and no copy is
            kept, or if what is there is no leaderboard.
    """
    if source.startswith(("http://", "https://")):
        return _fetch(source, progress)
    return _read(Path(source), source)


def submission(head: Sequence[str], entries: Sequence[Entry], url: str, day: date) -> str:
    """Write entries as the leaderboard writes its own: its columns, nine decimals, blanks.

    Args:
        head: Columns of the leaderboard, in its order.
        entries: What to submit.
        url: Address of the code.
        day: Date of the submission.

    Returns:
        CSV with a head.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, head, restval="", lineterminator="\n")
    writer.writeheader()
    for entry in entries:
        scores = {name: _nine_decimals(score) for name, score in entry.scores.items()}
        writer.writerow({MODEL: entry.model, URL: url, DATE: day.isoformat(), **scores})
    return text.getvalue()


def _nine_decimals(score: float) -> str:
    return f"{score:.9f}".rstrip("0").rstrip(".")


def _entry(head: Sequence[str], row: Sequence[str], source: str) -> Entry:
    if len(row) != len(head):
        raise _refusal(source, f"{len(row)} cells for {len(head)} columns in {row[:3]}")
    cells = dict(zip(head, row, strict=True))
    model = clean(cells[MODEL])
    scores = {}
    for column in COLUMNS:
        cell = cells[column].strip()
        if not cell:
            continue
        try:
            scores[column] = float(cell)
        except ValueError:
            scores[column] = math.nan
        if not 0 <= scores[column] <= 1:
            raise _refusal(source, f"{cell[:40]!r} for {model!r} in {column}")
    return Entry(model, scores)


def _refusal(source: str, fault: str, step: str = "get the file anew or correct it") -> ValueError:
    return InvalidError(
        "leaderboard must be the CSV file of HEAR with Model, URL, Submission Date and nineteen "
        f"tasks, scores in [0, 1] or blank, got {clean(fault)} ({source}); {step}"
    )


def _read(path: Path, source: str) -> Leaderboard:
    try:
        data = path.read_bytes()
    except OSError as err:
        raise _refusal(source, f"a file that cannot be read ({err})") from err
    return parse_leaderboard(decoded(data, source), source)


def _fetch(url: str, progress: bool) -> Leaderboard:
    from hear_fusion.checkpoints.cache import cache_dir, lock_of
    from hear_fusion.files.download import DOWNLOAD_ERRORS, discard, download
    from hear_fusion.files.lock import InUseError, exclusive

    # The address is part of the name: another leaderboard's copy must not stand in for this one.
    name = f"hear_leaderboard-{sha256(url.encode()).hexdigest()[:8]}.csv"
    copy = cache_dir() / name
    part = copy.with_name(f"{name}.part")
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(lock_of(copy)):
            download(url, part, progress=progress)
            try:
                board = _read(part, url)
                part.replace(copy)
            finally:
                discard(part)
        return board
    except InUseError:
        raise
    except DOWNLOAD_ERRORS as err:
        reason = clean(f"{type(err).__name__}: {err}")
        if copy.is_file():
            day = date.fromtimestamp(copy.stat().st_mtime)
            source = f"{url}, copy of {day}, since fetching it failed: {reason}"
            _logger.warning("%s", source)
            return _read(copy, source)
        raise InvalidError(
            f"leaderboard must be at {url}, got {reason}; download it by hand and give the file "
            "with --leaderboard FILE"
        ) from err
