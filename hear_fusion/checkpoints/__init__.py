"""Published weight files: get them, verify them, open them safely."""

from hear_fusion.checkpoints.cache import cache_dir, cached, import_file, verify
from hear_fusion.checkpoints.containers.reading import read_state_dicts, read_tensors
from hear_fusion.checkpoints.containers.sources import StateDicts
from hear_fusion.checkpoints.containers.torch_file import USUAL_PLACES
from hear_fusion.checkpoints.digest import tensors_sha256
from hear_fusion.checkpoints.fetch import fetch, locate
from hear_fusion.checkpoints.records import WeightsError, WeightsRecord
from hear_fusion.files.hashing import file_sha256

__all__ = [
    "USUAL_PLACES",
    "StateDicts",
    "WeightsError",
    "WeightsRecord",
    "cache_dir",
    "cached",
    "fetch",
    "file_sha256",
    "import_file",
    "locate",
    "read_state_dicts",
    "read_tensors",
    "tensors_sha256",
    "verify",
]
