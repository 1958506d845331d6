"""Read TensorFlow checkpoints: the single file of version 1, or version 2 by its index."""

from typing import Any

import torch
from torch import Tensor

from hear_fusion.checkpoints.containers.sources import Source, require
from hear_fusion.checkpoints.records import WeightsError


def read_tensorflow(source: Source) -> dict[str, Tensor]:
    """Read every variable of a checkpoint.

    Values stay as stored: kernels are not transposed.

    Args:
        source: A checkpoint of version 1, or an ``.index`` file with its data beside it; on disk,
            for TensorFlow opens it itself.

    Returns:
        Tensors on the CPU by the variables' names, such as ``vggish/conv1/weights``.

    Raises:
        WeightsError: If TensorFlow is missing, the checkpoint is damaged or lies in an archive.
    """
    if source.path is None:
        raise WeightsError(
            f"path must be a TensorFlow checkpoint on disk, got {source.label}; take it out of "
            "the archive"
        )
    tensorflow: Any = require("tensorflow", "tensorflow", source.label)
    try:
        reader = tensorflow.train.load_checkpoint(str(source.path).removesuffix(".index"))
        names = reader.get_variable_to_shape_map()
        return {name: torch.as_tensor(reader.get_tensor(name)) for name in sorted(names)}
    except (tensorflow.errors.OpError, ValueError, TypeError) as err:
        reason = str(err).partition("\n")[0]
        raise source.damaged("TensorFlow", reason) from err
