"""Names that fit a drawing and tell one thing from another."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from hear_fusion.report.formats import clean
from hear_fusion.study.results import Study

# The tail of a HEAR task folder: version and mode, as in esc50-v2.0.0-full.
_TAIL = re.compile(r"-v?\d+(\.\d+)+-[^-]+$")


def task_labels(tasks: Sequence[str], limit: int = 20) -> dict[str, str]:
    """Shorten the names of task folders without making two the same.

    Args:
        tasks: Names of folders, each once.
        limit: Longest label, in characters.

    Returns:
        A label for each name.

    >>> task_labels(["esc50-v2.0.0-full", "fsd-v1.0-5h", "fsd-v1.0-full"])
    {'esc50-v2.0.0-full': 'esc50', 'fsd-v1.0-5h': 'fsd-v1.0-5h', 'fsd-v1.0-full': 'fsd-v1.0-full'}
    """
    bare = {task: _TAIL.sub("", clean(task)) or "(no name)" for task in tasks}
    counts = Counter(bare.values())
    labels: dict[str, str] = {}
    for task in tasks:
        whole = bare[task] if counts[bare[task]] == 1 else clean(task) or "(no name)"
        label = _shortened(whole, limit)
        number = 2
        while label in labels.values():
            mark = f" ({number})"
            label = _shortened(whole, limit - len(mark)) + mark
            number += 1
        labels[task] = label
    return labels


def study_names(studies: Sequence[Study]) -> list[str]:
    """Name studies by their module, and by their configuration where that is not enough.

    Args:
        studies: In any order.

    Returns:
        One name each, such as ``ast_5_12``, or ``ast_5_12 (task_statistics=True)``.
    """
    alike = Counter(study.module for study in studies)
    names: list[str] = []
    for study in studies:
        same = [one.config for one in studies if one.module == study.module]
        differing = sorted(
            key
            for key in set().union(*same)
            if any(config.get(key) != same[0].get(key) for config in same)
        )
        name = clean(study.module)
        if alike[study.module] > 1 and differing:
            settings = ", ".join(f"{key}={study.config.get(key)}" for key in differing)
            name += f" ({_shortened(clean(settings), 60)})"
        if name in names:
            name += f" (study {len(names) + 1})"
        names.append(name)
    return names


def joined(layers: Sequence[int]) -> str:
    """Write layers as the paper does.

    >>> joined((3, 6))
    '#3#6'
    """
    return "".join(f"#{number}" for number in layers)


def slug(name: str) -> str:
    """Make a name fit for files of any system.

    >>> slug("ast_5_12 (task_statistics=True)")
    'ast_5_12-task_statistics-True'
    """
    return re.sub(r"[^A-Za-z0-9_.]+", "-", name).strip("-.") or "study"


def _shortened(text: str, limit: int) -> str:
    """Leave out the middle: names differ at either end."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"
