"""The paper's nine data sets: a new one is one file here and one line below."""

from __future__ import annotations

from hear_fusion.datasets.base import DataSet
from hear_fusion.datasets.crema_d import CREMA_D
from hear_fusion.datasets.esc50 import ESC50
from hear_fusion.datasets.gtzan import GTZAN
from hear_fusion.datasets.nsynth import NSYNTH
from hear_fusion.datasets.speech_commands import SPEECH_COMMANDS
from hear_fusion.datasets.surge import SURGE
from hear_fusion.datasets.us8k import US8K
from hear_fusion.datasets.voxceleb1 import VOXCELEB1
from hear_fusion.datasets.voxforge import VOXFORGE

DATA_SETS: dict[str, DataSet] = {
    data_set.name: data_set
    for data_set in (
        ESC50,
        US8K,
        SPEECH_COMMANDS,
        VOXCELEB1,
        VOXFORGE,
        CREMA_D,
        GTZAN,
        NSYNTH,
        SURGE,
    )
}
