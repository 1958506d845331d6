"""The learning rates the authors published with their code, by network, layers and task."""

from __future__ import annotations

from collections.abc import Sequence

_DEFAULT = 3e-4
_ALIASES = {"voxceleb1": "vc1", "nsynth_family": "nsynth", "nsynth_instrument": "nsynth"}
# (network, task): learning rate of the original embedding, that of any of its layers.
_LEARNING_RATES = {
    ("cnn14", "nsynth"): (1e-5, 1e-5),
    ("cnn14", "surge"): (_DEFAULT, 3e-5),
    ("vggish", "esc50"): (3e-3, _DEFAULT),
    ("vggish", "vc1"): (5e-4, 5e-4),
    ("ast", "surge"): (1e-4, 1e-4),
}


def published_learning_rates(backbone: str, layers: Sequence[int], task: str) -> tuple[float, ...]:
    """Look up the published learning rate, as the only candidate of a `Protocol`.

    Args:
        backbone: Name of the network.
        layers: Its layers; none: its original embedding.
        task: Name of a task or of its folder: what precedes the first hyphen counts.

    >>> published_learning_rates("cnn14", (3, 6), "surge-v1-full")
    (3e-05,)
    """
    name = task.partition("-")[0].lower()
    name = _ALIASES.get(name, name)
    if (backbone, tuple(layers), name) == ("vggish", (10, 15), "surge"):
        return (1e-4,)  # the chosen fusion alone, not the layers it was chosen from
    original, layered = _LEARNING_RATES.get((backbone, name), (_DEFAULT, _DEFAULT))
    return (layered if layers else original,)
