"""Open any container that published weights come in, recognised by its content."""

import os
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from hear_fusion.checkpoints.containers.foreign import (
    folder_refusal,
    index_of_part,
    part_refusal,
    refusal,
    refuse_foreign_archive,
)
from hear_fusion.checkpoints.containers.hdf5_file import read_hdf5
from hear_fusion.checkpoints.containers.kinds import Kind, read_ends, recognise
from hear_fusion.checkpoints.containers.onnx_file import read_onnx
from hear_fusion.checkpoints.containers.safetensors_file import read_safetensors
from hear_fusion.checkpoints.containers.sources import (
    Source,
    StateDicts,
    file_source,
    is_torch_zip,
    member_names,
    readable_members,
)
from hear_fusion.checkpoints.containers.tf_file import read_tensorflow
from hear_fusion.checkpoints.containers.torch_file import read_torch
from hear_fusion.checkpoints.records import WeightsError

_READERS: dict[Kind, Callable[[Source], dict[str, Tensor]]] = {
    Kind.HDF5: read_hdf5,
    Kind.SAFETENSORS: read_safetensors,
    Kind.ONNX: read_onnx,
    Kind.TENSORFLOW: read_tensorflow,
}


def read_tensors(path: Path | str) -> dict[str, Tensor]:
    """Read the tensors of a weight file, whatever its container and its name.

    Args:
        path: As for `read_state_dicts`; of several state dicts the first is read.

    Returns:
        Tensors on the CPU by the file's own keys, without a common ``module.``; ONNX
        convolutions are called ``conv.<i>.weight`` and ``conv.<i>.bias``.

    Raises:
        WeightsError: As `read_state_dicts`.

    >>> import tempfile, torch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "any.name"
    ...     torch.save({"model": {"module.fc.weight": torch.zeros(2, 3)}}, file)
    ...     read_tensors(file)["fc.weight"].shape
    torch.Size([2, 3])
    """
    tensors = next(iter(read_state_dicts(path).values()))
    prefix = "module." if all(key.startswith("module.") for key in tensors) else ""
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items()}


def read_state_dicts(path: Path | str) -> StateDicts:
    """Read every state dict of a weight file, whatever its container and its name.

    Reads torch files (zip and legacy), safetensors, Keras' HDF5, ONNX with its data beside it,
    zips or wheels that hold exactly one of these, and TensorFlow's checkpoints. Nothing in the
    file is executed and nothing is written to disk.

    Args:
        path: The file.

    Returns:
        By the place in the file, such as ``model`` or ``checkpoint.ema``, tensors on the CPU by
        the file's own keys; ``""`` is the file itself, all that there is but in torch files.

    Raises:
        WeightsError: If the file is absent, damaged, unsafe, of another kind, or needs a
            library that is not installed; says what to do.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise folder_refusal(path, _weight_files(path))
        with path.open("rb") as stream:
            return _read(file_source(path, stream))
    except FileNotFoundError as err:
        index = index_of_part(path)
        if index is not None:
            raise part_refusal(path, index) from err
        raise WeightsError(
            f"path must be an existing weight file, got {path}; check the spelling, or run "
            "'hear-fusion weights fetch'"
        ) from err
    except PermissionError as err:
        raise WeightsError(
            f"path must be a readable file, got {path} ({err.strerror}); change its permissions"
        ) from err


def _read(source: Source) -> StateDicts:
    head, tail = source.ends()
    kind = recognise(head, tail)
    if kind is Kind.ZIP:
        return _read_zip(source)
    if kind is Kind.TORCH_LEGACY:
        return read_torch(source)
    if kind is None:
        index = index_of_part(source.path) if source.path else None
        if source.path and index:
            raise part_refusal(source.path, index)
        raise refusal(head, source.label)
    return {"": _READERS[kind](source)}


def _read_zip(source: Source) -> StateDicts:
    refuse_foreign_archive(member_names(source), source.label)
    if is_torch_zip(source):
        source.stream.seek(0)
        return read_torch(source)
    members = readable_members(source)
    if len(members) != 1:
        names = ", ".join(member.label.partition("!")[2] for member in members) or "none"
        raise WeightsError(
            f"path must be a zip that holds exactly one weight file, got {names} in "
            f"{source.label}; give the weight file itself"
        )
    return _read(members[0])


def _weight_files(folder: Path) -> list[Path]:
    """Find the files right in a folder that look readable."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and os.access(path, os.R_OK):
            with path.open("rb") as stream:
                if recognise(*read_ends(stream)):
                    found.append(path)
    return found
