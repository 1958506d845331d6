"""Write checkpoints with TensorFlow itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def write_checkpoint(
    variables: Mapping[str, np.ndarray[Any, Any]], path: Path, version: int
) -> None:
    """Save variables as version 1 (one file) or 2 (an index and its data)."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        for name, value in variables.items():
            v1.get_variable(name, initializer=tf.constant(value))
        session.run(v1.global_variables_initializer())
        saver = v1.train.Saver(write_version=getattr(v1.train.SaverDef, f"V{version}"))
        saver.save(session, str(path), write_meta_graph=False, write_state=False)
