"""Files that hold no weights in a form that can be read: what they are, and what to do instead."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hear_fusion.checkpoints.records import WeightsError

_FLOAT = (
    "give the file that it was converted from, or an official one: 'hear-fusion list' names them"
)
_UNPACK = "unpack it and give the weight file inside"
_STATE_DICT = "save model.state_dict() of the model it was made from, with torch.save"


@dataclass(frozen=True)
class Foreign:
    """A kind of file that is not read.

    Attributes:
        got: What it is, with an article.
        step: What to do instead.
        start: Pattern that its first bytes match; "" for what only the members tell.
        members: Pattern of a name in the archive.
    """

    got: str
    step: str
    start: bytes = b""
    members: str = ""


# Of several that match, the first counts.
_FILES = (
    Foreign("a TFLite model", _FLOAT, rb".{4}TFL\d"),
    Foreign("an ExecuTorch program", _FLOAT, rb".{4}ET\d\d"),
    Foreign("a model of ONNX Runtime (.ort)", "give the .onnx it was made from", rb".{4}ORTM"),
    Foreign("a GGUF model", _FLOAT, rb"GGUF|ggml|lmgg|tjgg|fmgg"),
    Foreign(
        "a TensorFlow SavedModel without its variables",
        "give variables/variables.index, which lies in the same folder",
        rb"\x08\x01\x12[\x80-\xff]{0,9}[\x00-\x7f]\n",
    ),
    Foreign("a Core ML model", _FLOAT, rb"\x08[\x02-\x20]\x12[\x80-\xff]{0,9}[\x00-\x7f]\n"),
    Foreign(
        "a frozen TensorFlow graph",
        "give the checkpoint it was frozen from",
        rb"\n[\x80-\xff]{0,9}[\x00-\x7f]\n.{0,400}?\x12.(Placeholder|Const|VariableV2|NoOp)",
    ),
    Foreign(
        "a TensorFlow graph without its variables",
        "give the checkpoint's .index file",
        rb"\n[\x80-\xff]{0,9}[\x00-\x7f]\x12[\x80-\xff]{0,9}[\x00-\x7f]\n",
    ),
    Foreign(
        "TensorFlow's note of its latest checkpoint",
        "give the .index file that it names",
        rb"model_checkpoint_path:",
    ),
    Foreign(
        "a NumPy array",
        "save tensors by name: torch.save({name: torch.from_numpy(array), ...}, 'FILE.pth')",
        rb"\x93NUMPY",
    ),
    Foreign("a tar archive", _UNPACK, rb".{257}ustar"),
    Foreign("a gzip archive", _UNPACK, rb"\x1f\x8b"),
    Foreign("a bzip2 archive", _UNPACK, rb"BZh[1-9]"),
    Foreign("an xz archive", _UNPACK, rb"\xfd7zXZ\0"),
    Foreign("a Zstandard archive", _UNPACK, rb"\x28\xb5\x2f\xfd"),
    Foreign("a 7-Zip archive", _UNPACK, rb"7z\xbc\xaf\x27\x1c"),
    Foreign("a RAR archive", _UNPACK, rb"Rar!\x1a\x07"),
    Foreign("a git-LFS pointer", "run 'git lfs pull' where it came from", rb"version https://git-"),
    Foreign(
        "a git-annex pointer",
        "run 'git annex get' where it came from",
        rb"/annex/objects/|[./]*git/annex/",
    ),
    Foreign("a msgpack file, as Flax writes it", _FLOAT, rb"[\x81-\x8f\xde\xdf][\xa1-\xbf\xd9\0]"),
    Foreign("an OpenVINO model without its weights", _FLOAT, rb"\s*(<\?xml[^>]*>)?\s*<net\s"),
    Foreign(
        "an HTML or XML page",
        "a web page was saved in its place: fetch it again",
        rb"(\xef\xbb\xbf)?\s*<",
    ),
    Foreign(
        "a JSON text",
        "give the weight file that it belongs to; of weights in several files, join them in one",
        rb"(\xef\xbb\xbf)?\s*[\[{]\s*[\"\]}\[{]",
    ),
)
_ARCHIVES = (
    Foreign("a TorchScript program", _STATE_DICT, members=r"(^|/)constants\.pkl$"),
    Foreign("an exported torch program (.pt2)", _STATE_DICT, members=r"(^|/)archive_format$"),
    Foreign("a torch package", _STATE_DICT, members=r"(^|/)\.data/extern_modules$"),
    Foreign(
        "NumPy's .npz",
        "save tensors instead: torch.save({name: torch.from_numpy(array) for name, array in "
        "numpy.load('FILE.npz').items()}, 'FILE.pth')",
        members=r"\.npy$",
    ),
    Foreign(
        "a packed TensorFlow SavedModel",
        "unpack it and give its variables/variables.index",
        members=r"(^|/)saved_model\.pb$",
    ),
    Foreign("a Core ML package", _FLOAT, members=r"\.mlmodel$|\.mlpackage/"),
)


def foreign_kind(head: bytes) -> Foreign | None:
    """Name the kind of file that starts with ``head``, of those that are known and not read."""
    return next((kind for kind in _FILES if re.match(kind.start, head, re.DOTALL)), None)


def refusal(head: bytes, label: str) -> WeightsError:
    """Explain why a file that starts with ``head`` is not read, and what to do.

    Args:
        head: The first bytes of the file, some hundreds of them.
        label: The file's name for the message.

    Returns:
        The error to raise.
    """
    kind = foreign_kind(head)
    if kind is not None:
        got, step = kind.got, kind.step
    elif not head:
        got, step = "an empty file", "fetch it again"
    elif not head.strip(b"\0"):
        got, step = "a file of zeros", "its download was not finished: fetch it again"
    elif is_pickle(head):
        got = "a Python pickle that torch.save did not write"
        step = "unpickling could run code, so save a state dict with torch.save or safetensors"
    elif len(head) > 2 and re.fullmatch(rb"[\t\n\r -~]+", head):
        got = f"a text that begins {head[:40].decode().strip()!r}"
        step = "it was saved in the place of the weights: fetch it again"
    else:
        got = f"an unknown kind that starts with {head[:16]!r}"
        step = (
            "give a torch, safetensors, HDF5, ONNX or TensorFlow file, or a zip or wheel that "
            "holds one"
        )
    return _refused(got, label, step)


def refuse_foreign_archive(names: Iterable[str], label: str) -> None:
    """Refuse a zip whose members say that it is of a kind that is not read.

    Raises:
        WeightsError: If it is; says what to do instead.
    """
    names = list(names)
    for kind in _ARCHIVES:
        if any(re.search(kind.members, name) for name in names):
            raise _refused(kind.got, label, kind.step)


def folder_refusal(folder: Path, weight_files: Iterable[Path]) -> WeightsError:
    """Explain that a folder is no weight file, and which of its files to give.

    Args:
        folder: The folder.
        weight_files: What in it can be read.
    """
    inside = ", ".join(map(str, weight_files))
    kind, step = "", f"give a file in it: {inside}" if inside else "name a file in it"
    if (folder / "saved_model.pb").is_file():
        kind = ", a TensorFlow SavedModel"
        step = f"give {folder / 'variables' / 'variables.index'}"
    elif (folder / "data.pkl").is_file():
        kind = ", an unpacked torch file"
        step = f"pack it again: 'cd {folder.parent} && zip -0 -r FILE.pth {folder.name}'"
    return WeightsError(f"path must be a weight file, got the folder {folder}{kind}; {step}")


def index_of_part(path: Path) -> Path | None:
    """Find the index of the TensorFlow checkpoint that a file is a part of, or a name means."""
    candidates = (Path(f"{path}.index"), path.with_suffix(".index") if path.name else path)
    return next((index for index in candidates if index != path and index.is_file()), None)


def part_refusal(path: Path, index: Path) -> WeightsError:
    """Explain that a checkpoint of TensorFlow is given by its index."""
    return _refused("a part of a TensorFlow checkpoint", str(path), f"give {index}")


def is_pickle(head: bytes) -> bool:
    """Tell whether a file starts as a pickle of protocol 2 to 5."""
    return head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")


def _refused(got: str, label: str, step: str) -> WeightsError:
    return WeightsError(f"path must be a weight file, got {got}: {label}; {step}")
