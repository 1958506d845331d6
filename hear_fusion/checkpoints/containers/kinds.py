"""Tell weight containers apart by their first and last bytes, never by their names."""

from enum import Enum
from typing import IO

from hear_fusion.checkpoints.containers.foreign import foreign_kind, is_pickle

HEAD_BYTES = 512
TAIL_BYTES = 8

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # a first member; an archive without members
# torch before 1.6 starts every file by pickling this number (0x1950a86a20f9469cfc6c).
_TORCH_MAGIC = bytes.fromhex("6cfc9c46f9206aa85019")
# The sorted tables that hold TensorFlow's checkpoints end with this number (0xdb4775248b80fb57).
_TABLE_MAGIC = bytes.fromhex("57fb808b247547db")
_LONGEST_SAFETENSORS_HEADER = 100_000_000  # the limit of the format's own reader
# Protobuf has no magic number. Writers put ir_version (field 1) first; what may follow it in a
# ModelProto are the tags of fields 2 to 8.
_ONNX_LATEST_IR = 64
_ONNX_SECOND_TAGS = frozenset(b"\x12\x1a\x22\x28\x32\x3a\x42")


class Kind(Enum):
    """A container that can be read."""

    TORCH_LEGACY = "torch file (before 1.6)"
    HDF5 = "HDF5"
    ZIP = "zip"
    SAFETENSORS = "safetensors"
    ONNX = "ONNX"
    TENSORFLOW = "TensorFlow checkpoint"


def read_ends(stream: IO[bytes]) -> tuple[bytes, bytes]:
    """Read what `recognise` looks at, and rewind.

    Args:
        stream: An open, seekable file.

    Returns:
        Its first ``HEAD_BYTES`` and last ``TAIL_BYTES`` bytes, fewer if it is shorter.
    """
    n_bytes = stream.seek(0, 2)
    stream.seek(max(0, n_bytes - TAIL_BYTES))
    tail = stream.read(TAIL_BYTES)
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    return head, tail


def recognise(head: bytes, tail: bytes = b"") -> Kind | None:
    r"""Name the container that starts with ``head`` and ends with ``tail``.

    Args:
        head: The first ``HEAD_BYTES`` bytes of a file, fewer if it is shorter.
        tail: The last ``TAIL_BYTES`` bytes, where they are known.

    Returns:
        The kind, or ``None`` if nothing that can be read starts and ends like this.

    >>> recognise(b"PK\x03\x04...")
    <Kind.ZIP: 'zip'>
    """
    if head.startswith(_HDF5):
        return Kind.HDF5
    if head.startswith(_ZIP):
        return Kind.ZIP
    if is_pickle(head) and _TORCH_MAGIC in head[:32]:
        return Kind.TORCH_LEGACY
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= _LONGEST_SAFETENSORS_HEADER:
        return Kind.SAFETENSORS
    if tail == _TABLE_MAGIC:
        return Kind.TENSORFLOW
    if foreign_kind(head) is not None:
        return None
    if head[:1] == b"\x08" and len(head) > 2 and head[1] <= _ONNX_LATEST_IR:
        return Kind.ONNX if head[2] in _ONNX_SECOND_TAGS else None
    return None
