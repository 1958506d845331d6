"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hear_fusion.cli import main, options
from hear_fusion.files.lock import InUseError, exclusive


def test_waiting_is_ruled_out_for_the_verb_alone(tmp_path: Path) -> None:
    with exclusive(tmp_path / ".lock"):

        @click.command
        @options.no_wait
        def verb() -> None:
            with exclusive(tmp_path / ".lock"):
                pytest.fail("went on without the lock")

        said = CliRunner().invoke(verb, ["--no-wait"])
        assert isinstance(said.exception, InUseError)


def test_refused_words_rule_out_no_later_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(main, ["demo", "--no-wait", "folder", "another"])
    assert said.exit_code == 2

    @click.command
    @options.no_wait
    def verb() -> None:
        from hear_fusion.files import lock

        assert lock._waits.get()

    assert CliRunner().invoke(verb, [], catch_exceptions=False).exit_code == 0
