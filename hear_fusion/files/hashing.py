"""SHA-256 of files, of folders, and of what decides the content of a result."""

import hashlib
import json
from pathlib import Path


def file_sha256(path: Path | str) -> str:
    """Hash a file's bytes.

    Args:
        path: The file.

    Returns:
        64 hex digits.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_path(path: Path) -> str:
    """Hash a file, or a folder's files with their relative names in sorted order.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     sha256_of_path(Path(file.name))[:16]
    'e3b0c44298fc1c14'
    """
    if not path.is_dir():
        return file_sha256(path)
    digest = hashlib.sha256()
    for file_path in sorted(found for found in path.rglob("*") if found.is_file()):
        digest.update(f"{file_path.relative_to(path).as_posix()}\0".encode())
        digest.update(bytes.fromhex(file_sha256(file_path)))
    return digest.hexdigest()


def recipe_of(*parts: object) -> str:
    """Hash everything that decides a folder's content, as canonical JSON.

    >>> recipe_of({"b": 1, "a": 2}) == recipe_of({"a": 2, "b": 1})
    True
    """
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=vars)
    return hashlib.sha256(text.encode()).hexdigest()
