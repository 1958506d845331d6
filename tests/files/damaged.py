"""Files of our own as a run may find them: from before, newer, cut off, emptied, of other types."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Damage = Callable[[Path], object]


def changed(**changes: Any) -> Damage:
    """Change fields of a JSON file; an Ellipsis takes one out."""

    def change(path: Path) -> None:
        content = json.loads(path.read_text(encoding="utf-8")) | changes
        kept = {key: value for key, value in content.items() if value is not ...}
        path.write_text(json.dumps(kept), encoding="utf-8")

    return change


# What is to be made anew.
DAMAGES: dict[str, Damage] = {
    "gone": Path.unlink,
    "emptied": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "not a text": lambda path: path.write_bytes(b"\xff\xfe"),
    "another type": lambda path: path.write_text("[]"),
    "from before": changed(format=...),
    "an older format": changed(format=0),
    "a word for a number": changed(format="1"),
    "a truth value for a number": changed(format=True),
}
newer = changed(format=2)
with_more = changed(added_since={"a": [1]})
NEWER_WORDS = r"must be of format 1, got 2, of a newer version; install a newer hear_fusion or"
