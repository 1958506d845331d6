"""Texts of tasks, data sets and studies: `check` says what heareval does, and no reader breaks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import strategies as st

from hear_fusion.datasets.base import Seen
from hear_fusion.study.config import StudyConfig
from hear_fusion.tasks.schema import METADATA_FILE, VOCABULARY_FILE
from tests.datasets.miniatures import MINIATURES
from tests.datasets.test_tables import TABLES, texts_of
from tests.fuzz.harness import Fuzz, Outcome, outcome_of
from tests.fuzz.texts import odd_text
from tests.study.test_foreign_configs import GOOD
from tests.tasks.hear_tasks import write_event_task, write_scene_task
from tests.tasks.test_foreign_texts import assert_no_reader_breaks, errors, heareval_fails

FILES = (METADATA_FILE, "train.json", "valid.json", VOCABULARY_FILE)


@pytest.mark.parametrize("write", [write_scene_task, write_event_task])
def test_tasks_are_read_or_refused(fuzz: Fuzz, tmp_path: Path, write: Callable[..., Path]) -> None:
    whole = write(tmp_path / "whole" / "tones-v1-full", n_clips=3)
    if write is write_scene_task:
        metadata = json.loads((whole / METADATA_FILE).read_text())
        (whole / METADATA_FILE).write_text(json.dumps({**metadata, "evaluation": ["top1_acc"]}))
    assert errors(whole) == []
    texts = {name: (whole / name).read_bytes() for name in FILES}
    task = Path(shutil.copytree(whole, tmp_path / "tasks" / whole.name))

    def read(case: tuple[str, bytes]) -> Outcome:
        name, data = case
        (task / name).write_bytes(data)
        try:
            found = errors(task)
            assert_no_reader_breaks(task)
            if write is write_scene_task and not found:
                assert not heareval_fails(task)
        finally:
            (task / name).write_bytes(texts[name])
        return "refused" if found else "read"

    cases = st.sampled_from(FILES).flatmap(
        lambda name: st.tuples(st.just(name), odd_text(texts[name]))
    )
    fuzz.run(cases, read, n=700, few=20)


def test_studies_are_read_or_refused(fuzz: Fuzz, tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    more = "learning_rates: [1e-3, 1e-2]\nseeds: [1, 2]\nmax_epochs: 3\n"

    def read(data: bytes) -> Outcome:
        path.write_bytes(data)
        return outcome_of(StudyConfig.read, path, names=path.name)

    fuzz.run(odd_text((GOOD + more).encode()), read, n=600, few=20)


def test_tables_of_data_sets_are_read_or_refused(fuzz: Fuzz) -> None:
    minis = {name: MINIATURES[name]() for name, _ in TABLES}
    texts = {name: texts_of(mini) for name, mini in minis.items()}

    def read(case: tuple[str, str, bytes]) -> Outcome:
        name, file, data = case
        seen = Seen({**texts[name], file: data}, set(minis[name].places))
        return outcome_of(minis[name].data_set.places, seen, names=file)

    cases = st.sampled_from(sorted(set(TABLES))).flatmap(
        lambda table: st.tuples(*map(st.just, table), odd_text(texts[table[0]][table[1]]))
    )
    fuzz.run(cases, read, n=900, few=20)
