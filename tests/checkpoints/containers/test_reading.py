"""Containers are told apart by content; what cannot be read is refused with a next step."""

import io
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from hear_fusion.checkpoints import WeightsError, read_tensors

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}


def torch_bytes() -> bytes:
    stream = io.BytesIO()
    torch.save(WEIGHTS, stream)
    return stream.getvalue()


def make_zip(path: Path, **members: bytes | str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def assert_weights(path: Path) -> None:
    tensors = read_tensors(str(path))
    assert tensors.keys() == WEIGHTS.keys()
    for name, tensor in WEIGHTS.items():
        torch.testing.assert_close(tensors[name], tensor, rtol=0, atol=0)


def test_safetensors_under_a_wrong_name(tmp_path: Path) -> None:
    save_file(WEIGHTS, tmp_path / "model.pth")
    assert_weights(tmp_path / "model.pth")


@pytest.mark.parametrize("as_zip", [True, False])
def test_zip_around_one_torch_file(tmp_path: Path, as_zip: bool) -> None:
    stream = io.BytesIO()
    torch.save(WEIGHTS, stream, _use_new_zipfile_serialization=as_zip)
    members = {"readme.txt": b"hello", "pytorch_vggish.pth": stream.getvalue()}
    assert_weights(make_zip(tmp_path / "pytorch_vggish.zip", **members))


def test_zip_around_two_weight_files(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "two.zip", **{"a.pth": torch_bytes(), "b.pth": torch_bytes()})
    with pytest.raises(WeightsError, match=r"exactly one weight file, got a\.pth, b\.pth"):
        read_tensors(path)


@pytest.mark.parametrize("members", [{}, {"readme.txt": "hello"}], ids=["empty", "text"])
def test_zip_with_nothing_known(tmp_path: Path, members: dict[str, str]) -> None:
    path = make_zip(tmp_path / "nothing.zip", **members)
    with pytest.raises(WeightsError, match=r"exactly one weight file, got none in .*nothing\.zip"):
        read_tensors(path)


def test_zips_are_not_opened_without_end(tmp_path: Path) -> None:
    data = torch_bytes()
    for depth in range(4):
        data = make_zip(tmp_path / f"{depth}.zip", inner=data).read_bytes()
    assert_weights(tmp_path / "2.zip")
    with pytest.raises(WeightsError, match="got none"):
        read_tensors(tmp_path / "3.zip")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty file"),
        (b"\n<!DOCTYPE html><html><body>Not found</body></html>", "an HTML or XML page"),
        (b"\xef\xbb\xbf<html>", "an HTML or XML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a git-LFS pointer"),
        (b"\x80\x04K\x01.", "a Python pickle"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", r"an unknown kind that starts with b'RIFF"),
        (b"\x08", "an unknown kind"),
    ],
)
def test_other_content_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=rf"must be .*got {reason}.*weights\.pth; \w+"):
        read_tensors(path)


def test_absent_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"existing weight file, got .*none\.pth; check"):
        read_tensors(tmp_path / "none.pth")
    with pytest.raises(WeightsError, match="got the folder"):
        read_tensors(tmp_path)


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.pth"
    path.write_bytes(torch_bytes())

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # a mode of 0 would not bind root
    with pytest.raises(WeightsError, match="readable file"):
        read_tensors(path)


def test_every_truncated_safetensors_is_refused(tmp_path: Path) -> None:
    save_file(WEIGHTS, tmp_path / "whole")
    data = (tmp_path / "whole").read_bytes()
    path = tmp_path / "cut"
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(WeightsError, match="cut"):
            read_tensors(path)


def test_every_truncated_zip_is_refused(tmp_path: Path) -> None:
    data = make_zip(tmp_path / "whole", **{"a.pth": torch_bytes()}).read_bytes()
    path = tmp_path / "cut"
    for length in range(0, len(data), 13):
        path.write_bytes(data[:length])
        with pytest.raises(WeightsError, match="cut"):
            read_tensors(path)


def test_damaged_zip_member_is_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "flipped", **{"a.pth": torch_bytes()})
    data = bytearray(path.read_bytes())
    data[200] ^= 1  # the member's checksum no longer holds
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="damaged"):
        read_tensors(path)


@pytest.mark.parametrize(
    ("content", "modules", "package"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(64), ["h5py"], "h5py"),
        (b"\x08\x0b\x12\x01a", ["onnx"], "onnx"),
        (b"\x02" + bytes(7) + b"{}", ["safetensors", "safetensors.torch"], "safetensors"),
    ],
)
def test_missing_library_is_named_with_the_command(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    modules: list[str],
    package: str,
) -> None:
    path = tmp_path / "weights"
    path.write_bytes(content)
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(WeightsError, match=f"python -m pip install {package}"):
        read_tensors(path)
