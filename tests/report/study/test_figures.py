"""What the figures show: their data, labels and files, read from the Figure objects."""

from __future__ import annotations

import re
import struct
import warnings
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from hear_fusion.report.drawing import Drawing, shades, spread, style, to_png, to_svg
from hear_fusion.report.study.curves import curves_drawing
from hear_fusion.report.study.figures import gains_drawing, heat_drawing, study_drawings
from tests.report.studies import DEMO, LAYERS, NINE, study

DEMO_STUDY = study("yamnet", DEMO)


def lines_of(drawing: Drawing, panel: int) -> dict[str, Line2D]:
    lines = drawing.figure.axes[panel].get_lines()
    return {str(line.get_label()): line for line in lines if str(line.get_label())[0] != "_"}


def words(drawing: Drawing, panel: int = 0) -> list[str]:
    return [text.get_text() for text in drawing.figure.axes[panel].texts]


@pytest.mark.parametrize("backbone", LAYERS)
def test_curves_are_the_scores_of_the_layers(backbone: str) -> None:
    one = study(backbone, NINE)
    drawing = curves_drawing(one, one.module)
    left, right = lines_of(drawing, 0), lines_of(drawing, 1)
    assert len(left) == 11
    for task in one.tasks:
        label = task.task.partition("-")[0]
        expected = [100 * task.layers[number].value for number in LAYERS[backbone]]
        np.testing.assert_allclose(np.asarray(left[label].get_ydata()), expected, rtol=1e-12)
        np.testing.assert_allclose(
            np.asarray(right[label].get_ydata()),
            [100 * task.original.value, 100 * task.fused.value],
            rtol=1e-12,
        )
    middle = [task for task in one.tasks if task.group == "middle"]
    means = [
        100 * np.mean([task.layers[number].value for task in middle]) for number in LAYERS[backbone]
    ]
    mean = left["mean of M tasks"]
    np.testing.assert_allclose(np.asarray(mean.get_ydata()), means, rtol=1e-12)
    assert mean.get_linewidth() > 2 * left["surge"].get_linewidth()
    ticks = [tick.get_text() for tick in drawing.figure.axes[0].get_xticklabels()]
    assert ticks == [str(number) for number in LAYERS[backbone]]


def test_every_point_is_inside_the_scale() -> None:
    for kinds in (DEMO, NINE, DEMO[:1]):
        drawing = curves_drawing(study("yamnet", kinds), "y")
        low, high = drawing.figure.axes[0].get_ylim()
        for line in [*lines_of(drawing, 0).values(), *lines_of(drawing, 1).values()]:
            scores = np.asarray(line.get_ydata())
            assert low <= scores.min()
            assert scores.max() <= high


def test_chosen_layers_are_marked() -> None:
    assert words(curves_drawing(replace(DEMO_STUDY, middle=5, late=12), "y")) == [
        "M = 5", "L = 12"
    ]  # fmt: skip
    same = replace(DEMO_STUDY, middle=7, late=7)
    assert words(curves_drawing(same, "y")) == ["M = L = 7"]
    axes = curves_drawing(replace(DEMO_STUDY, middle=5, late=12), "y").figure.axes[0]
    bands = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [band.get_x() + band.get_width() / 2 for band in bands] == pytest.approx([4, 11])


def test_titles_of_neighbours_lean_away_from_each_other() -> None:
    for middle, late in ((6, 7), (7, 6)):
        axes = curves_drawing(replace(DEMO_STUDY, middle=middle, late=late), "y").figure.axes[0]
        sides = {text.get_text(): text.get_horizontalalignment() for text in axes.texts}
        first, second = sorted(float(text.xy[0]) for text in axes.texts)  # type: ignore[attr-defined]
        assert second - first == pytest.approx(0.24)
        assert sides == {
            f"M = {middle}": "right" if middle < late else "left",
            f"L = {late}": "right" if late < middle else "left",
        }


def test_tasks_are_told_apart_without_colour() -> None:
    lines = lines_of(curves_drawing(study("cnn14", NINE), "c"), 0)
    tasks = [line for name, line in lines.items() if not name.startswith("mean")]
    assert len({str(line.get_marker()) for line in tasks}) == len(tasks) == 9
    filled = {name: to_hex(line.get_markerfacecolor()) != "#ffffff" for name, line in lines.items()}
    assert (filled["surge"], filled["esc50"]) == (True, False)
    assert lines["surge"].get_linestyle() == "-"
    assert lines["esc50"].get_linestyle() == "--"


