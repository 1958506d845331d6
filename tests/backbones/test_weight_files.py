"""Published files of the networks: recognised, imported, checked, with two tiny networks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hear_fusion.backbones.weight_files import (
    FileReport,
    check_cached,
    identify,
    import_weights,
    published_files,
)
from hear_fusion.checkpoints import WeightsError
from tests.backbones.tiny_networks import (
    ALPHA,
    ALPHA_SHA256,
    BETA,
    DELTA,
    GAMMA,
    installed,
    put,
    weight_bytes,
)


@pytest.fixture(autouse=True)
def _tiny_networks() -> Iterator[None]:
    with installed():
        yield


def statuses(backbone: str) -> list[str]:
    return [report.status for report in check_cached(backbone)]


def test_all_published_files_stand_beside_their_network() -> None:
    assert [(name, record.filename) for name, record in published_files()] == [
        ("alpha", "alpha.pth"),
        ("alpha", "gamma-32k.pth"),
        ("beta", "beta.h5"),
        ("beta", "beta.zip"),
    ]


def test_the_network_is_found_from_the_content(cache: Path, tmp_path: Path) -> None:
    file = put(tmp_path, "download", ALPHA)
    assert import_weights(file, ("alpha", "beta")) == [
        FileReport("ok", "alpha", cache / "alpha.pth")
    ]
    assert (cache / "alpha.pth").read_bytes() == ALPHA
    assert statuses("alpha") == ["ok", "absent"]


def test_without_a_hash_only_the_published_name_will_do(cache: Path, tmp_path: Path) -> None:
    renamed = put(tmp_path, "download", BETA)
    with pytest.raises(WeightsError, match=r"beta\.h5 has no published hash: only that name"):
        import_weights(renamed, ("beta",))
    assert all(path.suffix == ".lock" for path in cache.glob("*"))
    reports = import_weights(put(tmp_path, "beta.h5", BETA), ("beta",))
    assert reports == [FileReport("fits", "beta", cache / "beta.h5")]
    assert statuses("beta") == ["fits", "absent"]


def test_a_file_that_is_no_default_is_told_so(cache: Path, tmp_path: Path) -> None:
    (report,) = import_weights(put(tmp_path, "download", GAMMA), ("alpha", "beta"))
    assert (report.status, report.path) == ("ok", cache / "gamma-32k.pth")
    assert "not the default file" in report.note


def test_a_file_that_another_one_goes_before_is_told_so(cache: Path, tmp_path: Path) -> None:
    used = put(cache, "beta.h5", BETA)
    (report,) = import_weights(put(tmp_path, "download", DELTA), ("beta",))
    assert report.note == f"{used} is also there and goes first; remove it to use this one."


def test_a_refusal_says_for_each_network_why(cache: Path, tmp_path: Path) -> None:
    fits_but_is_not_published = put(tmp_path, "own", weight_bytes("alpha", 2.0))
    with pytest.raises(WeightsError) as caught:
        import_weights(fits_but_is_not_published, ("alpha", "beta"))
    assert ALPHA_SHA256 in str(caught.value)
    assert "beta: tensors must be 'beta', got ['alpha']" in str(caught.value)
    assert all(path.suffix == ".lock" for path in cache.glob("*"))


@pytest.mark.parametrize(
    ("name", "data", "backbone"), [("alpha.pth", BETA, "alpha"), ("beta.h5", ALPHA, "beta")]
)
def test_another_file_under_a_published_name_is_bad(
    cache: Path, name: str, data: bytes, backbone: str
) -> None:
    path = put(cache, name, data)
    report = check_cached(backbone)[0]
    assert (report.status, report.path) == ("bad", path)
    assert "must be" in report.note


def test_a_file_anywhere_is_identified(tmp_path: Path) -> None:
    published = put(tmp_path, "p", ALPHA)
    assert identify(published) == FileReport("ok", "alpha", published)
    own = put(tmp_path, "own", weight_bytes("alpha", 2.0))
    assert (identify(own).status, identify(own).backbone) == ("fits", "alpha")
    under_a_published_name = own.rename(tmp_path / "alpha.pth")
    assert identify(under_a_published_name).status == "bad"
    unknown = identify(put(tmp_path, "other", weight_bytes("gamma")))
    assert (unknown.status, unknown.backbone) == ("bad", "-")
    assert "FILE must hold the weights of a network of the list" in unknown.note
    assert identify(put(tmp_path, "text", b"no weights")).status == "bad"
