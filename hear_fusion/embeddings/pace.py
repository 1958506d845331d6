"""How densely the store holds a clip's features in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from hear_fusion.names import Choice


@dataclass(frozen=True)
class Pace:
    """One vector a clip, or frames and the hop between them.

    Attributes:
        kind: ``scenes`` (one vector a clip), or frames at the hop of the ``original`` embedding,
            of the network's ``layers``, or ``hop_ms`` apart (``hop``).
        hop_ms: The hop that was asked for; None for the other kinds.
    """

    kind: Literal["scenes", "original", "layers", "hop"]
    hop_ms: int | None = None

    @property
    def folder(self) -> str:
        """Name of the folder in the store.

        >>> Pace("hop", 40).folder, Pace("layers").folder
        ('40ms', 'layers')
        """
        return self.kind if self.hop_ms is None else f"{self.hop_ms}ms"

    @classmethod
    def of_frames(cls, choice: Choice) -> Self:
        """Tell the pace of a choice's frames.

        The original embedding has a pace of its own where no hop is asked for.
        """
        if choice.hop_ms is not None:
            return cls("hop", choice.hop_ms)
        return cls("layers" if choice.layers else "original")


SCENES = Pace("scenes")
_WITHOUT_HOP = {pace.folder: pace for pace in (SCENES, Pace("original"), Pace("layers"))}


def pace_of_folder(name: str) -> Pace:
    """Read the name of a folder in the store.

    Raises:
        ValueError: If it is none.

    >>> pace_of_folder("40ms")
    Pace(kind='hop', hop_ms=40)
    """
    return _WITHOUT_HOP.get(name) or Pace("hop", int(name.removesuffix("ms")))
