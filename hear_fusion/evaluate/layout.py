"""Names inside the folders that heareval writes."""

from collections.abc import Mapping
from typing import Any

WEIGHTS_FILE = "weights.json"  # ours: whose embeddings these are
LOCK_FILE = ".lock"  # ours, of the folder above the modules
SOUNDS_FILE = "sounds.json"  # ours: of which sounds
EMBEDDINGS_DONE_FILE = ".done.embeddings"
SETTINGS_FILE = "prediction-settings.json"  # ours: how predictions were made
PREDICTIONS_DONE_FILE = "prediction-done.json"
SCORES_FILE = "test.predicted-scores.json"


def embeddings_folder_name(module: str, model_options: Mapping[str, Any]) -> str:
    """Name the folder that heareval's runner writes a module's embeddings to.

    >>> embeddings_folder_name("hear_fusion.cnn14_3_6", {"hop_ms": 40})
    'hear_fusion.cnn14_3_6-hop-ms=40'
    """
    # heareval's own dependency, used as it uses it.
    from slugify import slugify

    options = [f"{slugify(key)}={slugify(str(value))}" for key, value in model_options.items()]
    return "-".join([module, *options])
