"""Colours and shapes that tell labels apart, on a light ground and on a dark one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

UNLABELLED = "(no label)"
_FAINT = "#8c939b"
_COLOURS = (
    "#3d7fd6", "#e2742f", "#2f9e62", "#d0437d", "#8d66d6",
    "#b58a00", "#179fae", "#b0604a", "#6f9a1d", "#c45fc0",
)  # fmt: skip
SHAPES = ("circle", "square", "triangle", "diamond", "wedge", "cross")


@dataclass(frozen=True)
class Group:
    """Sounds of one label.

    Attributes:
        label: As people read it.
        colour: In hexadecimal.
        shape: One of `SHAPES`.
        members: Which sounds.
    """

    label: str
    colour: str
    shape: str
    members: tuple[int, ...]


def groups(labels: Sequence[str]) -> list[Group]:
    """Give each label a colour and a shape: sixty of them before a pair comes again.

    Args:
        labels: Of all sounds; empty for one without.

    Returns:
        Groups by their labels, those without a label last.

    >>> [(group.label, group.members) for group in groups(["b", "a", "", "b"])]
    [('a', (1,)), ('b', (0, 3)), ('(no label)', (2,))]
    """
    members = defaultdict(list)
    for i, label in enumerate(labels):
        members[label].append(i)
    made = [
        Group(
            label,
            _COLOURS[i % len(_COLOURS)],
            SHAPES[(i + i // len(_COLOURS)) % len(SHAPES)],
            tuple(members[label]),
        )
        for i, label in enumerate(sorted(filter(None, members)))
    ]
    if members[""]:
        made.append(Group(UNLABELLED, _FAINT, "circle", tuple(members[""])))
    return made