@pytest.mark.parametrize("group", ["middle", "late"])
def test_shades_ascend_in_grey_and_stay_readable_on_white(group: str) -> None:
    grey = [np.dot(to_rgb(shade), (0.299, 0.587, 0.114)) for shade in shades(group, 6)]
    assert np.all(np.diff(grey) > 0.02)
    assert grey[-1] < 0.75


def test_the_heat_map_shows_every_number_and_the_best() -> None:
    one = study("cnn14", NINE)
    drawing = heat_drawing(one, one.module)
    axes = drawing.figure.axes[0]
    tasks = sorted(one.tasks, key=lambda task: task.group == "late")
    expected = [f"{100 * task.layers[n].value:.1f}" for task in tasks for n in LAYERS["cnn14"]]
    assert words(drawing)[: len(expected)] == expected
    bold = [
        text.get_text() for text in axes.texts[: len(expected)] if text.get_fontweight() == "bold"
    ]
    assert bold == [f"{100 * max(e.value for e in task.layers.values()):.1f}" for task in tasks]
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert labels[0] == "speech_commands_35  M"
    assert labels[-1] == "gtzan_filtered  L"
    shares = np.asarray(axes.collections[0].get_array()).reshape(9, 6)
    assert shares.max(axis=1) == pytest.approx(np.ones(9))
    frames = [patch.get_x() for patch in axes.patches if isinstance(patch, Rectangle)]
    assert frames == [LAYERS["cnn14"].index(number) for number in one.chosen]
    assert words(drawing)[len(expected) :] == ["M", "L"]


def test_the_heat_map_of_one_layer_for_both() -> None:
    one = replace(DEMO_STUDY, middle=7, late=7, tasks=DEMO_STUDY.tasks[:1])
    assert words(heat_drawing(one, "y"))[-1] == "M = L"


def test_text_on_colours_is_readable() -> None:
    axes = heat_drawing(study("yamnet", NINE), "y").figure.axes[0]
    mesh = axes.collections[0]
    shares = np.asarray(mesh.get_array()).ravel()
    for text, share in zip(axes.texts, shares, strict=False):
        ground = _luminance(to_rgb(mesh.cmap(np.asarray(mesh.norm(share)).item())))
        ink = _luminance(to_rgb(text.get_color()))
        contrast = (max(ground, ink) + 0.05) / (min(ground, ink) + 0.05)
        assert contrast > 4


