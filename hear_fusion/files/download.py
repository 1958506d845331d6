"""Download one file over HTTP, going on where an earlier attempt stopped."""

import http.client
import json
import re
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from hear_fusion.errors import FileSystemError, InvalidError
from hear_fusion.progress import progress_bar

_CHUNK_BYTES = 1 << 18
_TIMEOUT_S = 30.0
_HEADERS = {"User-Agent": "hear_fusion", "Accept-Encoding": "identity"}
# What the network and the disk can raise here; URLError and TimeoutError are OSErrors, and a
# malformed URL is a ValueError.
DOWNLOAD_ERRORS = (OSError, http.client.HTTPException, ValueError)


@dataclass(frozen=True)
class _Version:
    """What tells one version of a served file from the next; kept beside the part."""

    url: str
    etag: str | None
    last_modified: str | None
    size_bytes: int | None


def download(url: str, part: Path, *, progress: bool = True) -> None:
    """Download ``url`` into ``part``, resuming if ``part`` is the beginning of the same file.

    A server without ranges, or whose file has changed meanwhile, makes it start again. What
    has arrived stays in ``part`` when the download breaks off.

    Args:
        url: HTTP or HTTPS address.
        part: File to write; its version is kept in ``<part>.json``.
        progress: Whether to show it on stderr.

    Raises:
        OSError: If server, network or disk fail, or fewer bytes arrive than announced.
        http.client.HTTPException: If the server does not speak HTTP.
        ValueError: If ``url`` is not an HTTP address.
    """
    if not url.startswith(("http://", "https://")):
        raise InvalidError(f"url must start with http:// or https://, got {url!r}")
    notes = part.with_name(part.name + ".json")
    before = _read_version(notes, url) if part.is_file() else None
    n_have = part.stat().st_size if before is not None else 0
    if before is not None and n_have == before.size_bytes:
        return
    response = _open(url, n_have, before)
    with response:
        version = _version(url, response)
        if response.status != 206:
            n_have = 0
        with (
            part.open("ab" if n_have else "wb") as stream,
            progress_bar(
                part.stem, version.size_bytes, "B", initial=n_have, quiet=not progress
            ) as bar,
        ):
            # Only now, with an old part emptied: notes must never describe another file's bytes.
            notes.write_text(json.dumps(asdict(version)), encoding="utf-8")
            _copy(response, stream, bar)
    n_have = part.stat().st_size
    if version.size_bytes is not None and n_have != version.size_bytes:
        raise FileSystemError(f"the connection ended after {n_have} of {version.size_bytes} bytes")


def discard(part: Path) -> None:
    """Remove a part and what is noted about it."""
    part.unlink(missing_ok=True)
    part.with_name(part.name + ".json").unlink(missing_ok=True)


def _open(url: str, n_have: int, before: _Version | None) -> Any:
    """Ask for the rest of a file if there is a beginning, for all of it otherwise."""
    if n_have and before is not None:
        headers = _HEADERS | {"Range": f"bytes={n_have}-"}
        try:
            response = _request(url, headers)
        except urllib.error.HTTPError as err:
            err.close()
            if err.code != 416:  # the file has become shorter than what is here
                raise
        else:
            if response.status != 206:
                return response
            starts_here = _content_range(response)[0] == n_have
            if starts_here and _version(url, response) == before:
                return response
            response.close()
    return _request(url, _HEADERS)


def _request(url: str, headers: dict[str, str]) -> Any:
    # urlopen would keep the proxies that the environment named at its first call.
    request = urllib.request.Request(url, headers=headers)
    return urllib.request.build_opener().open(request, timeout=_TIMEOUT_S)


def _copy(response: Any, stream: IO[bytes], bar: Any) -> None:
    while chunk := response.read(_CHUNK_BYTES):
        stream.write(chunk)
        bar.update(len(chunk))


def _version(url: str, response: Any) -> _Version:
    headers = response.headers
    if response.status == 206:
        size = _content_range(response)[1]
    else:
        size = int(headers["Content-Length"]) if headers["Content-Length"] else None
    return _Version(url, headers["ETag"], headers["Last-Modified"], size)


def _content_range(response: Any) -> tuple[int | None, int | None]:
    """Return first byte and total size that a partial answer states."""
    stated = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers["Content-Range"] or "")
    if stated is None:
        return None, None
    return int(stated[1]), None if stated[2] == "*" else int(stated[2])


def _read_version(notes: Path, url: str) -> _Version | None:
    """Return what was noted about a part, ``None`` if it belongs to another address."""
    try:
        version = _Version(**json.loads(notes.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    # Without size and validators nothing would show that the file has changed.
    traceable = version.size_bytes and (version.etag or version.last_modified)
    return version if version.url == url and traceable else None
