"""What lies in task folders besides tasks: our own reports, and what other programs leave."""

from __future__ import annotations

import shutil
from pathlib import Path

_APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        "
STRAYS: dict[str, bytes] = {
    "faults.csv": b"kind,name,reason\nunreadable,a.wav,cannot be decoded\n",
    "findings.json": b'{"tasks": [], "strays": []}\n',
    "._train.json": _APPLE_DOUBLE,
    "._task_metadata.json": _APPLE_DOUBLE,
    "._labelvocabulary.csv": _APPLE_DOUBLE,
    ".DS_Store": _APPLE_DOUBLE,
    "train (copy).json": b"{",
    "train.json.bak": b"{}",
    "train.json~": b"",
    "#train.json#": b"\xff\xfe",
    ".train.json.swp": b"b0VIM",
    "extra.json": b'{"a.wav": ["high"]}',
    "labels.csv": b"idx,label\n0,other\n",
    "notes.json": b"[]",
    "README.md": b"do not touch",
    "backup/task_metadata.json": b"{}",
    "__MACOSX/._train.json": _APPLE_DOUBLE,
    "16000/.DS_Store": _APPLE_DOUBLE,
    "16000/extra/a.wav": b"RIFF",
    "16000/train/._a.wav": _APPLE_DOUBLE,
    "16000/train/Thumbs.db": b"",
    "16000/train/left over.wav": b"",
}


def add_strays(task: Path) -> None:
    """Add one of each to a task folder, and hidden twins of the folder beside it."""
    for name, content in STRAYS.items():
        path = task / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    (task.parent / f"._{task.name}").write_bytes(_APPLE_DOUBLE)
    twin = task.parent / f".{task.name}.partial"
    twin.mkdir()
    shutil.copy(task / "task_metadata.json", twin)
