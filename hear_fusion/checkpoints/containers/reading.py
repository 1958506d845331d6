"""Open any container that published weights come in, recognised by its content."""

from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from hear_fusion.checkpoints.containers.hdf5_file import read_hdf5
from hear_fusion.checkpoints.containers.kinds import Kind, recognise, refusal
from hear_fusion.checkpoints.containers.onnx_file import read_onnx
from hear_fusion.checkpoints.containers.safetensors_file import read_safetensors
from hear_fusion.checkpoints.containers.sources import (
    Source,
    file_source,
    is_torch_zip,
    readable_members,
)
from hear_fusion.checkpoints.containers.tf_file import read_tensorflow
from hear_fusion.checkpoints.containers.torch_file import read_torch
from hear_fusion.checkpoints.records import WeightsError

_READERS: dict[Kind, Callable[[Source], dict[str, Tensor]]] = {
    Kind.TORCH_LEGACY: read_torch,
    Kind.HDF5: read_hdf5,
    Kind.SAFETENSORS: read_safetensors,
    Kind.ONNX: read_onnx,
    Kind.TENSORFLOW: read_tensorflow,
}


def read_tensors(path: Path | str) -> dict[str, Tensor]:
    """Read the tensors of a weight file, whatever its container and its name.

    Reads torch files (zip and legacy), safetensors, Keras' HDF5, ONNX with its data beside it,
    zips or wheels that hold exactly one of these, and TensorFlow's checkpoints. Nothing in the
    file is executed and nothing is written to disk.

    Args:
        path: The file.

    Returns:
        Tensors on the CPU by the file's own keys, without a common ``module.``; ONNX
        convolutions are called ``conv.<i>.weight`` and ``conv.<i>.bias``.

    Raises:
        WeightsError: If the file is absent, damaged, unsafe, of an unknown kind, or needs a
            library that is not installed.

    >>> import tempfile, torch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "any.name"
    ...     torch.save({"model": {"module.fc.weight": torch.zeros(2, 3)}}, file)
    ...     read_tensors(file)["fc.weight"].shape
    torch.Size([2, 3])
    """
    path = Path(path)
    if path.is_dir():
        raise WeightsError(f"path must be a weight file, got the folder {path}; name a file in it")
    try:
        with path.open("rb") as stream:
            return _read(file_source(path, stream))
    except FileNotFoundError as err:
        raise WeightsError(
            f"path must be an existing weight file, got {path}; check the spelling, or run "
            "'hear-fusion weights fetch'"
        ) from err
    except PermissionError as err:
        raise WeightsError(
            f"path must be a readable file, got {path} ({err.strerror}); change its permissions"
        ) from err


def _read(source: Source) -> dict[str, Tensor]:
    head, tail = source.ends()
    kind = recognise(head, tail)
    if kind is Kind.ZIP:
        return _read_zip(source)
    if kind is None:
        raise refusal(head, source.label)
    return _READERS[kind](source)


def _read_zip(source: Source) -> dict[str, Tensor]:
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
