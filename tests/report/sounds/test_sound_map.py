"""Sounds as points with names, times and colours."""

from __future__ import annotations

import numpy as np
import pytest

from hear_fusion.errors import InvalidError
from hear_fusion.report.drawing import to_svg
from hear_fusion.report.sounds.map_drawing import map_drawing
from hear_fusion.report.sounds.palette import SHAPES, groups
from hear_fusion.report.sounds.sound_map import SoundMap
from tests.report.sounds.maps import sound_map


@pytest.mark.parametrize(
    ("paths", "folders"),
    [
        (["/d/x/a.wav", "/d/y/z/b.wav"], ["x", "y/z"]),
        (["/d/a.wav", "/d/b.wav"], ["", ""]),
        (["a.wav", "b.wav"], ["", ""]),
        (["x/a.wav", "b.wav"], ["x", ""]),
        (["/d/a.wav", "x/b.wav"], ["/d", "x"]),
    ],
)
def test_a_folder_is_shown_from_where_they_part(paths: list[str], folders: list[str]) -> None:
    assert sound_map(paths).shown_names() == (folders, ["a.wav", "b.wav"])


def test_parts_of_files_are_shown_with_their_times() -> None:
    nan = np.nan
    vectors = np.eye(3, dtype=np.float32)
    starts, stops = np.array([nan, 1.5, 0]), np.array([nan, 2.25, nan])
    shown = SoundMap.of("m", ["a", "b", "c"], starts, stops, [""] * 3, vectors).shown_times()
    assert shown == ["", "1.50 s to 2.25 s", "0.00 s to its end"]


def test_a_map_of_nothing_is_refused() -> None:
    none = np.empty(0)
    with pytest.raises(InvalidError, match="at least 1 sound"):
        SoundMap.of("m", [], none, none, [], np.empty((0, 3), np.float32))


def test_sixty_labels_look_different_from_each_other() -> None:
    made = groups([f"{i:02d}" for i in range(60)])
    assert len({(group.colour, group.shape) for group in made}) == 60
    assert {group.shape for group in made} == set(SHAPES)


def test_the_picture_shows_every_sound_and_explains_its_labels() -> None:
    labels = [f"label {i:02d} {'long' * 9}" for i in range(40)] + ["$x_i$"] * 10 + [""] * 5
    sounds = sound_map([f"{i}.wav" for i in range(55)], labels)
    drawing = map_drawing(sounds)
    axes = drawing.figure.axes[0]
    offsets = np.concatenate([np.asarray(one.get_offsets()) for one in axes.collections])
    np.testing.assert_allclose(np.sort(offsets, axis=0), np.sort(sounds.plane.points, axis=0))
    legend = axes.get_legend()
    assert legend is not None
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts[0] == "$x_i$ (10)"
    assert texts[-1] == "and 15 more"
    assert max(map(len, texts)) <= 26
    assert "55 sounds, PCA" in to_svg(drawing)


def test_a_picture_without_labels_has_no_legend() -> None:
    assert map_drawing(sound_map(["a.wav", "b.wav"])).figure.axes[0].get_legend() is None