def _luminance(colour: tuple[float, float, float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def test_bars_are_the_differences_with_their_intervals() -> None:
    one = study("cnn14", NINE)
    lopsided = replace(one.tasks[0].gain, low=one.tasks[0].gain.value - 0.1)
    one = replace(one, tasks=(replace(one.tasks[0], gain=lopsided), *one.tasks[1:]))
    axes = gains_drawing(one, one.module).figure.axes[0]
    bars = [c[0] for c in axes.containers if isinstance(c, BarContainer)]
    errors = [c for c in axes.containers if isinstance(c, ErrorbarContainer)]
    assert len(bars) == len(errors) == 15
    for task, bar, error in zip(one.tasks, bars, errors, strict=False):
        assert bar.get_width() == pytest.approx(100 * task.gain.value)
        (ends,) = error.lines[2][0].get_segments()
        assert ends[:, 0] == pytest.approx([100 * task.gain.low, 100 * task.gain.high])
    assert bars[-1].get_width() == pytest.approx(
        100 * np.mean([task.gain.value for task in one.tasks])
    )
    assert [tick.get_text() for tick in axes.get_yticklabels()][-1] == "mean of all tasks"
    shown = [text.get_text() for text in axes.texts]
    assert shown[6] == f"{100 * one.tasks[6].gain.value:.1f}".replace("-", "\u2212")
    lost = [bar.get_hatch() for bar in bars]
    assert [hatch is not None for hatch in lost] == [bar.get_width() < 0 for bar in bars]
    low, high = axes.get_xlim()
    assert low < min(100 * task.gain.low for task in one.tasks)
    assert high > max(100 * task.gain.high for task in one.tasks)


def test_a_difference_that_may_be_none_is_pale() -> None:
    one = study("cnn14", NINE)
    axes = gains_drawing(one, "c").figure.axes[0]
    bars = [c[0] for c in axes.containers if isinstance(c, BarContainer)]
    pale = [bar.get_facecolor()[3] < 1 for bar in bars[:9]]
    assert pale == [task.gain.low <= 0 <= task.gain.high for task in one.tasks]
    assert any(pale)
    assert not all(pale)


def test_one_task_has_no_means() -> None:
    one = study("yamnet", DEMO[:1])
    assert list(lines_of(curves_drawing(one, "y"), 0)) == ["esc10"]
    assert len(gains_drawing(one, "y").figure.axes[0].get_yticklabels()) == 1


@pytest.mark.parametrize("index", range(3), ids=["curves", "heat", "bars"])
def test_files_are_the_same_each_time(index: int) -> None:
    first, second = (study_drawings(DEMO_STUDY, "y")[index] for _ in range(2))
    svg = to_svg(first)
    assert svg == to_svg(second)
    assert to_png(first) == to_png(second)
    assert not re.search(r"metadata|20\d\d-\d\d-\d\d|matplotlib\.org", svg)
    width, height = struct.unpack(">II", to_png(first)[16:24])
    assert (width, height) == tuple(np.round(200 * first.figure.get_size_inches()).astype(int))


def test_svg_keeps_text_as_text_and_its_own_names() -> None:
    drawings = study_drawings(DEMO_STUDY, "y")
    svgs = [to_svg(drawing) for drawing in drawings]
    ids = []
    for drawing, svg in zip(drawings, svgs, strict=True):
        root = ElementTree.fromstring(svg)
        texts = {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}
        assert any("demo_words" in (text or "") for text in texts), texts
        found = re.findall(r'\bid="([^"]*)"', svg)
        used = re.findall(r'(?:href="|url\()#([^")]*)', svg)
        assert used
        assert set(used) <= set(found)
        assert all(name.startswith(drawing.name) for name in found)
        ids += found
    assert len(ids) == len(set(ids))


def test_odd_names_are_text_and_not_mathematics_or_markup() -> None:
    odd = ["$x_1$", "<script>alert(1)</script>", "a & b", "", "\x00\x07", "x" * 300]
    tasks = tuple(
        replace(task, task=name) for task, name in zip(DEMO_STUDY.tasks, odd, strict=True)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svgs = [
            to_svg(drawing) for drawing in study_drawings(replace(DEMO_STUDY, tasks=tasks), "y")
        ]
    for svg in svgs:
        root = ElementTree.fromstring(svg)
        texts = " ".join(e.text or "" for e in root.iter("{http://www.w3.org/2000/svg}text"))
        assert "$x_1$" in texts
        assert "<script>" in texts
        assert "a & b" in texts
        assert "<script" not in svg


def test_style_leaves_matplotlib_as_it_was() -> None:
    before = dict(mpl.rcParams)
    study_drawings(DEMO_STUDY, "y")
    with style():
        assert mpl.rcParams["svg.fonttype"] == "none"
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("seed", range(20))
def test_labels_are_apart_in_order_and_moved_least(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wanted = rng.uniform(0, 10, size=rng.integers(1, 12))
    places = np.array(spread(wanted.tolist(), gap=0.7, low=0, high=10))
    order = np.argsort(wanted, kind="stable")
    assert np.all(np.diff(places[order]) >= 0.7 - 1e-9)
    assert places.min() >= -1e-9
    assert places.max() <= 10 + 1e-9
    cost = float(np.sum((places - wanted) ** 2))
    for _ in range(200):
        other = places + rng.normal(0, 0.05, size=places.size)
        legal = np.all(np.diff(other[order]) >= 0.7) and other.min() >= 0 and other.max() <= 10
        assert not legal or np.sum((other - wanted) ** 2) >= cost - 1e-9


def test_too_many_labels_share_the_room_evenly() -> None:
    assert spread([5.0] * 5, gap=9, low=0, high=8) == pytest.approx([0, 2, 4, 6, 8])


def test_no_difference_at_all_is_drawn() -> None:
    """A fusion as right as the original on every clip: no width, and rounding beside zero."""
    task = DEMO_STUDY.tasks[0]
    gain = replace(task.gain, value=0.0, low=1e-17, high=1e-17, p=1.0)
    drawing = gains_drawing(replace(DEMO_STUDY, tasks=(replace(task, gain=gain),)), "y")
    assert words(drawing) == ["0.0"]
    assert to_png(drawing)
